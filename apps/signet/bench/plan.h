// BenchPlan is what `signet bench` was asked to do: how many peers, what they send to whom, and how
// fast. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::cli {

enum class BenchTo : std::uint8_t { kDirect, kChannel, kBroadcast };
std::string_view word_of(BenchTo to);  // direct, channel, broadcast

// The options as they were given. Their ranges are checked by the command line.
struct BenchOptions {
  std::string invite = {};
  std::int64_t peers = 10;
  std::int64_t messages = 1'000;
  std::string to = "direct";
  std::int64_t size = 256;  // a short chat message
  double rate = 0;          // messages a second of all peers; 0: each waits for acknowledgements
  std::int64_t in_flight = 16;
  bool as_fast_as_possible = false;
  bool plain = false;
  bool sealed = false;     // said so; it is the default
  std::string shape = {};  // empty or claudemesh
  double timeout = 15;
};

struct BenchPlan {
  std::string invite;
  std::uint32_t peers = 0;
  std::uint32_t messages = 0;  // of each peer
  BenchTo to = BenchTo::kDirect;
  bool is_sealed = true;
  std::size_t text_bytes = 0;
  double per_second = 0;               // 0: as `is_all_at_once` says
  bool is_all_at_once = false;         // every message is due at the start
  std::uint32_t in_flight = 0;         // of each peer, not acknowledged yet
  std::chrono::milliseconds patience;  // nothing comes for so long: it is over

  std::uint64_t all_messages() const { return std::uint64_t{peers} * messages; }
  // How many of the peers should get one message.
  std::uint32_t receivers() const { return to == BenchTo::kDirect ? 1 : peers - 1; }

  // A sender writes to so many others in turn: agreeing on a key with each costs 100 µs, and a
  // client keeps 256 of them.
  std::uint32_t partners() const;
  // Of a direct message: who gets the sender's message with this number.
  std::uint32_t receiver_of(std::uint32_t sender, std::uint32_t number) const;
  // Which of the sender's messages to one receiver this is: 0, 1, 2, …
  std::uint32_t place_of(std::uint32_t number) const;
  // When a message is due, from the start: those of all peers take turns on one schedule. Nullopt:
  // as soon as there is room in flight.
  std::optional<std::chrono::nanoseconds> due_after(std::uint32_t sender,
                                                    std::uint32_t number) const;
};

// Fails kMalformed (usage) for options that exclude each other.
Result<BenchPlan> plan_of(const BenchOptions& options);

}  // namespace signet::cli
