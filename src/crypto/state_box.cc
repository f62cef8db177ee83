#include "crypto/state_box.h"

#include <sodium.h>

#include "crypto/derive.h"
#include "crypto/fields.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

constexpr std::string_view kDomain = "signet/state/v1";
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;

static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == 32);

}  // namespace

StateBox::StateBox(const SecretKey& identity) : key_(derived_key(identity, kDomain)) {}

StateBox::StateBox(StateBox&& other) noexcept : key_(other.key_) { wipe(other.key_); }

StateBox& StateBox::operator=(StateBox&& other) noexcept {
  if (this == &other) return *this;
  key_ = other.key_;
  wipe(other.key_);
  return *this;
}

StateBox::~StateBox() { wipe(key_); }

std::string StateBox::seal(std::string_view kind, std::string_view row,
                           std::string_view plaintext) const {
  const std::string place = joined_fields(kDomain, {kind, row});
  std::string sealed(kNonceBytes + plaintext.size() + kTagBytes, '\0');
  auto* nonce = reinterpret_cast<unsigned char*>(sealed.data());
  random_bytes({nonce, kNonceBytes});
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      nonce + kNonceBytes, nullptr, bytes_of(plaintext).data(), plaintext.size(),
      bytes_of(place).data(), place.size(), nullptr, nonce, key_.data());
  return sealed;
}

std::optional<std::string> StateBox::open(std::string_view kind, std::string_view row,
                                          std::string_view sealed) const {
  if (sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  const std::string place = joined_fields(kDomain, {kind, row});
  const ByteView bytes = bytes_of(sealed);
  const ByteView ciphertext = bytes.subspan(kNonceBytes);
  std::string plaintext(ciphertext.size() - kTagBytes, '\0');
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plaintext.data()), nullptr, nullptr, ciphertext.data(),
      ciphertext.size(), bytes_of(place).data(), place.size(), bytes.data(), key_.data());
  if (failed != 0) return std::nullopt;
  return plaintext;
}

}  // namespace signet::crypto
