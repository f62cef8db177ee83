// TokenKey checks, or also makes, the signatures of JSON Web Signature (RFC 7515) for exactly one
// of four algorithms of RFC 7518 and 8037. A key never does two of them: which one is decided when
// it is read, and nothing that a token says changes it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "signet/result.h"

namespace signet::crypto {

enum class TokenAlgorithm : std::uint8_t {
  kHs256,  // HMAC-SHA-256: who can check it can make it
  kEdDsa,  // Ed25519
  kEs256,  // ECDSA on P-256 with SHA-256
  kRs256,  // RSASSA-PKCS1-v1_5 with SHA-256
};
std::string_view name_of(TokenAlgorithm algorithm);  // as `alg` spells it
std::optional<TokenAlgorithm> token_algorithm_from(std::string_view alg);

// What a key is made of, each as the bytes that RFC 7518 and 8037 give its member of that name:
// numbers are big-endian; those of P-256 take 32 bytes, those of RSA have no leading zero. Empty
// where the algorithm has no such member. Wiped at the end; moves and never copies.
struct TokenKeyParts {
  TokenAlgorithm algorithm = TokenAlgorithm::kHs256;
  std::string k;                    // HS256: the secret
  std::string x, y;                 // EdDSA: x; ES256: both
  std::string n, e;                 // RS256
  std::string d, p, q, dp, dq, qi;  // what signs: d; with RS256 all of them

  TokenKeyParts() = default;
  TokenKeyParts(TokenKeyParts&&) noexcept = default;
  TokenKeyParts& operator=(TokenKeyParts&&) noexcept;
  TokenKeyParts(const TokenKeyParts&) = delete;
  TokenKeyParts& operator=(const TokenKeyParts&) = delete;
  ~TokenKeyParts();
  void wipe();
};

// Bounds. RFC 7518 asks for secrets as long as the digest and for 2048 bits of RSA; the time that
// checking a signature takes grows with the square of an RSA key's length and with its exponent's.
inline constexpr std::size_t kLeastTokenSecretBytes = 32;
inline constexpr std::size_t kLeastRsaBits = 2'048;
inline constexpr std::size_t kMostRsaBits = 8'192;
inline constexpr std::size_t kMostRsaExponentBytes = 4;

// A new key that signs; RSA has 3072 bits.
TokenKeyParts generate_token_key(TokenAlgorithm algorithm);

// Immutable; copies share it, also between threads.
class TokenKey {
 public:
  // Looks at the public parts alone (or `k`). Fails kMalformed with what is wrong: a secret that is
  // too short, a point that is not on its curve or of small order, an RSA key out of the bounds,
  // with an exponent that is even or 1, or of the kind whose factors can be found (ROCA).
  static Result<TokenKey> verifying(const TokenKeyParts& parts);

  // The same with the private parts. Fails also where they are not those of the public ones.
  static Result<TokenKey> signing(const TokenKeyParts& parts);

  TokenAlgorithm algorithm() const;

  // Tells keys apart, whatever they are called: the same for whoever signs and whoever checks.
  // Never shown: of a secret it is a hash.
  const Digest32& digest() const;

  // Whether this is the key's signature of the text: raw bytes, 64 of them with ES256 (r and s).
  // False for every other form of it. The time tells nothing of a secret.
  bool verify(std::string_view text, ByteView signature) const;

  // Fails kBug where the library fails. REQUIRES: made by signing().
  Result<std::string> sign(std::string_view text) const;

 private:
  struct Impl;
  explicit TokenKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace signet::crypto
