#include "broker/broker.h"

#include "base/log.h"

namespace signet::broker {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 does not derive it

constexpr std::chrono::seconds kStatusSweep{1};

net::HttpResponse plain(int status, std::string_view text) {
  return {status, "text/plain", {{"Access-Control-Allow-Origin", "*"}}, std::string(text)};
}

}  // namespace

BrokerMetrics::BrokerMetrics(MetricRegistry& registry)
    : connections(registry.counter("broker_connections_total", "Peers admitted since the start.")),
      active(registry.gauge("broker_connections_active", "Admitted connections now.")),
      rejected(registry, "broker_connections_rejected_total", "Hellos refused, by reason.",
               "reason", kHelloRejectCount),
      refused(registry, "broker_messages_rejected_total",
              "Frames of open connections refused, by reason.", "reason", kRefusalCount),
      pushes(registry.counter("signet_pushes_total", "Messages written to a session.")),
      confirmed_by_pong(registry.counter("signet_confirmed_total",
                                         "Pushes known to have arrived, by what said so.",
                                         "by=\"pong\"")),
      confirmed_by_receipt(registry.counter("signet_confirmed_total",
                                            "Pushes known to have arrived, by what said so.",
                                            "by=\"receipt\"")),
      duplicates(
          registry.counter("signet_duplicate_sends_total", "Retries that were the same message.")) {
  constexpr std::array<std::string_view, 3> kPriorities{"now", "next", "low"};
  for (std::size_t i = 0; i < kPriorities.size(); ++i) {
    routed[i] = &registry.counter("broker_messages_routed_total", "Messages stored, by priority.",
                                  "priority=\"" + std::string(kPriorities[i]) + "\"");
  }
}

Shared::Shared(const BrokerOptions& its_options, store::Store& its_store, Mailbox& its_control,
               const Clock& its_clock, MetricRegistry& registry)
    : options(its_options),
      store(its_store),
      control(its_control),
      clock(its_clock),
      metrics(registry),
      send_rates(its_options.sends_per_second, its_options.sends_burst),
      hello_rates(its_options.hellos_per_second_member, its_options.hellos_burst_member) {}

std::optional<std::chrono::nanoseconds> AddressRates::take(const net::PeerAddress& address,
                                                           Elapsed now) {
  if (off_) return std::nullopt;
  const auto key = address.limit_key();
  if (rates_.take(key, now)) return std::nullopt;
  return rates_.retry_after(key, now);
}

Broker::Broker(Shared& shared, net::Shard& shard)
    : shared_(shared),
      shard_(shard),
      dialects_(dialects::all_dialects()),
      snapshot_(std::make_shared<membership::MembershipSnapshot>()),
      send_rates_(shared.options.sends_per_second_address, shared.options.sends_burst_address,
                  shared.options.rate_entries),
      hello_rates_(shared.options.hellos_per_second, shared.options.hellos_burst,
                   shared.options.rate_entries),
      request_rates_(shared.options.requests_per_second, shared.options.requests_burst,
                     shared.options.rate_entries) {
  shared_.brokers.push_back(this);
  shard_.every(kStatusSweep, [this] { expire_statuses(); });
}

void Broker::show(std::shared_ptr<const membership::MembershipSnapshot> snapshot,
                  const std::vector<MemberNumber>& narrowed) {
  snapshot_ = std::move(snapshot);
  ++shown_;
  for (const MemberNumber number : narrowed) {
    const auto found = sessions_.find(number);
    if (found == sessions_.end()) continue;
    const std::vector<Session*> sessions = found->second;  // closing changes the list
    for (Session* session : sessions) {
      const membership::Member* member = member_of(*session);
      if (member != nullptr && membership::may_connect(member->standing)) continue;
      leave(*session);
      session->state = SessionState::kClosing;
      session->connection.close(CloseReason::kRevoked);
    }
  }
}

dialects::Dialect* Broker::dialect_for(std::string_view path) {
  for (const auto& dialect : dialects_) {
    if (dialect->serves(path)) return dialect.get();
  }
  return nullptr;
}

void Broker::on_request(net::Connection& connection, const net::HttpRequest& request) {
  // The Unix socket is for those who administer: peers have no business there.
  const bool local = connection.peer().is_local();
  dialects::Dialect* dialect = local ? nullptr : dialect_for(request.head.path);
  if (request.upgrade && dialect != nullptr) {
    connection.accept_websocket({}, shared_.options.frames);
    connection.attach(std::make_unique<Session>(connection, *dialect));
    connection.set_deadline(shared_.options.hello_timeout);
    return;
  }
  if (request.upgrade) return connection.respond(plain(404, "no WebSocket here\n"));
  if (dialect != nullptr) return connection.respond(plain(426, "this path speaks WebSocket\n"));
  if (request.head.path == "/livez") return connection.respond(plain(200, "alive\n"));
  pass_on(connection, request);
}

void Broker::pass_on(net::Connection& connection, const net::HttpRequest& request) {
  const bool local = connection.peer().is_local();  // limits per address are not for it
  if (!local && request_rates_.take(connection.peer(), shard_.now())) {
    return connection.respond(plain(429, "rate limited"));
  }
  const auto header = [&](std::string_view name) {
    return std::string(request.head.header(name).value_or(""));
  };
  HttpCall call{std::string(request.head.method),
                std::string(request.head.path),
                std::string(request.head.query),
                header("host"),
                std::nullopt,
                header("authorization"),
                std::string(request.body),
                connection.peer(),
                {}};
  if (const auto origin = request.head.header("origin")) call.origin = std::string(*origin);
  call.reply = [this, id = connection.id()](net::HttpResponse response) {
    mailbox().post([this, id, response = std::move(response)] {
      if (net::Connection* waiting = shard_.find(id)) waiting->respond(response);
    });
  };
  shared_.http(std::move(call));
}

