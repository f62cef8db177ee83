#include "controller/control_thread.h"

#include <gtest/gtest.h>

#include <thread>
#include <utility>
#include <vector>

#include "base/fake_clock.h"

namespace signet::controller {
namespace {

using namespace std::chrono_literals;

TEST(ControlThread, RunsWhatIsPostedInOrderOnItsOwnThread) {
  FakeClock clock;
  ControlThread control(clock);
  std::vector<int> ran;
  std::thread::id where;
  control.mailbox().post([&] { ran.push_back(1); });  // before the start is fine
  control.start();
  control.mailbox().post([&] { ran.push_back(2); });
  control.run_and_wait([&] { where = std::this_thread::get_id(); });
  EXPECT_EQ(ran, (std::vector<int>{1, 2}));
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(ControlThread, StopRunsWhatWasPostedAndIsIdempotent) {
  FakeClock clock;
  ControlThread control(clock);
  control.stop();  // not started: nothing to do
  int ran = 0;
  int turns = 0;
  control.at_turn_end([&] { ++turns; });
  control.start();
  for (int i = 0; i < 1'000; ++i) control.mailbox().post([&] { ++ran; });
  control.stop();
  EXPECT_EQ(ran, 1'000);
  EXPECT_GE(turns, 1);
  control.stop();
}

TEST(ControlThread, ATurnEndsOnceHoweverMuchWasPosted) {
  FakeClock clock;
  ControlThread control(clock);
  int tasks = 0;
  std::vector<int> seen;  // tasks done at each end that saw any
  control.at_turn_end([&] {
    if (tasks > 0) seen.push_back(std::exchange(tasks, 0));
  });
  control.start();
  control.run_and_wait([&] {  // posted from inside: all of them wait for the next turn
    for (int i = 0; i < 100; ++i) control.mailbox().post([&] { ++tasks; });
  });
  control.run_and_wait([] {});
  control.run_and_wait([] {});
  EXPECT_EQ(seen, std::vector<int>{100});
}

TEST(ControlThread, PeriodicTasksFollowTheClockTheyWereGiven) {
  FakeClock clock;
  ControlThread control(clock);
  int ran = 0;
  control.every(10ms, [&] { ++ran; });
  control.start();
  const struct {
    const char* name;
    std::chrono::milliseconds advance;
    int ran;
  } story[] = {
      {"not at the start", 0ms, 0},
      {"not early", 9ms, 0},
      {"when it is due", 1ms, 1},
      {"not twice", 0ms, 1},
      {"nor early again", 9ms, 1},
      {"again", 1ms, 2},
      {"once after a pause", 95ms, 3},
      {"a whole period later", 9ms, 3},
      {"and on", 1ms, 4},
  };
  for (const auto& step : story) {
    control.run_and_wait([&] { clock.advance(step.advance); });
    control.run_and_wait([] {});
    control.run_and_wait([] {});
    EXPECT_EQ(ran, step.ran) << step.name;
  }
}

TEST(ControlThread, APeriodicTaskMayAddAnother) {
  FakeClock clock;
  ControlThread control(clock);
  int added = 0;
  int ran = 0;
  control.every(10ms, [&] {
    if (++added > 50) return;
    for (int i = 0; i < 4; ++i) control.every(10ms, [&] { ++ran; });  // the list moves
  });
  control.start();
  for (int i = 0; i < 2; ++i) {
    control.run_and_wait([&] { clock.advance(10ms); });
    control.run_and_wait([] {});
    control.run_and_wait([] {});
  }
  EXPECT_EQ(added, 2);
  EXPECT_EQ(ran, 4) << "what is added waits for its own first period";
}

}  // namespace
}  // namespace signet::controller
