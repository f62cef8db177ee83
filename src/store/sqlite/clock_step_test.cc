// Somebody moves the wall clock while hellos are captured and played again: none is admitted twice,
// and once the clock is right again honest members come in at once.
#include <set>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds kSkew{60'000};

// How elapsed time goes on between two steps of the wall.
enum class Flow { kFrozen, kEven, kDrifting };

class ClockStep : public StoreTest {
 protected:
  ClockStep() { options_.synchronous_full = false; }  // thousands of commits, none of them precious

  // What the broker asks before the store: the skew of the timestamp against the wall.
  bool is_fresh(std::int64_t timestamp) const {
    const milliseconds skew{timestamp - clock_.wall().ms};
    return skew >= -kSkew && skew <= kSkew;
  }
  bool admits(std::int64_t member, std::int64_t timestamp) {
    if (!is_fresh(timestamp)) return false;
    return hello(member, timestamp) == HelloOutcome::kAdmitted;
  }
  // An honest client on this clock.
  bool comes_in(std::int64_t member) {
    clock_.advance(milliseconds(1));
    const std::int64_t now = clock_.wall().ms;
    const bool admitted = admits(member, now);
    if (admitted) captured_.emplace(member, now);
    return admitted;
  }
  // Plays all that was captured of `member`; how many came through.
  int replay(std::int64_t member) {
    int through = 0;
    for (const auto& [whose, timestamp] : captured_) {
      if (whose == member) through += admits(member, timestamp), ++replays_;
    }
    return through;
  }
  void let_time_pass(Flow flow) {
    if (flow == Flow::kFrozen) return;
    clock_.advance(seconds(7));
    if (flow == Flow::kDrifting) clock_.step_wall(milliseconds(700));
  }

  std::set<std::pair<std::int64_t, std::int64_t>> captured_;
  int replays_ = 0;
};

const std::vector<milliseconds>& steps() {
  static const std::vector<milliseconds> all = [] {
    std::vector<milliseconds> made;
    for (const milliseconds by :
         {milliseconds(seconds(1)), milliseconds(seconds(6)), milliseconds(seconds(59)),
          milliseconds(seconds(61)), milliseconds(minutes(3)), milliseconds(minutes(10)),
          milliseconds(hours(1)), milliseconds(hours(24)), milliseconds(hours(24 * 30))}) {
      made.push_back(by);
      made.push_back(-by);
    }
    return made;
  }();
  return all;
}

TEST_F(ClockStep, NoneOfAThousandCombinationsAdmitsAReplay) {
  open();
  std::int64_t member = 100;
  int combinations = 0;
  for (const milliseconds first : steps()) {
    for (const milliseconds second : steps()) {
      for (const Flow flow : {Flow::kFrozen, Flow::kEven, Flow::kDrifting}) {
        ++member;
        ASSERT_TRUE(comes_in(member));
        for (const milliseconds by : {first, second, -first - second}) {
          clock_.step_wall(by);
          ASSERT_EQ(replay(member), 0) << first.count() << " " << second.count();
          ASSERT_TRUE(comes_in(member)) << first.count() << " " << second.count();
          let_time_pass(flow);
          ASSERT_EQ(replay(member), 0) << first.count() << " " << second.count();
        }
        captured_.clear();
        ++combinations;
      }
    }
  }
  EXPECT_GE(combinations, 900);
  EXPECT_GE(replays_, 10'000);
}

// A member with so many hellos that old ones are forgotten, on a clock that jumps while the broker
// is down.
TEST_F(ClockStep, WhatIsForgottenStaysRefusedThroughStepsAndRestarts) {
  std::int64_t member = 1;
  for (const milliseconds by : steps()) {
    open();
    ++member;
    for (int i = 0; i < 70; ++i) {
      ASSERT_TRUE(comes_in(member));
      clock_.advance(seconds(5));
    }
    store_.reset();
    clock_.step_wall(by);
    open();
    EXPECT_EQ(replay(member), 0) << by.count();
    (void)comes_in(member);  // a clock that is far behind may keep even honest ones out
    EXPECT_EQ(replay(member), 0) << by.count();
    store_.reset();
    clock_.step_wall(-by);
    open();
    EXPECT_EQ(replay(member), 0) << by.count();
    EXPECT_TRUE(comes_in(member)) << by.count() << ": the clock is right again";
    captured_.clear();
    store_.reset();
  }
}

}  // namespace
}  // namespace signet::store::sqlite
