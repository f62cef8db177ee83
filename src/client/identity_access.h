// The library's own door to the key inside an Identity.
#pragma once

#include "crypto/sign.h"
#include "signet/client.h"

namespace signet {

struct Identity::Impl {
  explicit Impl(crypto::SecretKey secret)
      : key(std::move(secret)), public_text(crypto::to_hex(key.public_key())) {}
  crypto::SecretKey key;
  std::string public_text;
};

struct IdentityAccess {
  static const crypto::SecretKey& key(const Identity& identity) { return identity.impl_->key; }
};

}  // namespace signet
