// Direct messages between two Ed25519 keys: converted to X25519, crypto_box (XSalsa20-Poly1305).
// Format: protocol/claudemesh.md. The box is symmetric per pair: a sender's own ciphertext opens as
// if the other side had sent it, so a receiver must refuse its own messages coming back.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/sign.h"
#include "signet/result.h"

namespace signet::crypto {

using BoxNonce = std::array<unsigned char, 24>;

// DirectBox seals to, and opens from, one peer. The shared key is computed once and wiped.
class DirectBox {
 public:
  // Fails kForbidden when `theirs` is no key that messages can be sealed to.
  static Result<DirectBox> between(const SecretKey& mine, const PublicKey& theirs);
  DirectBox(DirectBox&&) noexcept;
  DirectBox& operator=(DirectBox&&) noexcept;
  ~DirectBox();

  std::string seal(std::string_view plaintext, const BoxNonce& nonce) const;
  std::optional<std::string> open(std::string_view ciphertext, const BoxNonce& nonce) const;

 private:
  DirectBox() = default;
  std::array<unsigned char, 32> shared_{};
};

}  // namespace signet::crypto
