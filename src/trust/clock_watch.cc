#include "trust/clock_watch.h"

namespace signet::trust {

std::optional<std::chrono::milliseconds> ClockWatch::observe(WallTime wall, Elapsed elapsed) {
  const auto boot = std::chrono::milliseconds(wall.ms) -
                    std::chrono::duration_cast<std::chrono::milliseconds>(elapsed.since_boot);
  if (!boot_) boot_ = boot;
  const std::chrono::milliseconds moved = boot - *boot_;
  if (std::chrono::abs(moved) <= threshold_) return std::nullopt;
  boot_ = boot;
  last_step_ = ClockStep{moved, elapsed};
  return moved;
}

}  // namespace signet::trust
