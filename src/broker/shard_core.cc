#include "broker/shard_core.h"

#include <array>

#include "base/log.h"
#include "crypto/random.h"
#include "wire/json.h"

namespace signet::broker {
namespace {

constexpr std::size_t kMaxToldBytes = 256;  // of what a peer named
constexpr std::size_t kRefBytes = 6;        // of the latest few thousand, not to be mistaken
constexpr std::chrono::nanoseconds kAlmostOneMs{999'999};
constexpr std::chrono::seconds kTrailFlush{1};  // what a crash may take of admissions and refusals

std::string payload_of(const RefusedDecision& decision) {
  wire::JsonWriter json;
  json.object().key("decision").value("deny").key("id").value(decision.id);
  json.key("who").value(decision.who).key("action").value(decision.action);
  json.key("on").value(decision.on).key("rule").value(decision.rule);
  json.key("code").value(decision.code);
  return json.end().take();
}

}  // namespace

Shared::Shared(const BrokerOptions& its_options, store::Store& its_store, Mailbox& its_control,
               const Clock& its_clock, MetricRegistry& registry,
               std::shared_ptr<const store::LogIdentity> its_log)
    : options(its_options),
      store(its_store),
      control(its_control),
      clock(its_clock),
      log(std::move(its_log)),
      started(its_clock.wall()),
      metrics(registry),
      hub_metrics(registry),
      send_rates(static_cast<double>(its_options.sends_per_second),
                 static_cast<double>(its_options.sends_burst)),
      channel_rates(its_options.channel_changes_per_minute / 60, its_options.channel_changes_burst),
      hello_rates(static_cast<double>(its_options.hellos_per_second_member),
                  static_cast<double>(its_options.hellos_burst_member)),
      shared_hello_rates(its_options.shared_hellos_per_second, its_options.shared_hellos_burst),
      pulse_rates(its_options.pulses_per_second, its_options.pulses_burst),
      pulse_minutes(its_options.pulses_per_minute / 60, its_options.pulses_per_minute),
      deliveries(its_options.deliveries_per_second, its_options.deliveries_burst),
      action_rates(its_options.hub.actions_per_second, its_options.hub.actions_burst),
      control_trail(its_options.audit, log, its_store, its_control, its_clock,
                    metrics.audit_dropped) {}

ShardCore::ShardCore(Shared& shared, net::Shard& shard)
    : shared_(shared),
      shard_(shard),
      snapshot_(std::make_shared<membership::MembershipSnapshot>()),
      rules_(shared.rules ? shared.rules : default_rules()),
      records_({static_cast<double>(shared.options.decisions_per_second),
                static_cast<double>(shared.options.decisions_per_second)}),
      trail_(shared.options.audit, shared.log, shared.store, shard.mailbox(), shared.clock,
             shared.metrics.audit_dropped),
      signals_([&shared](SeenOfMembers seen) {
        shared.control.post([&shared, seen = std::move(seen)] {
          if (shared.hear_signals) shared.hear_signals(seen);
        });
      }) {
  shard_.every(kTrailFlush, [this] {
    trail_.flush();
    signals_.flush();
  });
}

void ShardCore::note(const Session& session, audit::Event event, std::string_view code) {
  trail_.note(event, session.mesh, session.member, session.connection.peer(), code);
}

const membership::Member* ShardCore::member_of(const Session& session) const {
  const membership::MeshSnapshot* mesh = mesh_of(session);
  return mesh == nullptr ? nullptr : mesh->member(session.member);
}

Session* ShardCore::session_at(ConnectionId id) {
  net::Connection* connection = shard_.find(id);
  if (connection == nullptr) return nullptr;
  auto* attached = static_cast<Attached*>(connection->attachment());
  const bool is_session = attached != nullptr && attached->conversation != Conversation::kHub;
  auto* session = is_session ? static_cast<Session*>(attached) : nullptr;
  return session == nullptr || session->state == SessionState::kClosing ? nullptr : session;
}

void ShardCore::say(Session& session, const dialects::Reply& reply) {
  (void)say_text(session, session.dialect.write(reply));
}

// An answer that found no room is an answer lost: whoever does not read is told so and starts anew.
bool ShardCore::say_text(Session& session, std::string_view text) {
  if (text.empty()) return true;  // its format has no such answer
  if (session.connection.send(wire::Opcode::kText, text) != net::Sent::kDropped) return true;
  session.connection.close(CloseReason::kSlowConsumer);
  return false;
}

void ShardCore::refuse(Session& session, Refusal code, std::string_view client_id,
                       std::optional<std::chrono::nanoseconds> retry_after, std::string_view detail,
                       std::string_view ref) {
  shared_.metrics.refused[code].add();
  note(session, audit::Event::kRefused, name_of(code));
  dialects::Refused refused{code, client_id, std::nullopt, ref};
  if (retry_after) {  // a wait is rounded up
    refused.retry_after_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(*retry_after + kAlmostOneMs).count();
  }
  if (const auto repeated = refused_log_.take(code, shard_.now())) {
    log(LogLevel::kInfo, "frame.refused",
        {{"code", name_of(code)},
         {"repeated", *repeated},
         {"rule", detail},
         {"peer", session.connection.peer().text()},
         {"presence", session.presence_id()}});
  }
  say(session, refused);
}

const MeshRules& ShardCore::rules_of(MeshNumber mesh) const {
  const membership::MeshSnapshot* known = snapshot_->mesh(mesh);
  return known == nullptr ? rules_->otherwise : rules_->of(known->mesh().slug);
}

ShardCore::MeshDecisions& ShardCore::decisions_of(MeshNumber mesh) {
  const auto found = decisions_.find(mesh);
  if (found != decisions_.end()) return found->second;
  return decisions_.try_emplace(mesh, rules_of(mesh).policy).first->second;
}

const trust::Decision& ShardCore::decide(const Session& session, const Wish& wish) {
  return decisions_of(session.mesh)
      .cache.decide(session.roles, session.proof, wish.action, wish.on);
}

bool ShardCore::may_or_refuse(Session& session, const Wish& wish, std::string_view client_id) {
  if (may(session, wish)) return true;
  const std::string ref = record_denial(session, wish, name_of(Refusal::kDenied));
  refuse(session, Refusal::kDenied, client_id, std::nullopt, trust::name_of(wish.action), ref);
  return false;
}

std::string ShardCore::record_denial(const Session& session, const Wish& wish,
                                     std::string_view code) {
  return record_denial({session.mesh, session.proof, session.roles, name_of_principal(session)},
                       wish, code);
}

std::string ShardCore::record_denial(const Denied& who, const Wish& wish, std::string_view code) {
  if (!records_.take(shard_.now())) return {};
  const trust::Policy& policy = *rules_of(who.mesh).policy;
  const membership::MeshSnapshot* mesh = snapshot_->mesh(who.mesh);
  const trust::Decision& no =
      decisions_of(who.mesh).cache.decide(who.roles, who.proof, wish.action, wish.on);
  RefusedDecision decision{crypto::random_hex(kRefBytes),
                           shared_.clock.wall(),
                           mesh == nullptr ? std::string() : mesh->mesh().slug,
                           who.name,
                           policy.names_of(who.roles),
                           std::string(trust::name_of(wish.action)),
                           std::string(wish.on.substr(0, kMaxToldBytes)),
                           std::string(no.rule),
                           std::string(code)};
  std::string ref = decision.id;
  announce(who.mesh, "governance.decision", payload_of(decision));
  shared_.control.post([log = &shared_.decisions, decision = std::move(decision)]() mutable {
    log->add(std::move(decision));
  });
  return ref;
}

Payer ShardCore::payer_of(const Session& session) {
  if (session.proof != trust::Proof::kShared) return {session.member};
  const auto& shown = static_cast<const SecretSession&>(session);
  return {session.member, shown.holder, shown.crowd};
}

std::string ShardCore::name_of_principal(const Session& session) const {
  switch (session.conversation) {
    case Conversation::kTopic:
    case Conversation::kNode: {
      // A name that everybody may claim is not shown like one that was proven.
      const std::string& source = static_cast<const SecretSession&>(session).source;
      return session.proof == trust::Proof::kShared ? "shared:" + source : source;
    }
    case Conversation::kRelay:
      return to_base64url(static_cast<const RelaySession&>(session).key);
    case Conversation::kMail:
    case Conversation::kHub:  // its sessions are none of these
      break;
  }
  const membership::Member* member = member_of(session);
  return member == nullptr ? std::string() : membership::key_text(*member);
}

Principal ShardCore::principal_of(const Session& session) const {
  Principal who{session.mesh, session.member, session.proof, {}};
  const bool has_source =
      session.conversation == Conversation::kTopic || session.conversation == Conversation::kNode;
  if (has_source) {
    const auto& proven = static_cast<const SecretSession&>(session);
    who.source = proven.source;
    who.token = proven.token;
  }
  return who;
}

trust::Roles ShardCore::roles_of(const Principal& who) const {
  const membership::MeshSnapshot* mesh = snapshot_->mesh(who.mesh);
  const membership::Member* member = mesh == nullptr ? nullptr : mesh->member(who.member);
  trust::Subject subject;
  subject.proof = who.proof;
  subject.source = who.source;
  if (who.token != nullptr) subject.token_roles = &who.token->roles;
  if (member != nullptr) {
    subject.member = who.proof > trust::Proof::kShared;
    subject.admin = subject.member && member->role == membership::Role::kAdmin;
    subject.id = member->id;
    subject.tags = &member->tags;
  }
  return rules_of(who.mesh).policy->roles_of(subject);
}

bool ShardCore::may_become_member(const Principal& who) const {
  trust::Subject subject;
  subject.member = true;
  subject.id = who.source;
  subject.source = who.source;
  subject.proof = who.proof;
  if (who.token != nullptr) subject.token_roles = &who.token->roles;
  const trust::Policy& policy = *rules_of(who.mesh).policy;
  return policy.decide(policy.roles_of(subject), who.proof, trust::Action::kConnect, {}).allowed;
}

bool ShardCore::may(const Principal& who, trust::Roles roles, const Wish& wish) {
  if (who.operates) return true;
  return decisions_of(who.mesh).cache.decide(roles, who.proof, wish.action, wish.on).allowed;
}

trust::RoleLimits ShardCore::limits_of(const Session& session) {
  MeshDecisions& decisions = decisions_of(session.mesh);
  const auto found = decisions.limits.find(session.roles);
  if (found != decisions.limits.end()) return found->second;
  return decisions.limits.emplace(session.roles, decisions.cache.policy().limits_of(session.roles))
      .first->second;
}

}  // namespace signet::broker
