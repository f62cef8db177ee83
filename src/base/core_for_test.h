// What a core dump of this process would hold, for tests of what must not be in it.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/secret_memory.h"

namespace signet {

// Needle is a secret that is nowhere in memory, so that looking for it finds no more than what was
// made of it: its bytes are kept masked.
class Needle {
 public:
  static constexpr std::size_t kBytes = 32;

  // `seed` chooses the bytes, which are printable and hex digits.
  explicit Needle(unsigned seed) {
    for (unsigned char& byte : masked_) {
      seed = seed * 1'664'525 + 1'013'904'223;  // any generator serves
      byte = static_cast<unsigned char>("0123456789abcdef"[seed >> 28] ^ kMask);
    }
  }
  // The secret itself, in memory that no core holds.
  SecretBytes reveal() const {
    SecretBytes bytes(kBytes);
    std::transform(masked_.begin(), masked_.end(), bytes.data(), unmasked);
    return bytes;
  }
  bool is_at(const unsigned char* at) const {
    return std::equal(
        masked_.begin(), masked_.end(), at,
        [](unsigned char mine, unsigned char other) { return unmasked(mine) == other; });
  }
  unsigned char first() const { return unmasked(masked_.front()); }

 private:
  static constexpr unsigned char kMask = 0xa5;
  static unsigned char unmasked(unsigned char byte) {
    return static_cast<unsigned char>(byte ^ kMask);
  }
  std::array<unsigned char, kBytes> masked_{};
};

// How often it lies in readable memory of this process: in what a core holds, or also in what is
// left out of one (VmFlags `dd` of proc(5)).
enum class Memory : std::uint8_t { kOfCores, kAll };
inline std::size_t times_in_memory(const Needle& needle, Memory memory) {
  constexpr std::size_t kPiece = 1 << 20;
  SecretBytes piece(kPiece);  // itself in no core, and its copies are not counted
  struct Range {
    std::uintptr_t from = 0, to = 0;
  };
  std::vector<Range> ranges;
  std::ifstream maps("/proc/self/smaps");
  bool readable = false;
  Range range;
  for (std::string line; std::getline(maps, line);) {
    char dash = 0;
    std::string rights;
    std::istringstream words(line);
    Range next;
    if (words >> std::hex >> next.from >> dash >> next.to >> rights && dash == '-') {
      range = next;
      readable = rights.starts_with('r') && line.find("[v") == std::string::npos;
    } else if (line.starts_with("VmFlags:") && readable) {
      const std::string flags = line + " ";
      const bool left_out = flags.find(" dd ") != std::string::npos;
      // The shadow of a sanitizer: terabytes that hold no byte of the program.
      if (left_out && flags.find(" nr ") != std::string::npos) continue;
      if (left_out && memory == Memory::kOfCores) continue;
      // The kernel may show the piece and what lies beside it as one range: all but the piece.
      const auto own = reinterpret_cast<std::uintptr_t>(piece.data());
      if (own < range.from || range.to <= own) {
        ranges.push_back(range);
      } else {
        ranges.push_back({range.from, own});
        ranges.push_back({own + kPiece, range.to});
      }
    }
  }
  const int self = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  if (self < 0) std::abort();
  std::size_t times = 0;
  for (const Range& each : ranges) {
    // Pieces overlap by less than a needle, so that none is missed or counted twice.
    for (std::uintptr_t at = each.from; at < each.to; at += kPiece - Needle::kBytes + 1) {
      const std::size_t wanted = std::min<std::size_t>(kPiece, each.to - at);
      const ssize_t got = pread(self, piece.data(), wanted, static_cast<off_t>(at));
      if (got < static_cast<ssize_t>(Needle::kBytes)) continue;
      const unsigned char* const last = piece.data() + got - Needle::kBytes;
      for (const unsigned char* from = piece.data(); from <= last; ++from) {
        from = static_cast<const unsigned char*>(
            std::memchr(from, needle.first(), static_cast<std::size_t>(last - from) + 1));
        if (from == nullptr) break;
        if (needle.is_at(from)) ++times;
      }
    }
  }
  close(self);
  return times;
}

}  // namespace signet
