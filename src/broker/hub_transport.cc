// The transport: requests and WebSockets of Engine.IO, on whatever shard they come in, and what
// their sessions want of them. Format: protocol/hub.md.
#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/log.h"
#include "broker/broker.h"
#include "crypto/random.h"
#include "wire/json.h"

namespace signet::broker {
namespace {

using Why = TransportReason;
using wire::EngineClosed;
using wire::EngineSocket;

constexpr std::string_view kPath = "/socket.io/";
constexpr std::string_view kDialect = "hub";  // as bindings have it
constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kSidBytes = 18;  // 144 random bits, as 24 characters behind the shard's
// Sessions that have joined nothing hold little, but nobody has proven anything for them.
constexpr std::size_t kMostNewcomers = 4'096;

}  // namespace

// What a request of the transport says of itself.
struct HubDesk::TransportQuery {
  std::string_view version;
  std::string_view transport;
  std::string_view sid;

  static TransportQuery of(std::string_view query) {
    TransportQuery read;
    while (!query.empty()) {
      const std::string_view pair = query.substr(0, query.find('&'));
      query.remove_prefix(std::min(query.size(), pair.size() + 1));
      const std::size_t equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      const std::string_view name = pair.substr(0, equals);
      const std::string_view value = pair.substr(equals + 1);
      if (name == "EIO") read.version = value;
      if (name == "transport") read.transport = value;
      if (name == "sid") read.sid = value;
    }
    return read;
  }
};

// Why a request is no request of the transport; numbers and words are the original server's.
struct HubDesk::TransportFault {
  int status;
  int code;
  std::string_view message;
};

namespace {

net::HttpResponse with_cors(net::HttpResponse response, const std::optional<std::string>& origin) {
  if (!origin) return response;  // a page of a listed origin: net refused all others
  response.headers.emplace_back("Access-Control-Allow-Origin", *origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Vary", "Origin");
  return response;
}

std::optional<std::string> origin_of(const net::HttpRequest& request) {
  const auto origin = request.head.header("origin");
  return origin ? std::optional<std::string>(*origin) : std::nullopt;
}

// nullopt: its peer ended it, or it was counted by who did.
std::optional<TransportReason> reason_of(EngineClosed why) {
  switch (why) {
    case EngineClosed::kByPeer:
    case EngineClosed::kByServer:
    case EngineClosed::kSocketClosed:
      return std::nullopt;
    case EngineClosed::kPingTimeout:
      return Why::kPingTimeout;
    case EngineClosed::kBadPayload:
      return Why::kMalformed;
    case EngineClosed::kTwoPolls:
      return Why::kTwoPolls;
    case EngineClosed::kSlow:
      return Why::kSlow;
  }
  return std::nullopt;
}

net::HttpResponse fault(int status, int code, std::string_view message) {
  wire::JsonWriter json;
  json.object().key("code").value(code).key("message").value(message);
  return {status, "application/json", {{"Cache-Control", "no-store"}}, json.end().take()};
}

}  // namespace

bool HubDesk::is_path(std::string_view path) {
  return path == kPath || path == kPath.substr(0, kPath.size() - 1);
}

// ---- requests

void HubDesk::on_request(net::Connection& connection, const net::HttpRequest& request) {
  const std::string_view method = request.head.method;
  const auto query = TransportQuery::of(request.head.query);
  if (method == "OPTIONS") {
    net::HttpResponse response{204, "", {}, ""};
    response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST");
    response.headers.emplace_back("Access-Control-Allow-Headers", "Content-Type");
    return connection.respond(with_cors(std::move(response), origin_of(request)));
  }
  if (query.transport != "polling" && query.transport != "websocket") {
    return refuse(connection, request, Why::kBadRequest, {400, 0, "Transport unknown"});
  }
  const bool names_socket = query.transport == "websocket";
  if (names_socket != request.upgrade) {
    return refuse(connection, request, Why::kBadRequest, {400, 3, "Bad request"});
  }
  if (query.version != "4") {
    return refuse(connection, request, Why::kBadRequest, {400, 5, "Unsupported protocol version"});
  }
  if (query.sid.empty()) {
    if (method != "GET") {
      return refuse(connection, request, Why::kBadRequest, {400, 2, "Bad handshake method"});
    }
    return request.upgrade ? open_by_socket(connection, request)
                           : open_by_poll(connection, request);
  }
  if (shard_of(query.sid) >= core_.shared().brokers.size()) {
    return refuse(connection, request, Why::kUnknownSid, {400, 1, "Session ID unknown"});
  }
  const std::string sid(query.sid);
  if (request.upgrade) return on_upgrade(connection, request, sid);
  if (method != "GET" && method != "POST") {
    return refuse(connection, request, Why::kBadRequest, {400, 3, "Bad request"});
  }
  on_call(connection, request, sid);
}

void HubDesk::refuse(net::Connection& connection, const net::HttpRequest& request,
                     TransportReason why, const TransportFault& said) {
  metrics().transport[why].add();
  connection.respond(with_cors(fault(said.status, said.code, said.message), origin_of(request)));
}

std::uint32_t HubDesk::shard_of(std::string_view sid) const {
  const std::size_t place = sid.empty() ? std::string_view::npos : kAlphabet.find(sid.front());
  return static_cast<std::uint32_t>(std::min(place, kAlphabet.size()));
}

HubSession* HubDesk::session_at(std::string_view sid) {
  const auto found = sessions_.find(sid);
  return found == sessions_.end() || found->second->over ? nullptr : found->second.get();
}

std::optional<MeshNumber> HubDesk::mesh_for(const net::HttpRequest& request) const {
  const auto slug =
      core_.rules().mesh_for(kDialect, request.head.header("host").value_or(""), request.head.path);
  const membership::MeshSnapshot* mesh = slug ? core_.snapshot().mesh_by_slug(*slug) : nullptr;
  if (mesh == nullptr || door_of(mesh->mesh().number) == nullptr) return std::nullopt;
  return mesh->mesh().number;
}

// A session for who asks; nullptr: it was told why not.
HubSession* HubDesk::begin(net::Connection& connection, const net::HttpRequest& request) {
  const auto mesh = mesh_for(request);
  if (!mesh) {
    refuse(connection, request, Why::kNoMesh, {404, 4, "no mesh is bound to this path"});
    return nullptr;
  }
  const auto key = connection.peer().limit_key();
  const Elapsed now = core_.shard().now();
  const bool is_limited = core_.shared().options.hellos_per_second > 0 && !opens_.take(key, now);
  if (is_limited || penalties_.must_wait(key, now)) {
    core_.shared().metrics.penalties.add();
    metrics().transport[Why::kTooManySessions].add();
    net::HttpResponse later = fault(429, 4, "too many sessions from this address");
    later.headers.emplace_back("Retry-After", "1");
    connection.respond(with_cors(std::move(later), origin_of(request)));
    return nullptr;
  }
  make_room();
  std::array<unsigned char, kSidBytes> random{};
  crypto::random_bytes(random);
  std::string sid = kAlphabet[core_.shard().index()] + to_base64url(random);
  auto session = std::make_unique<HubSession>(
      *this, options().engine, sid,
      trust::Rate{options().packets_per_second, options().packets_burst});
  session->mesh = *mesh;
  session->peer = connection.peer();
  session->was_forwarded = request.head.was_forwarded();
  session->keeps_secrets = connection.is_encrypted() || connection.peer().is_loopback();
  session->opened = now;
  HubSession& here = *session;
  newcomers_.push_back(sid);
  sessions_.emplace(std::move(sid), std::move(session));
  metrics().sessions.add();
  return &here;
}

// The oldest that joined nothing makes room, as among connections.
void HubDesk::make_room() {
  while (!newcomers_.empty()) {
    HubSession* oldest = session_at(newcomers_.front());
    const bool is_new = oldest != nullptr && !oldest->proven;
    if (is_new && newcomers_.size() < kMostNewcomers) return;
    newcomers_.pop_front();
    if (is_new) end(*oldest, Why::kEvicted);
  }
}

void HubDesk::open_by_poll(net::Connection& connection, const net::HttpRequest& request) {
  HubSession* session = begin(connection, request);
  if (session == nullptr) return;
  wait_for(connection, session->engine.sid());
  const wire::EngineRequest number = ++last_request_;
  session->waiting[number] = {connection.id(), origin_of(request)};
  session->engine.open_by_poll(number, core_.shard().now());
}

void HubDesk::open_by_socket(net::Connection& connection, const net::HttpRequest& request) {
  HubSession* session = begin(connection, request);
  if (session == nullptr) return;
  connection.accept_websocket({}, unproven_frames_);
  link_of(connection).sid = session->engine.sid();
  session->carrier = connection.id();
  session->engine.open_by_socket(core_.shard().now());
}

// The one time a socket moves: to the shard of the session that it is to carry.
void HubDesk::on_upgrade(net::Connection& connection, const net::HttpRequest& request,
                         const std::string& sid) {
  const std::uint32_t shard = shard_of(sid);
  if (shard != core_.shard().index()) return core_.shard().hand_over(connection, shard);
  HubSession* session = session_of(sid, connection.peer());
  if (session == nullptr) {
    return connection.respond(with_cors(fault(400, 1, "Session ID unknown"), origin_of(request)));
  }
  if (!session->engine.offer_socket(core_.shard().now())) {
    return refuse(connection, request, Why::kBadUpgrade, {400, 3, "Bad request"});
  }
  connection.accept_websocket({}, session->proven ? frames_ : unproven_frames_);
  link_of(connection).sid = sid;
  session->probe = connection.id();
  if (session->proven) core_.shard().proven(connection);
}

void HubDesk::on_call(net::Connection& connection, const net::HttpRequest& request,
                      const std::string& sid) {
  wait_for(connection, sid);
  HubCall call{connection.id(),
               sid,
               request.head.method == "POST",
               crypto::SecretText(request.body),
               origin_of(request),
               connection.peer()};
  at(core_.shared(), core_.shard(), shard_of(sid),
     [call = std::move(call)](HubDesk& desk) { desk.serve(call); });
}

HubLink& HubDesk::link_of(net::Connection& connection) {
  auto* attached = static_cast<Attached*>(connection.attachment());
  if (attached == nullptr || attached->conversation != Conversation::kHub) {
    auto link = std::make_unique<HubLink>(connection);
    attached = link.get();
    connection.attach(std::move(link));
  }
  return static_cast<HubLink&>(*attached);
}

void HubDesk::wait_for(net::Connection& connection, const std::string& sid) {
  HubLink& link = link_of(connection);
  link.sid = sid;
  link.waits = true;
}

// A sid alone is no proof: it counts from where its session was begun. nullptr: and is counted.
HubSession* HubDesk::session_of(const std::string& sid, const net::PeerAddress& peer) {
  HubSession* session = session_at(sid);
  if (session != nullptr && session->peer.limit_key() == peer.limit_key()) return session;
  metrics().transport[session == nullptr ? Why::kUnknownSid : Why::kStolenSid].add();
  return nullptr;
}

void HubDesk::serve(const HubCall& call) {
  HubSession* session = session_of(call.sid, call.peer);
  if (session == nullptr) {
    return reply({call.from, call.origin}, fault(400, 1, "Session ID unknown"), false);
  }
  if (call.is_post) {
    serve_post(*session, call);
  } else {
    const wire::EngineRequest number = ++last_request_;
    session->waiting[number] = {call.from, call.origin};
    session->engine.on_poll(number, core_.shard().now());
  }
  unflushed_.push_back(call.sid);
}

// One body at a time, as the format's own server has it: a client sends its next when it has the
// answer to the last. That the answer went out may be known on another shard only, and is then on
// its way here before the next body can be: so who seems to be too soon is looked at once more,
// behind what was posted until now.
void HubDesk::serve_post(HubSession& session, const HubCall& call) {
  if (session.is_posting && !call.has_waited) {
    HubCall again = call;
    again.has_waited = true;
    return core_.mailbox().post([this, again = std::move(again)] { serve(again); });
  }
  const HubSession::Caller caller{call.from, call.origin, call.sid};
  if (session.is_posting) {
    reply({call.from, call.origin}, fault(400, 3, "Bad request"), session.proven);
    return end(session, Why::kTwoPosts);
  }
  session.is_posting = true;
  const wire::EngineRequest number = ++last_request_;
  session.waiting[number] = caller;
  const bool is_large = call.body.reveal().size() > core_.shared().options.unproven_frame_bytes;
  if (!session.proven && is_large) {
    answer(session, number, false, {});
    return end(session, Why::kTooLarge);
  }
  session.engine.on_post(number, call.body.reveal(), core_.shard().now());
}

void HubDesk::posted(const std::string& sid) {
  if (HubSession* session = session_at(sid)) session->is_posting = false;
}

void HubDesk::gone(const std::string& sid, ConnectionId from) {
  HubSession* session = session_at(sid);
  if (session == nullptr) return;
  const auto found = std::find_if(session->waiting.begin(), session->waiting.end(),
                                  [&](const auto& each) { return each.second.connection == from; });
  if (found == session->waiting.end()) return;
  const wire::EngineRequest request = found->first;
  session->waiting.erase(found);
  session->engine.on_gone(request);
}

void HubDesk::reply(const HubSession::Caller& to, net::HttpResponse response, bool proven) {
  response = with_cors(std::move(response), to.origin);
  at(core_.shared(), core_.shard(), to.connection.shard,
     [id = to.connection, response = std::move(response), proven, sid = to.posted](HubDesk& desk) {
       // Before the client can have its answer, so that its next body comes behind it.
       if (!sid.empty()) {
         at(desk.core_.shared(), desk.core_.shard(), desk.shard_of(sid),
            [sid](HubDesk& owner) { owner.posted(sid); });
       }
       desk.respond(id, response, proven);
     });
}

void HubDesk::respond(ConnectionId to, const net::HttpResponse& response, bool proven) {
  net::Connection* connection = core_.shard().find(to);
  if (connection == nullptr) return;
  link_of(*connection).waits = false;
  if (proven) core_.shard().proven(*connection);
  connection->respond(response);
}

// ---- what sessions want

void HubDesk::answer(HubSession& session, wire::EngineRequest request, bool ok,
                     std::string_view body) {
  const auto found = session.waiting.find(request);
  if (found == session.waiting.end()) return;
  const HubSession::Caller caller = std::move(found->second);
  session.waiting.erase(found);
  if (!ok) return reply(caller, fault(400, 3, "Bad request"), session.proven);
  reply(caller,
        {200, "text/plain; charset=UTF-8", {{"Cache-Control", "no-store"}}, std::string(body)},
        session.proven);
}

void HubDesk::send_on(HubSession& session, EngineSocket socket, bool binary,
                      std::string_view payload) {
  const auto& id = socket == EngineSocket::kCarrier ? session.carrier : session.probe;
  net::Connection* connection = id ? core_.shard().find(*id) : nullptr;
  if (connection == nullptr) return;
  const auto opcode = binary ? wire::Opcode::kBinary : wire::Opcode::kText;
  if (connection->send(opcode, payload) != net::Sent::kDropped) return;
  if (!connection->takes_frames()) return;  // it said goodbye; its end is on its way
  if (!std::exchange(session.is_slow, true)) count_end(session, Why::kSlow);
  connection->close(CloseReason::kSlowConsumer);
}

void HubDesk::on_upgraded(HubSession& session) {
  session.carrier = std::exchange(session.probe, std::nullopt);
  metrics().upgrades.add();
}

void HubDesk::drop(HubSession& session, EngineSocket socket) {
  auto& id = socket == EngineSocket::kCarrier ? session.carrier : session.probe;
  if (socket == EngineSocket::kProbe && !session.engine.is_closed()) {
    metrics().transport[Why::kBadProbe].add();
  }
  const auto dropped = std::exchange(id, std::nullopt);
  net::Connection* connection = dropped ? core_.shard().find(*dropped) : nullptr;
  if (connection != nullptr) connection->close(CloseReason::kNormal);
}

void HubDesk::on_engine_closed(HubSession& session, EngineClosed why) {
  if (const auto reason = reason_of(why)) count_end(session, *reason);
  session.over = true;
  over_.push_back(session.engine.sid());
}

void HubDesk::on_message(HubLink& link, bool binary, std::string_view payload) {
  HubSession* session = session_at(link.sid);
  if (session == nullptr) return;
  const ConnectionId id = link.connection.id();
  const bool is_carrier = session->carrier == id;
  if (!is_carrier && session->probe != id) return;
  session->engine.on_frame(is_carrier ? EngineSocket::kCarrier : EngineSocket::kProbe, binary,
                           payload, core_.shard().now());
}

void HubDesk::on_closed(HubLink& link) {
  const ConnectionId id = link.connection.id();
  if (link.waits) {
    at(core_.shared(), core_.shard(), shard_of(link.sid),
       [sid = link.sid, id](HubDesk& desk) { desk.gone(sid, id); });
  }
  HubSession* session = session_at(link.sid);
  if (session == nullptr) return;
  if (session->carrier == id) {
    session->carrier.reset();
    session->engine.on_socket_closed(EngineSocket::kCarrier);
  } else if (session->probe == id) {
    session->probe.reset();
    session->engine.on_socket_closed(EngineSocket::kProbe);
  }
}

}  // namespace signet::broker
