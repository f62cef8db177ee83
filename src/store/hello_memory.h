// HelloMemory decides whether a member's signed hello was seen before, without asking any clock: a
// step of the wall or a restart can't make an old hello new again. The durable rows are in
// sqlite/hello_table.h.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

#include "crypto/hash.h"

namespace signet::store {

// A member keeps at least this many hellos, so that a burst of sessions forgets nothing fresh.
inline constexpr std::size_t kHellosKept = 64;
// Beyond that many, what is this much older than the newest is forgotten: freshness refuses it.
inline constexpr std::int64_t kHelloSpanMs = 240'000;

struct HelloMark {
  std::int64_t timestamp_ms = 0;
  crypto::Digest16 digest{};
  auto operator<=>(const HelloMark&) const = default;
};

// The memory of one member. `floor` is the largest timestamp that was ever forgotten: what is not
// above it could be a hello that is no longer remembered, so it counts as one.
class HelloMemory {
 public:
  static constexpr std::int64_t kNoFloor = std::numeric_limits<std::int64_t>::min();

  // REQUIRES: limit > 0.
  explicit HelloMemory(std::size_t limit) : limit_(limit) {}

  // Puts back what was remembered before a restart.
  void restore_floor(std::int64_t floor) { floor_ = floor; }
  void restore(const HelloMark& mark) { marks_.insert(mark); }

  struct Verdict {
    bool admitted = false;
    std::vector<HelloMark> forgotten;  // no longer remembered; the floor covers them
  };
  // `span_ms` is more than what freshness allows between two hellos.
  Verdict admit(const HelloMark& mark, std::int64_t span_ms = kHelloSpanMs);

  std::int64_t floor() const { return floor_; }
  std::size_t size() const { return marks_.size(); }
  // Was it seen, or could it have been?
  bool refuses(const HelloMark& mark) const {
    return mark.timestamp_ms <= floor_ || marks_.contains(mark);
  }
  bool remembers(const HelloMark& mark) const { return marks_.contains(mark); }

 private:
  bool oldest_must_go(std::int64_t span_ms) const;

  std::size_t limit_;
  std::int64_t floor_ = kNoFloor;
  std::set<HelloMark> marks_;  // oldest first
};

}  // namespace signet::store
