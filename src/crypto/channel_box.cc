#include "crypto/channel_box.h"

#include <sodium.h>

#include <algorithm>
#include <tuple>

#include "crypto/fields.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kIdAt = kChannelMagic.size();
constexpr std::size_t kSignatureAt = kIdAt + std::tuple_size_v<ChannelKeyId>;
constexpr std::size_t kCiphertextAt = kSignatureAt + std::tuple_size_v<Signature>;

static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == std::tuple_size_v<ChannelKeyBytes>);
static_assert(crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == std::tuple_size_v<ChannelNonce>);
static_assert(kCiphertextAt == 84 && kTagBytes == 16);

// What the tag covers beside the ciphertext; with the ciphertext as one more field, what is signed.
std::string associated_data(const ChannelScope& scope, const ChannelKeyId& id,
                            const ChannelNonce& nonce) {
  return joined_fields(
      "signet/channel/v1",
      {scope.mesh_id, scope.target, text_of(scope.sender.bytes), text_of(id), text_of(nonce)});
}

std::string signed_text(const ChannelScope& scope, const ChannelKeyId& id,
                        const ChannelNonce& nonce, std::string_view ciphertext) {
  std::string text = associated_data(scope, id, nonce);
  append_field(text, ciphertext);
  return text;
}

ChannelKeyId id_of(const ChannelKeyBytes& key, const ChannelScope& scope) {
  return digest16("signet/channel-key/v1",
                  {scope.mesh_id, scope.target, text_of(scope.sender.bytes), text_of(key)});
}

}  // namespace

ChannelKey ChannelKey::generate(const ChannelScope& scope) {
  ChannelKey key;
  random_bytes(key.key_);
  key.id_ = id_of(key.key_, scope);
  return key;
}

ChannelKey ChannelKey::from_bytes(const ChannelKeyBytes& bytes, const ChannelScope& scope) {
  ChannelKey key;
  key.key_ = bytes;
  key.id_ = id_of(bytes, scope);
  return key;
}

ChannelKey::ChannelKey(ChannelKey&& other) noexcept : key_(other.key_), id_(other.id_) {
  wipe(other.key_);
}

ChannelKey& ChannelKey::operator=(ChannelKey&& other) noexcept {
  if (this == &other) return *this;
  key_ = other.key_;
  id_ = other.id_;
  wipe(other.key_);
  return *this;
}

ChannelKey::~ChannelKey() { wipe(key_); }

std::string seal_channel_body(const SecretKey& sender, const ChannelKey& key,
                              std::string_view mesh_id, std::string_view target,
                              std::string_view plaintext, const ChannelNonce& nonce) {
  const ChannelScope scope{mesh_id, target, sender.public_key()};
  const std::string associated = associated_data(scope, key.id(), nonce);
  std::string ciphertext(plaintext.size() + kTagBytes, '\0');
  crypto_aead_xchacha20poly1305_ietf_encrypt(reinterpret_cast<unsigned char*>(ciphertext.data()),
                                             nullptr, bytes_of(plaintext).data(), plaintext.size(),
                                             bytes_of(associated).data(), associated.size(),
                                             nullptr, nonce.data(), key.key_.data());
  const std::string text = signed_text(scope, key.id(), nonce, ciphertext);
  const Signature signature = sender.sign(bytes_of(text));
  std::string body(kChannelMagic);
  body.reserve(kCiphertextAt + ciphertext.size());
  body.append(text_of(key.id())).append(text_of(signature)).append(ciphertext);
  return body;
}

std::optional<ChannelBody> ChannelBody::read(std::string_view body) {
  if (!has_channel_magic(body) || body.size() < kCiphertextAt + kTagBytes) return std::nullopt;
  ChannelBody read;
  const auto at = body.begin();
  std::copy(at + kIdAt, at + kSignatureAt, read.key_id_.begin());
  std::copy(at + kSignatureAt, at + kCiphertextAt, read.signature_.begin());
  read.ciphertext_ = body.substr(kCiphertextAt);
  return read;
}

bool ChannelBody::is_signed(const ChannelScope& scope, const ChannelNonce& nonce) const {
  const std::string text = signed_text(scope, key_id_, nonce, ciphertext_);
  return verify(scope.sender, bytes_of(text), signature_);
}

std::optional<std::string> ChannelBody::open(const ChannelKey& key, const ChannelScope& scope,
                                             const ChannelNonce& nonce) const {
  if (key.id() != key_id_) return std::nullopt;
  const std::string associated = associated_data(scope, key_id_, nonce);
  std::string plaintext(ciphertext_.size() - kTagBytes, '\0');
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      reinterpret_cast<unsigned char*>(plaintext.data()), nullptr, nullptr,
      bytes_of(ciphertext_).data(), ciphertext_.size(), bytes_of(associated).data(),
      associated.size(), nonce.data(), key.key_.data());
  if (failed != 0) return std::nullopt;
  return plaintext;
}

}  // namespace signet::crypto
