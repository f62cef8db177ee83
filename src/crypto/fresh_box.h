// What is sealed to a key that its owner drew a moment ago and wipes soon: whoever takes the
// owner's lasting keys later reads nothing of it. Anonymous: it opens for the owner of the fresh
// key, and it says nothing of who sealed it, which is for the channel that it comes by to prove.
//
//   sealed:  ephemeral public key (32) ‖ ciphertext and tag (XChaCha20-Poly1305, IETF)
//   key ‖ nonce:  HKDF-SHA-256(ikm = X25519 of both, salt = ephemeral ‖ fresh public key,
//                 info = "signet/fresh-box/v1" and the context, as crypto/fields.h joins them,
//                 32 + 24 bytes)
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/secret_memory.h"
#include "signet/result.h"

namespace signet::crypto {

using FreshKey = std::array<unsigned char, 32>;  // an X25519 public key

inline constexpr std::size_t kFreshBoxBytes = 48;  // what sealing adds

// FreshKeyPair opens what was sealed to its public half. The secret half is in no core dump and
// wiped at the end. Movable, not copyable; what was moved from is good for nothing but its end.
class FreshKeyPair {
 public:
  static FreshKeyPair generate();
  // REQUIRES: 32 bytes, which the caller wipes.
  static FreshKeyPair from_bytes(ByteView secret);

  const FreshKey& public_key() const { return public_; }

 private:
  friend std::optional<SecretBytes> open_fresh(const FreshKeyPair&, std::string_view,
                                               std::string_view);
  friend Result<std::string> seal_to_fresh(const FreshKey&, std::string_view, std::string_view);
  explicit FreshKeyPair(SecretBytes secret);
  SecretBytes secret_;
  FreshKey public_{};
};

// Under a key pair of its own, so that the same text never seals alike. `context` says what for
// (a purpose, a mesh, a node, an epoch): it opens under the same one only. Join it of fields that
// say where each ends (fields.h).
// Fails kForbidden for a key of small order: what it agrees on is known to everybody.
Result<std::string> seal_to_fresh(const FreshKey& fresh_key, std::string_view context,
                                  std::string_view plaintext);

// nullopt for what was sealed to another key, for another context, or touched since.
std::optional<SecretBytes> open_fresh(const FreshKeyPair& mine, std::string_view context,
                                      std::string_view sealed);

}  // namespace signet::crypto
