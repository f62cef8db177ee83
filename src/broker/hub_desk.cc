#include "broker/hub_desk.h"

#include <algorithm>
#include <array>
#include <functional>

#include "base/encoding.h"
#include "base/log.h"
#include "broker/broker.h"
#include "crypto/random.h"
#include "wire/http_fields.h"

namespace signet::broker {
namespace {

using wire::EngineClosed;
using wire::EngineSocket;
using wire::SocketPacketType;

constexpr std::chrono::milliseconds kTick{250};
constexpr std::chrono::seconds kAttachmentsWithin{5};
constexpr std::size_t kSocketIdBytes = 15;  // as the original's: 20 characters

constexpr std::string_view kUsers = "/";
constexpr std::string_view kEngines = "/engine";

wire::FrameLimits frames_of(const BrokerOptions& options, std::size_t bytes) {
  wire::FrameLimits limits = options.frames;
  limits.max_message_bytes = bytes;
  return limits;
}

trust::PenaltyOptions penalties_of(const BrokerOptions& options) {
  trust::PenaltyOptions penalties;
  penalties.free_failures = options.penalty_failures;
  return penalties;
}

}  // namespace

// ---- of sessions

void HubSession::answer(wire::EngineRequest request, bool ok, std::string_view body) {
  desk.answer(*this, request, ok, body);
}
void HubSession::send_on(EngineSocket socket, bool binary, std::string_view payload) {
  desk.send_on(*this, socket, binary, payload);
}
void HubSession::on_upgraded() { desk.on_upgraded(*this); }
void HubSession::drop(EngineSocket socket) { desk.drop(*this, socket); }
void HubSession::on_message(bool binary, std::string_view data) {
  desk.on_engine_message(*this, binary, data);
}
void HubSession::on_closed(EngineClosed why) { desk.on_engine_closed(*this, why); }

HubDesk::HubDesk(ShardCore& core)
    : core_(core),
      frames_(frames_of(core.shared().options, core.shared().options.hub.engine.max_payload)),
      unproven_frames_(
          frames_of(core.shared().options, core.shared().options.unproven_frame_bytes)),
      opens_(core.shared().options.hellos_per_second, core.shared().options.hellos_burst,
             core.shared().options.rate_entries),
      penalties_(penalties_of(core.shared().options)) {
  core_.shard().every(kTick, [this] { on_time(); });
}

HubDesk::~HubDesk() = default;

void HubDesk::at(const Shared& shared, const net::Shard& here, std::uint32_t shard, Task task) {
  Broker& broker = *shared.brokers[shard];
  if (shard == here.index()) return task(broker.hub());
  broker.mailbox().post([&broker, task = std::move(task)] { task(broker.hub()); });
}

void HubDesk::at_home(MeshNumber mesh, HomeTask task) {
  const std::uint32_t shard = core_.shared().home_of(mesh).shard_index();
  at(core_.shared(), core_.shard(), shard,
     [mesh, task = std::move(task)](HubDesk& desk) { task(desk.home(mesh)); });
}

HubHome& HubDesk::home(MeshNumber mesh) {
  auto& home = homes_[mesh];
  if (!home) home = std::make_unique<HubHome>(core_, mesh);
  return *home;
}

const HubDoor* HubDesk::door_of(MeshNumber mesh) const { return core_.rules_of(mesh).hub.get(); }

// ---- packets

void HubDesk::on_engine_message(HubSession& session, bool binary, std::string_view data) {
  const Elapsed now = core_.shard().now();
  const bool was_waiting = session.decoder.is_waiting();
  const bool is_limited = options().packets_per_second > 0 && !session.packets.take(now);
  const auto packet = binary ? session.decoder.binary(data) : session.decoder.text(data);
  if (!packet.ok()) return end(session, TransportReason::kMalformed, packet.error().detail);
  if (is_limited) return end(session, TransportReason::kTooFast);
  if (session.decoder.is_waiting() && !session.proven) {  // what is pinned is for who is somebody
    return end(session, TransportReason::kTooEarly, "attachments");
  }
  if (!was_waiting && session.decoder.is_waiting()) session.incomplete_since = now;
  if (*packet == nullptr) return;
  on_packet(session, **packet);
  session.decoder.release();
}

void HubDesk::on_packet(HubSession& session, const wire::SocketPacket& packet) {
  switch (packet.type) {
    case SocketPacketType::kConnect:
      return on_connect(session, packet);
    case SocketPacketType::kDisconnect:
      if (packet.nsp == kUsers) leave_user(session);
      if (packet.nsp == kEngines) leave_engine(session);
      return;
    case SocketPacketType::kEvent:
    case SocketPacketType::kBinaryEvent:
      return on_event(session, packet);
    case SocketPacketType::kAck:
    case SocketPacketType::kBinaryAck:
      return;  // nobody is asked for one
    case SocketPacketType::kConnectError:
      return end(session, TransportReason::kMalformed, "the server's word alone");
  }
}

void HubDesk::on_connect(HubSession& session, const wire::SocketPacket& packet) {
  const auto shown = reader_.read_credentials(packet.data);
  if (packet.nsp == kUsers) return connect_user(session, shown);
  if (packet.nsp == kEngines) return connect_engine(session, shown.token);
  metrics().connects_refused[ConnectRefusal::kInvalidNamespace].add();
  // The words are those of the format's own server.
  send(session, SocketPacketType::kConnectError, packet.nsp, R"({"message":"Invalid namespace"})");
  end_unless_joined(session);
}

void HubDesk::on_event(HubSession& session, const wire::SocketPacket& packet) {
  const bool is_user = packet.nsp == kUsers && session.user.stage == HubStage::kJoined;
  const bool is_engine = packet.nsp == kEngines && session.worker.stage == HubStage::kJoined;
  if (!is_user && !is_engine) {  // nothing may come before CONNECT
    return end(session, TransportReason::kTooEarly, "event");
  }
  acknowledge(session, packet);
  is_user ? on_user_event(session, packet.data) : on_engine_event(session, packet.data);
}

// Who asks for an acknowledgement is told that its event was read; what came of it, events say.
void HubDesk::acknowledge(HubSession& session, const wire::SocketPacket& packet) {
  if (!packet.id) return;
  std::string text;
  wire::append_socket_packet(text, SocketPacketType::kAck, packet.nsp, packet.id, "[]");
  session.engine.send(false, text);
  unflushed_.push_back(session.engine.sid());
}

void HubDesk::send(HubSession& session, SocketPacketType type, std::string_view nsp,
                   std::string_view data) {
  if (session.over) return;
  std::string text;
  wire::append_socket_packet(text, type, nsp, std::nullopt, data);
  session.engine.send(false, text);
  unflushed_.push_back(session.engine.sid());
}

void HubDesk::end_unless_joined(HubSession& session) {
  if (session.has_joined() || session.over) return;
  session.ends = core_.shard().now() + options().refusal_delivery;
  unflushed_.push_back(session.engine.sid());  // its turn may yet bring another CONNECT
}

// From here on this is somebody: larger messages, and no place among the unproven.
void HubDesk::prove(HubSession& session) {
  session.ends.reset();
  if (std::exchange(session.proven, true)) return;
  penalties_.succeeded(session.peer.limit_key(), core_.shard().now());
  for (const auto& id : {session.carrier, session.probe}) {
    net::Connection* connection = id ? core_.shard().find(*id) : nullptr;
    if (connection == nullptr) continue;
    core_.shard().proven(*connection);
    connection->set_frame_limits(frames_);
  }
}

void HubDesk::count_end(const HubSession& session, TransportReason why, std::string_view rule) {
  metrics().transport[why].add();
  if (const auto repeated = ends_log_.take(why, core_.shard().now())) {
    log(LogLevel::kInfo, "hub.ended",
        {{"reason", name_of(why)},
         {"rule", rule},
         {"peer", session.peer.text()},
         {"repeated", *repeated}});
  }
}

void HubDesk::end(HubSession& session, TransportReason why, std::string_view rule) {
  count_end(session, why, rule);
  session.engine.close();
}

void HubDesk::note(const HubSession& session, const Principal& who, audit::Event event,
                   std::string_view code) {
  core_.note(session.mesh, who.member, session.peer, event, code);
}

// ---- who is it

std::string HubDesk::new_socket_id() {
  std::array<unsigned char, kSocketIdBytes> random{};
  crypto::random_bytes(random);
  return to_base64url(random);
}

// The parts of what is spent can't run together.
store::SpendNonce HubDesk::spend_of(MemberNumber member, std::string_view kind,
                                    std::string_view agent, std::string_view nonce) const {
  return {member, crypto::digest16("signet-hub-nonce-v1", {kind, agent, nonce}),
          core_.shared().clock.wall() + options().nonce_memory};
}

// A subject that is new becomes a member, if the policy lets it in.
void HubDesk::find_member(const HubSession& session, const Principal& who, OnMember then) {
  const membership::MeshSnapshot* mesh = core_.snapshot().mesh(session.mesh);
  const membership::Member* known = mesh == nullptr ? nullptr : mesh->member_with_id(who.source);
  const auto answer = [this, sid = session.engine.sid(),
                       then = std::move(then)](const Result<MemberNumber>& member) {
    if (HubSession* here = session_at(sid)) then(*here, member);
  };
  if (known != nullptr) {
    const bool is_proven_otherwise = known->key || who.source == membership::kSharedMember;
    return answer(is_proven_otherwise
                      ? Result<MemberNumber>(Error{ErrorCode::kForbidden, "proven otherwise"})
                      : Result<MemberNumber>(known->number));
  }
  if (!core_.may_become_member(who)) {
    return answer(Error{ErrorCode::kForbidden, "the policy keeps it out"});
  }
  core_.shared().control.post([this, who, answer] {
    core_.shared().controller->admit_subject(
        who.mesh, who.source, trust::name_of(who.proof),
        [this, answer](const Result<MemberNumber>& member) {
          core_.mailbox().post([answer, member] { answer(member); });
        });
  });
}

// As this shard sees it now: between a token and its member's number, much may change.
bool HubDesk::may_enter(const Principal& who, trust::Roles roles) {
  const auto lost =
      who.token == nullptr ? std::nullopt : core_.lost_token(who.mesh, who.source, *who.token);
  // One that is over is told so in a word of its own (check_user_time).
  const bool has_token = !lost || *lost == TokenRefusal::kExpired;
  if (!has_token || door_of(who.mesh) == nullptr) return false;
  const membership::MeshSnapshot* mesh = core_.snapshot().mesh(who.mesh);
  const membership::Member* member = mesh == nullptr ? nullptr : mesh->member(who.member);
  return member != nullptr && membership::may_connect(member->standing) &&
         core_.may(who, roles, {trust::Action::kConnect, {}});
}

std::optional<trust::TokenFacts> HubDesk::renew(HubSession& session, Principal& who,
                                                std::string_view nsp, std::string_view token) {
  // A signature costs as much as hundreds of messages; nobody has so many tokens.
  if (core_.shared().hello_rates.take(who.member, core_.shard().now())) {
    end(session, TransportReason::kTooFast, "token_refresh");
    return std::nullopt;
  }
  const bool is_engine = nsp == kEngines;
  auto checked =
      core_.check_token(who.mesh, token, is_engine ? TokenUse::kEngine : TokenUse::kMember);
  std::optional<TokenRefusal> refused;
  if (const auto* rule = std::get_if<TokenRefusal>(&checked)) {
    refused = *rule;
  } else {
    const auto& facts = std::get<trust::TokenFacts>(checked);
    const bool is_its_own =
        who.token != nullptr && facts.subject == who.source && (!is_engine || is_of_engine(facts));
    if (!is_its_own) refused = TokenRefusal::kBadClaim;
  }
  if (refused) {
    refuse_renewal(session, who, nsp, *refused);
    return std::nullopt;
  }
  auto& facts = std::get<trust::TokenFacts>(checked);
  who.token = std::make_shared<const HeldToken>(core_.hold(who.mesh, facts));
  emit(session, nsp, dialects::write_token_ok(facts.expires));
  return std::move(facts);
}

void HubDesk::refuse_renewal(HubSession& session, const Principal& who, std::string_view nsp,
                             TokenRefusal rule) {
  core_.shared().metrics.tokens_refused[rule].add();
  note(session, who, audit::Event::kRefused, name_of(rule));
  if (const auto repeated = renewals_log_.take(rule, core_.shard().now())) {
    log(LogLevel::kWarn, "hub.renewal_refused",
        {{"reason", name_of(rule)},
         {"namespace", nsp},
         {"repeated", *repeated},
         {"subject", who.source},
         {"peer", session.peer.text()}});
  }
  emit(session, nsp, dialects::write_token_error(rule));
}

// ---- time and change

void HubDesk::on_time() {
  const Elapsed now = core_.shard().now();
  for (auto& [sid, session] : sessions_) {
    if (session->over) continue;
    if (session->engine.due() <= now) session->engine.on_time(now);
    if (session->over) continue;
    const bool is_new = !session->has_joined();
    if (is_new && !session->ends && now - session->opened > options().connect_timeout) {
      end(*session, TransportReason::kJoinedNothing);
    } else if (session->decoder.is_waiting() &&
               now - session->incomplete_since > kAttachmentsWithin) {
      end(*session, TransportReason::kIncomplete);
    } else if (is_new && session->ends && *session->ends <= now) {
      session->engine.close();  // it was told why
    }
    if (session->over) continue;
    if (session->user.stage == HubStage::kJoined) check_user_time(*session);
    if (session->worker.stage == HubStage::kJoined) check_engine_time(*session);
  }
  for (auto& [mesh, home] : homes_) home->on_time();
}

void HubDesk::judge_all() {
  for (auto& [sid, session] : sessions_) {
    if (!session->over) judge(*session);
  }
}

void HubDesk::show_rules() {
  judge_all();
  for (auto& [mesh, home] : homes_) home->show_rules();
}

// May it still be here, and as what?
void HubDesk::judge(HubSession& session) {
  const auto stands = [&](const Principal& who, trust::Roles& roles) {
    roles = core_.roles_of(who);
    return may_enter(who, roles);
  };
  if (session.user.stage == HubStage::kJoined && !stands(session.user.who, session.user.roles)) {
    note(session, session.user.who, audit::Event::kEnded, name_of(CloseReason::kRevoked));
    count_end(session, TransportReason::kRevoked);
    send(session, SocketPacketType::kDisconnect, kUsers, {});
    leave_user(session);
  }
  judge_role(session);
  if (session.worker.stage == HubStage::kJoined &&
      !stands(session.worker.who, session.worker.roles)) {
    note(session, session.worker.who, audit::Event::kEnded, name_of(CloseReason::kRevoked));
    count_end(session, TransportReason::kRevoked);
    send(session, SocketPacketType::kDisconnect, kEngines, {});
    leave_engine(session);
  }
}

// Who leaves is spoken of to who stays, which is to go out in this turn as well.
void HubDesk::on_turn_end() {
  do {
    for (const std::string& sid : std::exchange(unflushed_, {})) {
      HubSession* session = session_at(sid);
      if (session == nullptr) continue;
      session->engine.flush();
      const bool is_delivered =
          session->ends && !session->has_joined() && session->engine.buffered() == 0;
      if (is_delivered) session->engine.close();
    }
    bury();
  } while (!unflushed_.empty());
}

// Sessions end between events only, so that any of them may be closed within any.
void HubDesk::bury() {
  for (const std::string& sid : std::exchange(over_, {})) {
    const auto found = sessions_.find(sid);
    if (found == sessions_.end()) continue;
    leave_user(*found->second);
    leave_engine(*found->second);
    sessions_.erase(found);
    metrics().sessions.add(-1);
  }
}

void HubDesk::tell(const std::string& sid, std::string_view nsp, std::string_view data) {
  HubSession* session = session_at(sid);
  if (session == nullptr) return;
  const bool is_there = nsp == kEngines ? session->worker.stage == HubStage::kJoined
                                        : session->user.stage == HubStage::kJoined;
  if (is_there) emit(*session, nsp, data);
}

void HubDesk::tell_user(MeshNumber mesh, const std::string& user, std::string_view data,
                        HubSockets which) {
  const auto found = users_.find({mesh, user});
  if (found == users_.end()) return;
  for (HubSession* session : found->second) {
    const bool is_of_admin = which == HubSockets::kOfAdmins;
    const bool is_meant = which == HubSockets::kAll || session->user.admin == is_of_admin;
    if (is_meant) emit(*session, kUsers, data);
  }
}

void HubDesk::tell_all(MeshNumber mesh, std::string_view data) {
  const auto first = users_.lower_bound({mesh, std::string()});
  for (auto each = first; each != users_.end() && each->first.first == mesh; ++each) {
    for (HubSession* session : each->second) emit(*session, kUsers, data);
  }
}

}  // namespace signet::broker
