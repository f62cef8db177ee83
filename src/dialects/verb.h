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
#include "trust/challenge.h"
#include "trust/hello.h"
#include "trust/secret_hello.h"

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
// The first frame of PulseMesh: a keyed digest instead of a signature.
struct SecretHello {
  trust::SecretClaim claim;
};
// The same with a token, which says of itself whose it is.
struct TokenHello {
  std::string_view source;
  std::string_view token;
};
// A token that takes the place of the one by which the session was proven.
struct TokenRefresh {
  std::string_view token;
};
// A pulse to one topic. `pulse` is the JSON object that was sent, without what the server stamps
// and without its closing brace (pulse_text.h).
struct Publish {
  std::string_view client_id;  // empty: the sender wants no answer
  std::string_view topic;      // empty: the one topic of this connection
  std::string pulse;
};
struct Subscribe {
  std::string_view pattern;
};
struct Unsubscribe {
  std::string_view pattern;
};
// What was published and may be read: after a number, oldest first; else the newest.
struct ReadHistory {
  std::string_view pattern;  // empty: every topic
  std::optional<std::uint64_t> after;
  std::size_t limit;
};
struct ListTopics {};
// A frame of /ws/node/ for one node, forwarded as it is.
struct Forward {
  std::string_view target;
  std::string unstamped;  // the frame without stamps where it had Signet's own; empty: as it came
};
// The answer to the challenge of SecureWebSocket.
struct ChallengeResponse {
  trust::ChallengeClaim claim;
};
// An envelope of SecureWebSocket, relayed as it is; what keeps it from that, in the page's order.
struct RelayEnvelope {
  std::string_view from;  // base64url as it was sent
  std::string_view to;
  bool is_message = false;
  bool has_content = false;
};
// The first frame does not even begin a conversation of this format.
struct BadHandshake {
  HandshakeRefusal code;
  // Of a message that is whole but for its proof: the connection may have one of its own.
  std::string_view source = {};
};
struct BadRegistration {
  RegisterRefusal code;
  std::string_view detail;  // what the answer adds in words; may be empty
};
// Not understood: which code to answer, and for which client id where one could be read.
struct Misspoken {
  Refusal code;
  std::string_view rule;  // for the log
  std::string client_id;
  bool is_message = true;  // a frame of this format, if a wrong one; false: not even that
};

using Verb =
    std::variant<Hello, Send, SetStatus, SetSummary, ListPeers, ListMembers, JoinChannel,
                 LeaveChannel, ListChannels, Receipt, SecretHello, TokenHello, TokenRefresh,
                 Publish, Subscribe, Unsubscribe, ReadHistory, ListTopics, Forward,
                 ChallengeResponse, RelayEnvelope, BadHandshake, BadRegistration, Misspoken>;

}  // namespace signet::dialects
