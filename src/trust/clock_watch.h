// ClockWatch notices when somebody moves the wall clock. What is signed and fresh is judged by the
// wall, so a step of it is an alarm: backwards it makes old hellos look new, forwards it locks
// honest peers out.
#pragma once

#include <chrono>
#include <optional>

#include "base/time.h"

namespace signet::trust {

// A wall clock may differ this much from the time that elapsed before it counts as moved: more than
// a leap second or a late time server at start, far less than a window of freshness.
inline constexpr std::chrono::milliseconds kClockStepThreshold{5'000};

// ClockStep says how far the wall was moved (negative: back), and when that was seen.
struct ClockStep {
  std::chrono::milliseconds by;
  Elapsed at;
};

class ClockWatch {
 public:
  explicit ClockWatch(std::chrono::milliseconds threshold = kClockStepThreshold)
      : threshold_(threshold) {}

  // Answers how far the wall has moved against the elapsed time since the first call, or since the
  // last step, once that is more than the threshold. Small moves add up: a clock that is pushed
  // little by little is noticed too. `wall` and `elapsed` must be read together.
  std::optional<std::chrono::milliseconds> observe(WallTime wall, Elapsed elapsed);

  const std::optional<ClockStep>& last_step() const { return last_step_; }

  // For readiness: no step within `period` before `now`.
  bool is_steady(Elapsed now, std::chrono::nanoseconds period) const {
    return !last_step_ || now - last_step_->at >= period;
  }

 private:
  const std::chrono::milliseconds threshold_;
  std::optional<std::chrono::milliseconds> boot_;  // the wall's idea of when elapsed time was zero
  std::optional<ClockStep> last_step_;
};

}  // namespace signet::trust
