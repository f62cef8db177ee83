// The signed hello of protocol/claudemesh.md: is it fresh, well formed, and signed by the key that
// it names? Whether it was used before, and whether that key is a member, only the store and the
// membership can say; the broker asks them with what is proven here.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "base/codes.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

namespace signet::trust {

// HelloClaim is what a peer says about itself, every field as it was sent. It borrows its texts.
struct HelloClaim {
  std::string_view mesh_id;
  std::string_view member_id;
  std::string_view pubkey;
  std::string_view signature;
  std::optional<std::string_view> timestamp;  // the JSON number's own text; nullopt where none is
};

// ProvenHello is what the signature of a fresh hello proves.
struct ProvenHello {
  crypto::PublicKey key;
  std::int64_t timestamp_ms;
  // Names this hello in the replay memory: over key, timestamp and signed text, and not over the
  // signature. One text can have several good signatures, and each is the same hello.
  crypto::Digest16 digest;
};

// check_hello answers with the first of the protocol's checks that fails, in its order: capacity,
// timestamp_skew, malformed, bad_signature. Pure; costs one signature check at the most.
//
// A timestamp that is absent, no JSON number, not finite, or further than `max_skew` from `now` is
// timestamp_skew. A fresh one that is not written as a plain integer (`1.7e12`, `1700000000000.0`)
// is malformed: what its signer put into the signed text can't be known from it.
std::variant<ProvenHello, HelloReject> check_hello(const HelloClaim& claim, WallTime now,
                                                   std::chrono::milliseconds max_skew,
                                                   bool has_capacity);

// An id that can stand in the signed text: 1 to 64 of A-Z a-z 0-9 . _ - (so never a `|`, which
// would move the borders between the fields).
bool is_hello_id(std::string_view id);

}  // namespace signet::trust
