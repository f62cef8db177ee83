#include "crypto/box.h"

#include <sodium.h>

#include <tuple>

namespace signet::crypto {

static_assert(crypto_box_NONCEBYTES == std::tuple_size_v<BoxNonce>);
static_assert(crypto_box_BEFORENMBYTES == 32);

Result<DirectBox> DirectBox::between(const SecretKey& mine, const PublicKey& theirs) {
  std::array<unsigned char, crypto_box_PUBLICKEYBYTES> public_point;
  if (!is_enrollable(theirs) ||
      crypto_sign_ed25519_pk_to_curve25519(public_point.data(), theirs.bytes.data()) != 0) {
    return Error{ErrorCode::kForbidden, "key can't receive sealed messages"};
  }
  std::array<unsigned char, crypto_box_SECRETKEYBYTES> scalar;
  crypto_sign_ed25519_sk_to_curve25519(scalar.data(), mine.secret_.data());
  DirectBox box;
  const int failed = crypto_box_beforenm(box.shared_.data(), public_point.data(), scalar.data());
  sodium_memzero(scalar.data(), scalar.size());
  if (failed != 0) return Error{ErrorCode::kForbidden, "key agrees on nothing"};
  return box;
}

DirectBox::DirectBox(DirectBox&& other) noexcept : shared_(other.shared_) {
  sodium_memzero(other.shared_.data(), other.shared_.size());
}

DirectBox& DirectBox::operator=(DirectBox&& other) noexcept {
  if (this == &other) return *this;
  shared_ = other.shared_;
  sodium_memzero(other.shared_.data(), other.shared_.size());
  return *this;
}

DirectBox::~DirectBox() { sodium_memzero(shared_.data(), shared_.size()); }

std::string DirectBox::seal(std::string_view plaintext, const BoxNonce& nonce) const {
  std::string sealed(plaintext.size() + crypto_box_MACBYTES, '\0');
  crypto_box_easy_afternm(reinterpret_cast<unsigned char*>(sealed.data()),
                          bytes_of(plaintext).data(), plaintext.size(), nonce.data(),
                          shared_.data());
  return sealed;
}

std::optional<std::string> DirectBox::open(std::string_view ciphertext,
                                           const BoxNonce& nonce) const {
  if (ciphertext.size() < crypto_box_MACBYTES) return std::nullopt;
  std::string plaintext(ciphertext.size() - crypto_box_MACBYTES, '\0');
  const int failed = crypto_box_open_easy_afternm(
      reinterpret_cast<unsigned char*>(plaintext.data()), bytes_of(ciphertext).data(),
      ciphertext.size(), nonce.data(), shared_.data());
  if (failed != 0) return std::nullopt;
  return plaintext;
}

}  // namespace signet::crypto
