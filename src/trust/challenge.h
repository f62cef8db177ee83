// The challenge of SecureWebSocket: whoever can seal our text to our key under its own holds that
// key's secret. Pure but for the randomness of the challenge. Format: protocol/securewebsocket.md.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>

#include "base/codes.h"
#include "base/time.h"
#include "crypto/relay_box.h"

namespace signet::trust {

// One challenge to one connection; what it holds fits no other.
struct IssuedChallenge {
  crypto::BoxNonce nonce{};
  std::string text;
};

// A welcome with the time and 32 random bytes in it.
IssuedChallenge issue_challenge(WallTime now);

// What a client answers, as it was sent; base64url with or without padding, or the standard
// alphabet. Borrows from the frame.
struct ChallengeClaim {
  std::string_view from;
  std::string_view to;
  std::string_view nonce;
  std::string_view message;
};

// The key that was proven, or the first of the page's checks that fails: the form of the fields,
// `to`, `nonce`, the key, the box, the text. Costs one public-key operation at the most.
// A key whose secret is published proves nothing, and so does one of another spelling or of small
// order; `allow_sample_keys` takes the first kind, for tests and dev mode.
std::variant<crypto::RelayKey, RegisterRefusal> check_response(const ChallengeClaim& claim,
                                                               const IssuedChallenge& issued,
                                                               const crypto::RelaySecretKey& server,
                                                               bool allow_sample_keys = false);

}  // namespace signet::trust
