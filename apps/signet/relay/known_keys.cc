#include "signet/relay/known_keys.h"

#include "base/encoding.h"
#include "crypto/wipe.h"
#include "signet/profile/private_file.h"
#include "signet/profile/record_file.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::string_view kList = "keys";
constexpr std::string_view kAsk =
    "Nothing was sent. Ask its operator over another way; only if the new key is theirs, take the "
    "old one out of relay.json beside the configuration.";

KnownKeys known_from(const RecordFile& file) {
  KnownKeys known;
  for (const Record& record : file.records) {
    const auto server = crypto::relay_key_from(record.text("key"));
    if (server) known.servers.emplace(record.text("server"), *server);
    if (const auto peer = crypto::relay_key_from(record.text("peer"))) known.peers.insert(*peer);
  }
  return known;
}

Status change(const Paths& paths, const std::function<Status(RecordFile&)>& how) {
  return RecordFile::change(paths.config_folder, relay_file(paths), kList, how);
}

}  // namespace

std::string relay_file(const Paths& paths) { return paths.config_folder + "/relay.json"; }

Result<KnownKeys> KnownKeys::load(const Paths& paths) {
  SIGNET_TRY(const RecordFile file, RecordFile::load(relay_file(paths), kList));
  return known_from(file);
}

Status KnownKeys::check_server(std::string_view address, const crypto::RelayKey& key) const {
  const auto pinned = servers.find(address);
  if (pinned != servers.end() && pinned->second != key) {
    return failure(ErrorCode::kConflict, "relay_key_changed",
                   "WARNING: the relay at " + std::string(address) + " has another key, " +
                       crypto::relay_key_text(key) + ", and not the one you know, " +
                       crypto::relay_key_text(pinned->second),
                   kAsk);
  }
  if (!peers.contains(key)) return Done{};
  return failure(ErrorCode::kConflict, "relay_key_is_a_peer",
                 "WARNING: the relay at " + std::string(address) + " claims a key of somebody " +
                     "you write with, " + crypto::relay_key_text(key),
                 "Nothing was sent. Such a relay is after your messages: do not use it.");
}

Status KnownKeys::check_peer(const crypto::RelayKey& key) const {
  for (const auto& [address, server] : servers) {
    if (server != key) continue;
    return failure(ErrorCode::kConflict, "peer_is_a_relay",
                   "this is the key of the relay at " + address + ", and of nobody to write to");
  }
  return Done{};
}

Status pin_server(const Paths& paths, std::string_view address, const crypto::RelayKey& key) {
  SIGNET_TRY(const KnownKeys known, KnownKeys::load(paths));
  SIGNET_TRY([[maybe_unused]] const Done fits, known.check_server(address, key));
  if (known.servers.contains(address)) return Done{};
  return change(paths, [&](RecordFile& file) -> Status {
    SIGNET_TRY([[maybe_unused]] const Done still, known_from(file).check_server(address, key));
    Record record;
    record.set("server", address);
    record.set("key", crypto::relay_key_text(key));
    file.records.push_back(std::move(record));
    return Done{};
  });
}

Status remember_peer(const Paths& paths, const crypto::RelayKey& key) {
  SIGNET_TRY(const KnownKeys known, KnownKeys::load(paths));
  SIGNET_TRY([[maybe_unused]] const Done fits, known.check_peer(key));
  if (known.peers.contains(key) || known.peers.size() >= kMaxKnownPeers) return Done{};
  return change(paths, [&](RecordFile& file) -> Status {
    SIGNET_TRY([[maybe_unused]] const Done still, known_from(file).check_peer(key));
    Record record;
    record.set("peer", crypto::relay_key_text(key));
    file.records.push_back(std::move(record));
    return Done{};
  });
}

Result<crypto::RelaySecretKey> read_relay_key(const std::string& path) {
  auto text = read_private_file(path);
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) {
    return failure(ErrorCode::kNotFound, "no_relay_key", "there is no relay key in " + path,
                   "Make one: signet relay keygen");
  }
  if (!text.ok()) return text.error();
  const crypto::WipedAtEnd wiped(*text);
  std::string_view line = *text;
  if (line.ends_with('\n')) line.remove_suffix(1);
  auto bytes = crypto::relay_key_from(line);
  if (!bytes) {
    return failure(ErrorCode::kMalformed, "bad_relay_key", path + " holds no relay key",
                   "Name one that `signet relay keygen` made.");
  }
  auto key = crypto::RelaySecretKey::from_bytes(*bytes);
  crypto::wipe(*bytes);
  return key;
}

Status create_relay_key(const std::string& path, const crypto::RelaySecretKey& key) {
  auto bytes = key.reveal();
  std::string text = to_base64url(bytes) + "\n";
  crypto::wipe(bytes);
  const crypto::WipedAtEnd wiped(text);
  return create_private_file(path, text);
}

}  // namespace signet::cli
