// What a node keeps between its steps: its WireGuard key, how far it has counted, the keys that it
// was given and what it was told. It is on disk before anybody hears of it (overlay/key_choice.h),
// so a crash never takes back what was said. Secrets are in no core dump and wiped.
//
// The file is lines, `name value`; secrets in base64, texts as well. The last line is a digest of
// those above it, so that half a file, or one that an editor changed, is not taken for a state.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret_memory.h"
#include "crypto/sign.h"
#include "overlay/key_choice.h"
#include "overlay/node.h"
#include "signet/profile/profiles.h"
#include "signet/result.h"

namespace signet::node {

inline constexpr std::uint16_t kDefaultListenPort = 51'820;  // WireGuard's own
inline constexpr std::size_t kMaxTexts = 2;                  // at most two epochs are alive

// The configuration under the keys of one epoch, as overlay::write made it of what was read.
struct KeptText {
  std::uint64_t epoch = 0;
  SecretBytes text;
};

// What the lists of revocations came to. Only rises.
struct KeptRevocations {
  std::uint64_t serial = 0;                 // of the newest list; 0: none yet
  std::optional<crypto::PublicKey> signer;  // of the first list, and of every one since
  std::set<overlay::WireGuardKey> keys;     // of every list: none is configured again
  bool operator==(const KeptRevocations&) const = default;
};

// Movable, not copyable: copy_of() says where secrets are doubled.
struct KeptState {
  std::string node;             // its name
  std::string mesh;             // the id of its mesh
  SecretBytes wireguard;        // the X25519 secret, 32 bytes
  SecretBytes pending;          // one that is to take its place; empty: none
  std::string endpoint;         // where peers find it, numbers and a port; empty: not said
  std::uint64_t sequence = 0;   // of the last submission that may have been sent
  overlay::KeyOffer offer;      // the last that was taken
  std::uint64_t in_use = 0;     // the epoch whose keys are used; never goes back
  std::vector<KeptText> texts;  // one for each epoch that the offer names
  std::uint64_t epoch = 0;      // of the newest answer with a verdict that was taken
  std::string reason;           // of the last verdict
  KeptRevocations revocations;
  std::uint32_t address = 0;  // 0: not told yet
  int bits = 0;               // of the subnet; 0: not told yet
  std::uint16_t listen_port = kDefaultListenPort;
  std::optional<bool> allowed;  // the last verdict; nullopt: none yet
};

KeptState copy_of(const KeptState& state);
SecretBytes copy_of(const SecretBytes& secret);

// A new node with a WireGuard key of its own.
KeptState new_state(const std::string& node, const std::string& mesh);
SecretBytes new_wireguard_secret();
// REQUIRES: 32 bytes.
overlay::WireGuardKey wireguard_key_of(const SecretBytes& secret);

// The file's text, secrets included.
SecretBytes write_kept(const KeptState& state);
// Fails kMalformed with the line's name and never with its value.
Result<KeptState> read_kept(std::string_view text);

// Where a state is kept. The agent's only way to the disk, and what its tests stand in for.
class KeptStore {
 public:
  KeptStore() = default;
  KeptStore(const KeptStore&) = delete;
  KeptStore& operator=(const KeptStore&) = delete;
  virtual ~KeptStore() = default;
  // Returns when the state is on disk, as a whole; the one before stays where that fails
  // (kUnavailable).
  virtual Status write(const KeptState& state) = 0;
};

// CountOnlyStore is for who only looks: of what it is given it keeps the count of reports alone, so
// that none is sent twice, and all else on disk stays as it was. `below` outlives it. One thread.
class CountOnlyStore final : public KeptStore {
 public:
  // `kept` is what is on disk below.
  CountOnlyStore(KeptStore& below, KeptState kept) : below_(below), kept_(std::move(kept)) {}
  Status write(const KeptState& state) override;

 private:
  KeptStore& below_;
  KeptState kept_;  // as it is below
};

// Twice 65,535 peers in base64, and their revoked keys: no state of a mesh is longer.
inline constexpr std::size_t kMaxStateBytes = 67'108'864;

// The file of a node of this profile, beside the profile's own state.
std::string kept_file(const cli::Paths& paths, const cli::Profile& profile, std::string_view node);

// Reads the file without taking it: for those who only look. Fails kNotFound (no_such_node),
// kForbidden (others may read it), kMalformed (node_state_broken).
Result<KeptState> look_at_kept(const std::string& path);

// KeptFile owns the file of one node for one process: a second one is refused, so that no sequence
// is given twice and no two agents work on one interface. Let go at its end, however that comes.
class KeptFile final : public KeptStore {
 public:
  // Makes the folder. Fails kConflict (node_busy) where another process has it.
  static Result<std::unique_ptr<KeptFile>> take(const std::string& path);
  ~KeptFile() override;

  // Fails as look_at_kept().
  Result<KeptState> read() const { return look_at_kept(path_); }
  Status write(const KeptState& state) override;
  const std::string& path() const { return path_; }

 private:
  KeptFile(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_;
};

}  // namespace signet::node
