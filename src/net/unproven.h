// Unproven is a shard's list of those that have proven nothing yet, and says which of them makes
// room when room is short.
//
// Who goes? Not the newcomer: under a flood nearly every newcomer would, honest or not. An honest
// peer proves itself within a few round trips, so most of its life is behind it when others of its
// age are still silent: the older one is, the likelier it is junk. Ending the oldest always spares
// whoever is quicker than the flood turns the places over, but nobody else: a flood fast enough
// shuts out every peer beyond that distance, attempt after attempt. Ending any at random gives the
// slow a chance and takes one from the quick. So the oldest of a few random ones goes. With k
// looks, n places and r newcomers a second, who needs t seconds survives with 1 - x^k, where x is
// the share of places that turned over meanwhile, about r·t/n:
//
//   r·t/n         0.01    0.1    0.3    1      2
//   k = 1         0.990   0.905  0.741  0.368  0.135     any
//   k = 4         1.000   1.000  0.992  0.509  0.014     the oldest of four
//   the oldest    1       1      1      0      0
//
// 15,000 connects within a second against 2,000 places turn them over in 130 ms; four looks keep
// 99 of 100 that need 40 ms or less, and half of those that need all of it.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <random>

#include "net/connection.h"

namespace signet::net {

// Unproven is owned by its shard's thread. It names connections by id and holds none of them.
class Unproven {
 public:
  // `is_unproven` answers whether the connection is there and has proven nothing.
  using IsUnproven = std::function<bool(ConnectionId)>;
  Unproven(std::uint32_t seed, IsUnproven is_unproven)
      : random_(seed), is_unproven_(std::move(is_unproven)) {}

  void add(ConnectionId id);
  void left() { --count_; }  // one proved itself or is gone; its id need not be known
  std::size_t size() const { return count_; }

  // Who makes room: the oldest of a few, nullopt when there is none. The caller ends it.
  std::optional<ConnectionId> pick();

  std::size_t remembered_for_test() const { return arrivals_.size(); }

 private:
  void sweep();
  std::optional<ConnectionId> oldest() const;

  std::minstd_rand random_;
  const IsUnproven is_unproven_;
  std::deque<ConnectionId> arrivals_;  // oldest first; some are proven or gone by now
  std::size_t count_ = 0;
};

}  // namespace signet::net
