// How long one call takes, in nanoseconds of a core.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

#include "load_row.h"

namespace signet::bench {

inline std::chrono::nanoseconds cpu_time_by(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Calls `once` with 0, 1, 2 and so on for a tenth of a second of this thread's time. Its results
// are summed up and looked at, so that no call is left out.
template <class F>
double nanoseconds_of(F once) {
  constexpr std::chrono::milliseconds kEach{100};
  constexpr std::uint64_t kBetweenLooks = 256;
  volatile std::uint64_t sink = 0;
  std::uint64_t calls = 0;
  std::uint64_t sum = 0;
  const auto from = cpu_time_by(CLOCK_THREAD_CPUTIME_ID);
  std::chrono::nanoseconds spent{};
  while (spent < kEach) {
    for (std::uint64_t i = 0; i < kBetweenLooks; ++i) sum += once(calls + i);
    calls += kBetweenLooks;
    spent = cpu_time_by(CLOCK_THREAD_CPUTIME_ID) - from;
  }
  sink = sum;
  (void)sink;
  return rounded(static_cast<double>(spent.count()) / static_cast<double>(calls));
}

}  // namespace signet::bench
