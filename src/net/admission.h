// Admission counts what is connected and says who may come in: no state of a socket, no clock.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "net/net_metrics.h"
#include "net/shard.h"

namespace signet::net {

// What happened to a connection after it was let in. Shards post these to the listener's thread.
struct Departure {
  enum class Kind : std::uint8_t {
    kProven,
    kLeftProven,
    kLeftUnproven,
    kMovedProven,  // to another shard
    kMovedUnproven,
  };
  Kind kind;
  std::uint32_t shard;
  // None: a trusted proxy, counted for no address.
  std::optional<std::array<unsigned char, 16>> limit_key;
  bool local = false;    // came by the Unix socket
  std::uint32_t to = 0;  // which has it now, where it moved
};

// Admission is owned by the listener's thread.
class Admission {
 public:
  Admission(const NetOptions& options, std::size_t shards) : options_(options), load_(shards) {}

  // Counts a newcomer and answers its shard, the one with the fewest; or why it must go.
  //
  // Where many have proven nothing, the newcomer is let in and one shard is to end another in its
  // place (unproven.h: which): with a chance that rises from none at `unproven_start` to certainty
  // at `max_unproven`. A flood of silent peers then costs an honest one no more than being quick,
  // while refusing newcomers would let two thousand silent ones keep everybody out. From
  // `unproven_start` on one address may hold no more than its share of these places.
  //
  // Nobody can tell who will prove himself, so no place can be kept for those who will. But in the
  // last `reserve_percent` of all connections each newcomer replaces one that has proven nothing,
  // as long as there is one: so silent peers never fill the reserve, and what does has proven
  // itself.
  //
  // Peers of the Unix socket have a limit of their own and count for no other, so that no flood
  // keeps an operator out. Nor do trusted proxies count by address, since many clients are behind
  // each. `roll` is random, uniform over all its values.
  struct Answer {
    std::optional<Refused> refused;
    std::uint32_t shard = 0;
    std::optional<std::uint32_t> displaces_in;  // that shard is to end an unproven one
  };
  Answer admit(const PeerAddress& peer, std::uint32_t roll, bool is_proxy = false);
  void note(const Departure& departure);

  std::size_t connections() const { return connections_; }
  std::size_t unproven() const { return unproven_; }
  std::size_t local() const { return local_; }
  std::size_t addresses() const { return per_address_.size(); }

 private:
  struct Load {
    std::size_t connections = 0;
    std::size_t unproven = 0;
  };

  Answer admit_local();
  void note_move(const Departure& move);
  std::optional<Refused> reason_to_refuse(const Load& from_there) const;
  bool displaces(std::uint32_t roll) const;
  std::size_t start() const;
  std::uint32_t least_loaded() const;

  const NetOptions& options_;
  std::size_t connections_ = 0;
  std::size_t unproven_ = 0;
  std::size_t local_ = 0;
  std::vector<Load> load_;  // by shard
  // Ordered: who chooses addresses must not choose collisions.
  std::map<std::array<unsigned char, 16>, Load> per_address_;
};

}  // namespace signet::net
