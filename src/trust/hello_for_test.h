// A hello of these tests, with its text and signature made as an honest client makes them, and as a
// dishonest one can.
#pragma once

#include <sodium.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "base/encoding.h"
#include "trust/hello.h"

namespace signet::trust {

using crypto::SecretKey;

inline constexpr WallTime kNow{1'700'000'000'000};
inline constexpr std::chrono::milliseconds kSkew{60'000};

inline SecretKey key_a() {
  std::array<unsigned char, 32> seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<unsigned char>(i);
  return SecretKey::from_seed(seed);
}

// A hello that owns its fields. sign() signs whatever they are, as an honest client would.
struct Hello {
  std::string mesh_id = "mesh-1";
  std::string member_id = "member-1";
  std::string pubkey = crypto::to_hex(key_a().public_key());
  std::optional<std::string> timestamp = "1700000000000";
  std::string signature{};

  std::string text() const {
    return mesh_id + "|" + member_id + "|" + pubkey + "|" + timestamp.value_or("undefined");
  }
  Hello& sign(const SecretKey& key) {
    signature = to_hex(key.sign(bytes_of(text())));
    return *this;
  }
  HelloClaim claim() const {
    HelloClaim made{mesh_id, member_id, pubkey, signature, std::nullopt};
    if (timestamp) made.timestamp = *timestamp;
    return made;
  }
};

// The code of the refusal, or "proven".
inline std::string_view answer(const Hello& hello, WallTime now = kNow, bool has_capacity = true) {
  const auto checked = check_hello(hello.claim(), now, kSkew, has_capacity);
  const auto* reject = std::get_if<HelloReject>(&checked);
  return reject == nullptr ? "proven" : name_of(*reject);
}

using Scalar = std::array<unsigned char, 32>;

// A signature of Ed25519 for the public key `as` under a nonce of the signer's choice: the standard
// takes it from the text, but no verifier can see whether it was.
inline crypto::Signature sign_with_nonce(const SecretKey& key, const crypto::PublicKey& as,
                                         std::string_view text, const Scalar& nonce) {
  const auto seed = key.seed();
  std::array<unsigned char, 64> expanded;
  crypto_hash_sha512(expanded.data(), seed.data(), seed.size());
  expanded[0] &= 248;
  expanded[31] = static_cast<unsigned char>((expanded[31] & 63) | 64);

  crypto::Signature signature;
  crypto_scalarmult_ed25519_base_noclamp(signature.data(), nonce.data());
  const std::string hashed = std::string(text_of(signature).substr(0, 32)) +
                             std::string(text_of(as.bytes)) + std::string(text);
  std::array<unsigned char, 64> wide;
  crypto_hash_sha512(wide.data(), bytes_of(hashed).data(), hashed.size());
  Scalar challenge, secret, product, sum;
  crypto_core_ed25519_scalar_reduce(challenge.data(), wide.data());
  std::array<unsigned char, 64> padded{};
  std::copy_n(expanded.begin(), 32, padded.begin());
  crypto_core_ed25519_scalar_reduce(secret.data(), padded.data());
  crypto_core_ed25519_scalar_mul(product.data(), challenge.data(), secret.data());
  crypto_core_ed25519_scalar_add(sum.data(), product.data(), nonce.data());
  std::copy(sum.begin(), sum.end(), signature.begin() + 32);
  return signature;
}

}  // namespace signet::trust
