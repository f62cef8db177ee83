// FakeClock is the Clock of tests: it stands still until it is told to move.
#pragma once

#include "base/time.h"

namespace signet {

class FakeClock final : public Clock {
 public:
  WallTime wall() const override { return wall_; }
  Elapsed elapsed() const override { return elapsed_; }

  void advance(std::chrono::milliseconds by) {
    wall_ = wall_ + by;
    elapsed_ = elapsed_ + by;
  }
  // Moves the wall alone, as an operator or a bad time server does.
  void step_wall(std::chrono::milliseconds by) { wall_ = wall_ + by; }

 private:
  WallTime wall_{1'700'000'000'000};
  Elapsed elapsed_{std::chrono::hours(1)};
};

}  // namespace signet
