// HKDF-SHA-256 (RFC 5869): keys for others out of a secret, for formats that name it. Keys for own
// use out of the identity's seed are derive.h.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace signet::crypto {

inline constexpr std::size_t kMaxHkdfBytes = std::size_t{255} * 32;  // the RFC's

// Fills `out`: another key for each `info`, none of which tells about the secret or another one.
// The parts of `info` count as one text: nothing marks their borders. An empty salt is the RFC's
// default. The caller wipes `out`; no copy of a part stays behind.
// REQUIRES: out.size() ≤ kMaxHkdfBytes.
void hkdf_sha256(std::string_view secret, std::string_view salt,
                 std::initializer_list<std::string_view> info, std::span<unsigned char> out);

}  // namespace signet::crypto
