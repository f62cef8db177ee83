#include "trust/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace signet::trust {
namespace {

// 63 years: far from the end of the clock, even where two of them are added.
constexpr double kMostNanoseconds = 2e18;

std::chrono::nanoseconds nanoseconds_up(double count) {
  if (std::isnan(count)) count = kMostNanoseconds;
  return std::chrono::nanoseconds(
      static_cast<std::int64_t>(std::ceil(std::clamp(count, 0.0, kMostNanoseconds))));
}

}  // namespace

static_assert(sizeof(TokenBucket) == 24);

TokenBucket::TokenBucket(Rate rate)
    : per_token_(nanoseconds_up(rate.per_second <= 0 ? 0 : 1e9 / rate.per_second)),
      capacity_(
          nanoseconds_up(static_cast<double>(per_token_.count()) * std::max(rate.burst, 1.0))) {}

std::chrono::nanoseconds TokenBucket::cost_of(std::int64_t tokens) const {
  if (tokens <= 0 || per_token_.count() == 0) return std::chrono::nanoseconds::zero();
  if (tokens > capacity_ / per_token_) return std::chrono::nanoseconds::max();
  return per_token_ * tokens;
}

bool TokenBucket::take(Elapsed now, std::int64_t tokens) {
  if (retry_after(now, tokens).count() > 0) return false;
  full_at_ = std::max(full_at_, now) + cost_of(tokens);
  return true;
}

std::chrono::nanoseconds TokenBucket::retry_after(Elapsed now, std::int64_t tokens) const {
  const std::chrono::nanoseconds cost = cost_of(tokens);
  if (cost == std::chrono::nanoseconds::max()) return cost;
  // Room for `cost` is there as soon as full_at_ is no further away than what stays full.
  return std::max(full_at_ - now - (capacity_ - cost), std::chrono::nanoseconds::zero());
}

}  // namespace signet::trust
