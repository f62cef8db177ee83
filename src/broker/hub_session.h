// HubSession is one session of Engine.IO with the namespaces it has joined: `/` as a user,
// `/engine` as an engine. It is no connection: requests and WebSockets come and go, and its shard,
// which its sid names, keeps it. Plain records; the HubDesk of their shard moves them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "broker/session.h"
#include "broker/shard_core.h"
#include "crypto/secret_text.h"
#include "dialects/hub.h"
#include "wire/engineio_session.h"
#include "wire/socketio_packet.h"

namespace signet::broker {

class HubDesk;

// A connection that carries, or last carried, something of a session. The session may be on another
// shard while this is a poll; a WebSocket is always on its session's shard.
struct HubLink final : Attached {
  explicit HubLink(net::Connection& its_connection)
      : Attached(Conversation::kHub), connection(its_connection) {}

  net::Connection& connection;
  std::string sid;
  bool waits = false;  // for the answer to a request
};

enum class HubStage : std::uint8_t { kOut, kProving, kJoined };

// The namespace `/`.
struct HubUser {
  HubStage stage = HubStage::kOut;
  Principal who;  // source: the subject
  trust::Roles roles = 0;
  std::string role;    // the first of the token's, as others see it
  std::string socket;  // its public id
  bool simulated = false;
  bool counted = false;       // in the loads of user and mesh
  bool admin = false;         // is shown everybody
  std::uint64_t attempt = 0;  // which CONNECT: an answer to an earlier one means nothing
  crypto::SecretText key;     // what it signs with, its own
  Elapsed heard;              // the latest heartbeat, or the connect
  bool is_inactive = false;   // silent for too long to count as there
};

// The namespace `/engine`.
struct HubEngine {
  HubStage stage = HubStage::kOut;
  Principal who;
  trust::Roles roles = 0;
  std::string socket;
  jobs::EngineSession number = 0;
  std::uint64_t attempt = 0;
  bool ready = false;
  bool counted = false;
  bool unfit = false;  // signed its latest packet by another secret, or another clock
  dialects::EngineReady::Dialect dialect = dialects::EngineReady::Dialect::kBoth;
  Elapsed heard;
};

struct HubSession final : wire::EngineEvents {
  HubSession(HubDesk& its_desk, const wire::EngineOptions& options, std::string sid,
             trust::Rate rate)
      : desk(its_desk), engine(options, *this, std::move(sid)), packets(rate) {}

  // wire::EngineEvents: all of them the desk's business.
  void answer(wire::EngineRequest request, bool ok, std::string_view body) override;
  void send_on(wire::EngineSocket socket, bool binary, std::string_view payload) override;
  void on_upgraded() override;
  void drop(wire::EngineSocket socket) override;
  void on_message(bool binary, std::string_view data) override;
  void on_closed(wire::EngineClosed why) override;

  // A request that waits.
  struct Caller {
    ConnectionId connection;
    std::optional<std::string> origin;
    std::string posted{};  // its session, where it is a POST
  };

  HubDesk& desk;
  wire::EngineSession engine;
  wire::SocketDecoder decoder{wire::SocketLimits{}};
  Elapsed incomplete_since{};  // attachments are awaited since then
  trust::TokenBucket packets;

  MeshNumber mesh;
  net::PeerAddress peer;        // who began it
  bool was_forwarded = false;   // a proxy on this machine is not this machine
  bool keeps_secrets = false;   // by TLS or within this machine: may be told keys
  bool proven = false;          // joined a namespace once
  bool over = false;            // is to be buried
  Elapsed opened;               // to join by then and connect_timeout
  std::optional<Elapsed> ends;  // is closed then, whatever was delivered
  std::map<wire::EngineRequest, Caller> waiting;
  bool is_slow = false;     // its WebSocket did not read, and is being closed
  bool is_posting = false;  // a body was taken, and its answer is not on its connection yet
  std::optional<ConnectionId> carrier;  // WebSockets of this shard
  std::optional<ConnectionId> probe;

  std::uint64_t attempts = 0;  // of CONNECT
  HubUser user;
  HubEngine worker;

  bool has_joined() const { return user.stage != HubStage::kOut || worker.stage != HubStage::kOut; }
};

}  // namespace signet::broker
