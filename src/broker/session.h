// Session is one connection's conversation: first unproven, then an admitted principal's. What all
// formats have in common is in Session; what one kind of conversation needs is in its own kind of
// session, so that an idle listener pays for no mailbox. Plain records; the Broker of their shard
// moves them. They live as their connection's attachment.
#pragma once

#include <array>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "broker/delivery_cursor.h"
#include "broker/status.h"
#include "broker/topic_hub.h"
#include "broker/unconfirmed.h"
#include "crypto/hash.h"
#include "dialects/dialect.h"
#include "membership/audience.h"
#include "net/connection.h"
#include "trust/challenge.h"
#include "trust/policy.h"
#include "trust/rate_limit.h"

namespace signet::broker {

enum class Conversation : std::uint8_t {
  kMail,   // mailboxes, channels, presence; topics by subscription
  kTopic,  // one topic of a URL
  kNode,   // frames from node to node, nothing kept
  kRelay,  // envelopes from key to key, nothing kept
  kHub,    // a transport of Engine.IO, whose session is no connection (hub_session.h)
};

// What the broker keeps with a connection.
struct Attached : net::Attachment {
  explicit Attached(Conversation its_kind) : conversation(its_kind) {}
  const Conversation conversation;
};

enum class SessionState : std::uint8_t {
  kAwaitsHello,
  kProving,  // the store is asked whether this hello is new, or a name is being claimed
  kAdmitted,
  kClosing,  // told to go; nothing it still says counts
};

struct Session : Attached {
  Session(net::Connection& its_connection, dialects::Dialect& its_dialect, Conversation its_kind)
      : Attached(its_kind), connection(its_connection), dialect(its_dialect) {}

  net::Connection& connection;
  dialects::Dialect& dialect;
  SessionState state = SessionState::kAwaitsHello;
  trust::Proof proof = trust::Proof::kNone;
  bool counted = false;           // in the loads of its mesh and source
  std::vector<std::string> held;  // frames that came while kProving, in order
  std::size_t held_bytes = 0;

  // From admission on: the principal. Member 0 is a guest, known by its key alone.
  MeshNumber mesh;  // of a format that names none: from the upgrade on
  MemberNumber member;
  trust::Roles roles = 0;  // under the policy that the shard shows now
  std::array<unsigned char, 16> presence{};
  Listener listener;  // its subscriptions

  std::string presence_id() const { return to_hex(presence); }
};

// claudemesh at /ws.
struct MailSession final : Session {
  MailSession(net::Connection& its_connection, dialects::Dialect& its_dialect)
      : Session(its_connection, its_dialect, Conversation::kMail) {}

  std::string display_name;
  std::string session_id;  // the client's own word for itself: shown, never trusted
  std::string cwd;
  std::int64_t pid = 0;
  std::string summary;
  WallTime connected;
  StatusState status;

  // Sends that the store has not answered.
  std::size_t unanswered = 0;
  std::size_t unanswered_bytes = 0;
  Elapsed refused_until;  // one was over the rate: all are refused until then, to come in order

  // The last audience that was computed for it: one that repeats itself costs nothing.
  struct KnownAudience {
    std::uint64_t shown = 0;  // of which snapshot; 0: none yet
    std::string target;
    membership::Audience audience{};
  };
  KnownAudience known_audience;

  // Delivery.
  DeliveryCursor cursor;
  Unconfirmed unconfirmed;
  bool confirms_itself = false;     // by receipts; else a pong confirms
  std::uint64_t pinged_index = 0;   // a ping is out that covers pushes up to here; 0: none
  std::list<PushedMessage> recent;  // confirmed ones whose sender may still hear `read`
};

// What is kept of the token that proved a session: what it grants, and by what it is revoked.
struct HeldToken {
  std::string id;
  std::string key_id;
  std::optional<WallTime> issued;
  std::vector<std::string> roles;
  crypto::Digest32 key{};  // a name can be given to another key
  std::string subject{};
  WallTime expires{};  // then its session ends; later than its `exp` if it was within the leeway
  Elapsed ends{};      // the same by the clock of when it was taken: nobody sets that one back
};

// PulseMesh at /ws/mesh/{topic} and /ws/node/{node}.
struct SecretSession final : Session {
  SecretSession(net::Connection& its_connection, dialects::Dialect& its_dialect,
                Conversation its_kind, std::string its_place)
      : Session(its_connection, its_dialect, its_kind), place(std::move(its_place)) {}

  std::string place;   // the topic, or the node
  std::string source;  // who it proved to be
  Elapsed expires;
  std::uint64_t holder = 0;                // of Proof::kShared: one of many (shared_limits.h)
  std::uint64_t crowd = 0;                 // and all of them at its address
  std::uint32_t excess = 0;                // pulses refused in a row
  std::shared_ptr<const HeldToken> token;  // of Proof::kToken
};

// SecureWebSocket.
struct RelaySession final : Session {
  RelaySession(net::Connection& its_connection, dialects::Dialect& its_dialect, bool its_receipts,
               trust::Rate its_rate)
      : Session(its_connection, its_dialect, Conversation::kRelay),
        receipts(its_receipts),
        rate(its_rate) {}

  const bool receipts;
  trust::TokenBucket rate;                         // of a guest
  std::unique_ptr<trust::IssuedChallenge> issued;  // until it is answered
  crypto::RelayKey key{};

  // Envelopes that were written to this peer and whose senders wait for its pong.
  struct Unheard {
    net::ConnectionId sender;
    std::string envelope;
    std::uint64_t index;
  };
  struct Awaited {
    std::deque<Unheard> envelopes;
    std::size_t bytes = 0;
    std::uint64_t written = 0;  // how many were ever waited for
    std::uint64_t pinged = 0;   // a ping is out that covers them up to here; 0: none
  };
  std::unique_ptr<Awaited> awaited;  // nobody asked yet: none

  // The last envelope's keys as they were written, and what came of them: most senders go on with
  // the same, and to read a key and to ask the policy cost more than to compare two texts.
  struct Correspondence {
    std::string from;  // is this connection's key
    std::string to;
    std::string name;  // of who may be written to (name_desk.h)
  };
  std::unique_ptr<Correspondence> last;  // forgotten when the session is judged anew
};

}  // namespace signet::broker
