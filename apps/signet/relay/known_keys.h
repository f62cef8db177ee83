// KnownKeys is what was seen of relays: each server's key, by its address, and the keys that were
// written to or heard from. A key is never both: a server chooses what a client seals for it, so
// one that claims a friend's key would have the client open that friend's messages for it
// (protocol/securewebsocket.md, "What a client looks to").
//   $XDG_CONFIG_HOME/signet/relay.json: {"version":1,"keys":[{"server":HOST:PORT,"key"},{"peer"}]}
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "crypto/relay_box.h"
#include "signet/profile/profiles.h"
#include "signet/result.h"

namespace signet::cli {

// Beyond so many, keys that wrote here are not remembered any more: the file has a bound, and who
// is known is kept.
inline constexpr std::size_t kMaxKnownPeers = 4'000;

struct KnownKeys {
  std::map<std::string, crypto::RelayKey, std::less<>> servers;  // by address
  std::set<crypto::RelayKey> peers;

  static Result<KnownKeys> load(const Paths& paths);

  // May the relay at `address` have this key? Fails kConflict: relay_key_changed where another is
  // pinned, relay_key_is_a_peer where somebody else has it.
  Status check_server(std::string_view address, const crypto::RelayKey& key) const;
  // May messages go to, and come from, this key? Fails kConflict (peer_is_a_relay).
  Status check_peer(const crypto::RelayKey& key) const;
};

// Both write to the disk what is not there yet, and fail as the checks and as RecordFile::change().
Status pin_server(const Paths& paths, std::string_view address, const crypto::RelayKey& key);
Status remember_peer(const Paths& paths, const crypto::RelayKey& key);

std::string relay_file(const Paths& paths);

// A secret X25519 key in a private file: its 32 bytes in base64url and a line end.
Result<crypto::RelaySecretKey> read_relay_key(const std::string& path);
// Fails kConflict (file_exists): a key is never overwritten.
Status create_relay_key(const std::string& path, const crypto::RelaySecretKey& key);

}  // namespace signet::cli
