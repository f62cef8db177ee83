#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <vector>

namespace signet::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr Elapsed kStart{hours(5)};

// Calls back when it fires.
class Bell final : public TimerWheel::Timer {
 public:
  explicit Bell(std::function<void()> ring = {}) : ring_(std::move(ring)) {}
  int rings = 0;

 private:
  void on_timer() override {
    ++rings;
    if (ring_) ring_();
  }
  const std::function<void()> ring_;
};

TEST(TimerWheel, FiresAtItsTimeAndNeverEarly) {
  const milliseconds delays[] = {
      milliseconds(0),      milliseconds(1),       milliseconds(4),   milliseconds(5),
      milliseconds(255),    milliseconds(256),     milliseconds(257), milliseconds(16'384),
      milliseconds(75'000), milliseconds(1 << 20), hours(24),         hours(24 * 400)};
  for (const milliseconds delay : delays) {
    SCOPED_TRACE(delay.count());
    TimerWheel wheel(kStart);
    Bell bell;
    wheel.arm(bell, kStart + delay);
    if (delay > milliseconds(0)) {
      wheel.advance(kStart + (delay - nanoseconds(1)));
      EXPECT_EQ(bell.rings, 0);
    }
    wheel.advance(kStart + delay + TimerWheel::kTick);
    EXPECT_EQ(bell.rings, 1);
    EXPECT_FALSE(bell.armed());
    wheel.advance(kStart + delay + hours(1));
    EXPECT_EQ(bell.rings, 1);
  }
}

TEST(TimerWheel, LeavesEarlierTimersAlone) {
  TimerWheel wheel(kStart);
  Bell bell;
  wheel.arm(bell, kStart + milliseconds(100));
  wheel.arm_no_later(bell, kStart + milliseconds(500));
  wheel.advance(kStart + milliseconds(100));
  EXPECT_EQ(bell.rings, 1);

  wheel.arm(bell, kStart + milliseconds(900));
  wheel.arm_no_later(bell, kStart + milliseconds(300));
  wheel.advance(kStart + milliseconds(300));
  EXPECT_EQ(bell.rings, 2);
}

TEST(TimerWheel, SaysWhenToLookAgain) {
  TimerWheel wheel(kStart);
  EXPECT_FALSE(wheel.next_due().has_value());
  Bell bell;
  wheel.arm(bell, kStart + milliseconds(100));
  ASSERT_TRUE(wheel.next_due().has_value());
  EXPECT_EQ(*wheel.next_due(), kStart + milliseconds(100));

  int looks = 0;  // a far timer is approached in a few steps, not in one per tick
  wheel.arm(bell, kStart + hours(30));
  for (; bell.rings == 0; ++looks) wheel.advance(*wheel.next_due());
  EXPECT_LE(looks, 7);
}

TEST(TimerWheel, LetsTimersChangeOneAnotherWhileFiring) {
  TimerWheel wheel(kStart);
  auto doomed = std::make_unique<Bell>();
  Bell cancelled, armed;
  Bell first([&] {
    doomed.reset();
    cancelled.cancel();
    wheel.arm(armed, kStart);  // in the past: the next tick
  });
  wheel.arm(first, kStart + milliseconds(8));
  wheel.arm(*doomed, kStart + milliseconds(8));
  wheel.arm(cancelled, kStart + milliseconds(8));
  EXPECT_EQ(wheel.advance(kStart + milliseconds(8)), 1u);
  EXPECT_EQ(cancelled.rings, 0);
  EXPECT_EQ(armed.rings, 0);
  EXPECT_EQ(wheel.advance(kStart + milliseconds(12)), 1u);
  EXPECT_EQ(armed.rings, 1);
}

TEST(TimerWheel, DestroyedTimersAreForgotten) {
  TimerWheel wheel(kStart);
  {
    Bell bell;
    wheel.arm(bell, kStart + milliseconds(40));
  }
  EXPECT_EQ(wheel.advance(kStart + milliseconds(80)), 0u);
}

// NaiveTimers is the obvious one: all timers in a map, looked through every time.
class NaiveTimers {
 public:
  explicit NaiveTimers(Elapsed now) : now_(tick_of(now)) {}
  void arm(std::size_t timer, Elapsed due) {
    ticks_[timer] = std::max(tick_of(due + (TimerWheel::kTick - nanoseconds(1))), now_ + 1);
  }
  void cancel(std::size_t timer) { ticks_.erase(timer); }
  std::vector<std::size_t> advance(Elapsed now) {
    now_ = tick_of(now);
    std::vector<std::size_t> fired;
    for (const auto& [timer, tick] : ticks_) {
      if (tick <= now_) fired.push_back(timer);
    }
    for (const std::size_t timer : fired) ticks_.erase(timer);
    return fired;
  }

 private:
  static std::int64_t tick_of(Elapsed time) {
    return time.since_boot / nanoseconds(TimerWheel::kTick);
  }
  std::int64_t now_;
  std::map<std::size_t, std::int64_t> ticks_;
};

TEST(TimerWheel, AgreesWithTheObviousOne) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto below = [&](std::uint64_t n) { return random() % n; };
    const auto any_delay = [&] {  // every magnitude as likely as the others
      const auto magnitude = below(33);
      return nanoseconds(1000) * static_cast<std::int64_t>(below(std::uint64_t{1} << magnitude));
    };
    Elapsed now = kStart;
    TimerWheel wheel(now);
    NaiveTimers naive(now);
    std::vector<std::size_t> fired;
    std::vector<std::unique_ptr<Bell>> bells;
    for (std::size_t i = 0; i < 50; ++i) {
      bells.push_back(std::make_unique<Bell>([&fired, i] { fired.push_back(i); }));
    }
    for (int step = 0; step < 4'000; ++step) {
      const std::size_t which = below(bells.size());
      switch (below(4)) {
        case 0:
          bells[which]->cancel();
          naive.cancel(which);
          break;
        case 1:
          now = now + any_delay();
          fired.clear();
          wheel.advance(now);
          std::sort(fired.begin(), fired.end());
          ASSERT_EQ(fired, naive.advance(now)) << "step " << step;
          break;
        default: {
          const Elapsed due = now + any_delay();
          wheel.arm(*bells[which], due);
          naive.arm(which, due);
        }
      }
    }
  }
}

}  // namespace
}  // namespace signet::net
