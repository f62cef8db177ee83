// What users, their agents and engines sign of Hub: is it fresh, is it theirs? Pure. Whether a
// nonce was used is asked of the store afterwards, since only a good signature spends one.
//
// The three texts that are signed have no two readings, and none of them is one of another kind
// under the same key: an agent's name and a nonce hold nothing that could end a field, and JSON is
// never the beginning of other JSON. So a signature says one thing, whoever shows it as what; but
// an agent's body may be told as a text or as the JSON that this text is.
// Format: protocol/hub.md; vectors: protocol/vectors/hub.json.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/time.h"
#include "crypto/secret_text.h"

namespace signet::trust {

// 1 to kMaxNonceBytes of printable ASCII without space, quotation mark, backslash, bar and braces.
// Another text counts as a missing nonce.
inline constexpr std::size_t kMaxNonceBytes = 128;
bool is_nonce(std::string_view text);

struct ActionRules {
  std::chrono::milliseconds window{15'000};         // either way: the format's, agents' too
  std::chrono::milliseconds engine_window{30'000};  // the format's
};

// An action as it was sent. Borrows from the frame. What is missing is nullopt; a number that is no
// whole one, or a text where a number must be, counts as missing.
struct ActionClaim {
  std::optional<std::string_view> type;  // an empty one is missing
  std::string_view payload;  // as JSON.stringify prints it; `undefined` where there is none
  std::optional<std::int64_t> timestamp_ms;
  std::optional<std::string_view> nonce;
  std::optional<std::string_view> signature;  // 64 hex digits, either case
};
// nullopt: good, if its nonce is new. In this order: timestamp_expired, invalid_signature; a time
// that is missing is of no window, so it is the second. Any of `keys` (the session's own, the
// shared one) may have signed; all are compared in constant time. An empty key signs nothing.
std::optional<ActionRefusal> check_action(const ActionClaim& claim,
                                          const std::vector<std::string_view>& keys, WallTime now,
                                          const ActionRules& rules);
// The text that is signed: `type|payload|ts|nonce`. REQUIRES: nothing is missing.
std::string signed_text(const ActionClaim& claim);

struct AgentClaim {
  std::optional<std::string_view> agent;  // a name (routing::is_name); else it is missing
  std::optional<std::int64_t> timestamp_ms;
  std::optional<std::string_view> nonce;
  std::string_view body;  // as JSON.stringify prints it; `undefined` where there is none
  std::optional<std::string_view> signature;
  std::optional<std::string_view> algorithm;  // none, or HMAC-SHA-256 in any of its usual spellings
  // Of a body that is a text, that text: it may be signed bare, as the format writes it, or quoted;
  // with a bar in it quoted only.
  std::optional<std::string_view> bare_body;
};
// In this order: timestamp_skew, signature_failed. The nonce is not under the signature, so who
// remembers nonces remembers signed_text, too: else one heartbeat is good under any number of them.
std::optional<AgentRefusal> check_agent(const AgentClaim& claim,
                                        const std::vector<std::string_view>& keys, WallTime now,
                                        const ActionRules& rules);
// The text that is signed: `agent|ts|body`, with the body as JSON. REQUIRES: nothing is missing.
std::string signed_text(const AgentClaim& claim);

struct EngineClaim {
  std::optional<std::string_view> payload;  // as JSON.stringify prints it; only an object is one
  std::optional<std::string_view> nonce;
  std::optional<std::int64_t> timestamp_ms;
  std::optional<std::string_view> signature;
};
// In this order: ENGINE_PACKET_INCOMPLETE, ENGINE_TIMESTAMP_EXPIRED, ENGINE_SIGNATURE_INVALID.
std::optional<EngineRefusal> check_engine(const EngineClaim& claim, std::string_view key,
                                          WallTime now, const ActionRules& rules);
// The text that is signed: payload, nonce and ts without anything between. REQUIRES: nothing is
// missing.
std::string signed_text(const EngineClaim& claim);

// The key of one session: HKDF-SHA-256(secret, no salt, `signet-hub-action-v1` ‖ user ‖ sid), 32
// bytes as 64 hex digits, as it is told to the client and used as the key's text.
crypto::SecretText session_action_key(std::string_view secret, std::string_view user,
                                      std::string_view sid);

// agent_*: agent; click, scroll, input: ui; nav_*: nav; "security" within: security; else system.
std::string_view category_of(std::string_view type);

}  // namespace signet::trust
