#include "broker/broker.h"

#include <algorithm>

#include "base/log.h"
#include "base/overloaded.h"
#include "crypto/random.h"
#include "wire/json.h"

namespace signet::broker {
namespace {

constexpr std::chrono::seconds kSweep{1};

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
          registry.counter("signet_duplicate_sends_total", "Retries that were the same message.")),
      handshakes_refused(registry, "signet_handshakes_refused_total",
                         "PulseMesh connections refused or ended, by reason.", "reason",
                         kHandshakeRefusalCount),
      tokens_refused(registry, "signet_tokens_refused_total", "Tokens refused, by the rule.",
                     "rule", kTokenRefusalCount),
      reads_refused(registry, "signet_reads_refused_total",
                    "Requests to read PulseMesh over HTTP refused, by reason.", "reason",
                    kReadRefusalCount),
      registrations_refused(registry, "signet_registrations_refused_total",
                            "SecureWebSocket registrations refused, by reason.", "reason",
                            kRegisterRefusalCount),
      relays_refused(registry, "signet_relays_refused_total",
                     "Envelopes that were not relayed, by reason.", "reason", kRelayRefusalCount),
      topic_sessions(registry.gauge("signet_pulsemesh_sessions", "Live PulseMesh sessions.")),
      relay_sessions(registry.gauge("signet_relay_sessions", "Live SecureWebSocket sessions.")),
      pulses(registry.counter("signet_pulses_total", "Pulses taken.")),
      pulse_deliveries(
          registry.counter("signet_pulse_deliveries_total", "Pulses written to a listener.")),
      pulses_dropped(registry.counter("signet_pulses_dropped_total",
                                      "Pulses that a slow reader lost, the oldest first.")),
      relayed(registry.counter("signet_relayed_total",
                               "Envelopes and node frames written to who they are for.")),
      penalties(registry.counter("signet_penalties_total",
                                 "Handshakes turned away because their address failed before.")),
      http_limited(registry.counter("signet_http_refused_total",
                                    "HTTP requests answered with 429, by reason.",
                                    "reason=\"rate_limited\"")),
      http_penalized(registry.counter("signet_http_refused_total",
                                      "HTTP requests answered with 429, by reason.",
                                      "reason=\"penalty\"")),
      audit_dropped(registry.counter("signet_audit_dropped_total",
                                     "Admissions and refusals that the log could not take.")),
      unprotected(registry.counter("signet_handshakes_unprotected_total",
                                   "Handshakes taken in meshes whose max_skew is 0.")) {
  constexpr std::array<std::string_view, 3> kPriorities{"now", "next", "low"};
  for (std::size_t i = 0; i < kPriorities.size(); ++i) {
    routed[i] = &registry.counter("broker_messages_routed_total", "Messages stored, by priority.",
                                  "priority=\"" + std::string(kPriorities[i]) + "\"");
  }
}

std::optional<std::chrono::nanoseconds> AddressRates::take(const net::PeerAddress& address,
                                                           Elapsed now) {
  if (off_) return std::nullopt;
  const auto key = address.limit_key();
  if (rates_.take(key, now)) return std::nullopt;
  return rates_.retry_after(key, now);
}

namespace {

// What is kept with a connection, where it is a session and where it is a transport of Hub's.
Session* session_of(net::Connection& connection) {
  auto* attached = static_cast<Attached*>(connection.attachment());
  const bool is_session = attached != nullptr && attached->conversation != Conversation::kHub;
  return is_session ? static_cast<Session*>(attached) : nullptr;
}
HubLink* hub_link(net::Connection& connection) {
  auto* attached = static_cast<Attached*>(connection.attachment());
  const bool is_link = attached != nullptr && attached->conversation == Conversation::kHub;
  return is_link ? static_cast<HubLink*>(attached) : nullptr;
}

wire::FrameLimits unproven(const BrokerOptions& options) {
  wire::FrameLimits limits = options.frames;
  limits.max_message_bytes = std::min(limits.max_message_bytes, options.unproven_frame_bytes);
  return limits;
}

// As bindings have it: what was decoded, so that no other spelling of a path goes elsewhere.
std::string path_of(const dialects::Opening& opening, std::string_view raw) {
  if (const auto* topic = std::get_if<dialects::OpensTopic>(&opening)) {
    return "/ws/mesh/" + topic->topic;
  }
  if (const auto* node = std::get_if<dialects::OpensNode>(&opening))
    return "/ws/node/" + node->node;
  return std::string(raw);
}

trust::PenaltyOptions penalties_of(const BrokerOptions& options) {
  trust::PenaltyOptions penalties;
  penalties.free_failures = options.penalty_failures;
  return penalties;
}

}  // namespace

Broker::Broker(Shared& shared, net::Shard& shard)
    : ShardCore(shared, shard),
      dialects_(dialects::all_dialects()),
      unproven_frames_(unproven(shared.options)),
      send_rates_(shared.options.sends_per_second_address, shared.options.sends_burst_address,
                  shared.options.rate_entries),
      hello_rates_(shared.options.hellos_per_second, shared.options.hellos_burst,
                   shared.options.rate_entries),
      request_rates_(shared.options.requests_per_second, shared.options.requests_burst,
                     shared.options.rate_entries),
      penalties_(penalties_of(shared.options)) {
  shared_.brokers.push_back(this);
  shard_.every(kSweep, [this] {
    expire_statuses();
    expire_sessions();
  });
}

void Broker::show(std::shared_ptr<const membership::MembershipSnapshot> snapshot,
                  const std::vector<MemberNumber>& narrowed) {
  const auto before = std::exchange(snapshot_, std::move(snapshot));
  ++shown_;
  // A mesh that was asked about before it was known had the policy of no mesh.
  std::erase_if(decisions_, [this](const auto& each) {
    return each.second.cache.shared_policy() != rules_of(each.first).policy;
  });
  for (const MemberNumber number : narrowed) {
    const auto found = sessions_.find(number);
    if (found == sessions_.end()) continue;
    const std::vector<Session*> sessions = found->second;  // closing changes the list
    for (Session* session : sessions) judge(*session);
  }
  const bool took_back = judge_tokens(*before);
  if (took_back || !narrowed.empty()) hub_.judge_all();
}

// A revocation names a token, or everybody's of a subject: who came by one is judged anew.
bool Broker::judge_tokens(const membership::MembershipSnapshot& before) {
  std::vector<Session*> judged;
  bool took_back = false;
  snapshot_->each_mesh([&](const membership::MeshSnapshot& mesh) {
    const membership::MeshSnapshot* old = before.mesh(mesh.mesh().number);
    const std::size_t revocations = old == nullptr ? 0 : old->token_revocations();
    if (mesh.token_revocations() == revocations) return;
    took_back = true;
    for (const auto& [member, sessions] : sessions_) {
      for (Session* session : sessions) {
        const bool is_meant =
            session->mesh == mesh.mesh().number && session->proof == trust::Proof::kToken;
        if (is_meant) judged.push_back(session);
      }
    }
  });
  for (Session* session : judged) judge(*session);
  return took_back;
}

void Broker::show_rules(std::shared_ptr<const Rules> rules) {
  rules_ = std::move(rules);
  decisions_.clear();
  std::vector<Session*> all;
  for (const auto& [member, sessions] : sessions_) {
    all.insert(all.end(), sessions.begin(), sessions.end());
  }
  for (Session* session : all) judge(*session);
  hub_.show_rules();
  if (shard_.index() != 0) return;  // said once
  snapshot_->each_mesh([this](const membership::MeshSnapshot& mesh) {
    wire::JsonWriter json;
    json.object().key("decision").value("policy_loaded").key("rules");
    json.value(std::uint64_t{rules_of(mesh.mesh().number).policy->rules()});
    announce(mesh.mesh().number, "governance.decision", json.end().take());
  });
}

// What an admitted session may do is decided anew: its roles, and whether it may stay at all.
void Broker::judge(Session& session) {
  const bool is_guest = session.member.value == 0;
  const membership::Member* member = member_of(session);
  const bool stands = is_guest ? rules_of(session.mesh).relay_open
                               : member != nullptr && membership::may_connect(member->standing) &&
                                     shows_still(session);
  if (session.conversation == Conversation::kRelay) {
    static_cast<RelaySession&>(session).last.reset();
  }
  if (const trust::Roles roles = roles_of(session); roles != session.roles) {
    session.roles = roles;
    topics_.drop_late(session);  // what waits was decided under the old ones
  }
  if (stands && ShardCore::may(session, {trust::Action::kConnect, {}})) return;
  close_narrowed(session, stands);
}

void Broker::close_narrowed(Session& session, bool stands) {
  const auto close = [&](CloseReason reason, std::string_view text = {}) {
    note(session, audit::Event::kEnded, text.empty() ? name_of(reason) : text);
    leave(session);
    session.state = SessionState::kClosing;
    session.connection.close(reason, text);
  };
  switch (session.conversation) {
    case Conversation::kTopic:
    case Conversation::kNode: {
      auto& proven = static_cast<SecretSession&>(session);
      const auto rule = lost_token(proven);
      if (rule == TokenRefusal::kExpired) return end(proven, HandshakeRefusal::kSessionExpired);
      if (rule) return refuse_token(proven, *rule);
      return end(proven, HandshakeRefusal::kNotPermitted);
    }
    case Conversation::kRelay:
      return close(CloseReason::kNotPermitted);
    case Conversation::kMail:
    case Conversation::kHub:
      break;
  }
  if (!stands) return close(CloseReason::kRevoked);
  close(CloseReason::kPolicy, name_of(HelloReject::kDenied));
}

std::optional<Broker::Found> Broker::dialect_for(const wire::RequestHead& head) {
  for (const auto& dialect : dialects_) {
    if (auto opening = dialect->opens(head.path, head.query)) {
      return Found{dialect.get(), *std::move(opening)};
    }
  }
  return std::nullopt;
}

void Broker::on_request(net::Connection& connection, const net::HttpRequest& request) {
  // The Unix socket and the operator's door are for those who administer: peers have no business
  // there.
  const bool administers =
      connection.peer().is_local() || connection.door() == net::Door::kOperator;
  if (!administers && HubDesk::is_path(request.head.path)) {
    return hub_.on_request(connection, request);
  }
  const auto found = administers ? std::nullopt : dialect_for(request.head);
  if (request.upgrade && found) return open(connection, request, *found);
  if (request.upgrade) return connection.respond(plain(404, "no WebSocket here\n"));
  if (found) return connection.respond(plain(426, "this path speaks WebSocket\n"));
  if (request.head.path == "/livez") return connection.respond(plain(200, "alive\n"));
  pass_on(connection, request);
}

// A join proves itself in its body and the format lets every page post one; a hook and a call of
// the operator's API are no page's.
bool Broker::is_public(const wire::RequestHead& head) const {
  if (HubDesk::is_path(head.path)) return false;  // polling reads and writes as its page's reader
  if (head.path.starts_with("/auth/")) return false;  // tokens that dev mode hands out
  return head.path == "/join" || ConnectionEvents::is_public(head);
}

// One body of long-polling carries what a WebSocket would carry in many messages.
std::size_t Broker::max_body_bytes(const wire::RequestHead& head) const {
  return HubDesk::is_path(head.path) ? shared_.options.hub.engine.max_payload : 0;
}

void Broker::open(net::Connection& connection, const net::HttpRequest& request,
                  const Found& found) {
  // Secrets can be guessed, keys can't: members behind the same address are let in.
  const bool is_mail = std::holds_alternative<dialects::OpensMail>(found.opening);
  const auto wait = penalties_.must_wait(connection.peer().limit_key(), shard_.now());
  if (wait && !is_mail) {
    shared_.metrics.penalties.add();
    shared_.metrics.http_penalized.add();
    net::HttpResponse later = plain(429, "too many failed handshakes from this address\n");
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
    later.headers.emplace_back("Retry-After", std::to_string(seconds));
    return connection.respond(later);
  }
  if (const auto* bad = std::get_if<dialects::BadPath>(&found.opening)) {
    return connection.respond(plain(400, std::string(bad->rule) + "\n"));
  }
  MeshNumber mesh;
  if (!is_mail) {
    const auto slug =
        rules_->mesh_for(found.dialect->name(), request.head.header("host").value_or(""),
                         path_of(found.opening, request.head.path));
    const membership::MeshSnapshot* bound = slug ? snapshot_->mesh_by_slug(*slug) : nullptr;
    if (bound == nullptr) return connection.respond(plain(404, "no mesh is bound to this path\n"));
    mesh = bound->mesh().number;
  }
  connection.accept_websocket({}, unproven_frames_);
  std::unique_ptr<Session> session = make_session(connection, found);
  session->mesh = mesh;
  Session& here = *session;
  connection.attach(std::move(session));
  connection.set_deadline(here.conversation == Conversation::kMail
                              ? shared_.options.hello_timeout
                              : shared_.options.handshake_timeout);
  if (here.conversation == Conversation::kRelay) challenge(static_cast<RelaySession&>(here));
}

std::unique_ptr<Session> Broker::make_session(net::Connection& connection, const Found& found) {
  dialects::Dialect& dialect = *found.dialect;
  if (const auto* topic = std::get_if<dialects::OpensTopic>(&found.opening)) {
    return std::make_unique<SecretSession>(connection, dialect, Conversation::kTopic, topic->topic);
  }
  if (const auto* node = std::get_if<dialects::OpensNode>(&found.opening)) {
    return std::make_unique<SecretSession>(connection, dialect, Conversation::kNode, node->node);
  }
  if (const auto* relay = std::get_if<dialects::OpensRelay>(&found.opening)) {
    return std::make_unique<RelaySession>(
        connection, dialect, relay->receipts,
        trust::Rate{shared_.options.relays_per_second, shared_.options.relays_burst});
  }
  return std::make_unique<MailSession>(connection, dialect);
}

void Broker::pass_on(net::Connection& connection, const net::HttpRequest& request) {
  const bool local = connection.peer().is_local();  // limits per address are not for it
  if (!local && request_rates_.take(connection.peer(), shard_.now())) {
    shared_.metrics.http_limited.add();
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
                crypto::SecretText(request.head.header("authorization").value_or("")),
                header("accept"),
                connection.is_encrypted(),
                request.head.was_forwarded(),
                std::string(request.body),
                connection.peer(),
                connection.door(),
                {}};
  if (const auto origin = request.head.header("origin")) call.origin = std::string(*origin);
  // Of who connects; behind a proxy that is the proxy.
  if (!call.forwarded) call.certificate = certified(connection);
  call.reply = [this, id = connection.id()](net::HttpResponse response) {
    mailbox().post([this, id, response = std::move(response)] {
      if (net::Connection* waiting = shard_.find(id)) waiting->respond(response);
    });
  };
  shared_.http(std::move(call));
}

void Broker::on_message(net::Connection& connection, wire::MessageKind kind,
                        std::string_view payload) {
  if (HubLink* link = hub_link(connection)) {
    return hub_.on_message(*link, kind == wire::MessageKind::kBinary, payload);
  }
  Session* session = session_of(connection);
  if (session == nullptr || session->state == SessionState::kClosing) return;
  if (kind == wire::MessageKind::kBinary) return on_binary(*session);
  if (session->state == SessionState::kProving) return hold(*session, payload);
  on_frame(*session, payload);
}

// None of the formats has binary frames; PulseMesh has a word for who begins with one.
void Broker::on_binary(Session& session) {
  const bool is_secret =
      session.conversation == Conversation::kTopic || session.conversation == Conversation::kNode;
  if (is_secret) {
    const bool admitted = session.state == SessionState::kAdmitted;
    return end(static_cast<SecretSession&>(session),
               admitted ? HandshakeRefusal::kNotAPulse : HandshakeRefusal::kBinaryFrame);
  }
  leave(session);
  session.state = SessionState::kClosing;
  session.connection.close(CloseReason::kUnsupportedData);
}

// What comes while a proof is looked up waits, within a bound.
void Broker::hold(Session& session, std::string_view payload) {
  const std::size_t cost = payload.size() + sizeof(std::string);  // an empty one is not free
  if (session.held_bytes + cost > shared_.options.held_bytes) {
    if (session.conversation != Conversation::kRelay) {
      return refuse(session, Refusal::kNoHello, {});
    }
    return refuse_envelope(static_cast<RelaySession&>(session), payload,
                           RelayRefusal::kRateLimited);
  }
  session.held_bytes += cost;
  session.held.emplace_back(payload);
}

void Broker::read_held(Id id) {
  Session* session = session_at(id);
  if (session == nullptr) return;
  session->held_bytes = 0;
  for (const std::string& frame : std::exchange(session->held, {})) {
    if (Session* here = session_at(id)) on_frame(*here, frame);
  }
}

// A proof was checked and holds: this is not nobody any more, and may say as much as its format
// allows.
void Broker::proving(Session& session) {
  session.state = SessionState::kProving;
  session.connection.set_frame_limits(shared_.options.frames);
}

// The session can be found from here on.
void Broker::enter(Session& session) {
  session.state = SessionState::kAdmitted;
  crypto::random_bytes(session.presence);
  sessions_[session.member].push_back(&session);
  note(session, audit::Event::kAdmitted, trust::name_of(session.proof));
  session.connection.clear_deadline();
  shard_.proven(session.connection);
  penalties_.succeeded(session.connection.peer().limit_key(), shard_.now());
  shared_.metrics.connections.add();
  shared_.metrics.active.add();
}

bool Broker::must_pay(const net::PeerAddress& peer) {
  if (!penalties_.must_wait(peer.limit_key(), shard_.now())) return false;
  shared_.metrics.penalties.add();
  return true;
}

// A proof that does not hold is what an address is made to wait for.
void Broker::failed(const net::PeerAddress& peer) {
  if (shared_.options.penalty_failures == 0) return;
  if (!penalties_.failed(peer.limit_key(), shard_.now())) return;
  if (const auto repeated = penalties_log_.take(0, shard_.now())) {
    log(LogLevel::kWarn, "address.must_wait", {{"peer", peer.text()}, {"repeated", *repeated}});
  }
}

void Broker::on_frame(Session& session, std::string_view frame) {
  const bool admitted = session.state == SessionState::kAdmitted;
  const dialects::Verb verb = session.dialect.read(
      frame, admitted ? dialects::Stage::kAdmitted : dialects::Stage::kUnproven);
  switch (session.conversation) {
    case Conversation::kMail:
      return on_mail_verb(static_cast<MailSession&>(session), verb);
    case Conversation::kTopic:
    case Conversation::kNode:
      return on_secret_verb(static_cast<SecretSession&>(session), verb, frame);
    case Conversation::kRelay:
      return on_relay_verb(static_cast<RelaySession&>(session), verb, frame);
    case Conversation::kHub:
      return;
  }
}

void Broker::on_mail_verb(MailSession& session, const dialects::Verb& verb) {
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
          [&](const dialects::Publish& v) { topics_.on_publish(session, v); },
          [&](const dialects::Subscribe& v) { topics_.on_subscribe(session, v); },
          [&](const dialects::Unsubscribe& v) { topics_.on_unsubscribe(session, v); },
          [&](const dialects::ReadHistory& v) { topics_.on_history(session, v); },
          [&](const dialects::ListTopics&) { topics_.on_list(session); },
          [](const dialects::Misspoken&) {},  // answered above
          // Verbs of other formats, which this one can't read.
          [](const dialects::SecretHello&) {},
          [](const dialects::TokenHello&) {},
          [](const dialects::TokenRefresh&) {},
          [](const dialects::Forward&) {},
          [](const dialects::ChallengeResponse&) {},
          [](const dialects::RelayEnvelope&) {},
          [](const dialects::BadHandshake&) {},
          [](const dialects::BadRegistration&) {},
      },
      verb);
}

