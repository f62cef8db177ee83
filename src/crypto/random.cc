#include "crypto/random.h"

#include <sodium.h>

#include <vector>

#include "base/encoding.h"

namespace signet::crypto {

bool initialize() { return sodium_init() >= 0; }

void random_bytes(std::span<unsigned char> out) {
  if (!out.empty()) randombytes_buf(out.data(), out.size());
}

std::uint64_t random_below(std::uint64_t bound) {
  if (bound == 0) return 0;
  // 2^64 mod bound: draws below it would favour the small remainders, so they are drawn again.
  const std::uint64_t unfair = (0 - bound) % bound;
  std::uint64_t draw;
  do {
    randombytes_buf(&draw, sizeof draw);
  } while (draw < unfair);
  return draw % bound;
}

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> drawn(bytes);
  random_bytes(drawn);
  std::string hex = to_hex(drawn);
  if (bytes > 0) sodium_memzero(drawn.data(), drawn.size());
  return hex;
}

}  // namespace signet::crypto
