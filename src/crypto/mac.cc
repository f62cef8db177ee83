#include "crypto/mac.h"

#include <sodium.h>

namespace signet::crypto {

static_assert(crypto_hash_sha256_BYTES == sizeof(Digest32));
static_assert(crypto_auth_hmacsha256_BYTES == sizeof(Digest32));

Digest32 sha256(std::initializer_list<std::string_view> parts) {
  Digest32 digest;
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  for (const std::string_view part : parts) {
    crypto_hash_sha256_update(&state, bytes_of(part).data(), part.size());
  }
  crypto_hash_sha256_final(&state, digest.data());
  sodium_memzero(&state, sizeof state);  // the last block, which may be a secret
  return digest;
}

Digest32 hmac_sha256(std::string_view key, std::string_view message) {
  Digest32 digest;
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, bytes_of(key).data(), key.size());
  crypto_auth_hmacsha256_update(&state, bytes_of(message).data(), message.size());
  crypto_auth_hmacsha256_final(&state, digest.data());
  sodium_memzero(&state, sizeof state);  // the hashed pads are as good as the key
  return digest;
}

}  // namespace signet::crypto
