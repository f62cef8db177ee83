// The namespace `/`: users, their actions, their presence, and the worlds they ask for.
#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "base/overloaded.h"
#include "broker/broker.h"
#include "crypto/random.h"
#include "jobs/world_jobs.h"
#include "wire/json.h"

namespace signet::broker {
namespace {

using dialects::HubState;
using trust::Action;
using wire::SocketPacketType;

constexpr std::string_view kUsers = "/";
constexpr std::string_view kSimulatedUser = "simulated";
constexpr std::string_view kAdminRole = "admin";  // sees everybody, where the policy agrees
constexpr std::size_t kAgentNonceBytes = 16;
constexpr std::size_t kJobIdBytes = 16;
constexpr std::size_t kBytesAnAction = 2'048;  // of a world: what it costs to check is as much

// What can be asked of a policy for a kind of action is a topic of that name.
std::string topic_of(std::string_view category) { return "hub.action." + std::string(category); }

ConnectRefusal refusal_of(TokenRefusal rule) {
  const bool is_payload = rule == TokenRefusal::kMissingClaim || rule == TokenRefusal::kBadClaim;
  return is_payload ? ConnectRefusal::kInvalidTokenPayload : ConnectRefusal::kInvalidToken;
}

std::optional<HubState> state_from(std::string_view name) {
  for (const HubState state : {HubState::kActive, HubState::kIdle, HubState::kInactive}) {
    if (dialects::name_of(state) == name) return state;
  }
  return std::nullopt;
}

trust::ActionRules rules_of(const HubOptions& options) {
  return {options.action_window, options.engine_window};
}

}  // namespace

// ---- CONNECT

void HubDesk::connect_user(HubSession& session, const dialects::HubCredentials& shown) {
  HubUser& user = session.user;
  if (user.stage != HubStage::kOut) return;
  const HubDoor* door = door_of(session.mesh);
  if (door == nullptr) return refuse_user(session, ConnectRefusal::kNotPermitted);
  if (penalties_.must_wait(session.peer.limit_key(), core_.shard().now())) {
    core_.shared().metrics.penalties.add();
    return refuse_user(session, ConnectRefusal::kRateLimited);
  }
  user.who = {session.mesh, {}, trust::Proof::kToken, {}};
  // Like the tokens that dev mode gives to whoever asks: on this machine alone.
  const bool is_here = session.peer.is_loopback() && !session.was_forwarded;
  const bool may_be_simulated = door->simulated && is_here;
  user.simulated = !shown.token && shown.simulated && may_be_simulated;
  if (!shown.token && !user.simulated) return refuse_user(session, ConnectRefusal::kAuthRequired);
  if (shown.token) {
    const auto checked = core_.check_token(session.mesh, *shown.token);
    if (const auto* rule = std::get_if<TokenRefusal>(&checked)) {
      core_.shared().metrics.tokens_refused[*rule].add();
      const bool must_pay = core_.shared().options.penalty_failures > 0 && is_forgery(*rule);
      if (must_pay) (void)penalties_.failed(session.peer.limit_key(), core_.shard().now());
      return refuse_user(session, refusal_of(*rule), name_of(*rule));
    }
    const auto& facts = std::get<trust::TokenFacts>(checked);
    user.who.source = facts.subject;
    user.who.token = std::make_shared<const HeldToken>(core_.hold(session.mesh, facts));
    user.role = facts.roles.empty() ? "user" : facts.roles.front();
  } else {
    user.who.source = kSimulatedUser;
    user.role = "user";
  }
  user.stage = HubStage::kProving;
  user.attempt = ++session.attempts;
  find_member(session, user.who,
              [this, attempt = user.attempt](HubSession& here, const Result<MemberNumber>& member) {
                if (here.user.attempt == attempt) on_user_member(here, member);
              });
}

void HubDesk::refuse_user(HubSession& session, ConnectRefusal code, std::string_view rule) {
  metrics().connects_refused[code].add();
  note(session, session.user.who, audit::Event::kRefused, name_of(code));
  if (const auto repeated = connects_log_.take(code, core_.shard().now())) {
    log(LogLevel::kWarn, "hub.connect_refused",
        {{"reason", name_of(code)},
         {"rule", rule},
         {"repeated", *repeated},
         {"peer", session.peer.text()}});
  }
  session.user = HubUser{};
  wire::JsonWriter json;
  json.object().key("message").value(name_of(code));
  send(session, SocketPacketType::kConnectError, kUsers, json.end().take());
  end_unless_joined(session);
}

void HubDesk::on_user_member(HubSession& session, const Result<MemberNumber>& member) {
  HubUser& user = session.user;
  if (user.stage != HubStage::kProving) return;
  if (!member.ok()) {
    const bool is_overloaded = member.error().code == ErrorCode::kOverloaded ||
                               member.error().code == ErrorCode::kUnavailable;
    return refuse_user(
        session, is_overloaded ? ConnectRefusal::kUnavailable : ConnectRefusal::kNotPermitted);
  }
  user.who.member = *member;
  user.roles = core_.roles_of(user.who);
  if (!may_enter(user.who, user.roles)) {
    return refuse_user(session, ConnectRefusal::kNotPermitted);
  }
  Shared& shared = core_.shared();
  const auto most = static_cast<std::int64_t>(options().sockets_per_user);
  if (!shared.hub_loads.enter(*member, most)) {
    return refuse_user(session, ConnectRefusal::kRateLimited);
  }
  if (!shared.loads.enter(session.mesh,
                          core_.snapshot().mesh(session.mesh)->mesh().max_connections)) {
    shared.hub_loads.leave(*member);
    return refuse_user(session, ConnectRefusal::kRateLimited);
  }
  user.counted = true;
  join_user(session);
}

// CONNECT is answered first; the four events that begin a conversation wait for the mesh's home.
void HubDesk::join_user(HubSession& session) {
  HubUser& user = session.user;
  const HubDoor& door = *door_of(session.mesh);
  user.stage = HubStage::kJoined;
  user.socket = new_socket_id();
  user.heard = core_.shard().now();
  if (!door.action_secret.empty()) {
    user.key = trust::session_action_key(door.action_secret.reveal(), user.who.source, user.socket);
  }
  prove(session);
  metrics().users.add();
  note(session, user.who, audit::Event::kAdmitted, trust::name_of(user.who.proof));
  log(LogLevel::kInfo, "hub.user_joined",
      {{"user", user.who.source}, {"socket", user.socket}, {"peer", session.peer.text()}});
  wire::JsonWriter json;
  json.object().key("sid").value(user.socket);
  send(session, SocketPacketType::kConnect, kUsers, json.end().take());
  user.admin = is_admin(user);
  HubNewcomer newcomer{{core_.shard().index(), session.engine.sid()},
                       user.who.source,
                       user.role,
                       user.socket,
                       user.admin};
  at_home(session.mesh, [newcomer](HubHome& home) { home.enter(newcomer); });
}

bool HubDesk::is_admin(const HubUser& user) {
  return user.role == kAdminRole && core_.may(user.who, user.roles, {Action::kSeePresence, {}});
}

// Another token, or another policy, may show it more or less; `is_another`: it has another role.
void HubDesk::judge_role(HubSession& session, bool is_another) {
  HubUser& user = session.user;
  if (user.stage != HubStage::kJoined) return;
  const bool was_admin = std::exchange(user.admin, is_admin(user));
  if (user.admin == was_admin && !is_another) return;
  at_home(session.mesh,
          [name = user.who.source, socket = user.socket, role = user.role,
           admin = user.admin](HubHome& home) { home.show_role(name, socket, role, admin); });
}

void HubDesk::welcome(const std::string& sid, const std::string& status,
                      const std::string& presence) {
  HubSession* session = session_at(sid);
  if (session == nullptr || session->user.stage != HubStage::kJoined) return;
  const HubUser& user = session->user;
  // From here on it hears what its mesh and its user hear: nothing comes before these four.
  auto& sockets = users_[{session->mesh, user.who.source}];
  const bool is_new = std::find(sockets.begin(), sockets.end(), session) == sockets.end();
  if (is_new) sockets.push_back(session);
  const std::string_view key = session->keeps_secrets ? user.key.reveal() : std::string_view();
  emit(*session, kUsers,
       dialects::write_auth_context({user.who.source, user.role, user.simulated, key}));
  emit(*session, kUsers, status);
  emit(*session, kUsers,
       dialects::write_agent_nonce(
           crypto::random_hex(kAgentNonceBytes), crypto::random_hex(kAgentNonceBytes),
           crypto::random_hex(kAgentNonceBytes), crypto::random_hex(kAgentNonceBytes)));
  emit(*session, kUsers, presence);
}

// Takes the user out of everything that counts it or could still find it. Idempotent.
void HubDesk::leave_user(HubSession& session) {
  HubUser user = std::exchange(session.user, HubUser{});
  if (user.counted) {
    core_.shared().hub_loads.leave(user.who.member);
    core_.shared().loads.leave(session.mesh);
  }
  if (user.stage != HubStage::kJoined) return;
  const auto found = users_.find({session.mesh, user.who.source});
  if (found != users_.end()) {
    std::erase(found->second, &session);
    if (found->second.empty()) users_.erase(found);
  }
  metrics().users.add(-1);
  at_home(session.mesh, [name = user.who.source, socket = user.socket](HubHome& home) {
    home.leave(name, socket);
  });
  end_unless_joined(session);
}

// ---- events

void HubDesk::on_user_event(HubSession& session, std::string_view data) {
  const dialects::HubVerb verb = reader_.read_user(data);
  std::visit(Overloaded{
                 [&](const dialects::HubAction& v) { on_action(session, v); },
                 [&](const dialects::HubHeartbeat& v) { on_heartbeat(session, v); },
                 [&](const dialects::HubPresence& v) { on_presence(session, v); },
                 [&](const dialects::HubAgentHeartbeat& v) { on_agent(session, v); },
                 [&](const dialects::HubGenerateWorld& v) { on_world(session, v); },
                 [&](const dialects::HubTokenRefresh& v) { on_refresh(session, v); },
                 [&](const dialects::HubMalformed& v) { on_malformed(session, v); },
                 [](const dialects::HubUnknown&) {},  // as the original: nobody listens
             },
             verb);
}

void HubDesk::on_malformed(HubSession& session, const dialects::HubMalformed& malformed) {
  using Answer = dialects::HubMalformed::Answer;
  switch (malformed.answer) {
    case Answer::kNone:
      return;
    case Answer::kActionError:
      return refuse_action(session, ActionRefusal::kMalformed);
    case Answer::kAgentResult:
      return answer_agent(session, AgentRefusal::kMalformed);
    case Answer::kJobError:
      return refuse_job(session, malformed.code == name_of(JobRefusal::kMissingConfig)
                                     ? JobRefusal::kMissingConfig
                                     : JobRefusal::kInvalidPayload);
    case Answer::kTokenError:
      return refuse_renewal(session, session.user.who, kUsers, TokenRefusal::kMalformed);
  }
}

std::vector<std::string_view> HubDesk::action_keys(const HubSession& session) const {
  std::vector<std::string_view> keys;
  if (!session.user.key.empty()) keys.push_back(session.user.key.reveal());
  const HubDoor* door = door_of(session.mesh);
  const bool takes_shared = door != nullptr && door->shared_actions && !door->action_secret.empty();
  if (takes_shared) keys.push_back(door->action_secret.reveal());
  return keys;
}

// Its signature, then whether it may, and last whether it is new: only that costs the disk.
void HubDesk::on_action(HubSession& session, const dialects::HubAction& action) {
  const HubUser& user = session.user;
  const Elapsed now = core_.shard().now();
  if (const auto wait = core_.shared().action_rates.take(user.who.member, now)) {
    return refuse_action(session, ActionRefusal::kRateLimited, {}, wait);
  }
  const auto refused = trust::check_action(action.claim, action_keys(session),
                                           core_.shared().clock.wall(), rules_of(options()));
  if (refused) return refuse_action(session, *refused);
  const std::string_view category =
      trust::category_of(*action.claim.type);  // what is said of it is not signed
  const std::string topic = topic_of(category);
  const Wish wish{Action::kPublish, topic};
  if (!core_.may(user.who, user.roles, wish)) {
    return refuse_action(session, ActionRefusal::kDenied, deny(session, wish));
  }
  HubActed acted{user.who.source,
                 user.socket,
                 std::string(*action.claim.type),
                 std::string(action.payload),
                 std::string(category),
                 *action.claim.timestamp_ms};
  core_.shared().store.spend_nonce(
      spend_of(user.who.member, "user", {}, *action.claim.nonce), core_.mailbox(),
      [this, sid = session.engine.sid(), socket = user.socket, acted = std::move(acted)](
          store::NonceOutcome outcome) { on_action_nonce(sid, socket, acted, outcome); });
}

void HubDesk::on_action_nonce(const std::string& sid, const std::string& socket,
                              const HubActed& acted, store::NonceOutcome outcome) {
  HubSession* session = session_at(sid);
  if (session == nullptr || session->user.socket != socket) return;
  switch (outcome) {
    case store::NonceOutcome::kUsed:
      return refuse_action(*session, ActionRefusal::kReplayDetected);
    case store::NonceOutcome::kFull:
      return refuse_action(*session, ActionRefusal::kRateLimited);
    case store::NonceOutcome::kForgotten:
    case store::NonceOutcome::kUnavailable:
      return refuse_action(*session, ActionRefusal::kUnavailable);
    case store::NonceOutcome::kNew:
      break;
  }
  at_home(session->mesh, [acted](HubHome& home) { home.act(acted); });
}

void HubDesk::refuse_action(HubSession& session, ActionRefusal code, std::string_view ref,
                            std::optional<std::chrono::nanoseconds> wait) {
  metrics().actions_refused[code].add();
  saw(session, code == ActionRefusal::kInvalidSignature, code == ActionRefusal::kReplayDetected);
  note(session, session.user.who, audit::Event::kRefused, name_of(code));
  if (const auto repeated = actions_log_.take(code, core_.shard().now())) {
    log(LogLevel::kWarn, "hub.action_refused",
        {{"reason", name_of(code)},
         {"repeated", *repeated},
         {"user", session.user.who.source},
         {"socket", session.user.socket},
         {"ref", ref},
         {"peer", session.peer.text()}});
  }
  std::optional<std::int64_t> wait_ms;
  if (wait) wait_ms = std::chrono::ceil<std::chrono::milliseconds>(*wait).count();
  emit(session, kUsers, dialects::write_action_error(code, ref, wait_ms));
}

// Of a user that joined, with what it signed in its own session.
void HubDesk::saw(const HubSession& session, bool failed_proof, bool replay) {
  const Principal& who = session.user.who;
  if (failed_proof) core_.saw(session.mesh, who.member, false, Signal::kFailedProof);
  if (replay) core_.saw(session.mesh, who.member, false, Signal::kReplay);
}

std::string HubDesk::deny(const HubSession& session, const Wish& wish) {
  const HubUser& user = session.user;
  return core_.record_denial({session.mesh, user.who.proof, user.roles, user.who.source}, wish,
                             name_of(Refusal::kDenied));
}

// ---- presence

// When it was received counts, never what it says.
void HubDesk::on_heartbeat(HubSession& session, const dialects::HubHeartbeat& heartbeat) {
  HubUser& user = session.user;
  user.heard = core_.shard().now();
  if (std::exchange(user.is_inactive, false)) {
    at_home(session.mesh, [name = user.who.source, socket = user.socket](HubHome& home) {
      home.silent(name, socket, false);
    });
  }
  emit(session, kUsers, dialects::write_heartbeat_result(user.who.source, heartbeat.ts));
}

void HubDesk::on_presence(HubSession& session, const dialects::HubPresence& presence) {
  const auto state = state_from(presence.state);
  // All sockets of the user hear of it: it counts like an action.
  const bool is_limited =
      core_.shared().action_rates.take(session.user.who.member, core_.shard().now()).has_value();
  if (!state || is_limited) return;
  at_home(session.mesh, [name = session.user.who.source, state = *state](HubHome& home) {
    home.state(name, state);
  });
}

void HubDesk::check_user_time(HubSession& session) {
  HubUser& user = session.user;
  const auto silence = core_.shard().now() - user.heard;
  const bool has_expired = user.who.token != nullptr && core_.is_over(*user.who.token);
  if (has_expired) emit(session, kUsers, dialects::write_auth_expired());
  if (has_expired || silence >= options().disconnect_after) {
    note(session, user.who, audit::Event::kEnded, has_expired ? "auth_expired" : "timed_out");
    count_end(session, has_expired ? TransportReason::kTokenExpired : TransportReason::kSilent);
    send(session, SocketPacketType::kDisconnect, kUsers, {});
    return leave_user(session);
  }
  if (silence < options().inactive_after || std::exchange(user.is_inactive, true)) return;
  at_home(session.mesh, [name = user.who.source, socket = user.socket](HubHome& home) {
    home.silent(name, socket, true);
  });
}

// ---- agents

void HubDesk::on_agent(HubSession& session, const dialects::HubAgentHeartbeat& heartbeat) {
  const HubUser& user = session.user;
  if (core_.shared().action_rates.take(user.who.member, core_.shard().now())) {
    return answer_agent(session, AgentRefusal::kUnavailable);
  }
  const auto refused = trust::check_agent(heartbeat.claim, action_keys(session),
                                          core_.shared().clock.wall(), rules_of(options()));
  if (refused) return answer_agent(session, refused);
  // The nonce is not under the signature: what is signed must be new as well, or one heartbeat
  // would be good under any number of nonces.
  const auto& claim = heartbeat.claim;
  const auto once = [&](std::string_view kind, std::string_view text,
                        std::function<void(store::NonceOutcome)> then) {
    core_.shared().store.spend_nonce(spend_of(user.who.member, kind, *claim.agent, text),
                                     core_.mailbox(), std::move(then));
  };
  const auto seen = std::make_shared<store::NonceOutcome>(store::NonceOutcome::kNew);
  once("agent", *claim.nonce, [seen](store::NonceOutcome outcome) { *seen = outcome; });
  once("agent text", trust::signed_text(claim),
       [this, sid = session.engine.sid(), seen](store::NonceOutcome outcome) {
         HubSession* here = session_at(sid);
         if (here == nullptr || here->user.stage != HubStage::kJoined) return;
         if (*seen == store::NonceOutcome::kNew) *seen = outcome;
         if (*seen == store::NonceOutcome::kNew) return answer_agent(*here, std::nullopt);
         answer_agent(*here, *seen == store::NonceOutcome::kUsed ? AgentRefusal::kReplayDetected
                                                                 : AgentRefusal::kUnavailable);
       });
}

void HubDesk::answer_agent(HubSession& session, std::optional<AgentRefusal> refused) {
  if (refused) {
    metrics().agents_refused[*refused].add();
    saw(session, refused == AgentRefusal::kSignatureFailed,
        refused == AgentRefusal::kReplayDetected);
    note(session, session.user.who, audit::Event::kRefused, name_of(*refused));
    if (const auto repeated = agents_log_.take(*refused, core_.shard().now())) {
      log(LogLevel::kWarn, "hub.agent_refused",
          {{"reason", name_of(*refused)},
           {"repeated", *repeated},
           {"user", session.user.who.source},
           {"peer", session.peer.text()}});
    }
  }
  emit(session, kUsers, dialects::write_agent_heartbeat_result(refused));
}

// ---- worlds

void HubDesk::on_world(HubSession& session, const dialects::HubGenerateWorld& world) {
  const HubUser& user = session.user;
  if (core_.shared().action_rates.take(user.who.member, core_.shard().now())) {
    return refuse_job(session, JobRefusal::kRateLimited);
  }
  if (world.config.size() > options().max_world_bytes) {
    return refuse_job(session, JobRefusal::kInvalidPayload,
                      "larger than " + std::to_string(options().max_world_bytes) + " bytes");
  }
  const Wish wish{Action::kDispatch, {}};
  if (!core_.may(user.who, user.roles, wish)) {
    return refuse_job(session, JobRefusal::kDenied, {}, deny(session, wish));
  }
  // A schema takes some 200 ns a byte on this thread: a large world counts as many actions.
  core_.shared().action_rates.charge(
      user.who.member, core_.shard().now(),
      static_cast<std::int64_t>(world.config.size() / kBytesAnAction));
  const HubDoor& door = *door_of(session.mesh);
  if (const Status fits = door.world->check(world.config); !fits.ok()) {
    return refuse_job(session, JobRefusal::kSchemaValidationFailed, fits.error().detail);
  }
  auto jobs = jobs::jobs_of_world(world.config);
  if (!jobs.ok()) {
    return refuse_job(session, JobRefusal::kSchemaValidationFailed, jobs.error().detail);
  }
  jobs::NewWorld request{user.who.source, std::make_shared<const std::string>(world.config), {}};
  for (jobs::WorldJob& job : *jobs) {
    const auto schema = door.payloads.find(job.type);
    const Status payload_fits =
        schema == door.payloads.end() ? Status(Done{}) : schema->second->check(job.payload);
    if (!payload_fits.ok()) {
      return refuse_job(session, JobRefusal::kSchemaValidationFailed,
                        job.type + payload_fits.error().detail);
    }
    request.jobs.push_back(
        {"job_" + crypto::random_hex(kJobIdBytes), std::move(job.type), std::move(job.payload)});
  }
  const auto answer = [this, sid = session.engine.sid(),
                       count = request.jobs.size()](std::optional<JobRefusal> refused) {
    if (!refused) return;  // its job_status have said it
    core_.mailbox().post([this, sid, count, code = *refused] {
      HubSession* here = session_at(sid);
      if (here == nullptr || here->user.stage != HubStage::kJoined) return;
      const bool fits_never = code == JobRefusal::kInvalidPayload;
      refuse_job(*here, code,
                 fits_never ? std::to_string(count) + " jobs: more than may ever wait" : "");
    });
  };
  at_home(session.mesh,
          [request = std::move(request), answer](HubHome& home) { home.submit(request, answer); });
}

void HubDesk::refuse_job(HubSession& session, JobRefusal code, std::string_view message,
                         std::string_view ref) {
  metrics().jobs_refused[code].add();
  note(session, session.user.who, audit::Event::kRefused, name_of(code));
  if (const auto repeated = jobs_log_.take(code, core_.shard().now())) {
    log(LogLevel::kInfo, "job.refused",
        {{"reason", name_of(code)},
         {"repeated", *repeated},
         {"user", session.user.who.source},
         {"detail", message},
         {"ref", ref}});
  }
  emit(session, kUsers, dialects::write_job_error(code, message, ref));
}

// ---- tokens

void HubDesk::on_refresh(HubSession& session, const dialects::HubTokenRefresh& refresh) {
  HubUser& user = session.user;
  const auto facts = renew(session, user.who, kUsers, refresh.token);
  if (!facts) return;
  user.roles = core_.roles_of(user.who);
  const std::string before =
      std::exchange(user.role, facts->roles.empty() ? "user" : facts->roles.front());
  judge_role(session, user.role != before);
  judge(session);
}

}  // namespace signet::broker
