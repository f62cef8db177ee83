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
  enum class Kind : std::uint8_t { kProven, kLeftProven, kLeftUnproven };
  Kind kind;
  std::uint32_t shard;
  std::array<unsigned char, 16> limit_key;
  bool local = false;  // came by the Unix socket
};

// Admission is owned by the listener's thread.
class Admission {
 public:
  Admission(const NetOptions& options, std::size_t shards) : options_(options), load_(shards) {}

  // Counts a newcomer and answers its shard, the one with the fewest; or why it must go. Where too
  // many have proven nothing, the newcomer is let in and one shard is to end the oldest of its own:
  // a flood of silent peers then costs an honest one no more than being quick, while refusing
  // newcomers would let two thousand silent ones keep everybody out.
  // Peers of the Unix socket have a limit of their own and count for no other, so that no flood
  // keeps an operator out.
  struct Answer {
    std::optional<Refused> refused;
    std::uint32_t shard = 0;
    std::optional<std::uint32_t> displaces_in;  // that shard's oldest unproven one goes
  };
  Answer admit(const PeerAddress& peer);
  void note(const Departure& departure);

  std::size_t connections() const { return connections_; }
  std::size_t unproven() const { return unproven_; }
  std::size_t local() const { return local_; }
  std::size_t addresses() const { return per_address_.size(); }

 private:
  Answer admit_local();
  std::uint32_t least_loaded() const;
  struct Load {
    std::size_t connections = 0;
    std::size_t unproven = 0;
  };

  const NetOptions& options_;
  std::size_t connections_ = 0;
  std::size_t unproven_ = 0;
  std::size_t local_ = 0;
  std::vector<Load> load_;  // by shard
  // Ordered: who chooses addresses must not choose collisions.
  std::map<std::array<unsigned char, 16>, std::size_t> per_address_;
};

}  // namespace signet::net
