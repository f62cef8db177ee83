// Which of a mesh's keys a node uses at a moment. Pure: the controller says what there is
// (KeyOffer), the node chooses by its own clock. No two nodes that hold what they were offered are
// ever without a common key, whatever is lost and however their clocks differ: EpochTable offers
// and takes away only what the nodes said they have (epoch_simulation_test.cc,
// tests/models/epoch.pml).
//
// The node's part: it keeps an offer, its keys and what it uses on disk before it reports them, it
// goes on with the last offer while the controller is away, and it drops the keys that an offer no
// longer names.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace signet::overlay {

// What a configuration says of the keys. At most two epochs are in it.
struct KeyOffer {
  std::uint64_t current = 0;              // 0: no keys yet
  std::optional<std::uint64_t> next;      // handed out ahead
  std::optional<WallTime> moment;         // of the switch to `next`; none: not named yet
  std::optional<std::uint64_t> previous;  // not every peer is known to have left it
  bool operator==(const KeyOffer&) const = default;
};

struct KeyChoice {
  std::uint64_t use = 0;              // 0: none
  std::optional<std::uint64_t> also;  // good as well

  bool accepts(std::uint64_t epoch) const { return epoch == use || epoch == also; }
  bool operator==(const KeyChoice&) const = default;
};

// Is this from before the switch that the node made: an answer that came late, or a controller that
// was set back? Then the node keeps what it has, and tells somebody (threat K11).
inline bool is_older(const KeyOffer& offer, std::uint64_t in_use) {
  return offer.current < in_use && offer.next != in_use;
}

// `in_use`: what the node used until now, 0 for nothing. It never goes back, also when its clock
// does. REQUIRES: the offer is not older.
inline KeyChoice choose(const KeyOffer& offer, WallTime now, std::uint64_t in_use) {
  if (!offer.next) return {offer.current, offer.previous};
  const bool named = offer.moment && now >= *offer.moment;
  if (named || in_use == *offer.next) return {*offer.next, offer.current};
  return {offer.current, offer.next};
}

// WireGuard has one key for a peer. Sessions that are open outlive a change of it; a handshake
// needs the same one at both ends.
inline constexpr std::chrono::milliseconds kTrial{10'000};  // two handshakes, 5 s apart

// The epoch whose key is configured for one peer. `failing`: a handshake with this peer was tried
// since the last one that succeeded. Then the other key is tried in one trial of four: by who has
// yet to switch in the second, by who has switched in the fourth, so that two who both try do not
// pass each other. The four take 40 s, and a session lives 60 s on when its first handshake fails.
inline std::uint64_t epoch_for_peer(const KeyChoice& choice, bool failing, WallTime now) {
  if (!failing || !choice.also) return choice.use;
  const std::int64_t trial = now.ms / kTrial.count() % 4;
  const bool waits = *choice.also > choice.use;
  return trial == (waits ? 1 : 3) ? *choice.also : choice.use;
}

}  // namespace signet::overlay
