// X25519 keys and the boxes of SecureWebSocket: a shared key by crypto_box_beforenm, messages by
// crypto_secretbox under it (XSalsa20-Poly1305, the 16-byte tag first).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/box.h"
#include "signet/result.h"

namespace signet::crypto {

using RelayKey = std::array<unsigned char, 32>;  // an X25519 public key

// The key that a text names: 32 bytes in base64, of either alphabet, padded or not. Any text that
// is read has the one of relay_key_text(), which is what tables and logs use.
std::optional<RelayKey> relay_key_from(std::string_view text);
std::string relay_key_text(const RelayKey& key);  // base64url, 43 characters

// Is this how the curve's own coordinate is written? X25519 takes 2^255-19 more numbers, and a set
// top bit, for the same points: names under which one secret would be somebody else.
bool is_canonical(const RelayKey& key);

// Keys whose secret half anybody can look up or guess, and those of one repeated byte.
bool is_published_sample(const RelayKey& key);

// RelaySecretKey is an X25519 secret key with its public half; in no core dump, and wiped on
// destruction. Movable; what was moved from is good for nothing but its end.
class RelaySecretKey {
 public:
  static RelaySecretKey generate();
  // From its 32 bytes, which the caller wipes.
  static RelaySecretKey from_bytes(const std::array<unsigned char, 32>& secret);

  const RelayKey& public_key() const { return public_; }
  // For the file that keeps it; the caller wipes what it gets.
  std::array<unsigned char, 32> reveal() const;

 private:
  friend class RelayBox;
  RelaySecretKey() : secret_(kSecretKeyBytes) {}
  static constexpr std::size_t kSecretKeyBytes = 32;
  SecretBytes secret_;
  RelayKey public_{};
};

// RelayBox seals to, and opens from, one other key. The shared key is computed once and wiped.
class RelayBox {
 public:
  // Fails kForbidden for a small-order key: its shared secret would be known to everybody.
  static Result<RelayBox> between(const RelaySecretKey& mine, const RelayKey& theirs);
  RelayBox(RelayBox&&) noexcept;
  RelayBox& operator=(RelayBox&&) noexcept;
  ~RelayBox();

  std::string seal(std::string_view plaintext, const BoxNonce& nonce) const;
  std::optional<std::string> open(std::string_view ciphertext, const BoxNonce& nonce) const;

 private:
  RelayBox() = default;
  std::array<unsigned char, 32> shared_{};
};

}  // namespace signet::crypto
