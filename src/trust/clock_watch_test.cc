#include "trust/clock_watch.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/fake_clock.h"

namespace signet::trust {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

TEST(ClockWatch, ReportsAStepOnceAndNothingElse) {
  struct Move {
    milliseconds advance;  // both clocks
    milliseconds step;     // the wall alone
    std::optional<milliseconds> reported;
  };
  struct Case {
    const char* name;
    std::vector<Move> moves;
  };
  constexpr milliseconds kDay = 24h;
  const Case cases[] = {
      {"a steady clock", {{1s, 0s, {}}, {1h, 0s, {}}, {30 * kDay, 0s, {}}}},
      {"one second forward", {{1s, 1s, {}}, {1s, 0s, {}}}},
      {"one second back", {{1s, -1s, {}}, {1s, 0s, {}}}},
      {"a leap second", {{1s, -1s, {}}, {365 * kDay, -1s, {}}}},
      {"just the threshold", {{1s, 5s, {}}, {1s, 0s, {}}}},
      {"just the threshold back", {{1s, -5s, {}}, {1s, 0s, {}}}},
      {"just over", {{1s, 5'001ms, 5'001ms}, {1s, 0s, {}}}},
      {"just over, back", {{1s, -5'001ms, -5'001ms}, {1s, 0s, {}}}},
      {"a minute, the window of a hello", {{1s, -60s, -60s}, {1s, 0s, {}}}},
      {"thirty days forward", {{1s, 30 * kDay, 30 * kDay}, {1s, 0s, {}}}},
      {"thirty days back", {{1s, -30 * kDay, -30 * kDay}, {1s, 0s, {}}}},
      {"there and back", {{1s, 1h, 1h}, {1s, -1h, -1h}, {1s, 0s, {}}}},
      {"little by little", {{1s, 2s, {}}, {1s, 2s, {}}, {1s, 2s, 6s}, {1s, 0s, {}}}},
      {"little by little back", {{1s, -3s, {}}, {1s, -3s, -6s}, {1s, -3s, {}}, {1s, -3s, -6s}}},
      {"to and fro", {{1s, 4s, {}}, {1s, -4s, {}}, {1s, -4s, {}}, {1s, 4s, {}}}},
      {"a frozen wall", {{3s, -3s, {}}, {3s, -3s, -6s}}},
      {"ten percent fast", {{20s, 2s, {}}, {20s, 2s, {}}, {20s, 2s, 6s}}},
      {"a machine that slept", {{8h, 0s, {}}}},
      {"a machine whose wall slept", {{8h, -8h, -8h}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    FakeClock clock;
    ClockWatch watch;
    EXPECT_EQ(watch.observe(clock.wall(), clock.elapsed()), std::nullopt);
    for (std::size_t i = 0; i < c.moves.size(); ++i) {
      SCOPED_TRACE(i);
      clock.advance(c.moves[i].advance);
      clock.step_wall(c.moves[i].step);
      EXPECT_EQ(watch.observe(clock.wall(), clock.elapsed()), c.moves[i].reported);
    }
  }
}

TEST(ClockWatch, RemembersTheLastStepForReadiness) {
  FakeClock clock;
  ClockWatch watch;
  watch.observe(clock.wall(), clock.elapsed());
  EXPECT_FALSE(watch.last_step().has_value());
  EXPECT_TRUE(watch.is_steady(clock.elapsed(), 2min));
  clock.step_wall(-1h);
  watch.observe(clock.wall(), clock.elapsed());
  ASSERT_TRUE(watch.last_step().has_value());
  EXPECT_EQ(watch.last_step()->by, milliseconds(-1h));
  EXPECT_EQ(watch.last_step()->at, clock.elapsed());
  EXPECT_FALSE(watch.is_steady(clock.elapsed(), 2min));
  clock.advance(2min - 1ms);
  watch.observe(clock.wall(), clock.elapsed());
  EXPECT_FALSE(watch.is_steady(clock.elapsed(), 2min));
  clock.advance(1ms);
  EXPECT_TRUE(watch.is_steady(clock.elapsed(), 2min));
  EXPECT_EQ(watch.last_step()->by, milliseconds(-1h));
}

TEST(ClockWatch, TakesAnotherThreshold) {
  FakeClock clock;
  ClockWatch watch(100ms);
  watch.observe(clock.wall(), clock.elapsed());
  clock.step_wall(101ms);
  EXPECT_EQ(watch.observe(clock.wall(), clock.elapsed()), 101ms);
}

}  // namespace
}  // namespace signet::trust