void Broker::on_message(net::Connection& connection, wire::MessageKind kind,
                        std::string_view payload) {
  auto* session = static_cast<Session*>(connection.attachment());
  if (session == nullptr || session->state == SessionState::kClosing) return;
  if (kind == wire::MessageKind::kBinary) {
    session->state = SessionState::kClosing;
    leave(*session);
    return connection.close(CloseReason::kUnsupportedData);
  }
  if (session->state == SessionState::kProving) {
    const std::size_t cost = payload.size() + sizeof(std::string);  // an empty one is not free
    const bool fits = session->held_bytes + cost <= shared_.options.held_bytes;
    if (!fits) return refuse(*session, Refusal::kNoHello, {});
    session->held_bytes += cost;
    session->held.emplace_back(payload);
    return;
  }
  on_frame(*session, payload);
}

void Broker::on_frame(Session& session, std::string_view frame) {
  on_verb(session, session.dialect.read(frame));
}

void Broker::on_verb(Session& session, const dialects::Verb& verb) {
  const bool awaits_hello = session.state == SessionState::kAwaitsHello;
  const auto* misspoken = std::get_if<dialects::Misspoken>(&verb);
  if (misspoken != nullptr && !(awaits_hello && misspoken->is_message)) {
    return refuse(session, misspoken->code, misspoken->client_id, std::nullopt, misspoken->rule);
  }
  const auto* hello = std::get_if<dialects::Hello>(&verb);
  if (awaits_hello) {
    if (hello == nullptr) return refuse(session, Refusal::kNoHello, {});
    return on_hello(session, *hello);
  }
  std::visit(
      Overloaded{
          [&](const dialects::Hello&) { refuse(session, Refusal::kAlreadyHello, {}); },
          [&](const dialects::Send& v) { on_send(session, v); },
          [&](const dialects::SetStatus& v) {
            set_status(session, v.status, StatusSource::kManual);
          },
          [&](const dialects::SetSummary& v) { session.summary = v.summary; },
          [&](const dialects::ListPeers&) { on_list_peers(session); },
          [&](const dialects::ListMembers& v) { on_list_members(session, v); },
          [&](const dialects::JoinChannel& v) { on_channel(session, std::string(v.name), true); },
          [&](const dialects::LeaveChannel& v) { on_channel(session, std::string(v.name), false); },
          [&](const dialects::ListChannels&) { on_list_channels(session); },
          [&](const dialects::Receipt& v) { on_receipt(session, v); },
          [](const dialects::Misspoken&) {},  // answered above
      },
      verb);
}

void Broker::say(Session& session, const dialects::Reply& reply) {
  (void)say_text(session, session.dialect.write(reply));
}

// An answer that found no room is an answer lost: whoever does not read is told so and starts anew.
bool Broker::say_text(Session& session, std::string_view text) {
  if (session.connection.send(wire::Opcode::kText, text) != net::Sent::kDropped) return true;
  session.connection.close(CloseReason::kSlowConsumer);
  return false;
}

void Broker::refuse(Session& session, Refusal code, std::string_view client_id,
                    std::optional<std::chrono::nanoseconds> retry_after, std::string_view detail) {
  shared_.metrics.refused[code].add();
  dialects::Refused refused{code, client_id, std::nullopt};
  if (retry_after) {
    constexpr std::chrono::nanoseconds kAlmostOne{999'999};  // a wait is rounded up
    refused.retry_after_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(*retry_after + kAlmostOne).count();
  }
  if (const auto repeated = refused_log_.take(code, shard_.now())) {
    log(LogLevel::kInfo, "frame.refused",
        {{"code", name_of(code)},
         {"repeated", *repeated},
         {"rule", detail},
         {"peer", session.connection.peer().text()},
         {"presence", session.presence_id}});
  }
  say(session, refused);
}

Session* Broker::session_at(Id id) {
  net::Connection* connection = shard_.find(id);
  if (connection == nullptr) return nullptr;
  auto* session = static_cast<Session*>(connection->attachment());
  return session == nullptr || session->state == SessionState::kClosing ? nullptr : session;
}

const membership::Member* Broker::member_of(const Session& session) const {
  const membership::MeshSnapshot* mesh = snapshot_->mesh(session.mesh);
  return mesh == nullptr ? nullptr : mesh->member(session.member);
}

void Broker::on_deadline(net::Connection& connection) {
  auto* session = static_cast<Session*>(connection.attachment());
  if (session == nullptr || session->state == SessionState::kAdmitted) return;
  reject(*session, HelloReject::kHelloTimeout);
}

void Broker::on_closed(net::Connection& connection) {
  auto* session = static_cast<Session*>(connection.attachment());
  if (session != nullptr) leave(*session);
}

void Broker::on_turn_end() {
  for (const Id id : std::exchange(pushed_, {})) {
    if (Session* session = session_at(id)) ask_for_pong(*session);
  }
}

}  // namespace signet::broker
