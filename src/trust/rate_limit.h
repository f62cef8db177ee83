// How fast may a key go on? Time is Elapsed, so that a step of the wall clock gives nobody tokens;
// where it stands still, or a caller passes an older time, nothing is refilled.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace signet::trust {

// Rate is `per_second` tokens on average and `burst` at once, at least one. A `per_second` of zero
// or less limits nothing, as in the settings.
struct Rate {
  double per_second;
  double burst;
};

// TokenBucket holds one rate for one key, in 24 bytes. It counts in whole nanoseconds, so nothing
// drifts. Starts full. Owner thread only.
class TokenBucket {
 public:
  explicit TokenBucket(Rate rate);

  // Takes `tokens` when that many are there, else none. More than the burst are never there.
  bool take(Elapsed now, std::int64_t tokens = 1);

  // How long until take(…, tokens) can succeed; zero when it can now, nanoseconds::max() when
  // never.
  std::chrono::nanoseconds retry_after(Elapsed now, std::int64_t tokens = 1) const;

  // A full bucket remembers nothing: dropping it and making a new one changes no answer.
  bool is_full(Elapsed now) const { return full_at_ <= now; }

 private:
  std::chrono::nanoseconds cost_of(std::int64_t tokens) const;  // max() when over the burst

  std::chrono::nanoseconds per_token_;
  std::chrono::nanoseconds capacity_;  // the time in which an empty bucket fills
  Elapsed full_at_;                    // when it is full again, if nothing more is taken
};

// RateLimiter keeps a bucket for each of at most `max_keys` keys that are not at rest. When a new
// key comes and the table is full, the longest unused buckets that are full again make room; when
// none is, the key shares the one overflow bucket with every other such key, so that neither memory
// nor the total rate grows with the number of keys that somebody makes up. Keys that have a bucket
// notice nothing of that. `Hash` must be keyed where peers choose the keys. Owner thread only.
template <class Key, class Hash>
class RateLimiter {
 public:
  RateLimiter(Rate each, std::size_t max_keys, Rate overflow)
      : each_(each), max_keys_(max_keys), overflow_(overflow) {}
  RateLimiter(double per_second, double burst, std::size_t max_keys)
      : RateLimiter({per_second, burst}, max_keys, {per_second, burst}) {}

  bool take(const Key& key, Elapsed now, std::int64_t tokens = 1) {
    return bucket_of(key, now).take(now, tokens);
  }

  // As TokenBucket::retry_after; a key without a bucket of its own may yet be given one.
  std::chrono::nanoseconds retry_after(const Key& key, Elapsed now, std::int64_t tokens = 1) {
    return bucket_of(key, now).retry_after(now, tokens);
  }

  std::size_t size() const { return places_.size(); }

  // How often a key had to share since the start; a rising number calls for a larger table.
  std::uint64_t overflows() const { return overflows_; }

 private:
  // How many of the longest unused buckets are looked at for one that can go: enough that a few
  // drained ones do not hide the full ones behind them, few enough that a flood costs little.
  static constexpr int kLooks = 8;

  using Entry = std::pair<Key, TokenBucket>;

  TokenBucket& bucket_of(const Key& key, Elapsed now) {
    if (const auto found = places_.find(key); found != places_.end()) {
      entries_.splice(entries_.begin(), entries_, found->second);
      return found->second->second;
    }
    if (places_.size() >= max_keys_ && !make_room(now)) {
      ++overflows_;
      return overflow_;
    }
    entries_.emplace_front(key, each_);
    places_.emplace(key, entries_.begin());
    return entries_.front().second;
  }

  // Drops one full bucket, if the longest unused ones have one. A drained one is moved to the
  // front, so that the next call looks further.
  bool make_room(Elapsed now) {
    for (int looks = 0; looks < kLooks && !entries_.empty(); ++looks) {
      const auto oldest = std::prev(entries_.end());
      if (oldest->second.is_full(now)) {
        places_.erase(oldest->first);
        entries_.erase(oldest);
        return true;
      }
      entries_.splice(entries_.begin(), entries_, oldest);
    }
    return false;
  }

  const TokenBucket each_;
  const std::size_t max_keys_;
  TokenBucket overflow_;
  std::uint64_t overflows_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<Key, typename std::list<Entry>::iterator, Hash> places_;
};

}  // namespace signet::trust
