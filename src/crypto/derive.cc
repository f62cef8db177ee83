#include "crypto/derive.h"

#include <sodium.h>

#include <string>

#include "crypto/fields.h"
#include "crypto/wipe.h"

namespace signet::crypto {

std::array<unsigned char, 32> derived_key(const SecretKey& identity, std::string_view domain) {
  static_assert(crypto_generichash_KEYBYTES_MIN <= 32 && 32 <= crypto_generichash_KEYBYTES_MAX);
  const std::string text = joined_fields(domain, {});
  auto seed = identity.seed();
  std::array<unsigned char, 32> key;
  crypto_generichash(key.data(), key.size(), bytes_of(text).data(), text.size(), seed.data(),
                     seed.size());
  wipe(seed);
  return key;
}

}  // namespace signet::crypto
