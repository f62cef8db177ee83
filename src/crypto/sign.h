// Ed25519: who signed this? One verifier for the whole program (libsodium: it refuses small-order
// keys and S >= L, which others accept).
#pragma once

#include <array>
#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/secret_memory.h"

namespace signet::crypto {

// PublicKey is the raw 32 bytes; compare keys only in this form.
struct PublicKey {
  std::array<unsigned char, 32> bytes{};
  auto operator<=>(const PublicKey&) const = default;
};
using Signature = std::array<unsigned char, 64>;

// 64 hex digits of either case; nullopt for anything else. Says nothing about the curve.
std::optional<PublicKey> public_key_from_hex(std::string_view hex);
std::string to_hex(const PublicKey& key);  // lower case
using signet::to_hex;

bool verify(const PublicKey& key, ByteView message, const Signature& signature);

// May this key be enrolled? A point of the prime-order group that also converts to X25519, so that
// messages can be sealed to it.
bool is_enrollable(const PublicKey& key);

// The X25519 key that the owner of this Ed25519 key has as well; nullopt for no point of the curve
// or one of small order. About 30 microseconds. A key and its negative have the same one.
std::optional<std::array<unsigned char, 32>> to_x25519(const PublicKey& key);

// Is this one of the sample keys that the protocol pages publish? Their secrets are public.
bool is_published_sample(const PublicKey& key);

// SecretKey signs. Its memory is in no core dump, wiped on destruction and never printed. Movable,
// not copyable; what was moved from is good for nothing but its end.
class SecretKey {
 public:
  static SecretKey generate();
  static SecretKey from_seed(const std::array<unsigned char, 32>& seed);

  const PublicKey& public_key() const { return public_; }
  Signature sign(ByteView message) const;
  std::array<unsigned char, 32> seed() const;  // for a key file; the caller wipes it

 private:
  friend class DirectBox;
  SecretKey() : secret_(kSecretKeyBytes) {}
  static constexpr std::size_t kSecretKeyBytes = 64;  // the seed and the public key, as libsodium's
  PublicKey public_;
  SecretBytes secret_;
};

}  // namespace signet::crypto
