// HubDesk is what a shard does for Hub: the sessions of Engine.IO that live here, their requests
// and WebSockets, and their two namespaces. What users and engines of a mesh have in common is
// HubHome's business, on the mesh's home shard.
//
//   request or frame → EngineSession → SocketDecoder → namespace → HubReader → guard → HubHome
//
// A request may come in on any shard: it goes to its session's, which the sid names, as a message,
// and its answer comes back by the connection's id. Only the upgrade moves the socket. Split by
// subject: hub_transport.cc (requests and WebSockets), hub_desk.cc (packets, members, time),
// hub_users.cc (`/`), hub_engines.cc (`/engine`). Lives on its shard's thread. Format:
// protocol/hub.md.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/log_limiter.h"
#include "broker/hub_home.h"
#include "broker/hub_session.h"
#include "broker/shard_core.h"
#include "trust/penalties.h"
#include "trust/rate_limit.h"

namespace signet::broker {

// A request of a session, on its way to the session's shard.
struct HubCall {
  ConnectionId from;
  std::string sid;
  bool is_post = false;
  crypto::SecretText body;  // a token may be in it
  std::optional<std::string> origin;
  net::PeerAddress peer;
  bool has_waited = false;  // behind all that its shard had been told before it came
};

class HubDesk {
 public:
  explicit HubDesk(ShardCore& core);
  ~HubDesk();

  static bool is_path(std::string_view path);

  // What broker.cc passes on: of connections whose path or attachment is Hub's.
  void on_request(net::Connection& connection, const net::HttpRequest& request);
  void on_message(HubLink& link, bool binary, std::string_view payload);
  void on_closed(HubLink& link);
  void on_turn_end();
  // New membership or rules: every session is judged anew.
  void judge_all();
  void show_rules();

  // What another shard, or the home of a mesh, asks of this one.
  void serve(const HubCall& call);
  void posted(const std::string& sid);  // the answer to its body is on its connection
  void gone(const std::string& sid, ConnectionId from);
  void respond(ConnectionId to, const net::HttpResponse& response, bool proven);
  void welcome(const std::string& sid, const std::string& status, const std::string& presence);
  void tell(const std::string& sid, std::string_view nsp, std::string_view data);
  void tell_user(MeshNumber mesh, const std::string& user, std::string_view data, HubSockets which);
  void tell_all(MeshNumber mesh, std::string_view data);
  // The home of its mesh does not take what an engine said.
  void refuse_report(const std::string& sid, dialects::EngineEvent event, EngineRefusal code);

  // Runs `task` with the desk of a shard: at once on this thread, else there.
  using Task = std::function<void(HubDesk&)>;
  static void at(const Shared& shared, const net::Shard& here, std::uint32_t shard, Task task);
  // Likewise with the home of a mesh.
  using HomeTask = std::function<void(HubHome&)>;
  void at_home(MeshNumber mesh, HomeTask task);
  // REQUIRES: this shard is the mesh's home.
  HubHome& home(MeshNumber mesh);

  // Of sessions.
  void answer(HubSession& session, wire::EngineRequest request, bool ok, std::string_view body);
  void send_on(HubSession& session, wire::EngineSocket socket, bool binary,
               std::string_view payload);
  void on_upgraded(HubSession& session);
  void drop(HubSession& session, wire::EngineSocket socket);
  void on_engine_message(HubSession& session, bool binary, std::string_view data);
  void on_engine_closed(HubSession& session, wire::EngineClosed why);

 private:
  struct TransportQuery;
  struct TransportFault;

  // hub_transport.cc
  void refuse(net::Connection& connection, const net::HttpRequest& request, TransportReason why,
              const TransportFault& fault);
  std::optional<MeshNumber> mesh_for(const net::HttpRequest& request) const;
  HubSession* begin(net::Connection& connection, const net::HttpRequest& request);
  void open_by_poll(net::Connection& connection, const net::HttpRequest& request);
  void open_by_socket(net::Connection& connection, const net::HttpRequest& request);
  void on_upgrade(net::Connection& connection, const net::HttpRequest& request,
                  const std::string& sid);
  void on_call(net::Connection& connection, const net::HttpRequest& request,
               const std::string& sid);
  HubSession* session_of(const std::string& sid, const net::PeerAddress& peer);
  void serve_post(HubSession& session, const HubCall& call);
  HubLink& link_of(net::Connection& connection);
  void wait_for(net::Connection& connection, const std::string& sid);
  void reply(const HubSession::Caller& to, net::HttpResponse response, bool proven);
  std::uint32_t shard_of(std::string_view sid) const;  // beyond the shards: no sid of ours
  HubSession* session_at(std::string_view sid);
  void make_room();

  // hub_desk.cc
  const HubDoor* door_of(MeshNumber mesh) const;
  void on_time();
  void judge(HubSession& session);
  void judge_role(HubSession& session, bool is_another = false);
  void bury();
  // Counts why, and closes it.
  void end(HubSession& session, TransportReason why, std::string_view rule = {});
  void count_end(const HubSession& session, TransportReason why, std::string_view rule = {});
  void on_packet(HubSession& session, const wire::SocketPacket& packet);
  void on_connect(HubSession& session, const wire::SocketPacket& packet);
  void on_event(HubSession& session, const wire::SocketPacket& packet);
  void send(HubSession& session, wire::SocketPacketType type, std::string_view nsp,
            std::string_view data);
  void emit(HubSession& session, std::string_view nsp, std::string_view data) {
    send(session, wire::SocketPacketType::kEvent, nsp, data);
  }
  void acknowledge(HubSession& session, const wire::SocketPacket& packet);
  // The session has nothing more to do here, once what was said to it is delivered.
  void end_unless_joined(HubSession& session);
  void prove(HubSession& session);
  void note(const HubSession& session, const Principal& who, audit::Event event,
            std::string_view code);

