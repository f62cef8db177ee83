// Who is it? The hello: checked here as far as no memory is needed, then by the store, which alone
// knows whether it was used before.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "broker/broker.h"

namespace signet::broker {

void Broker::on_hello(MailSession& session, const dialects::Hello& hello) {
  if (hello_rates_.take(session.connection.peer(), shard_.now())) {
    return reject(session, HelloReject::kRateLimited);
  }
  const membership::MeshSnapshot* mesh = snapshot_->mesh(hello.claim.mesh_id);
  const bool has_capacity =
      mesh == nullptr || shared_.loads.count(mesh->mesh().number) < mesh->mesh().max_connections;
  const auto checked =
      trust::check_hello(hello.claim, shared_.clock.wall(), shared_.options.max_skew, has_capacity);
  if (const auto* code = std::get_if<HelloReject>(&checked)) return reject(session, *code);
  const auto& proven = std::get<trust::ProvenHello>(checked);
  proving(session);
  const membership::Member* member = mesh == nullptr ? nullptr : mesh->member(proven.key);
  if (member == nullptr) return reject(session, HelloReject::kUnauthorized);
  if (shared_.hello_rates.take(member->number, shard_.now())) {
    return reject(session, HelloReject::kRateLimited);
  }

  const bool authorized =
      member->id == hello.claim.member_id && membership::may_connect(member->standing);
  session.mesh = mesh->mesh().number;
  session.member = member->number;
  session.proof = trust::Proof::kKey;
  session.session_id = hello.hints.session_id;
  session.display_name = hello.hints.display_name;
  session.cwd = hello.hints.cwd;
  session.pid = hello.hints.pid;
  session.confirms_itself = hello.confirms_itself;
  // Only what is admitted is remembered; a hello of someone who may not enter is looked up, since
  // `replayed` comes before `unauthorized`.
  store::AdmitHello command{member->number, proven.timestamp_ms, proven.digest, authorized};
  shared_.store.admit_hello(
      command, mailbox(),
      [this, id = session.connection.id(), authorized](store::HelloOutcome outcome) {
        on_hello_remembered(id, outcome, authorized);
      });
}

void Broker::on_hello_remembered(Id id, store::HelloOutcome outcome, bool was_authorized) {
  MailSession* session = mail_at(id);
  if (session == nullptr) return;
  if (outcome == store::HelloOutcome::kReplayed) return reject(*session, HelloReject::kReplayed);
  if (outcome == store::HelloOutcome::kUnavailable) {
    return reject(*session, HelloReject::kUnavailable);
  }
  const membership::Member* member = member_of(*session);  // the standing may have changed
  const bool may = was_authorized && member != nullptr && membership::may_connect(member->standing);
  if (!may) return reject(*session, HelloReject::kUnauthorized);
  session->roles = roles_of(*session);
  const Wish wish{trust::Action::kConnect, {}};
  if (!ShardCore::may(*session, wish)) {
    record_denial(*session, wish, name_of(HelloReject::kDenied));
    return reject(*session, HelloReject::kDenied);
  }
  const auto limit = snapshot_->mesh(session->mesh)->mesh().max_connections;
  if (!shared_.loads.enter(session->mesh, limit)) return reject(*session, HelloReject::kCapacity);
  session->counted = true;
  admit(*session, *member);
}

// The presence is registered before the ack says so: whoever reads the ack may send at once.
void Broker::admit(MailSession& session, const membership::Member& member) {
  session.connected = shared_.clock.wall();
  if (session.display_name.empty()) session.display_name = member.display_name;
  enter(session);
  log(LogLevel::kInfo, "hello.admitted",
      {{"presence", session.presence_id()},
       {"member", member.id},
       {"peer", session.connection.peer().text()}});

  take_remembered_hook(session);
  say(session, dialects::Admitted{session.presence_id(), member.display_name});
  read_on(session);
  read_held(session.connection.id());
}

void Broker::reject(Session& session, HelloReject code) {
  shared_.metrics.rejected[code].add();
  note(session, audit::Event::kRefused, name_of(code));
  if (const auto repeated = rejected_log_.take(code, shard_.now())) {
    log(LogLevel::kWarn, "hello.rejected",
        {{"reason", name_of(code)},
         {"repeated", *repeated},
         {"peer", session.connection.peer().text()}});
  }
  say(session, dialects::HelloRefused{code});
  leave(session);
  session.state = SessionState::kClosing;
  session.connection.close(CloseReason::kPolicy, name_of(code));
}

// Takes a session out of everything that counts it or could still find it. Idempotent.
void Broker::leave(Session& session) {
  topics_.forget(session);
  give_back(session);
  const auto found = sessions_.find(session.member);
  if (found == sessions_.end()) return;
  std::vector<Session*>& mine = found->second;
  const auto at = std::find(mine.begin(), mine.end(), &session);
  if (at == mine.end()) return;
  *at = mine.back();
  mine.pop_back();
  if (mine.empty()) sessions_.erase(found);
  shared_.metrics.active.add(-1);
  switch (session.conversation) {
    case Conversation::kMail:
      working_.erase(static_cast<MailSession*>(&session));
      break;
    case Conversation::kTopic:
    case Conversation::kNode:
      shared_.metrics.topic_sessions.add(-1);
      expiring_.erase({static_cast<SecretSession&>(session).expires, session.connection.id()});
      break;
    case Conversation::kRelay:
      shared_.metrics.relay_sessions.add(-1);
      names_.on_closed(static_cast<RelaySession&>(session));
      break;
    case Conversation::kHub:
      break;
  }
}

// Its places in the counts and its name, which it has from a little before it is admitted.
void Broker::give_back(Session& session) {
  if (!std::exchange(session.counted, false)) return;
  shared_.loads.leave(session.mesh);
  const bool is_secret =
      session.conversation == Conversation::kTopic || session.conversation == Conversation::kNode;
  if (is_secret) shared_.source_loads.leave(session.member);
  if (session.conversation == Conversation::kNode) {
    const auto& node = static_cast<SecretSession&>(session).place;
    names_.release(session, NameDesk::node_name(session.mesh, node));
  }
  if (session.conversation == Conversation::kRelay) {
    if (session.member.value == 0) shared_.guest_loads.leave(session.mesh);
    const auto& key = static_cast<RelaySession&>(session).key;
    names_.release(session, NameDesk::relay_name(session.mesh, key));
  }
}

}  // namespace signet::broker
