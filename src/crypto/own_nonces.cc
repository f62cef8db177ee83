#include "crypto/own_nonces.h"

#include <sodium.h>

#include <algorithm>
#include <tuple>

#include "crypto/compare.h"
#include "crypto/derive.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

constexpr std::size_t kRandomBytes = 16;
constexpr std::size_t kMarkBytes = 8;
static_assert(kRandomBytes + kMarkBytes == std::tuple_size_v<BoxNonce>);

}  // namespace

OwnNonces::OwnNonces(const SecretKey& identity) : key_(derived_key(identity, "signet/nonce/v1")) {}

OwnNonces::OwnNonces(OwnNonces&& other) noexcept : key_(other.key_) { wipe(other.key_); }

OwnNonces& OwnNonces::operator=(OwnNonces&& other) noexcept {
  if (this == &other) return *this;
  key_ = other.key_;
  wipe(other.key_);
  return *this;
}

OwnNonces::~OwnNonces() { wipe(key_); }

void OwnNonces::write_mark(BoxNonce& nonce) const {
  std::array<unsigned char, crypto_generichash_BYTES> mac;
  crypto_generichash(mac.data(), mac.size(), nonce.data(), kRandomBytes, key_.data(), key_.size());
  std::copy_n(mac.begin(), kMarkBytes, nonce.begin() + kRandomBytes);
}

BoxNonce OwnNonces::draw() const {
  BoxNonce nonce{};
  random_bytes(std::span(nonce).first(kRandomBytes));
  write_mark(nonce);
  return nonce;
}

bool OwnNonces::is_own(const BoxNonce& nonce) const {
  BoxNonce expected = nonce;
  write_mark(expected);
  return equal_secrets(text_of(nonce), text_of(expected));
}

}  // namespace signet::crypto
