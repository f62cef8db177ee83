// Deadline is a timeout that several waits share. Internal to outgoing_socket*.cc.
#pragma once

#include <algorithm>
#include <chrono>

#include "base/time.h"

namespace signet::net {

class Deadline {
 public:
  // A negative timeout has passed already; one longer than a day is a day, so that it fits poll().
  explicit Deadline(std::chrono::milliseconds timeout)
      : end_(system_clock().elapsed() +
             std::clamp(timeout, std::chrono::milliseconds(0), kLongest)) {}

  // Rounded up: who sleeps that long wakes after the end, not just before it. 0 when it passed.
  std::chrono::milliseconds left() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end_ - system_clock().elapsed());
    return std::max(left, std::chrono::milliseconds(0));
  }
  bool has_passed() const { return left().count() == 0; }

 private:
  static constexpr std::chrono::milliseconds kLongest = std::chrono::hours(24);
  Elapsed end_;
};

}  // namespace signet::net
