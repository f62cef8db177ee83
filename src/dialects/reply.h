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
};

using Reply = std::variant<Admitted, HelloRefused, Accepted, Pushed, Peers, Members, Channels,
                           ChannelChanged, ReceiptNotice, Refused>;

}  // namespace signet::dialects
