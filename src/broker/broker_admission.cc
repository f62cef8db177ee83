// Who is it? The hello: checked here as far as no memory is needed, then by the store, which alone
// knows whether it was used before.
#include <algorithm>

#include "base/log.h"
#include "broker/broker.h"
#include "crypto/random.h"

namespace signet::broker {
namespace {

constexpr std::size_t kPresenceBytes = 16;  // 128 random bits: not to be guessed

}  // namespace

void Broker::on_hello(Session& session, const dialects::Hello& hello) {
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
  const membership::Member* member = mesh == nullptr ? nullptr : mesh->member(proven.key);
  if (member == nullptr) return reject(session, HelloReject::kUnauthorized);
  if (shared_.hello_rates.take(member->number, shard_.now())) {
    return reject(session, HelloReject::kRateLimited);
  }

  const bool authorized =
      member->id == hello.claim.member_id && membership::may_connect(member->standing);
  session.state = SessionState::kProving;
  session.mesh = mesh->mesh().number;
  session.member = member->number;
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
  Session* session = session_at(id);
  if (session == nullptr) return;
  if (outcome == store::HelloOutcome::kReplayed) return reject(*session, HelloReject::kReplayed);
  if (outcome == store::HelloOutcome::kUnavailable) {
    return reject(*session, HelloReject::kUnavailable);
  }
  const membership::Member* member = member_of(*session);  // the standing may have changed
  const bool may = was_authorized && member != nullptr && membership::may_connect(member->standing);
  if (!may) return reject(*session, HelloReject::kUnauthorized);
  const auto limit = snapshot_->mesh(session->mesh)->mesh().max_connections;
  if (!shared_.loads.enter(session->mesh, limit)) return reject(*session, HelloReject::kCapacity);
  admit(*session, *member);
}

// The presence is registered before the ack says so: whoever reads the ack may send at once.
void Broker::admit(Session& session, const membership::Member& member) {
  session.state = SessionState::kAdmitted;
  session.presence_id = crypto::random_hex(kPresenceBytes);
  session.connected = shared_.clock.wall();
  if (session.display_name.empty()) session.display_name = member.display_name;
  sessions_[session.member].push_back(&session);
  session.connection.clear_deadline();
  shard_.proven(session.connection);
  shared_.metrics.connections.add();
  shared_.metrics.active.add();
  log(LogLevel::kInfo, "hello.admitted",
      {{"presence", session.presence_id},
       {"member", member.id},
       {"peer", session.connection.peer().text()}});

  take_remembered_hook(session);
  say(session, dialects::Admitted{session.presence_id, member.display_name});
  read_on(session);

  const Id id = session.connection.id();
  for (const std::string& frame : std::exchange(session.held, {})) {
    if (Session* here = session_at(id)) on_frame(*here, frame);
  }
}

void Broker::reject(Session& session, HelloReject code) {
  shared_.metrics.rejected[code].add();
  if (const auto repeated = rejected_log_.take(code, shard_.now())) {
    log(LogLevel::kWarn, "hello.rejected",
        {{"reason", name_of(code)},
         {"repeated", *repeated},
         {"peer", session.connection.peer().text()}});
  }
  say(session, dialects::HelloRefused{code});
  session.state = SessionState::kClosing;
  session.connection.close(CloseReason::kPolicy, name_of(code));
}

// Takes an admitted session out of everything that could still find it. Idempotent.
void Broker::leave(Session& session) {
  const auto found = sessions_.find(session.member);
  if (found == sessions_.end()) return;
  std::vector<Session*>& mine = found->second;
  const auto at = std::find(mine.begin(), mine.end(), &session);
  if (at == mine.end()) return;
  mine.erase(at);
  if (mine.empty()) sessions_.erase(found);
  working_.erase(&session);
  shared_.loads.leave(session.mesh);
  shared_.metrics.active.add(-1);
}

}  // namespace signet::broker
