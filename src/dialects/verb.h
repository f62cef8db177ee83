// Verbs: what a peer can say to the broker, whatever wire format it says it in. A dialect turns the
// bytes of its format into one of these; the core knows nothing else of the format.
//
// Text that a verb carries borrows the frame it was read from and is good for that call only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/codes.h"
#include "membership/audience.h"
#include "routing/address.h"
#include "routing/envelope.h"
#include "trust/hello.h"

namespace signet::dialects {

enum class Status : std::uint8_t { kIdle, kWorking, kDnd };
constexpr std::string_view name_of(Status status) {
  return status == Status::kIdle ? "idle" : status == Status::kWorking ? "working" : "dnd";
}
std::optional<Status> status_from(std::string_view name);

enum class ReceiptState : std::uint8_t { kReceived, kRead };
constexpr std::string_view name_of(ReceiptState state) {
  return state == ReceiptState::kReceived ? "received" : "read";
}

// What a peer says of itself without signing it: shown to others, never trusted.
struct DisplayHints {
  std::string_view session_id;
  std::string_view display_name;  // empty: the member's own
  std::string_view cwd;
  std::int64_t pid = 0;
};

struct Hello {
  trust::HelloClaim claim;
  DisplayHints hints;
  bool confirms_itself = false;  // this client sends a receipt for everything it has received
};
struct Send {
  std::string_view client_id;  // empty: none
  routing::Address to;
  routing::Priority priority = routing::Priority::kNext;
  bool receipts = false;
  std::string body;                              // opaque, in the dialect's own encoding
  std::optional<membership::Audience> audience;  // whom it was sealed to; else whoever it reaches
};
struct SetStatus {
  Status status;
};
struct SetSummary {
  std::string_view summary;
};
struct ListPeers {};
// Whom would a send to `target` reach? Never a single member.
struct ListMembers {
  routing::Address target;
  std::optional<crypto::PublicKey> after;  // those behind this key
};
struct JoinChannel {
  std::string_view name;
};
struct LeaveChannel {
  std::string_view name;
};
struct ListChannels {};
struct Receipt {
  routing::MessageId message;
  ReceiptState state;
};
// Not understood: which code to answer, and for which client id where one could be read.
struct Misspoken {
  Refusal code;
  std::string_view rule;  // for the log
  std::string client_id;
  bool is_message = true;  // a frame of this format, if a wrong one; false: not even that
};

using Verb = std::variant<Hello, Send, SetStatus, SetSummary, ListPeers, ListMembers, JoinChannel,
                          LeaveChannel, ListChannels, Receipt, Misspoken>;

}  // namespace signet::dialects
