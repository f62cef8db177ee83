// The namespace `/engine`: those who do the jobs.
#include "base/log.h"
#include "base/overloaded.h"
#include "broker/broker.h"
#include "wire/json.h"

namespace signet::broker {
namespace {

using dialects::EngineEvent;
using wire::SocketPacketType;

constexpr std::string_view kEngines = "/engine";
constexpr std::string_view kRole = "engine";
constexpr unsigned kShardBits = 48;  // above them, a session's number says its shard

// What drives the machine; the others are telemetry.
std::optional<jobs::EngineSays> says_of(EngineEvent event) {
  switch (event) {
    case EngineEvent::kJobStarted:
      return jobs::EngineSays::kStarted;
    case EngineEvent::kJobProgress:
      return jobs::EngineSays::kProgress;
    case EngineEvent::kJobCompleted:
      return jobs::EngineSays::kCompleted;
    case EngineEvent::kJobFailed:
      return jobs::EngineSays::kFailed;
    case EngineEvent::kJobAck:
    case EngineEvent::kJobStatus:
    case EngineEvent::kEngineError:
      break;
  }
  return std::nullopt;
}

}  // namespace

// What an engine says of a job is kept with it, and told.
bool HubDesk::is_short(const dialects::EnginePacketSaid& said) const {
  const bool is_progress = said.event == EngineEvent::kJobProgress;
  return said.text.size() <= (is_progress ? dialects::kMaxEchoBytes : options().max_result_bytes);
}

void HubDesk::connect_engine(HubSession& session, std::optional<std::string_view> token) {
  HubEngine& worker = session.worker;
  if (worker.stage != HubStage::kOut) return;
  const HubDoor* door = door_of(session.mesh);
  const Elapsed now = core_.shard().now();
  worker.who = {session.mesh, {}, trust::Proof::kToken, {}};
  if (door == nullptr || door->engine_secret.empty()) {
    return refuse_engine(session, ConnectRefusal::kNotPermitted, "no engine secret");
  }
  if (penalties_.must_wait(session.peer.limit_key(), now)) {
    core_.shared().metrics.penalties.add();
    return refuse_engine(session, ConnectRefusal::kRateLimited);
  }
  if (!token) return refuse_engine(session, ConnectRefusal::kAuthRequired);
  const auto checked = core_.check_token(session.mesh, *token, TokenUse::kEngine);
  if (const auto* rule = std::get_if<TokenRefusal>(&checked)) {
    core_.shared().metrics.tokens_refused[*rule].add();
    const bool must_pay = core_.shared().options.penalty_failures > 0 && is_forgery(*rule);
    if (must_pay) (void)penalties_.failed(session.peer.limit_key(), now);
    return refuse_engine(session, ConnectRefusal::kInvalidToken, name_of(*rule));
  }
  const auto& facts = std::get<trust::TokenFacts>(checked);
  if (!is_of_engine(facts)) {
    return refuse_engine(session, ConnectRefusal::kInvalidTokenPayload, "role");
  }
  worker.who.source = facts.subject;
  worker.who.token = std::make_shared<const HeldToken>(core_.hold(session.mesh, facts));
  worker.stage = HubStage::kProving;
  worker.attempt = ++session.attempts;
  find_member(
      session, worker.who,
      [this, attempt = worker.attempt](HubSession& here, const Result<MemberNumber>& member) {
        if (here.worker.attempt == attempt) on_engine_member(here, member);
      });
}

bool HubDesk::is_of_engine(const trust::TokenFacts& facts) { return facts.role == kRole; }

// The format says no by DISCONNECT here, and the log says why.
void HubDesk::refuse_engine(HubSession& session, ConnectRefusal code, std::string_view rule) {
  metrics().connects_refused[code].add();
  note(session, session.worker.who, audit::Event::kRefused, name_of(code));
  if (const auto repeated = connects_log_.take(code, core_.shard().now())) {
    log(LogLevel::kWarn, "hub.engine_refused",
        {{"reason", name_of(code)},
         {"rule", rule},
         {"repeated", *repeated},
         {"peer", session.peer.text()}});
  }
  session.worker = HubEngine{};
  send(session, SocketPacketType::kDisconnect, kEngines, {});
  end_unless_joined(session);
}

void HubDesk::on_engine_member(HubSession& session, const Result<MemberNumber>& member) {
  HubEngine& worker = session.worker;
  if (worker.stage != HubStage::kProving) return;
  if (!member.ok()) return refuse_engine(session, ConnectRefusal::kNotPermitted);
  worker.who.member = *member;
  worker.roles = core_.roles_of(worker.who);
  if (!may_enter(worker.who, worker.roles)) {
    return refuse_engine(session, ConnectRefusal::kNotPermitted);
  }
  const auto most = core_.snapshot().mesh(session.mesh)->mesh().max_connections;
  if (!core_.shared().loads.enter(session.mesh, most)) {
    return refuse_engine(session, ConnectRefusal::kRateLimited);
  }
  worker.counted = true;
  join_engine(session);
}

void HubDesk::join_engine(HubSession& session) {
  HubEngine& worker = session.worker;
  worker.stage = HubStage::kJoined;
  worker.socket = new_socket_id();
  worker.number = (std::uint64_t{core_.shard().index()} << kShardBits) + ++last_engine_;
  worker.heard = core_.shard().now();
  prove(session);
  metrics().engines.add();
  note(session, worker.who, audit::Event::kAdmitted, trust::name_of(worker.who.proof));
  log(LogLevel::kInfo, "hub.engine_joined",
      {{"engine", worker.who.source}, {"socket", worker.socket}, {"peer", session.peer.text()}});
  wire::JsonWriter json;
  json.object().key("sid").value(worker.socket);
  send(session, SocketPacketType::kConnect, kEngines, json.end().take());
  at_home(session.mesh,
          [number = worker.number, place = HubPlace{core_.shard().index(), session.engine.sid()},
           who = worker.who](HubHome& home) {
            home.engine_enter(number, place, who.source, who.member);
          });
}

void HubDesk::leave_engine(HubSession& session) {
  const HubEngine worker = std::exchange(session.worker, HubEngine{});
  if (worker.counted) core_.shared().loads.leave(session.mesh);
  if (worker.stage != HubStage::kJoined) return;
  metrics().engines.add(-1);
  log(LogLevel::kInfo, "hub.engine_left", {{"engine", worker.who.source}});
  const auto how = worker.unfit ? jobs::Leaving::kUnfit : jobs::Leaving::kLost;
  at_home(session.mesh,
          [number = worker.number, how](HubHome& home) { home.engine_leave(number, how); });
  end_unless_joined(session);
}

void HubDesk::check_engine_time(HubSession& session) {
  HubEngine& worker = session.worker;
  const bool is_silent = core_.shard().now() - worker.heard >= options().engine_silent_after;
  const bool has_expired = worker.who.token != nullptr && core_.is_over(*worker.who.token);
  if (!is_silent && !has_expired) return;
  note(session, worker.who, audit::Event::kEnded, has_expired ? "auth_expired" : "timed_out");
  count_end(session, has_expired ? TransportReason::kTokenExpired : TransportReason::kSilent);
  if (has_expired) emit(session, kEngines, dialects::write_auth_expired());
  send(session, SocketPacketType::kDisconnect, kEngines, {});
  leave_engine(session);
}

void HubDesk::on_engine_event(HubSession& session, std::string_view data) {
  HubEngine& worker = session.worker;
  const dialects::EngineVerb verb = reader_.read_engine(data);
  const WallTime wall = core_.shared().clock.wall();
  std::visit(Overloaded{
                 [&](const dialects::EngineReady& v) {
                   worker.heard = core_.shard().now();
                   emit(session, kEngines, dialects::write_ready_ack(wall));
                   at_home(session.mesh, [number = worker.number, v](HubHome& home) {
                     home.engine_ready(number, v.dialect);
                   });
                 },
                 [&](const dialects::EngineHeartbeat&) {
                   worker.heard = core_.shard().now();
                   emit(session, kEngines, dialects::write_engine_heartbeat_ack(wall));
                   at_home(session.mesh,
                           [number = worker.number](HubHome& home) { home.engine_alive(number); });
                 },
                 [&](const dialects::EnginePacketSaid& v) { on_engine_packet(session, v); },
                 [&](const dialects::HubTokenRefresh& v) { on_refresh_of_engine(session, v); },
                 [&](const dialects::HubMalformed&) {  // of a refresh: no other event has an answer
                   refuse_renewal(session, worker.who, kEngines, TokenRefusal::kMalformed);
                 },
                 [](const dialects::HubUnknown&) {},
             },
             verb);
}

// Its jobs stay its own.
void HubDesk::on_refresh_of_engine(HubSession& session, const dialects::HubTokenRefresh& refresh) {
  if (!renew(session, session.worker.who, kEngines, refresh.token)) return;
  session.worker.roles = core_.roles_of(session.worker.who);
  judge(session);
}

// Signature, freshness and novelty come before the state: who can't sign learns nothing of jobs.
void HubDesk::on_engine_packet(HubSession& session, const dialects::EnginePacketSaid& said) {
  HubEngine& worker = session.worker;
  const HubDoor& door = *door_of(session.mesh);
  const trust::ActionRules rules{options().action_window, options().engine_window};
  const auto refused = trust::check_engine(said.claim, door.engine_secret.reveal(),
                                           core_.shared().clock.wall(), rules);
  worker.unfit = refused == EngineRefusal::kEngineSignatureInvalid ||
                 refused == EngineRefusal::kEngineTimestampExpired;
  if (refused) return reject(session, said.event, *refused);
  HubReport report;
  report.engine = worker.number;
  report.event = said.event;
  report.says = says_of(said.event).value_or(jobs::EngineSays::kStarted);
  report.job = said.job;
  report.fence = said.lease;
  report.text = said.text;
  core_.shared().store.spend_nonce(
      spend_of(worker.who.member, "engine", {}, *said.claim.nonce), core_.mailbox(),
      [this, sid = session.engine.sid(), fits = said.fits && is_short(said),
       report = std::move(report)](store::NonceOutcome outcome) {
        HubSession* here = session_at(sid);
        if (here == nullptr || here->worker.number != report.engine) return;
        if (outcome == store::NonceOutcome::kNew && !fits) {
          return reject(*here, report.event, EngineRefusal::kEnginePayloadInvalid);
        }
        on_engine_nonce(sid, report, outcome);
      });
}

void HubDesk::on_engine_nonce(const std::string& sid, const HubReport& report,
                              store::NonceOutcome outcome) {
  HubSession& session = *session_at(sid);
  switch (outcome) {
    case store::NonceOutcome::kUsed:
      return reject(session, report.event, EngineRefusal::kEngineNonceReplay);
    case store::NonceOutcome::kFull:
      return reject(session, report.event, EngineRefusal::kEngineRateLimited);
    case store::NonceOutcome::kForgotten:
    case store::NonceOutcome::kUnavailable:
      return reject(session, report.event, EngineRefusal::kEngineUnavailable);
    case store::NonceOutcome::kNew:
      return take_report(session, report);
  }
}

void HubDesk::take_report(HubSession& session, const HubReport& report) {
  const WallTime wall = core_.shared().clock.wall();
  switch (report.event) {
    case EngineEvent::kJobAck:
      emit(session, kEngines, dialects::write_ack_received(report.job, wall));
      break;
    case EngineEvent::kJobStatus:
      emit(session, kEngines, dialects::write_status_ack(report.job, wall));
      break;
    case EngineEvent::kEngineError:
      if (const auto repeated = engine_errors_log_.take(0, core_.shard().now())) {
        log(LogLevel::kWarn, "hub.engine_error",
            {{"engine", session.worker.who.source}, {"repeated", *repeated}});
      }
      emit(session, kEngines, dialects::write_error_ack(wall));
      break;
    case EngineEvent::kJobStarted:
    case EngineEvent::kJobProgress:
    case EngineEvent::kJobCompleted:
    case EngineEvent::kJobFailed:
      return at_home(session.mesh, [report](HubHome& home) { home.report(report); });
  }
  at_home(session.mesh, [number = report.engine](HubHome& home) { home.engine_told(number); });
}

void HubDesk::refuse_report(const std::string& sid, EngineEvent event, EngineRefusal code) {
  HubSession* session = session_at(sid);
  if (session != nullptr && session->worker.stage == HubStage::kJoined) {
    reject(*session, event, code);
  }
}

void HubDesk::reject(HubSession& session, EngineEvent event, EngineRefusal code) {
  metrics().engines_refused[code].add();
  const MemberNumber member = session.worker.who.member;
  if (code == EngineRefusal::kEngineSignatureInvalid) {
    core_.saw(session.mesh, member, true, Signal::kFailedProof);
  } else if (code == EngineRefusal::kEngineNonceReplay) {
    core_.saw(session.mesh, member, true, Signal::kReplay);
  }
  note(session, session.worker.who, audit::Event::kRefused, name_of(code));
  if (const auto repeated = engines_log_.take(code, core_.shard().now())) {
    log(LogLevel::kWarn, "hub.packet_refused",
        {{"reason", name_of(code)},
         {"answer", dialects::rejection_of(event)},
         {"repeated", *repeated},
         {"engine", session.worker.who.source},
         {"peer", session.peer.text()}});
  }
  emit(session, kEngines, dialects::write_rejected(event, code));
}

}  // namespace signet::broker
