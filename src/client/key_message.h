// Key messages: how a sender hands its channel key to a member, and how a member asks for one. They
// are the plaintext of a sealed direct message and begin with a NUL byte, with which no text may
// begin. Format: protocol/claudemesh.md, "Bodies". A key message concerns only keys of the member
// that sent it.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "crypto/channel_box.h"
#include "signet/result.h"

namespace signet::client {

// The longest that is read; none that can be written is longer.
inline constexpr std::size_t kMaxKeyMessageBytes = 256;

// The sender's key for `target`.
struct KeyGrant {
  std::string target;
  crypto::ChannelKey key;
};

// "Send me your key with this id again." Whether the one who asks may have it is for the caller: it
// answers members of the target's present audience.
struct KeyRequest {
  std::string target;
  crypto::ChannelKeyId key_id{};
};

using KeyMessage = std::variant<KeyGrant, KeyRequest>;

// `*`, `#name` or `tag:name`: what a channel key can be for.
bool is_audience(std::string_view target);

// The plaintext to seal. The one with a key in it is the caller's to wipe.
std::string write_key_message(const KeyGrant& grant);
std::string write_key_message(const KeyRequest& request);

// Whether an opened plaintext is to be read as a key message and never as text.
inline bool begins_as_key_message(std::string_view plaintext) {
  return !plaintext.empty() && plaintext.front() == '\0';
}

// Reads the key message that `sender` sent within a mesh. Fails kMalformed (key_message_malformed)
// for anything but the exact text that write_key_message writes, and for a key whose id is not the
// one that mesh, target, sender and key make.
Result<KeyMessage> read_key_message(std::string_view plaintext, std::string_view mesh_id,
                                    const crypto::PublicKey& sender);

}  // namespace signet::client
