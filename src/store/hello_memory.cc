#include "store/hello_memory.h"

namespace signet::store {

HelloMemory::Verdict HelloMemory::admit(const HelloMark& mark, std::int64_t span_ms) {
  Verdict verdict;
  if (mark.timestamp_ms <= floor_ || !marks_.insert(mark).second) return verdict;
  verdict.admitted = true;
  while (oldest_must_go(span_ms)) {
    floor_ = marks_.begin()->timestamp_ms;
    // The floor answers for every hello of that very millisecond.
    while (!marks_.empty() && marks_.begin()->timestamp_ms <= floor_) {
      verdict.forgotten.push_back(*marks_.begin());
      marks_.erase(marks_.begin());
    }
  }
  return verdict;
}

bool HelloMemory::oldest_must_go(std::int64_t span_ms) const {
  if (marks_.size() > limit_) return true;
  if (marks_.size() <= kHellosKept) return false;
  // Unsigned, because a peer chooses the timestamps and the span may not fit a signed number.
  const auto newest = static_cast<std::uint64_t>(marks_.rbegin()->timestamp_ms);
  const auto oldest = static_cast<std::uint64_t>(marks_.begin()->timestamp_ms);
  return newest - oldest > static_cast<std::uint64_t>(span_ms);
}

}  // namespace signet::store