MailSession* Broker::mail_at(Id id) {
  Session* session = session_at(id);
  const bool is_mail = session != nullptr && session->conversation == Conversation::kMail;
  return is_mail ? static_cast<MailSession*>(session) : nullptr;
}

void Broker::tell(ConnectionId id, const dialects::Reply& reply) {
  if (Session* session = session_at(id)) say(*session, reply);
}

void Broker::on_pong(net::Connection& connection, std::string_view payload) {
  Session* session = session_at(connection.id());
  if (session == nullptr) return;
  if (session->conversation == Conversation::kMail) {
    on_mail_pong(static_cast<MailSession&>(*session), payload);
  } else if (session->conversation == Conversation::kRelay) {
    names_.on_pong(static_cast<RelaySession&>(*session), payload);
  }
}

void Broker::on_deadline(net::Connection& connection) {
  Session* session = session_of(connection);
  if (session == nullptr || session->state == SessionState::kAdmitted) return;
  switch (session->conversation) {
    case Conversation::kMail:
      return reject(*session, HelloReject::kHelloTimeout);
    case Conversation::kTopic:
    case Conversation::kNode:
      return end(static_cast<SecretSession&>(*session), HandshakeRefusal::kHandshakeTimeout);
    case Conversation::kRelay:
      return fail_registration(static_cast<RelaySession&>(*session), RegisterRefusal::kTimedOut);
    case Conversation::kHub:
      return;  // its desk has its own time
  }
}

void Broker::on_closed(net::Connection& connection) {
  if (HubLink* link = hub_link(connection)) return hub_.on_closed(*link);
  Session* session = session_of(connection);
  if (session == nullptr) return;
  session->state = SessionState::kClosing;  // nobody can tell it anything any more
  leave(*session);
}

void Broker::on_turn_end() {
  for (const Id id : std::exchange(pushed_, {})) {
    if (MailSession* session = mail_at(id)) ask_for_pong(*session);
  }
  topics_.on_turn_end();
  names_.on_turn_end();
  hub_.on_turn_end();
}

}  // namespace signet::broker
