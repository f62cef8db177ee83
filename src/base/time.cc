#include "base/time.h"

#include <time.h>

#include <algorithm>
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

namespace {

// 2025-10-31T20:00:00
std::string text_of_second(time_t second) {
  tm utc{};
  gmtime_r(&second, &utc);
  const int year = utc.tm_year + 1900;
  const bool is_four_digits = year >= 0 && year <= 9999;
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%0*d-%02d-%02dT%02d:%02d:%02d",
                is_four_digits ? 4
                : year < 0     ? 7
                               : 6,
                year, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
  return (year > 9999 ? "+" : "") + std::string(text.data());
}

}  // namespace

std::string iso8601(WallTime time) {
  // What a JavaScript Date can hold; a peer's or an operator's number may lie outside.
  constexpr std::int64_t kLastMs = 8'640'000'000'000'000;
  const std::int64_t ms = std::clamp(time.ms, -kLastMs, kLastMs);
  const auto floor_div = [](std::int64_t a, std::int64_t b) {
    return (a - (a < 0 ? b - 1 : 0)) / b;
  };
  const time_t second = floor_div(ms, 1000);
  const auto millisecond = static_cast<int>(ms - second * 1000);
  // Who stamps many messages stamps them in the same second.
  thread_local time_t last_second = -1;
  thread_local std::string last_text = text_of_second(-1);
  if (second != last_second) {
    last_text = text_of_second(second);
    last_second = second;
  }
  std::string text = last_text;
  text.push_back('.');
  text.push_back(static_cast<char>('0' + millisecond / 100));
  text.push_back(static_cast<char>('0' + millisecond / 10 % 10));
  text.push_back(static_cast<char>('0' + millisecond % 10));
  text.push_back('Z');
  return text;
}

}  // namespace signet
