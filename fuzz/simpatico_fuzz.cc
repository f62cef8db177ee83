// The frames of SecureWebSocket in both stages: the same bytes have the same verb, whatever came
// before; a response is proven exactly when it seals the challenge's text under the key that it
// names; an envelope that comes back stays JSON and keeps every other member, byte for byte.
//   input: what to do (1 byte), which fields of a right response to replace (1 byte), the frame
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "dialects/simpatico.h"
#include "wire/utf8.h"

namespace {

using namespace signet;
using namespace signet::dialects;
using wire::JsonKind;
using wire::JsonValue;

void check(bool holds) {
  if (!holds) std::abort();
}

struct Keys {
  crypto::RelaySecretKey server = crypto::RelaySecretKey::from_bytes({7});
  crypto::RelaySecretKey client = crypto::RelaySecretKey::from_bytes({9});
  trust::IssuedChallenge issued{{1, 2, 3}, "Welcome. 2026-01-05T12:34:50.123Z AAAA"};
};
const Keys& keys() {
  static const Keys all;
  return all;
}

using Checked = std::variant<crypto::RelayKey, RegisterRefusal>;

Checked checked_by_server(const trust::ChallengeClaim& claim, bool samples) {
  return trust::check_response(claim, keys().issued, keys().server, samples);
}

// Nobody but the client's secret makes a response of the client; this target has others only where
// the fuzzer guesses an X25519 secret.
void check_response(const trust::ChallengeClaim& claim) {
  const Checked checked = checked_by_server(claim, true);
  const auto* proven = std::get_if<crypto::RelayKey>(&checked);
  if (proven != nullptr) {
    check(crypto::relay_key_from(claim.from) == *proven && crypto::is_canonical(*proven));
    check(crypto::relay_key_from(claim.to) == keys().server.public_key());
    const auto box = crypto::RelayBox::between(keys().server, *proven);
    check(box.ok());
    check(box->open(*from_any_base64(claim.message), keys().issued.nonce) == keys().issued.text);
  } else {
    constexpr RegisterRefusal kOfThisCheck[] = {
        RegisterRefusal::kMalformed, RegisterRefusal::kWrongServer, RegisterRefusal::kWrongNonce,
        RegisterRefusal::kBadKey,    RegisterRefusal::kBadResponse, RegisterRefusal::kWrongText};
    check(std::find(std::begin(kOfThisCheck), std::end(kOfThisCheck),
                    std::get<RegisterRefusal>(checked)) != std::end(kOfThisCheck));
  }
  // Samples are a matter of one check only.
  const Checked strict = checked_by_server(claim, false);
  const auto* code = std::get_if<RegisterRefusal>(&strict);
  check(strict == checked || (code != nullptr && *code == RegisterRefusal::kBadKey));
}

// A right response, of which `replaced` says which fields are the fuzzer's own.
void check_structured(std::uint8_t replaced, std::string_view fuzzed) {
  const auto box = crypto::RelayBox::between(keys().client, keys().server.public_key());
  const std::string from = crypto::relay_key_text(keys().client.public_key());
  const std::string to = crypto::relay_key_text(keys().server.public_key());
  const std::string nonce = to_base64url(keys().issued.nonce);
  const std::string right =
      to_base64url(bytes_of(box->seal(keys().issued.text, keys().issued.nonce)));
  const std::string sealed = to_base64url(bytes_of(box->seal(fuzzed, keys().issued.nonce)));
  const auto is = [&](int bit) { return (replaced >> bit & 1) != 0; };
  trust::ChallengeClaim claim{from, to, nonce, right};
  if (is(0)) claim.from = fuzzed;
  if (is(1)) claim.to = fuzzed;
  if (is(2)) claim.nonce = fuzzed;
  if (is(3)) claim.message = fuzzed;
  if (is(4)) claim.message = sealed;  // rightly sealed, of another text
  check_response(claim);
  const Checked checked = checked_by_server(claim, true);
  const bool is_proven = std::holds_alternative<crypto::RelayKey>(checked);
  if ((replaced & 31) == 0) check(is_proven);
  if ((replaced & 31) == 16) check(is_proven == (fuzzed == keys().issued.text));
}

bool same_but(JsonValue before, JsonValue after, std::string_view but) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before.key(i) == but) continue;
    if (after.key(i) != before.key(i) || after[i].raw() != before[i].raw()) return false;
  }
  return true;
}

// What comes back is the envelope with one member set, at its place or at the end.
void check_splice(std::string_view frame, const Reply& reply, std::string_view name,
                  std::string_view value) {
  const std::string text = Simpatico().write(reply);
  wire::JsonDocument before, after;
  check(after.parse(text).ok() && after.root().is(JsonKind::kObject) && wire::is_utf8(text));
  if (!before.parse(frame).ok() || !before.root().is(JsonKind::kObject)) {
    check(after.root().size() == 1);
    return;
  }
  const bool had = static_cast<bool>(before.root()[name]);
  check(after.root()[name].string() == value);
  check(after.root().size() == before.root().size() + (had ? 0 : 1));
  check(same_but(before.root(), after.root(), name));
  const std::size_t grown = name.size() + value.size() + 6;
  check(text.size() <= frame.size() + grown);
}

struct Fits {
  bool proven_stage;
  void operator()(const ChallengeResponse& v) const {
    check(!proven_stage);
    check_response(v.claim);
  }
  void operator()(const BadRegistration& v) const {
    check(!proven_stage && v.detail.size() <= kMaxShownTypeBytes + 16 && wire::is_utf8(v.detail));
    for (const char c : v.detail) check(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    wire::JsonDocument frame;
    check(frame.parse(Simpatico().write(RegisterRefused{v.code, v.detail})).ok());
    const std::string reason(*frame.root()["reason"].string());
    check(frame.root()["error"].string() == "Registration failed: " + reason);
  }
  void operator()(const RelayEnvelope& v) const {
    check(proven_stage && wire::is_utf8(v.from) && wire::is_utf8(v.to));
    const auto to = crypto::relay_key_from(v.to);
    check(!to || crypto::relay_key_from(crypto::relay_key_text(*to)) == to);
  }
  void operator()(const Misspoken& v) const { check(proven_stage && !v.rule.empty()); }
  template <class Other>
  void operator()(const Other&) const {
    std::abort();  // of another format
  }
};

void check_frame(std::string_view frame, Stage stage) {
  static Simpatico used;  // what an earlier frame left must not show
  Simpatico fresh;
  const Verb verb = used.read(frame, stage);
  const Verb other = fresh.read(frame, stage);
  check(verb.index() == other.index());
  std::visit(Fits{stage == Stage::kAdmitted}, verb);
  const auto* envelope = std::get_if<RelayEnvelope>(&verb);
  const auto* again = std::get_if<RelayEnvelope>(&other);
  if (envelope == nullptr) return;
  check(envelope->from == again->from && envelope->to == again->to);
  check(envelope->is_message == again->is_message && envelope->has_content == again->has_content);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string frame(reinterpret_cast<const char*>(data) + 2, size - 2);
  check_frame(frame, Stage::kUnproven);
  check_frame(frame, Stage::kAdmitted);
  if ((data[0] & 1) != 0) check_structured(data[1], frame);
  const auto code = static_cast<RelayRefusal>(data[1] % kRelayRefusalCount);
  check_splice(frame, RelayRefused{frame, code}, "error", signet::name_of(code));
  check_splice(frame, RelayDelivered{frame}, "type", "MESSAGE_DELIVERED");
  const auto opening = Simpatico().opens(frame, "receipts=1");
  check(!opening || frame.starts_with('/'));
  return 0;
}
