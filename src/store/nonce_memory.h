// NonceMemory decides whether a nonce was spent before, without trusting a clock: the wall says
// when a spent one is forgotten, and what is forgotten leaves a span of time in which nothing
// counts as new. So no step of the wall and no restart makes an old nonce new again. The price: a
// wall that was fast while nonces were spent and forgotten, and is put right, goes through those
// spans again, and honest ones wait for as long as it was wrong by, less the time that a nonce is
// kept. The durable rows are in sqlite/nonce_table.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/time.h"

namespace signet::store {

// A nonce is kept for this much longer than was asked for, and leaves a span of this much to both
// sides. Two arrivals of one packet, each fresh by the wall of its moment, lie at most two windows
// of freshness apart (one minute each, at most): so a replay falls into the span of its first
// arrival even where `until` is counted from the arrival.
inline constexpr std::chrono::milliseconds kNonceGrace{120'000};
// Spans that are this close are one: what lies between them has long passed, but for a stepped
// wall.
inline constexpr std::chrono::milliseconds kNonceSpanGap{600'000};
// Beyond that many the two oldest become one, which refuses more and never less.
inline constexpr std::size_t kNonceSpans = 16;

// What may have been forgotten, by `until`; both ends belong to it.
struct NonceSpan {
  WallTime first;
  WallTime last;
  auto operator<=>(const NonceSpan&) const = default;
};

struct NonceLimits {
  std::size_t of_member;  // live ones
  std::size_t of_all;     // of all members together; beyond, who has kNonceShare waits
};

// As many live ones a member may have however many the others have, or many who spend would lock
// out all the rest. More than a person does within nonce_memory; members are bounded elsewhere.
inline constexpr std::size_t kNonceShare = 100;

class NonceMemory {
 public:
  explicit NonceMemory(NonceLimits limits) : limits_(limits) {}

  enum class Verdict : std::uint8_t {
    kNew,        // to be remembered from now on
    kUsed,       // is there
    kForgotten,  // could have been
    kFull,       // as many live ones as there may be; none of them goes for it
  };
  // `is_there`: it is remembered. `live`: so many of its member are, and `all` of everybody.
  Verdict judge(WallTime until, bool is_there, std::size_t live, std::size_t all) const;

  // One of that time is remembered no more.
  void forget(WallTime until);

  // In their order, with a gap between each two.
  const std::vector<NonceSpan>& forgotten() const { return spans_; }
  void restore(std::vector<NonceSpan> spans) { spans_ = std::move(spans); }

 private:
  NonceLimits limits_;
  std::vector<NonceSpan> spans_;  // few
};

}  // namespace signet::store
