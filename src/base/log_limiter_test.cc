#include "base/log_limiter.h"

#include <gtest/gtest.h>

#include "base/fake_clock.h"

namespace signet {
namespace {

using std::chrono::milliseconds;

enum class Kind : std::uint8_t { kA, kB };

TEST(LogLimiter, WritesTheFirstAtOnceAndThenOneAnInterval) {
  FakeClock clock;
  LogLimiter<Kind> limiter(2, milliseconds(1'000));
  const struct {
    const char* name;
    milliseconds later;
    Kind kind;
    std::optional<std::int64_t> repeated;
  } story[] = {
      {"the first", milliseconds(0), Kind::kA, 0},
      {"the same moment", milliseconds(0), Kind::kA, std::nullopt},
      {"another kind has its own", milliseconds(0), Kind::kB, 0},
      {"just before the interval", milliseconds(999), Kind::kA, std::nullopt},
      {"the interval, with what was silent", milliseconds(1), Kind::kA, 2},
      {"silent again", milliseconds(500), Kind::kA, std::nullopt},
      {"the other had no repeats", milliseconds(0), Kind::kB, 0},
      {"the tail of a flood, told much later", milliseconds(60'000), Kind::kA, 1},
      {"and only once", milliseconds(1'000), Kind::kA, 0},
  };
  for (const auto& step : story) {
    clock.advance(step.later);
    EXPECT_EQ(limiter.take(step.kind, clock.elapsed()), step.repeated) << step.name;
  }
}

TEST(LogLimiter, WrittenAndSilentAreAllThereWere) {
  FakeClock clock;
  LogLimiter<Kind> limiter(2);
  std::int64_t lines = 0;
  std::int64_t silent = 0;
  constexpr int kTimes = 10'000;
  for (int i = 0; i < kTimes; ++i) {
    clock.advance(milliseconds(1));
    if (const auto repeated = limiter.take(Kind::kA, clock.elapsed())) {
      ++lines;
      silent += *repeated;
    }
  }
  clock.advance(kLogInterval);
  silent += limiter.take(Kind::kA, clock.elapsed()).value_or(0);
  EXPECT_EQ(lines, 10);
  EXPECT_EQ(lines + silent, kTimes);
}

}  // namespace
}  // namespace signet
