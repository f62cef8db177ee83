// Replies: what the broker can say to a peer. A dialect writes each in the bytes of its format.
// Text borrows for the call.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/codes.h"
#include "dialects/verb.h"
#include "routing/topic_history.h"

namespace signet::dialects {

// Of a list in one answer: half of what a connection may have queued.
inline constexpr std::size_t kMaxListBytes = 512 * 1024;

struct Admitted {
  std::string_view presence_id;
  std::string_view display_name;
};
struct HelloRefused {
  HelloReject code;
};
// The message is on disk. `recipients` is how many mailboxes it is in, `skipped` how many were
// full.
struct Accepted {
  std::string_view client_id;
  routing::MessageId message;
  std::size_t recipients;
  std::size_t skipped;
};
struct Pushed {
  const routing::Envelope& envelope;
  std::string_view mesh_id;
  std::string_view sender_key;  // hex
};
struct PeerEntry {
  std::string pubkey;
  std::string display_name;
  Status status;
  std::string summary;
  std::string session_id;
  WallTime connected;
};
struct Peers {
  const std::vector<PeerEntry>& peers;
  std::size_t max_bytes = kMaxListBytes;
};
// One page of whom a send would reach: as many of `members` as fit, and at least one.
struct Members {
  std::string_view target;                                // text of the address
  const std::vector<const membership::Member*>& members;  // sorted by key
  membership::Audience audience;                          // of the whole target
  std::size_t max_bytes = kMaxListBytes;
};
struct ChannelEntry {
  std::string name;
  std::size_t members;
  bool joined;
};
struct Channels {
  const std::vector<ChannelEntry>& channels;
};
struct ChannelChanged {
  std::string_view name;
  bool joined;
};
struct ReceiptNotice {
  routing::MessageId message;
  ReceiptState state;
  std::string_view by;  // the receiver's key, hex
};
struct Refused {
  Refusal code;
  std::string_view client_id;
  std::optional<std::int64_t> retry_after_ms;
  std::string_view ref = {};  // by which the operator finds the rule that said no; may be empty
};

// A PulseMesh handshake that holds.
struct SecretAdmitted {
  std::string_view client_id;
  WallTime at;
  std::string_view session_id;
};
struct HandshakeRefused {
  HandshakeRefusal code;
  std::string_view ref = {};
  std::optional<TokenRefusal> rule = std::nullopt;  // of a token
};
// A token was taken in the place of the one before.
struct TokenTaken {
  WallTime expires;
};
struct PulseOut {
  const routing::Pulse& pulse;
};
// A pulse has its number; nothing else is promised of it.
struct Published {
  std::string_view client_id;
  std::uint64_t number;
  std::uint64_t topic_number;
};
struct SubscriptionChanged {
  std::string_view pattern;
  bool subscribed;
};
struct History {
  const routing::TopicHistory::Page& page;
};
struct TopicEntry {
  std::string name;
  std::size_t subscribers;
};
struct Topics {
  const std::vector<TopicEntry>& topics;
};
struct Challenge {
  std::string_view server_key;  // base64url, as are the others
  std::string_view nonce;
  std::string_view text;
};
struct Registered {};
struct RegisterRefused {
  RegisterRefusal code;
  std::string_view detail = {};
};
// The sender's envelope back: refused, or delivered.
struct RelayRefused {
  std::string_view envelope;  // the frame as it was sent
  RelayRefusal code;
};
struct RelayDelivered {
  std::string_view envelope;
};

using Reply = std::variant<Admitted, HelloRefused, Accepted, Pushed, Peers, Members, Channels,
                           ChannelChanged, ReceiptNotice, Refused, SecretAdmitted, HandshakeRefused,
                           TokenTaken, PulseOut, Published, SubscriptionChanged, History, Topics,
                           Challenge, Registered, RegisterRefused, RelayRefused, RelayDelivered>;

}  // namespace signet::dialects
