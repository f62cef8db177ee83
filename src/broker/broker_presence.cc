// Who is here, and what they are doing.
#include <algorithm>
#include <atomic>

#include "broker/broker.h"

namespace signet::broker {

using dialects::PeerEntry;
using dialects::Status;

void Broker::set_status(MailSession& session, Status status, StatusSource source) {
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
  const std::vector<MailSession*> working(working_.begin(), working_.end());
  for (MailSession* session : working) {
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
    for (Session* each : sessions) {
      if (each->conversation != Conversation::kMail) continue;
      auto& session = static_cast<MailSession&>(*each);
      if (session.pid != target.pid || session.cwd != target.cwd) continue;
      set_status(session, status, StatusSource::kHook);
      presence = session.presence_id();
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
void Broker::take_remembered_hook(MailSession& session) {
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
    for (const Session* each : sessions) {
      if (each->mesh != mesh || each->conversation != Conversation::kMail) continue;
      const auto& session = static_cast<const MailSession&>(*each);
      const membership::Member* who = member_of(session);
      if (who == nullptr) continue;
      into.push_back({membership::key_text(*who), session.display_name, session.status.current(),
                      session.summary, session.session_id, session.connected});
    }
  }
}

// One list at a time is made for a mesh, or a thousand peers that ask at once would cost a thousand
// copies of it; who asks meanwhile is answered by the next.
void Broker::on_list_peers(MailSession& session) {
  if (!may_or_refuse(session, {trust::Action::kSeePresence, {}})) return;
  PeerLists& lists = peer_lists_[session.mesh];
  ++lists.asked[session.connection.id()];
  if (!std::exchange(lists.in_making, true)) gather_peers(session.mesh);
}

// Every shard adds its own sessions in turn; the last one sends the list home.
void Broker::gather_peers(MeshNumber mesh) {
  struct Gathering {
    std::map<Id, std::size_t> asked;
    std::vector<PeerEntry> peers;
    std::size_t next = 0;
    std::function<void()> step;
  };
  auto gathering = std::make_shared<Gathering>();
  gathering->asked = std::exchange(peer_lists_[mesh].asked, {});
  gathering->step = [this, gathering, mesh] {
    Broker* here = shared_.brokers[gathering->next];
    here->collect_peers(mesh, gathering->peers);
    if (++gathering->next < shared_.brokers.size()) {
      return shared_.brokers[gathering->next]->mailbox().post(gathering->step);
    }
    mailbox().post([this, gathering, mesh] {
      on_peers_gathered(mesh, gathering->asked, gathering->peers);
      gathering->step = {};  // the step holds the gathering: let both go
    });
  };
  shared_.brokers.front()->mailbox().post(gathering->step);
}

void Broker::on_peers_gathered(MeshNumber mesh, const std::map<Id, std::size_t>& asked,
                               const std::vector<PeerEntry>& peers) {
  std::string list;  // one format has this question, so one text answers all
  for (const auto& [id, times] : asked) {
    MailSession* asker = mail_at(id);
    if (asker == nullptr) continue;
    if (list.empty()) list = asker->dialect.write(dialects::Peers{.peers = peers});
    for (std::size_t i = 0; i < times; ++i) {
      if (!say_text(*asker, list)) break;
    }
  }
  const auto lists = peer_lists_.find(mesh);
  if (!lists->second.asked.empty()) return gather_peers(mesh);
  peer_lists_.erase(lists);
}

void Broker::on_channel(Session& session, const std::string& name, bool join) {
  if (const auto wait = must_wait(session)) {
    return refuse(session, Refusal::kRateLimited, {}, wait);
  }
  // Who may not speak in a channel may not read it either; leaving is always right.
  const std::string address = routing::text_of(routing::ToChannel{name});
  if (join && !may_or_refuse(session, {trust::Action::kSend, address})) return;
  const Id id = session.connection.id();
  const auto answer = [this, id, name, join](const signet::Status& status) {
    mailbox().post([this, id, name, join, status] {
      Session* asker = session_at(id);
      if (asker == nullptr) return;
      if (status.ok()) return say(*asker, dialects::ChannelChanged{name, join});
      const bool limit = status.error().code == ErrorCode::kOverloaded;
      refuse(*asker, limit ? Refusal::kLimitExceeded : Refusal::kUnavailable, {}, std::nullopt,
             status.error().detail);
    });
  };
  const auto too_often = [this, id](std::chrono::nanoseconds wait) {
    mailbox().post([this, id, wait] {
      Session* asker = session_at(id);
      if (asker != nullptr) refuse(*asker, Refusal::kRateLimited, {}, wait, "channel changes");
    });
  };
  // Counted where it is known whether anything changes: to say again what is so already is free.
  // Leaving costs as much and is not refused for it; the next join waits until it is paid for.
  shared_.control.post([&shared = shared_, mesh = session.mesh, member = session.member, name, join,
                        now = shard_.now(), answer, too_often] {
    controller::Controller& controller = *shared.controller;
    const membership::MeshSnapshot* where = controller.table().mesh(mesh);
    const bool changes = where != nullptr && where->in_channel(name, member) != join;
    if (!join) {
      if (changes) shared.channel_rates.charge(member, now, 1);
      return controller.leave_channel(mesh, member, name, answer);
    }
    const auto wait = changes ? shared.channel_rates.take(member, now) : std::nullopt;
    if (wait) return too_often(*wait);
    controller.join_channel(mesh, member, name, answer);
  });
}

void Broker::on_list_channels(Session& session) {
  if (!may_or_refuse(session, {trust::Action::kSeePresence, {}})) return;
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
  if (!may_or_refuse(session, {trust::Action::kSeePresence, {}})) return;
  const membership::MeshSnapshot& mesh = *snapshot_->mesh(session.mesh);
  const auto recipients = mesh.recipients(list.target, session.member);
  if (!recipients.ok()) return refuse(session, Refusal::kNoSuchMember, {});
  auto members = membership::members_by_key(mesh, *recipients);
  const membership::Audience audience = membership::audience_of(members);
  if (list.after) {
    const auto first = std::upper_bound(
        members.begin(), members.end(), *list.after,
        [](const crypto::PublicKey& key, const membership::Member* m) { return key < *m->key; });
    members.erase(members.begin(), first);
  }
  say(session, dialects::Members{routing::text_of(list.target), members, audience});
}

}  // namespace signet::broker
