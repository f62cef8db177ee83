// Unpredictable bytes from the system, through libsodium.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace signet::crypto {

// Call once before anything else of this module; false when the system has no randomness.
bool initialize();

void random_bytes(std::span<unsigned char> out);
std::uint64_t random_below(std::uint64_t bound);  // uniform; 0 when bound is 0
std::string random_hex(std::size_t bytes);        // 2 * bytes digits

}  // namespace signet::crypto
