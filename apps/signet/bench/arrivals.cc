#include "signet/bench/arrivals.h"

#include <algorithm>

namespace signet::cli {

Arrival Arrivals::arrive(std::uint32_t number) {
  if (number >= next_) {
    if (number > next_) missing_.push_back({next_, number});
    next_ = number + 1;
    return Arrival::kFirst;
  }
  const auto gap = std::find_if(missing_.begin(), missing_.end(),
                                [number](const Range& range) { return number < range.to; });
  if (gap == missing_.end() || number < gap->from) return Arrival::kAgain;
  const Range behind{number + 1, gap->to};
  gap->to = number;
  const bool is_more_behind = behind.from < behind.to;
  if (gap->from < gap->to) {
    if (is_more_behind) missing_.insert(gap + 1, behind);
  } else if (is_more_behind) {
    *gap = behind;
  } else {
    missing_.erase(gap);
  }
  return Arrival::kLate;
}

}  // namespace signet::cli