  // Both namespaces: who a token says it is, as a member of the mesh.
  using OnMember = std::function<void(HubSession&, Result<MemberNumber>)>;
  void find_member(const HubSession& session, const Principal& who, OnMember then);
  bool may_enter(const Principal& who, trust::Roles roles);
  // Another token of the same subject takes the place of the one that it has. nullopt: it does not,
  // and who showed it was told.
  std::optional<trust::TokenFacts> renew(HubSession& session, Principal& who, std::string_view nsp,
                                         std::string_view token);
  void refuse_renewal(HubSession& session, const Principal& who, std::string_view nsp,
                      TokenRefusal rule);
  static std::string new_socket_id();
  // One memory for a member's nonces, whoever of its agents spent them.
  store::SpendNonce spend_of(MemberNumber member, std::string_view kind, std::string_view agent,
                             std::string_view nonce) const;

  // hub_users.cc
  void connect_user(HubSession& session, const dialects::HubCredentials& shown);
  void refuse_user(HubSession& session, ConnectRefusal code, std::string_view rule = {});
  void on_user_member(HubSession& session, const Result<MemberNumber>& member);
  void join_user(HubSession& session);
  bool is_admin(const HubUser& user);
  void leave_user(HubSession& session);
  void on_user_event(HubSession& session, std::string_view data);
  void on_action(HubSession& session, const dialects::HubAction& action);
  void on_action_nonce(const std::string& sid, const std::string& socket, const HubActed& acted,
                       store::NonceOutcome outcome);
  void refuse_action(HubSession& session, ActionRefusal code, std::string_view ref = {},
                     std::optional<std::chrono::nanoseconds> wait = std::nullopt);
  void on_heartbeat(HubSession& session, const dialects::HubHeartbeat& heartbeat);
  void on_presence(HubSession& session, const dialects::HubPresence& presence);
  void on_agent(HubSession& session, const dialects::HubAgentHeartbeat& heartbeat);
  void answer_agent(HubSession& session, std::optional<AgentRefusal> refused);
  void on_world(HubSession& session, const dialects::HubGenerateWorld& world);
  void refuse_job(HubSession& session, JobRefusal code, std::string_view message = {},
                  std::string_view ref = {});
  void on_refresh(HubSession& session, const dialects::HubTokenRefresh& refresh);
  void on_malformed(HubSession& session, const dialects::HubMalformed& malformed);
  void check_user_time(HubSession& session);
  std::vector<std::string_view> action_keys(const HubSession& session) const;
  void saw(const HubSession& session, bool failed_proof, bool replay);
  std::string deny(const HubSession& session, const Wish& wish);

  // hub_engines.cc
  void connect_engine(HubSession& session, std::optional<std::string_view> token);
  void refuse_engine(HubSession& session, ConnectRefusal code, std::string_view rule = {});
  static bool is_of_engine(const trust::TokenFacts& facts);
  void on_engine_member(HubSession& session, const Result<MemberNumber>& member);
  void join_engine(HubSession& session);
  void leave_engine(HubSession& session);
  void on_refresh_of_engine(HubSession& session, const dialects::HubTokenRefresh& refresh);
  void on_engine_event(HubSession& session, std::string_view data);
  void on_engine_packet(HubSession& session, const dialects::EnginePacketSaid& said);
  void on_engine_nonce(const std::string& sid, const HubReport& report,
                       store::NonceOutcome outcome);
  void take_report(HubSession& session, const HubReport& report);
  bool is_short(const dialects::EnginePacketSaid& said) const;
  void reject(HubSession& session, dialects::EngineEvent event, EngineRefusal code);
  void check_engine_time(HubSession& session);

  const HubOptions& options() const { return core_.shared().options.hub; }
  HubMetrics& metrics() { return core_.shared().hub_metrics; }

  ShardCore& core_;
  dialects::HubReader reader_;
  wire::FrameLimits frames_;  // of who has joined; before that core's small ones
  wire::FrameLimits unproven_frames_;
  std::map<std::string, std::unique_ptr<HubSession>, std::less<>> sessions_;  // by sid, ours
  std::deque<std::string> newcomers_;  // sids that had joined nothing, the oldest first
  std::map<std::pair<MeshNumber, std::string>, std::vector<HubSession*>> users_;  // joined ones
  std::vector<std::string> over_;                         // to be buried at the end of the turn
  std::vector<std::string> unflushed_;                    // may have something to say to their poll
  std::map<MeshNumber, std::unique_ptr<HubHome>> homes_;  // of meshes whose home this shard is
  std::uint64_t last_request_ = 0;
  std::uint64_t last_engine_ = 0;
  trust::RateLimiter<std::array<unsigned char, 16>, crypto::KeyedHash> opens_;
  trust::Penalties penalties_;
  LogLimiter<ConnectRefusal> connects_log_{kConnectRefusalCount};
  LogLimiter<ActionRefusal> actions_log_{kActionRefusalCount};
  LogLimiter<AgentRefusal> agents_log_{kAgentRefusalCount};
  LogLimiter<EngineRefusal> engines_log_{kEngineRefusalCount};
  LogLimiter<JobRefusal> jobs_log_{kJobRefusalCount};
  LogLimiter<TokenRefusal> renewals_log_{kTokenRefusalCount};
  LogLimiter<TransportReason> ends_log_{kTransportReasonCount};
  LogLimiter<int> engine_errors_log_{1};
};

}  // namespace signet::broker
