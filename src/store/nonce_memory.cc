#include "store/nonce_memory.h"

#include <algorithm>
#include <limits>

namespace signet::store {
namespace {

constexpr std::chrono::milliseconds kReach = kNonceGrace + kNonceSpanGap;

NonceSpan span_of(WallTime until) {
  // So that nothing that is added to it overflows.
  constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min() + kReach.count();
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max() - kReach.count();
  const WallTime middle{std::clamp(until.ms, kFirst, kLast)};
  return {middle - kNonceGrace, middle + kNonceGrace};
}

}  // namespace

NonceMemory::Verdict NonceMemory::judge(WallTime until, bool is_there, std::size_t live,
                                        std::size_t all) const {
  const auto covers = [until](const NonceSpan& span) {
    return span.first <= until && until <= span.last;
  };
  if (is_there) return Verdict::kUsed;
  if (std::any_of(spans_.begin(), spans_.end(), covers)) return Verdict::kForgotten;
  if (live >= limits_.of_member) return Verdict::kFull;
  return all < limits_.of_all || live < kNonceShare ? Verdict::kNew : Verdict::kFull;
}

void NonceMemory::forget(WallTime until) {
  NonceSpan span = span_of(until);
  std::vector<NonceSpan> after;
  for (const NonceSpan& old : spans_) {
    if (old.last < span.first - kNonceSpanGap || span.last + kNonceSpanGap < old.first) {
      after.push_back(old);
    } else {
      span = {std::min(old.first, span.first), std::max(old.last, span.last)};
    }
  }
  after.insert(std::upper_bound(after.begin(), after.end(), span), span);
  if (after.size() > kNonceSpans) {
    after[1].first = after[0].first;
    after.erase(after.begin());
  }
  spans_ = std::move(after);
}

}  // namespace signet::store
