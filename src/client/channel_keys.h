// When a channel key is good, and who must get it. Pure: members in, a plan out. The rules:
//   - a key that a member holds who is no longer in the audience is never used again;
//     Who was sent it may hold it, acknowledged or not;
//   - who came new gets the present key: it opens nothing that was sent before it was made;
//   - a key serves at most kMaxKeyAge, so that what a lost key opens is bounded.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/state.h"

namespace signet::client {

inline constexpr std::chrono::hours kMaxKeyAge{24 * 7};

struct KeyPlan {
  bool make_new = false;             // the present key, if any, is spent
  std::vector<std::string> seal_to;  // keys (hex64) that must hold it before it is used
};

// The keys that a state keeps as holders are those that acknowledged storage of the key message,
// and, with a mark before them, those that it was offered to: it is noted before it is said.
void note_offers(OwnChannelKey& key, const std::vector<std::string>& members);

// Spent by its age. A clock that was set back makes a key look as if it came from the future: too
// old, to be safe.
bool is_too_old(const OwnChannelKey& key, WallTime now);

// `present` is null where this side has no key for the target. `audience`: keys, hex64, any order.
KeyPlan plan_channel_key(const OwnChannelKey* present, const std::vector<std::string>& audience,
                         WallTime now);

}  // namespace signet::client
