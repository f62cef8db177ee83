#include "base/time.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/fake_clock.h"

namespace signet {
namespace {

TEST(Iso8601, PrintsWhatADateWouldPrint) {
  struct Case {
    const char* name;
    std::int64_t ms;
    const char* text;
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const Case cases[] = {
      {"the epoch", 0, "1970-01-01T00:00:00.000Z"},
      {"one millisecond before it", -1, "1969-12-31T23:59:59.999Z"},
      {"one second before it", -1000, "1969-12-31T23:59:59.000Z"},
      {"the page's example", 1'767'616'490'123, "2026-01-05T12:34:50.123Z"},
      {"a leap day", 1'709'208'000'000, "2024-02-29T12:00:00.000Z"},
      {"past 32 bits of seconds", 4'294'967'296'000, "2106-02-07T06:28:16.000Z"},
      {"the last of four digits", 253'402'300'799'999, "9999-12-31T23:59:59.999Z"},
      {"the first of six", 253'402'300'800'000, "+010000-01-01T00:00:00.000Z"},
      {"year zero", -62'167'219'200'000, "0000-01-01T00:00:00.000Z"},
      {"before year zero", -62'167'219'200'001, "-000001-12-31T23:59:59.999Z"},
      {"the last of a Date", 8'640'000'000'000'000, "+275760-09-13T00:00:00.000Z"},
      {"the first of a Date", -8'640'000'000'000'000, "-271821-04-20T00:00:00.000Z"},
      {"past a Date", kMost, "+275760-09-13T00:00:00.000Z"},
      {"far before a Date", -kMost - 1, "-271821-04-20T00:00:00.000Z"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(iso8601({c.ms}), c.text);
  }
}

TEST(SystemClock, ElapsedNeverGoesBackAndWallIsThisCentury) {
  const Clock& clock = system_clock();
  Elapsed before = clock.elapsed();
  for (int i = 0; i < 1000; ++i) {
    const Elapsed now = clock.elapsed();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.wall(), WallTime{1'700'000'000'000});
  EXPECT_LT(clock.wall(), WallTime{4'102'444'800'000});
}

TEST(FakeClock, StepsTheWallAloneWhenTold) {
  using namespace std::chrono_literals;
  FakeClock clock;
  const WallTime wall = clock.wall();
  const Elapsed elapsed = clock.elapsed();
  clock.advance(1500ms);
  EXPECT_EQ(clock.wall(), wall + 1500ms);
  EXPECT_EQ(clock.elapsed() - elapsed, 1500ms);
  clock.step_wall(-1h);
  EXPECT_EQ(clock.wall(), wall + 1500ms - 1h);
  EXPECT_EQ(clock.elapsed() - elapsed, 1500ms);
}

}  // namespace
}  // namespace signet
