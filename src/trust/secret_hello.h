// A hello under a shared secret (PulseMesh): is it fresh, and does it show the secret of the source
// that it names? Pure. Format: protocol/pulsemesh.md.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/codes.h"
#include "base/time.h"
#include "crypto/hash.h"

namespace signet::trust {

// What a client says, in the forms that it may have signed. Borrows from the frame.
struct SecretClaim {
  std::string_view source;
  std::string spaced;          // the canonical text of Python clients; never empty
  std::string compact;         // that of browsers; empty: a nested message has none
  std::string_view signature;  // as it was sent
  std::optional<std::string_view>
      timestamp;           // text of message.timestamp; nullopt: none, or no text
  bool hmac_only = false;  // it says that it is the third form: no other counts
};

struct ProvenSecret {
  std::int64_t timestamp_ms;
  crypto::Digest16 digest;  // names this hello in the replay memory, whichever form was signed
};

// Does the claim show `secret`? Tries HMAC-SHA-256(secret, spaced) and, where the digest of v1 is
// taken, SHA-256(spaced + secret) and SHA-256(compact + secret). Compares in constant time, and
// takes lowercase hex only. An empty secret is shown by nothing.
bool shows_secret(const SecretClaim& claim, std::string_view secret, bool takes_digest);

// ISO 8601 with or without a zone; none means UTC. nullopt: not of that form.
std::optional<WallTime> parse_iso8601(std::string_view text);

// Of a claim whose secret was shown. `max_skew` zero: any time will do, and the answer's digest is
// not to be remembered. Else `stale` when the timestamp is absent, unreadable or further than that
// from `now`.
std::variant<ProvenSecret, HandshakeRefusal> check_freshness(const SecretClaim& claim, WallTime now,
                                                             std::chrono::milliseconds max_skew);

}  // namespace signet::trust
