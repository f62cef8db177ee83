// A client's first frame and all that follow it: the same bytes have the same verb, whatever came
// before; what is understood holds its bounds and, written again, is understood the same; what is
// not gets a code that a peer may be told. A hello is proven exactly when it is signed, fresh and
// unambiguous.
//   input: the verdict's circumstances (1 byte), the frame
#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dialects/claudemesh.h"
#include "dialects/claudemesh_topics.h"
#include "dialects/pulse_text.h"
#include "routing/pattern.h"
#include "wire/utf8.h"

namespace {

using namespace signet;
using namespace signet::dialects;
using wire::JsonWriter;

constexpr std::chrono::milliseconds kSkew{60'000};

void check(bool holds) {
  if (!holds) std::abort();
}

std::string_view name_of(routing::Priority priority) {
  constexpr std::string_view kNames[] = {"now", "next", "low"};
  return kNames[static_cast<std::size_t>(priority)];
}

JsonWriter frame_of(std::string_view type) {
  JsonWriter frame;
  frame.object().key("type").value(type);
  return frame;
}

// The frame that says a verb, in the one form of this writer.
struct Rewrite {
  std::string operator()(const Hello& v) const {
    JsonWriter frame = frame_of("hello");
    frame.key("meshId").value(v.claim.mesh_id).key("memberId").value(v.claim.member_id);
    frame.key("pubkey").value(v.claim.pubkey).key("signature").value(v.claim.signature);
    if (v.claim.timestamp) frame.key("timestamp").raw(*v.claim.timestamp);
    frame.key("sessionId").value(v.hints.session_id).key("cwd").value(v.hints.cwd);
    frame.key("displayName").value(v.hints.display_name).key("pid").value(v.hints.pid);
    return frame.key("receipts").value(v.confirms_itself).end().take();
  }
  std::string operator()(const Send& v) const {
    JsonWriter frame = frame_of("send");
    frame.key("id").value(v.client_id).key("targetSpec").value(routing::text_of(v.to));
    frame.key("priority").value(name_of(v.priority)).key("receipts").value(v.receipts);
    if (v.audience) frame.key("audience").value(to_hex(*v.audience));
    std::string text = frame.end().take();
    text.pop_back();
    return text + "," + v.body + "}";
  }
  std::string operator()(const SetStatus& v) const {
    return frame_of("set_status").key("status").value(name_of(v.status)).end().take();
  }
  std::string operator()(const SetSummary& v) const {
    return frame_of("set_summary").key("summary").value(v.summary).end().take();
  }
  std::string operator()(const JoinChannel& v) const {
    return frame_of("channel_join").key("name").value(v.name).end().take();
  }
  std::string operator()(const LeaveChannel& v) const {
    return frame_of("channel_leave").key("name").value(v.name).end().take();
  }
  std::string operator()(const Receipt& v) const {
    JsonWriter frame = frame_of("receipt");
    frame.key("messageId").value(to_hex(v.message));
    return frame.key("state").value(name_of(v.state)).end().take();
  }
  std::string operator()(const ListMembers& v) const {
    JsonWriter frame = frame_of("list_members");
    frame.key("target").value(routing::text_of(v.target));
    if (v.after) frame.key("after").value(crypto::to_hex(*v.after));
    return frame.end().take();
  }
  std::string operator()(const Publish& v) const {
    JsonWriter frame = frame_of("topic_publish");
    frame.key("id").value(v.client_id).key("topic").value(v.topic);
    return frame.key("pulse").raw(v.pulse + "}").end().take();
  }
  std::string operator()(const Subscribe& v) const {
    return frame_of("topic_subscribe").key("pattern").value(v.pattern).end().take();
  }
  std::string operator()(const Unsubscribe& v) const {
    return frame_of("topic_unsubscribe").key("pattern").value(v.pattern).end().take();
  }
  std::string operator()(const ReadHistory& v) const {
    JsonWriter frame = frame_of("topic_history");
    if (!v.pattern.empty()) frame.key("pattern").value(v.pattern);
    if (v.after) frame.key("after").value(*v.after);
    return frame.key("limit").value(std::uint64_t{v.limit}).end().take();
  }
  std::string operator()(const ListTopics&) const { return R"({"type":"topic_list"})"; }
  std::string operator()(const ListPeers&) const { return R"({"type":"list_peers"})"; }
  std::string operator()(const ListChannels&) const { return R"({"type":"channel_list"})"; }
  std::string operator()(const Misspoken& v) const {
    if (v.code == Refusal::kBadTopic) {
      JsonWriter frame = frame_of("topic_publish");
      return frame.key("id").value(v.client_id).key("topic").value("").end().take();
    }
    const bool unknown = v.code == Refusal::kUnknownType;
    return frame_of(unknown ? "" : "send").key("id").value(v.client_id).end().take();
  }
  std::string operator()(const auto&) const { std::abort(); }  // a verb of another format
};

std::string rewritten(const Verb& verb) { return std::visit(Rewrite{}, verb); }

struct Bounds {
  void operator()(const Hello& v) const {
    for (const auto hint : {v.hints.session_id, v.hints.cwd, v.hints.display_name}) {
      check(hint.size() <= kMaxHintBytes && wire::is_utf8(hint));
    }
  }
  void operator()(const Send& v) const {
    check(v.client_id.size() <= kMaxClientIdBytes);
    const auto again = routing::parse_address(routing::text_of(v.to));
    check(again.ok() && *again == v.to);
    check(!v.audience || !std::holds_alternative<routing::ToMember>(v.to));
    routing::Envelope envelope;
    envelope.to = routing::text_of(v.to);
    envelope.body = v.body;
    wire::JsonDocument push;  // nothing in a body reaches out of it
    check(push.parse(Claudemesh().write(Pushed{envelope, "m", "k"})).ok());
    check(push.root().size() == 9 && push.root()["type"].string() == "push");
    const auto raw = [&](std::string_view name) { return std::string(push.root()[name].raw()); };
    check(v.body == R"("nonce":)" + raw("nonce") + R"(,"ciphertext":)" + raw("ciphertext"));
  }
  void operator()(const SetSummary& v) const { check(v.summary.size() <= kMaxSummaryBytes); }
  void operator()(const JoinChannel& v) const { check(routing::is_name(v.name)); }
  void operator()(const LeaveChannel& v) const { check(routing::is_name(v.name)); }
  void operator()(const Publish& v) const {
    check(v.client_id.size() <= kMaxClientIdBytes && routing::is_topic(v.topic));
    routing::Pulse pulse;
    pulse.topic = v.topic;
    pulse.number = pulse.topic_number = 1;
    pulse.text = stamp_pulse(v.pulse, WallTime{}, v.topic);
    wire::JsonDocument stamped,
        frame;  // nothing in a pulse reaches out of it, nor stands for a stamp
    check(stamped.parse(pulse.text).ok());
    check(stamped.root()["_mesh_topic"].string() == v.topic);
    check(stamped.root()["_mesh_timestamp"].string() == pulse_time(WallTime{}));
    check(!stamped.root()["_mesh_from"]);  // that is what Signet says itself
    check(frame.parse(Claudemesh().write(PulseOut{pulse})).ok());
    check(frame.root().size() == 7 && frame.root()["type"].string() == "pulse");
    check(frame.root()["pulse"].raw() == pulse.text);
  }
  void operator()(const Subscribe& v) const { check(routing::Pattern::parse(v.pattern).ok()); }
  void operator()(const Unsubscribe& v) const { check(routing::Pattern::parse(v.pattern).ok()); }
  void operator()(const ReadHistory& v) const {
    check(v.pattern.empty() || routing::Pattern::parse(v.pattern).ok());
    check(v.limit >= 1 && v.limit <= kMaxTopicHistoryLimit);
  }
  void operator()(const ListTopics&) const {}
  void operator()(const Misspoken& v) const {
    check(v.code == Refusal::kBadFrame || v.code == Refusal::kUnknownType ||
          v.code == Refusal::kBadTopic);
    check(!v.rule.empty() && v.client_id.size() <= kMaxClientIdBytes);
    check(v.is_message || v.client_id.empty());
    wire::JsonDocument error;
    check(error.parse(Claudemesh().write(Refused{v.code, v.client_id, {}})).ok());
    check(error.root()["code"].string() == signet::name_of(v.code));
    check(v.client_id.empty() || error.root()["id"].string() == v.client_id);
  }
  void operator()(const ListMembers& v) const {
    check(!std::holds_alternative<routing::ToMember>(v.target));
    const auto again = routing::parse_address(routing::text_of(v.target));
    check(again.ok() && *again == v.target);
  }
  void operator()(const SetStatus&) const {}
  void operator()(const ListPeers&) const {}
  void operator()(const ListChannels&) const {}
  void operator()(const Receipt&) const {}
  void operator()(const auto&) const { std::abort(); }  // a verb of another format
};

using Checked = std::variant<trust::ProvenHello, HelloReject>;

bool is(const Checked& checked, HelloReject code) {
  const auto* is_code = std::get_if<HelloReject>(&checked);
  return is_code != nullptr && *is_code == code;
}

// As the page says it: a plain integer of at most 16 digits, for which there is one text.
std::optional<std::int64_t> plain(const std::optional<std::string_view>& text) {
  std::int64_t value = 0;
  if (!text || text->size() > 16) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  const bool whole = error == std::errc{} && end == text->data() + text->size();
  if (!whole || std::to_string(value) != *text) return std::nullopt;
  return value;
}

std::string signed_text(const trust::HelloClaim& claim) {
  const auto text = [](std::string_view part) { return std::string(part); };
  return text(claim.mesh_id) + "|" + text(claim.member_id) + "|" + text(claim.pubkey) + "|" +
         text(claim.timestamp.value_or(""));
}

const crypto::SecretKey& test_key() {
  static const crypto::SecretKey key = crypto::SecretKey::from_seed({7});
  return key;
}

// The same claim, signed by a key that the target holds.
void check_signed(trust::HelloClaim claim, WallTime now) {
  const std::string key = to_hex(test_key().public_key().bytes);
  claim.pubkey = key;
  std::string signature = to_hex(test_key().sign(bytes_of(signed_text(claim))));
  claim.signature = signature;
  const Checked checked = trust::check_hello(claim, now, kSkew, true);
  check(!is(checked, HelloReject::kBadSignature));
  const auto timestamp = plain(claim.timestamp);
  const bool fresh = timestamp && std::abs(*timestamp - now.ms) <= kSkew.count();
  const bool sound = trust::is_hello_id(claim.mesh_id) && trust::is_hello_id(claim.member_id);
  const auto* proven = std::get_if<trust::ProvenHello>(&checked);
  check((proven != nullptr) == (fresh && sound));
  if (proven == nullptr) return;
  check(proven->key == test_key().public_key() && proven->timestamp_ms == *timestamp);
  check(signed_text(claim).find('|') == claim.mesh_id.size());
  signature[0] = signature[0] == '0' ? '1' : '0';
  claim.signature = signature;
  check(is(trust::check_hello(claim, now, kSkew, true), HelloReject::kBadSignature));
}

void check_hello(const Hello& hello, std::uint8_t circumstances) {
  const auto& claim = hello.claim;
  const bool has_capacity = (circumstances & 1) != 0;
  const std::int64_t about = plain(claim.timestamp).value_or(1'700'000'000'000);
  const std::int64_t off = (std::int64_t{circumstances} - 128) * 1'000;
  const WallTime now{about + off};
  const Checked checked = trust::check_hello(claim, now, kSkew, has_capacity);
  check(is(trust::check_hello(claim, now, kSkew, false), HelloReject::kCapacity));
  check(has_capacity || is(checked, HelloReject::kCapacity));
  if (const auto* code = std::get_if<HelloReject>(&checked)) {
    constexpr HelloReject kOfThisCheck[] = {HelloReject::kCapacity, HelloReject::kTimestampSkew,
                                            HelloReject::kMalformed, HelloReject::kBadSignature};
    check(std::ranges::find(kOfThisCheck, *code) != std::end(kOfThisCheck));
  }
  const WallTime far = now + std::chrono::hours(24);
  if (has_capacity && !is(checked, HelloReject::kTimestampSkew)) {
    check(is(trust::check_hello(claim, far, kSkew, true), HelloReject::kTimestampSkew));
  }
  check_signed(claim, now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string frame(reinterpret_cast<const char*>(data) + 1, size - 1);
  static Claudemesh used;  // what an earlier frame left must not show
  Claudemesh fresh;
  const Verb verb = used.read(frame, Stage::kAdmitted);
  const Verb other = fresh.read(frame, Stage::kAdmitted);
  check(verb.index() == other.index());
  std::visit(Bounds{}, verb);
  const std::string again = rewritten(verb);
  check(rewritten(other) == again);
  if (const auto* hello = std::get_if<Hello>(&verb)) check_hello(*hello, data[0]);
  const Verb reread = fresh.read(again, Stage::kAdmitted);  // `other` is gone, `verb` is not
  check(reread.index() == verb.index());
  check(rewritten(reread) == again);
  return 0;
}
