// Session is one connection's conversation: first unproven, then an admitted member's. It is a
// plain record; the Broker of its shard moves it. Lives as its connection's attachment.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "broker/delivery_cursor.h"
#include "broker/status.h"
#include "broker/unconfirmed.h"
#include "dialects/dialect.h"
#include "membership/audience.h"
#include "net/connection.h"

namespace signet::broker {

enum class SessionState : std::uint8_t {
  kAwaitsHello,
  kProving,  // the store is asked whether this hello is new
  kAdmitted,
  kClosing,  // told to go; nothing it still says counts
};

struct Session final : net::Attachment {
  Session(net::Connection& its_connection, dialects::Dialect& its_dialect)
      : connection(its_connection), dialect(its_dialect) {}

  net::Connection& connection;
  dialects::Dialect& dialect;
  SessionState state = SessionState::kAwaitsHello;
  std::vector<std::string> held;  // frames that came while kProving, in order
  std::size_t held_bytes = 0;

  // From admission on.
  MeshNumber mesh;
  MemberNumber member;
  std::string presence_id;
  std::string display_name;
  std::string session_id;  // the client's own word for itself: shown, never trusted
  std::string cwd;
  std::int64_t pid = 0;
  std::string summary;
  WallTime connected;
  StatusState status;
  std::size_t lists_asked = 0;      // lists of peers that nobody makes yet
  std::size_t lists_in_making = 0;  // answered together by the list that is being made

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
  bool confirms_itself = false;      // by receipts; else a pong confirms
  std::uint64_t pinged_index = 0;    // a ping is out that covers pushes up to here; 0: none
  std::deque<PushedMessage> recent;  // confirmed ones whose sender may still hear `read`
};

}  // namespace signet::broker
