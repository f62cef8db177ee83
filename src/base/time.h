// Time as the program sees it: what the wall says, and what has elapsed. Decisions take these as
// arguments; only actors and the edges read a Clock.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>

namespace signet {

// WallTime is milliseconds since 1970-01-01 UTC. It can step; use it for what peers sign and read.
struct WallTime {
  std::int64_t ms = 0;
  auto operator<=>(const WallTime&) const = default;
};
inline WallTime operator+(WallTime t, std::chrono::milliseconds d) { return {t.ms + d.count()}; }
inline WallTime operator-(WallTime t, std::chrono::milliseconds d) { return {t.ms - d.count()}; }

// Elapsed is time since boot, suspend included (CLOCK_BOOTTIME). It never steps; use it for every
// timeout, limit and expiry.
struct Elapsed {
  std::chrono::nanoseconds since_boot{0};
  auto operator<=>(const Elapsed&) const = default;
};
inline Elapsed operator+(Elapsed t, std::chrono::nanoseconds d) { return {t.since_boot + d}; }
inline std::chrono::nanoseconds operator-(Elapsed a, Elapsed b) {
  return a.since_boot - b.since_boot;
}

// Clock is the one door to both. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall() const = 0;
  virtual Elapsed elapsed() const = 0;
};

// The machine's own clocks.
const Clock& system_clock();

// iso8601 prints `2026-01-05T12:34:50.123Z`, as JavaScript's Date does; a time beyond what a Date
// holds (273,000 years) is printed as its last one.
std::string iso8601(WallTime time);

}  // namespace signet
