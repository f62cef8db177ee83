// Directory says whose key is whose: the names that the broker lists, under the keys that this side
// has pinned. The broker may list what it likes; a name that was used once keeps its key until a
// person says otherwise. Pure; pins are durable elsewhere (state.h).
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/hash.h"
#include "signet/client.h"
#include "signet/result.h"

namespace signet::client {

inline constexpr std::size_t kMinKeyPrefix = 8;  // 32 bits: shorter ones are guessed or collide

struct Found {
  std::string target;   // a key (hex64), `*`, `#name` or `tag:name`
  bool pin_it = false;  // a name that is used for the first time
};

// kConflict (peer_key_changed): `seen` is the key of a name that is pinned to another one.
Error peer_key_changed(std::string_view name, std::string_view seen, std::string_view pinned);

class Directory {
 public:
  void set_members(std::vector<Member> members);
  void set_pins(std::vector<Pin> pins);
  const std::vector<Member>& members() const { return members_; }

  // Who is meant. Fails kMalformed (bad_target), kNotFound (no_such_member), kConflict
  // (ambiguous_name, peer_key_changed). What is one member's name and begins another's key is
  // ambiguous: a member chooses its name, and may choose that.
  Result<Found> find(std::string_view who) const;

  // The name to show for a key: the pinned one, else the listed one unless it is another key's too,
  // by a pin or in the list. Empty: none.
  std::string name_of(std::string_view key) const;
  // The name that the broker lists for a key, pinned or not; empty: none, or one that a terminal
  // would not show as it is.
  std::string listed_name_of(std::string_view key) const;

  // Pinned names that the broker lists, and only under other keys.
  std::vector<KeyChange> changes() const;

 private:
  const Pin* pin_of(std::string_view name) const;
  std::vector<const Member*> listed(std::string_view name) const;
  Result<Found> find_name(std::string_view name) const;
  std::set<std::string> keys_beginning(std::string_view digits) const;

  std::vector<Member> members_;
  std::vector<Pin> pins_;
  // Places in the two above. Names are chosen by others: a plain hash would let them collide.
  using Places =
      std::unordered_map<std::string, std::vector<std::size_t>, crypto::KeyedHash, std::equal_to<>>;
  Places members_named_, members_keyed_, pins_named_, pins_keyed_;
};

}  // namespace signet::client
