// FakeClock is the Clock of tests: it stands still until it is told to move.
#pragma once

#include <atomic>

#include "base/time.h"

namespace signet {

// Any thread may read it. A reader can fall between the two halves of a move; a test for which that
// matters moves it on the thread that reads.
class FakeClock final : public Clock {
 public:
  WallTime wall() const override { return {wall_ms_}; }
  Elapsed elapsed() const override { return Elapsed{std::chrono::nanoseconds(elapsed_ns_)}; }

  void advance(std::chrono::milliseconds by) {
    step_wall(by);
    elapsed_ns_ += std::chrono::nanoseconds(by).count();
  }
  // Moves the wall alone, as an operator or a bad time server does.
  void step_wall(std::chrono::milliseconds by) { wall_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_ms_{1'700'000'000'000};
  std::atomic<std::int64_t> elapsed_ns_{std::chrono::nanoseconds(std::chrono::hours(1)).count()};
};

}  // namespace signet
