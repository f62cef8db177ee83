#include "base/time.h"

#include <time.h>

#include <array>
#include <cstdio>

namespace signet {
namespace {

std::int64_t nanoseconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  WallTime wall() const override { return {nanoseconds(CLOCK_REALTIME) / 1'000'000}; }
  Elapsed elapsed() const override {
    return {std::chrono::nanoseconds(nanoseconds(CLOCK_BOOTTIME))};
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

std::string iso8601(WallTime time) {
  const auto floor_div = [](std::int64_t a, std::int64_t b) {
    return (a - (a < 0 ? b - 1 : 0)) / b;
  };
  const std::int64_t second = floor_div(time.ms, 1000);
  const auto millisecond = static_cast<int>(time.ms - second * 1000);
  const time_t unix_second = second;
  tm utc{};
  gmtime_r(&unix_second, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, millisecond);
  return text.data();
}

}  // namespace signet
