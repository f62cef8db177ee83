// Messages to many under a key of their sender: XChaCha20-Poly1305 (IETF), signed with Ed25519.
// Format: protocol/claudemesh.md, "Bodies". A body is
//
//     offset  bytes
//          0      4  magic "SGC1"
//          4     16  key id
//         20     64  signature of the sender
//         84    n+16  ciphertext with its tag
//
// Signature and associated data name mesh, target, sender, key id and nonce: nobody can move a body
// to another place, a member can't speak as another one, and a broker can't write one. What they do
// not name is the order: a body may come late, twice or never.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/sign.h"

namespace signet::crypto {

inline constexpr std::string_view kChannelMagic = "SGC1";

using ChannelKeyId = std::array<unsigned char, 16>;
using ChannelNonce = std::array<unsigned char, 24>;
using ChannelKeyBytes = std::array<unsigned char, 32>;

// Where a channel key is good, and whose it is. `target` is as sent: `*`, `#name` or `tag:name`.
// Borrows.
struct ChannelScope {
  std::string_view mesh_id;
  std::string_view target;
  PublicKey sender;
};

// ChannelKey is one sender's key for one target. Its id is a digest of the key and its scope, so an
// id stands for one key only: a sender can't give two members two keys under one id and have them
// read two texts in one body, and a key that is handed on into another scope has another id there.
// Wiped on destruction and never printed. Movable, not copyable.
class ChannelKey {
 public:
  static ChannelKey generate(const ChannelScope& scope);
  static ChannelKey from_bytes(const ChannelKeyBytes& bytes, const ChannelScope& scope);
  ChannelKey(ChannelKey&&) noexcept;
  ChannelKey& operator=(ChannelKey&&) noexcept;
  ~ChannelKey();

  const ChannelKeyId& id() const { return id_; }
  ChannelKeyBytes bytes() const { return key_; }  // to hand on or to keep; the caller wipes

 private:
  friend class ChannelBody;
  friend std::string seal_channel_body(const SecretKey&, const ChannelKey&, std::string_view,
                                       std::string_view, std::string_view, const ChannelNonce&);
  ChannelKey() = default;
  ChannelKeyBytes key_{};
  ChannelKeyId id_{};
};

// The body of a message of `sender` to `target`. A nonce serves once per key: draw it.
std::string seal_channel_body(const SecretKey& sender, const ChannelKey& key,
                              std::string_view mesh_id, std::string_view target,
                              std::string_view plaintext, const ChannelNonce& nonce);

// Whether bytes claim to be such a body; they may still be broken.
inline bool has_channel_magic(std::string_view body) { return body.starts_with(kChannelMagic); }

// ChannelBody shows the parts of a received body. Borrows the bytes it was read from.
class ChannelBody {
 public:
  // nullopt when the bytes are no body of this layout.
  static std::optional<ChannelBody> read(std::string_view body);

  const ChannelKeyId& key_id() const { return key_id_; }
  // Did the sender of the scope write this body, for this place, under this nonce? Asked before the
  // key is looked for, so that a forged body makes nobody ask for keys.
  bool is_signed(const ChannelScope& scope, const ChannelNonce& nonce) const;
  // The plaintext; nullopt when the key is not the body's or does not open it. Says nothing about
  // the signature.
  std::optional<std::string> open(const ChannelKey& key, const ChannelScope& scope,
                                  const ChannelNonce& nonce) const;

 private:
  ChannelBody() = default;
  ChannelKeyId key_id_{};
  Signature signature_{};
  std::string_view ciphertext_;
};

}  // namespace signet::crypto
