// Who is here, and what they are doing.
#include <algorithm>
#include <atomic>

#include "broker/broker.h"

namespace signet::broker {

using dialects::PeerEntry;
using dialects::Status;

void Broker::set_status(Session& session, Status status, StatusSource source) {
  if (!session.status.set(status, source, shard_.now())) return;
  if (session.status.current() == Status::kWorking) {
    working_.insert(&session);
  } else {
    working_.erase(&session);
  }
  session.cursor.set_urgent_only(session.status.current() != Status::kIdle);
  read_on(session);  // what was held back may go now
}

void Broker::expire_statuses() {
  const std::vector<Session*> working(working_.begin(), working_.end());
  for (Session* session : working) {
    if (!session->status.expire(shard_.now(), shared_.options.working_ttl)) continue;
    working_.erase(session);
    session->cursor.set_urgent_only(false);
    read_on(*session);
  }
  std::erase_if(hooks_, [this](const auto& hook) { return hook.second.second < shard_.now(); });
}

std::string Broker::apply_hook(const HookTarget& target, Status status) {
  std::string presence;
  for (const auto& [member, sessions] : sessions_) {
    for (Session* session : sessions) {
      if (session->pid != target.pid || session->cwd != target.cwd) continue;
      set_status(*session, status, StatusSource::kHook);
      presence = session->presence_id;
    }
  }
  return presence;
}

std::string Broker::apply_or_remember_hook(const HookTarget& target, Status status) {
  std::string presence = apply_hook(target, status);
  const bool room = hooks_.size() < shared_.options.pending_hooks;  // old ones go every second
  if (presence.empty() && room) {
    hooks_[target] = {status, shard_.now() + shared_.options.hook_pending};
  }
  return presence;
}

// Every shard remembers it, since none knows where the process will come; so all must forget it.
void Broker::take_remembered_hook(Session& session) {
  const HookTarget target{session.pid, session.cwd};
  const auto hook = hooks_.extract(target);
  if (hook.empty()) return;
  for (Broker* broker : shared_.brokers) {
    if (broker != this) broker->mailbox().post([broker, target] { broker->hooks_.erase(target); });
  }
  const auto [status, until] = hook.mapped();
  if (shard_.now() < until) set_status(session, status, StatusSource::kHook);
}

void Broker::collect_peers(MeshNumber mesh, std::vector<PeerEntry>& into) const {
  for (const auto& [member, sessions] : sessions_) {
    for (const Session* session : sessions) {
      if (session->mesh != mesh) continue;
      const membership::Member* who = member_of(*session);
      if (who == nullptr) continue;
      into.push_back({crypto::to_hex(who->key), session->display_name, session->status.current(),
                      session->summary, session->session_id, session->connected});
    }
  }
}

// One list at a time is made for a session, or asking would cost it nothing and us a copy of the
// whole mesh each; what it asks meanwhile is answered by the next.
void Broker::on_list_peers(Session& session) {
  ++session.lists_asked;
  if (session.lists_in_making == 0) gather_peers(session);
}

// Every shard adds its own sessions in turn; the last one sends the list home.
void Broker::gather_peers(Session& session) {
  struct Gathering {
    std::vector<PeerEntry> peers;
    std::size_t next = 0;
    std::function<void()> step;
  };
  session.lists_in_making = std::exchange(session.lists_asked, 0);
  auto gathering = std::make_shared<Gathering>();
  gathering->step = [this, gathering, id = session.connection.id(), mesh = session.mesh] {
    Broker* here = shared_.brokers[gathering->next];
    here->collect_peers(mesh, gathering->peers);
    if (++gathering->next < shared_.brokers.size()) {
      return shared_.brokers[gathering->next]->mailbox().post(gathering->step);
    }
    mailbox().post([this, gathering, id] {
      if (Session* asker = session_at(id)) on_peers_gathered(*asker, gathering->peers);
      gathering->step = {};  // the step holds the gathering: let both go
    });
  };
  shared_.brokers.front()->mailbox().post(gathering->step);
}

void Broker::on_peers_gathered(Session& session, const std::vector<PeerEntry>& peers) {
  const std::string list = session.dialect.write(dialects::Peers{.peers = peers});
  for (; session.lists_in_making > 0; --session.lists_in_making) {
    if (!say_text(session, list)) return;
  }
  if (session.lists_asked > 0) gather_peers(session);
}

void Broker::on_channel(Session& session, const std::string& name, bool join) {
  if (const auto wait = must_wait(session)) {
    return refuse(session, Refusal::kRateLimited, {}, wait);
  }
  const auto answer = [this, id = session.connection.id(), name,
                       join](const signet::Status& status) {
    mailbox().post([this, id, name, join, status] {
      Session* asker = session_at(id);
      if (asker == nullptr) return;
      if (status.ok()) return say(*asker, dialects::ChannelChanged{name, join});
      const bool limit = status.error().code == ErrorCode::kOverloaded;
      refuse(*asker, limit ? Refusal::kLimitExceeded : Refusal::kUnavailable, {});
    });
  };
  shared_.control.post([controller = shared_.controller, mesh = session.mesh,
                        member = session.member, name, join, answer] {
    if (join) {
      controller->join_channel(mesh, member, name, answer);
    } else {
      controller->leave_channel(mesh, member, name, answer);
    }
  });
}

void Broker::on_list_channels(Session& session) {
  std::vector<dialects::ChannelEntry> entries;
  for (const auto& [name, members] : snapshot_->mesh(session.mesh)->channels()) {
    const bool joined = std::binary_search(members.begin(), members.end(), session.member);
    entries.push_back({name, members.size(), joined});
  }
  say(session, dialects::Channels{entries});
}

// Asked of the snapshot by which the next send of this session is routed.
void Broker::on_list_members(Session& session, const dialects::ListMembers& list) {
  if (const auto wait = must_wait(session)) {
    return refuse(session, Refusal::kRateLimited, {}, wait);
  }
  const membership::MeshSnapshot& mesh = *snapshot_->mesh(session.mesh);
  const auto recipients = mesh.recipients(list.target, session.member);
  if (!recipients.ok()) return refuse(session, Refusal::kNoSuchMember, {});
  auto members = membership::members_by_key(mesh, *recipients);
  const membership::Audience audience = membership::audience_of(members);
  if (list.after) {
    const auto first = std::upper_bound(
        members.begin(), members.end(), *list.after,
        [](const crypto::PublicKey& key, const membership::Member* m) { return key < m->key; });
    members.erase(members.begin(), first);
  }
  say(session, dialects::Members{routing::text_of(list.target), members, audience});
}

}  // namespace signet::broker
