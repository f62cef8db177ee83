// Keys for the identity's own use, out of its seed.
#pragma once

#include <array>
#include <string_view>

#include "crypto/sign.h"

namespace signet::crypto {

// BLAKE2b-256 keyed with the seed, over `domain` after its length as 8 bytes little-endian: another
// key for every purpose, none of which tells about the seed or another. The caller wipes it.
std::array<unsigned char, 32> derived_key(const SecretKey& identity, std::string_view domain);

}  // namespace signet::crypto
