// Hashes: BLAKE2b for ids and digests, SipHash for tables whose keys a peer chooses.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"

namespace signet::crypto {

using Digest16 = std::array<unsigned char, 16>;
using Digest32 = std::array<unsigned char, 32>;

// digest hashes fields unambiguously: BLAKE2b over `domain` and every field, each preceded by its
// length as 8 bytes little-endian. `domain` names the purpose, so that no digest of one kind is
// ever a digest of another.
Digest16 digest16(std::string_view domain, std::initializer_list<std::string_view> fields);
Digest32 digest32(std::string_view domain, std::initializer_list<std::string_view> fields);

// A hash for unordered containers with attacker-chosen keys: SipHash-2-4 under a key drawn at
// start, so that nobody outside can make keys collide.
struct KeyedHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept;
  std::size_t operator()(const std::array<unsigned char, 16>& bytes) const noexcept {
    return (*this)(text_of(ByteView(bytes)));
  }
};

}  // namespace signet::crypto
