#include "crypto/hkdf.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>

#include "crypto/mac.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

// RFC 5869, section 2.3: T(n) = HMAC(key, T(n - 1) | info | n), where T(0) is empty.
void next_block(const Digest32& key, std::initializer_list<std::string_view> info,
                unsigned char number, Digest32& block) {
  crypto_auth_hmacsha256_state state;
  crypto_auth_hmacsha256_init(&state, key.data(), key.size());
  if (number > 1) crypto_auth_hmacsha256_update(&state, block.data(), block.size());
  for (const std::string_view part : info) {
    crypto_auth_hmacsha256_update(&state, bytes_of(part).data(), part.size());
  }
  crypto_auth_hmacsha256_update(&state, &number, 1);
  crypto_auth_hmacsha256_final(&state, block.data());
  sodium_memzero(&state, sizeof state);  // the hashed pads are as good as the key
}

}  // namespace

void hkdf_sha256(std::string_view secret, std::string_view salt,
                 std::initializer_list<std::string_view> info, std::span<unsigned char> out) {
  if (out.size() > kMaxHkdfBytes) std::abort();  // the counter of blocks is one byte
  // An empty key of HMAC is padded to the zeros that are the default salt.
  Digest32 key = hmac_sha256(salt, secret);
  Digest32 block{};
  unsigned char number = 0;
  while (!out.empty()) {
    next_block(key, info, ++number, block);
    const std::size_t count = std::min(out.size(), block.size());
    std::copy_n(block.begin(), count, out.begin());
    out = out.subspan(count);
  }
  wipe(key);
  wipe(block);
}

}  // namespace signet::crypto
