#include "signet/bench/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace signet::cli {

void LatencyHistogram::add(std::chrono::nanoseconds time) {
  time = std::max(time, std::chrono::nanoseconds(0));
  ++buckets_[bucket_of(static_cast<std::uint64_t>(time.count()))];
  ++count_;
  most_ = std::max(most_, time);
}

std::chrono::nanoseconds LatencyHistogram::percentile(double share) const {
  const double exact = std::ceil(share * static_cast<double>(count_));
  const std::uint64_t rank = std::max<std::uint64_t>(static_cast<std::uint64_t>(exact), 1);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
    seen += buckets_[bucket];
    if (seen < rank) continue;
    return std::min(most_, std::chrono::nanoseconds(last_of(bucket)));
  }
  return most_;
}

// A value below 128 is its own bucket; of a larger one the highest 7 bits say which.
std::size_t LatencyHistogram::bucket_of(std::uint64_t value) {
  if (value < kCuts) return value;
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - kCutBits;
  return static_cast<std::size_t>(shift) * kCuts + (value >> shift);
}

std::uint64_t LatencyHistogram::last_of(std::size_t bucket) {
  if (bucket < kCuts) return bucket;
  const auto shift = bucket / kCuts - 1;
  const std::uint64_t first = (bucket - shift * kCuts) << shift;
  return first + (std::uint64_t{1} << shift) - 1;
}

}  // namespace signet::cli
