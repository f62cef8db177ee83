// What nodes share: an epoch's secret, and the keys that come from it (protocol/overlay.md,
// "Keys").
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/secret_memory.h"
#include "overlay/node.h"

namespace signet::overlay {

// 32 random bytes, in no core dump and wiped at the end. Movable, not copyable.
class EpochSecret {
 public:
  static EpochSecret random();
  // Copies `bytes`; wiping them is the caller's part. REQUIRES: 32 bytes.
  static EpochSecret of(std::string_view bytes);

  std::string_view reveal() const { return bytes_.text(); }  // for sealing at rest

  // "sha256:" and 16 hex digits: tells epochs apart, and nothing else.
  std::string hash() const;

 private:
  explicit EpochSecret(SecretBytes bytes);
  SecretBytes bytes_;
};

// A pre-shared key as WireGuard reads it. The caller shows it to the two nodes alone. Movable, not
// copyable.
struct PresharedKey {
  SecretBytes bytes;           // 32
  SecretBytes base64() const;  // 44 characters
};

// The original formula, for original nodes: HMAC-SHA-256 of the secret over the name. Each peer of
// the node must know it, so it keeps nothing from another peer (threat K5).
PresharedKey psk_of_node(const EpochSecret& secret, std::string_view node);

// The key that both ends of a pair have and nobody else: HKDF-SHA-256 over the secret, salted with
// the epoch, for the two WireGuard keys in rising order. Either order of the ends gives the same.
PresharedKey psk_of_pair(const EpochSecret& secret, std::uint64_t epoch, const WireGuardKey& one,
                         const WireGuardKey& other);

// What a node's configuration is sealed under (crypto/fresh_box.h): it opens as that of this node,
// of this mesh and this epoch, and as no other one.
std::string delivery_context(std::string_view mesh, std::string_view node, std::uint64_t epoch);

}  // namespace signet::overlay
