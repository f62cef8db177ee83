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
  std::size_t max_bytes = 512 * 1024;  // of the answer: half of what a connection may have queued
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

using Reply = std::variant<Admitted, HelloRefused, Accepted, Pushed, Peers, Channels,
                           ChannelChanged, ReceiptNotice, Refused>;

}  // namespace signet::dialects
