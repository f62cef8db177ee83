#include "dialects/claudemesh.h"

#include <array>
#include <type_traits>

#include "base/encoding.h"
#include "base/overloaded.h"
#include "dialects/claudemesh_topics.h"

namespace signet::dialects {
namespace {

using routing::Priority;
using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

Misspoken bad(std::string_view rule) { return {Refusal::kBadFrame, rule, {}}; }
Misspoken noise(std::string_view rule) { return {Refusal::kBadFrame, rule, {}, false}; }

// The text of a member that may be missing; nullopt when it is there and no string, or too long.
std::optional<std::string_view> optional_text(JsonValue frame, std::string_view name,
                                              std::size_t max_bytes) {
  const JsonValue value = frame[name];
  if (!value || value.is(JsonKind::kNull)) return std::string_view{};
  const auto text = value.string();
  if (!text || text->size() > max_bytes) return std::nullopt;
  return text;
}

// A flag that may be missing; nullopt when it is there and no boolean.
std::optional<bool> optional_flag(JsonValue frame, std::string_view name) {
  const JsonValue value = frame[name];
  if (!value || value.is(JsonKind::kNull)) return false;
  return value.boolean();
}

// A hello's fields go to the check as they came: a wrong type is an empty text, which the check
// refuses in its own order.
Verb read_hello(JsonValue frame) {
  Hello hello;
  const auto text = [&](std::string_view name) { return frame[name].string().value_or(""); };
  hello.claim = {text("meshId"), text("memberId"), text("pubkey"), text("signature"), std::nullopt};
  if (const JsonValue timestamp = frame["timestamp"]; timestamp.is(JsonKind::kNumber)) {
    hello.claim.timestamp = timestamp.raw();
  }
  const auto hint = [&](std::string_view name) {
    return optional_text(frame, name, kMaxHintBytes).value_or("");
  };
  hello.hints = {hint("sessionId"), hint("displayName"), hint("cwd"),
                 frame["pid"].integer().value_or(0)};
  hello.confirms_itself = optional_flag(frame, "receipts").value_or(false);
  return hello;
}

std::optional<Priority> read_priority(JsonValue frame) {
  const JsonValue value = frame["priority"];
  if (!value || value.is(JsonKind::kNull)) return Priority::kNext;
  const auto name = value.string();
  if (name == "now") return Priority::kNow;
  if (name == "next") return Priority::kNext;
  if (name == "low") return Priority::kLow;
  return std::nullopt;
}

// The audience of a send, where one is named; nullopt when it is no digest, or of one member.
std::optional<std::optional<membership::Audience>> read_audience(JsonValue frame,
                                                                 const routing::Address& to) {
  const JsonValue value = frame["audience"];
  if (!value || value.is(JsonKind::kNull)) return std::optional<membership::Audience>{};
  membership::Audience audience{};
  if (std::holds_alternative<routing::ToMember>(to)) return std::nullopt;
  if (!from_hex(value.string().value_or(""), audience)) return std::nullopt;
  return audience;
}

Verb read_send(JsonValue frame) {
  const auto client_id = optional_text(frame, "id", kMaxClientIdBytes);
  if (!client_id) return bad("id");
  const auto refuse = [&](std::string_view rule) {
    return Misspoken{Refusal::kBadFrame, rule, std::string(*client_id)};
  };
  const auto target = frame["targetSpec"].string();
  if (!target) return refuse("targetSpec");
  auto to = routing::parse_address(*target);
  if (!to.ok()) return refuse("targetSpec");
  const auto priority = read_priority(frame);
  if (!priority) return refuse("priority");
  const auto receipts = optional_flag(frame, "receipts");
  if (!receipts) return refuse("receipts");
  const auto audience = read_audience(frame, *to);
  if (!audience) return refuse("audience");
  const JsonValue nonce = frame["nonce"];
  const JsonValue ciphertext = frame["ciphertext"];
  if (!nonce.is(JsonKind::kString) || !ciphertext.is(JsonKind::kString)) return refuse("body");
  Send send{*client_id, *std::move(to), *priority, *receipts, {}, *audience};
  // The body is the two members as they were sent, ready to stand in the push.
  send.body.append(R"("nonce":)").append(nonce.raw());
  send.body.append(R"(,"ciphertext":)").append(ciphertext.raw());
  return send;
}

Verb read_status(JsonValue frame) {
  const auto status = status_from(frame["status"].string().value_or(""));
  if (!status) return bad("status");
  return SetStatus{*status};
}

Verb read_summary(JsonValue frame) {
  const auto summary = frame["summary"].string();
  if (!summary || summary->size() > kMaxSummaryBytes) return bad("summary");
  return SetSummary{*summary};
}

Verb read_list_members(JsonValue frame) {
  ListMembers list{routing::ToEveryone{}, std::nullopt};
  if (const JsonValue target = frame["target"]; target && !target.is(JsonKind::kNull)) {
    auto address = routing::parse_address(target.string().value_or(""));
    if (!address.ok() || std::holds_alternative<routing::ToMember>(*address)) return bad("target");
    list.target = *std::move(address);
  }
  if (const JsonValue after = frame["after"]; after && !after.is(JsonKind::kNull)) {
    list.after = crypto::public_key_from_hex(after.string().value_or(""));
    if (!list.after) return bad("after");
  }
  return list;
}

template <class ChannelVerb>
Verb read_channel(JsonValue frame) {
  auto name = frame["name"].string().value_or("");
  if (name.starts_with('#')) name.remove_prefix(1);
  if (!routing::is_name(name)) return bad("channel name");
  return ChannelVerb{name};
}

Verb read_receipt(JsonValue frame) {
  Receipt receipt{};
  if (!from_hex(frame["messageId"].string().value_or(""), receipt.message)) return bad("messageId");
  const auto state = frame["state"].string();
  if (state == "received") {
    receipt.state = ReceiptState::kReceived;
  } else if (state == "read") {
    receipt.state = ReceiptState::kRead;
  } else {
    return bad("state");
  }
  return receipt;
}

struct FrameType {
  std::string_view name;
  Verb (*read)(JsonValue frame);
};
constexpr std::array<FrameType, 15> kFrameTypes{{
    {"send", read_send},
    {"receipt", read_receipt},
    {"set_status", read_status},
    {"list_peers", [](JsonValue) -> Verb { return ListPeers{}; }},
    {"hello", read_hello},
    {"list_members", read_list_members},
    {"set_summary", read_summary},
    {"channel_join", read_channel<JoinChannel>},
    {"channel_leave", read_channel<LeaveChannel>},
    {"channel_list", [](JsonValue) -> Verb { return ListChannels{}; }},
    {"topic_publish", read_topic_publish},
    {"topic_subscribe", read_topic_subscribe},
    {"topic_unsubscribe", read_topic_unsubscribe},
    {"topic_history", read_topic_history},
    {"topic_list", [](JsonValue) -> Verb { return ListTopics{}; }},
}};

JsonWriter frame_of(std::string_view type) {
  JsonWriter frame;
  frame.object().key("type").value(type);
  return frame;
}

std::string_view name_of(Priority priority) {
  constexpr std::array<std::string_view, 3> kNames{"now", "next", "low"};
  return kNames[static_cast<std::size_t>(priority)];
}

std::string write_accepted(const Accepted& accepted) {
  JsonWriter frame = frame_of("ack");
  frame.key("id").value(accepted.client_id).key("messageId").value(to_hex(accepted.message));
  frame.key("queued").value(true).key("recipients").value(std::uint64_t{accepted.recipients});
  if (accepted.skipped > 0) frame.key("skipped").value(std::uint64_t{accepted.skipped});
  return frame.end().take();
}

// The hot one: the body is spliced in as it is, so no byte of it is read.
std::string write_pushed(const Pushed& pushed) {
  const routing::Envelope& envelope = pushed.envelope;
  JsonWriter frame = frame_of("push");
  frame.key("messageId").value(to_hex(envelope.id)).key("meshId").value(pushed.mesh_id);
  frame.key("senderPubkey").value(pushed.sender_key).key("targetSpec").value(envelope.to);
  frame.key("priority").value(name_of(envelope.priority));
  frame.key("createdAt").value(iso8601(envelope.created));
  std::string text = frame.end().take();
  text.pop_back();  // the body's members stand before the closing brace
  text.append(",").append(envelope.body).append("}");
  return text;
}

std::string write_peers(const Peers& peers) {
  JsonWriter frame = frame_of("peers_list");
  frame.key("peers").array();
  std::size_t listed = 0;
  for (const PeerEntry& peer : peers.peers) {
    if (frame.text().size() >= peers.max_bytes) break;
    ++listed;
    frame.object().key("pubkey").value(peer.pubkey).key("displayName").value(peer.display_name);
    frame.key("status").value(dialects::name_of(peer.status)).key("summary").value(peer.summary);
    frame.key("sessionId").value(peer.session_id);
    frame.key("connectedAt").value(iso8601(peer.connected)).end();
  }
  frame.end();
  if (listed < peers.peers.size()) frame.key("total").value(std::uint64_t{peers.peers.size()});
  return frame.end().take();
}

std::string write_members(const Members& members) {
  JsonWriter frame = frame_of("members_list");
  frame.key("target").value(members.target).key("members").array();
  std::size_t listed = 0;
  for (const membership::Member* member : members.members) {
    if (listed > 0 && frame.text().size() >= members.max_bytes) break;
    ++listed;
    frame.object().key("pubkey").value(membership::key_text(*member));
    frame.key("displayName").value(member->display_name);
    frame.key("role").value(membership::name_of(member->role)).end();
  }
  frame.end().key("audience").value(to_hex(members.audience));
  if (listed < members.members.size()) frame.key("more").value(true);
  return frame.end().take();
}

std::string write_channels(const Channels& channels) {
  JsonWriter frame = frame_of("channel_list");
  frame.key("channels").array();
  for (const ChannelEntry& channel : channels.channels) {
    frame.object().key("name").value(channel.name);
    frame.key("members").value(std::uint64_t{channel.members});
    frame.key("joined").value(channel.joined).end();
  }
  return frame.end().end().take();
}

std::string write_error(std::string_view code, std::string_view message, const Refused* refused) {
  JsonWriter frame = frame_of("error");
  frame.key("code").value(code).key("message").value(message);
  if (refused != nullptr) {
    if (!refused->client_id.empty()) frame.key("id").value(refused->client_id);
    if (refused->retry_after_ms) frame.key("retryAfterMs").value(*refused->retry_after_ms);
    if (!refused->ref.empty()) frame.key("ref").value(refused->ref);
  }
  return frame.end().take();
}

// Replies that only other formats have: a broker that has one for this peer is wrong about it.
template <class R>
concept OfAnotherFormat =
    std::is_same_v<R, SecretAdmitted> || std::is_same_v<R, HandshakeRefused> ||
    std::is_same_v<R, TokenTaken> || std::is_same_v<R, Challenge> ||
    std::is_same_v<R, Registered> || std::is_same_v<R, RegisterRefused> ||
    std::is_same_v<R, RelayRefused> || std::is_same_v<R, RelayDelivered>;

}  // namespace

std::optional<Status> status_from(std::string_view name) {
  for (const Status status : {Status::kIdle, Status::kWorking, Status::kDnd}) {
    if (name == dialects::name_of(status)) return status;
  }
  return std::nullopt;
}

Verb Claudemesh::read(std::string_view frame, Stage) {
  const auto parsed = document_.parse(frame);
  if (!parsed.ok()) return noise("no JSON");
  const JsonValue root = document_.root();
  if (!root.is(JsonKind::kObject)) return noise("no object");
  const auto type = root["type"].string();
  if (!type) return noise("no type");
  for (const FrameType& known : kFrameTypes) {
    if (known.name == *type) return known.read(root);
  }
  const auto client_id = optional_text(root, "id", kMaxClientIdBytes);
  return Misspoken{Refusal::kUnknownType, "unknown type", std::string(client_id.value_or(""))};
}

std::string Claudemesh::write(const Reply& reply) const {
  return std::visit(Overloaded{
                        [](const Pushed& r) { return write_pushed(r); },
                        [](const Accepted& r) { return write_accepted(r); },
                        [](const Peers& r) { return write_peers(r); },
                        [](const Members& r) { return write_members(r); },
                        [](const Channels& r) { return write_channels(r); },
                        [](const Admitted& r) {
                          JsonWriter frame = frame_of("hello_ack");
                          frame.key("presenceId").value(r.presence_id);
                          return frame.key("memberDisplayName").value(r.display_name).end().take();
                        },
                        [](const HelloRefused& r) {
                          return write_error(
                              signet::name_of(r.code),
                              "hello rejected: " + std::string(signet::name_of(r.code)), nullptr);
                        },
                        [](const ChannelChanged& r) {
                          JsonWriter frame = frame_of(r.joined ? "channel_joined" : "channel_left");
                          return frame.key("name").value(r.name).end().take();
                        },
                        [](const ReceiptNotice& r) {
                          JsonWriter frame = frame_of("receipt");
                          frame.key("messageId").value(to_hex(r.message));
                          frame.key("state").value(dialects::name_of(r.state));
                          return frame.key("by").value(r.by).end().take();
                        },
                        [](const Refused& r) {
                          return write_error(signet::name_of(r.code), meaning_of(r.code), &r);
                        },
                        [](const PulseOut& r) { return write_pulse(r); },
                        [](const Published& r) { return write_published(r); },
                        [](const SubscriptionChanged& r) { return write_subscription_changed(r); },
                        [](const History& r) { return write_history(r); },
                        [](const Topics& r) { return write_topics(r); },
                        [](const OfAnotherFormat auto&) { return std::string(); },
                    },
                    reply);
}

}  // namespace signet::dialects
