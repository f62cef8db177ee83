// What a message of `signet bench` says: of which run it is, who sent it, which one it is and when
// it was due, so that a receiver needs nothing else to account for it. Pure.
//
//   "bench " run ' ' sender ' ' number ' ' due ' ' 'n' or 'r' ' ' dots
//
// The run is 8 hex digits, sender and number are 8, due is 16; `r` was sent again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet::cli {

inline constexpr std::size_t kBenchRunDigits = 8;
inline constexpr std::size_t kLeastBenchBytes = 64;

struct BenchStamp {
  std::uint32_t sender = 0;
  std::uint32_t number = 0;  // of the sender's messages
  std::uint64_t due_ns = 0;  // since boot
  bool is_again = false;     // a rate limit had refused it
};

// Exactly `bytes` long. REQUIRES: a run of 8 digits, at least kLeastBenchBytes.
std::string write_bench_text(std::string_view run, const BenchStamp& stamp, std::size_t bytes);

// nullopt unless write_bench_text wrote exactly this for this run and size.
std::optional<BenchStamp> read_bench_text(std::string_view run, std::string_view text,
                                          std::size_t bytes);

}  // namespace signet::cli
