// How long to wait before connecting again: exponential with full jitter, so that a thousand
// clients that lost one broker do not come back in one moment.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace signet::client {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last)
      : first_(first), last_(last) {}

  // Draws between zero and a bound that doubles from `first` to `last`; `draw(n)` is uniform below
  // n.
  template <class Draw>
  std::chrono::milliseconds next(Draw draw) {
    const auto most = std::max<std::int64_t>(bound().count(), 1);
    ++failures_;
    return std::chrono::milliseconds(draw(static_cast<std::uint64_t>(most)));
  }

  // A connection was good for a while. Not at once: a broker that admits and drops is a failure.
  void reset() { failures_ = 0; }

 private:
  std::chrono::milliseconds bound() const {
    constexpr int kMaxDoublings = 20;  // beyond it the bound is `last` for any sane options
    return std::min(last_, first_ * (std::int64_t{1} << std::min(failures_, kMaxDoublings)));
  }
  std::chrono::milliseconds first_, last_;
  int failures_ = 0;
};

}  // namespace signet::client
