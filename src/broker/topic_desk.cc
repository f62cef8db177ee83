// Pulses in, and what is asked about topics. Pulses out: topic_delivery.cc.
#include "broker/topic_desk.h"

#include <algorithm>
#include <utility>

#include "broker/broker.h"
#include "dialects/pulse_text.h"

namespace signet::broker {
namespace {

using trust::Action;

// Numbers of a start lie above those of every start before, and stay exact in JSON
// (topic_history.h).
constexpr std::uint64_t kNumbersPerMs = 1'000;

}  // namespace

TopicDesk::TopicDesk(ShardCore& core)
    : core_(core),
      topic_rates_(core.shared().options.pulses_per_second_topic,
                   core.shared().options.pulses_burst_topic, core.shared().options.rate_entries),
      address_rates_(core.shared().options.pulses_per_second_address,
                     core.shared().options.pulses_burst_address,
                     core.shared().options.rate_entries) {}

// Every limit is looked at before a token of it is taken from the next: the narrowest first.
std::optional<std::chrono::nanoseconds> TopicDesk::must_wait(Session& session,
                                                             std::string_view topic) {
  Shared& shared = core_.shared();
  const Elapsed now = core_.shard().now();
  const Payer payer = ShardCore::payer_of(session);
  if (const auto wait = shared.deliveries.must_wait(payer, now)) return wait;
  const trust::RoleLimits limits = core_.limits_of(session);
  std::optional<trust::Rate> a_second;
  if (limits.pulses_per_second) {
    a_second = {*limits.pulses_per_second, limits.burst.value_or(*limits.pulses_per_second)};
  }
  std::optional<trust::Rate> a_minute;
  if (limits.pulses_per_minute)
    a_minute = {*limits.pulses_per_minute / 60, *limits.pulses_per_minute};
  if (const auto wait = shared.pulse_rates.take(payer, now, a_second)) return wait;
  if (const auto wait = shared.pulse_minutes.take(payer, now, a_minute)) return wait;
  const auto address = session.connection.peer().limit_key();
  if (!address_rates_.take(address, now)) return address_rates_.retry_after(address, now);
  const std::string name = std::to_string(session.mesh.value) + "/" + std::string(topic);
  if (!topic_rates_.take(name, now)) return topic_rates_.retry_after(name, now);
  return std::nullopt;
}

bool TopicDesk::on_publish(Session& session, const dialects::Publish& publish) {
  const bool has_place = session.conversation == Conversation::kTopic;
  const std::string_view topic =
      has_place ? std::string_view(static_cast<SecretSession&>(session).place) : publish.topic;
  if (const auto wait = must_wait(session, topic)) {
    core_.refuse(session, Refusal::kRateLimited, publish.client_id, wait);
    return false;
  }
  if (!core_.may_or_refuse(session, {Action::kPublish, topic}, publish.client_id)) return true;
  core_.shared().metrics.pulses.add();
  PulseDraft draft{session.mesh,
                   ShardCore::payer_of(session),
                   std::string(topic),
                   publish.pulse,
                   core_.name_of_principal(session),
                   session.connection.id(),
                   std::string(publish.client_id)};
  Broker& home = core_.shared().home_of(session.mesh);
  if (&home.topics() == this) {
    number_one(std::move(draft));
  } else {
    outgoing_to(home.shard_index()).drafts.push_back(std::move(draft));
  }
  return true;
}

routing::TopicHistory& TopicDesk::history_of(MeshNumber mesh) {
  const auto found = histories_.find(mesh);
  if (found != histories_.end()) return found->second;
  const auto started =
      static_cast<std::uint64_t>(std::max<std::int64_t>(core_.shared().started.ms, 1));
  return histories_.try_emplace(mesh, started * kNumbersPerMs, core_.shared().options.history)
      .first->second;
}

std::uint64_t TopicDesk::total(MeshNumber mesh) const {
  const auto found = histories_.find(mesh);
  return found == histories_.end() ? 0 : found->second.total();
}

void TopicDesk::number(std::vector<PulseDraft> drafts) {
  for (PulseDraft& draft : drafts) number_one(std::move(draft));
}

void TopicDesk::number_one(PulseDraft draft) {
  routing::Pulse pulse;
  pulse.mesh = draft.mesh;
  pulse.at = core_.shared().clock.wall();
  pulse.text = dialects::stamp_pulse(draft.open, pulse.at, draft.topic);
  pulse.topic = std::move(draft.topic);
  pulse.from = std::move(draft.from);
  auto numbered = history_of(draft.mesh).append(std::move(pulse));
  if (!draft.client_id.empty()) answer(draft, *numbered);
  spread({std::move(numbered), draft.payer, draft.origin, true});
}

// The sender may have gone meanwhile, or wait on another shard.
void TopicDesk::answer(const PulseDraft& draft, const routing::Pulse& pulse) {
  Broker& its = *core_.shared().brokers[draft.origin.shard];
  const auto tell = [&its, origin = draft.origin, client_id = draft.client_id,
                     number = pulse.number, topic_number = pulse.topic_number] {
    its.tell(origin, dialects::Published{client_id, number, topic_number});
  };
  if (&its.topics() == this) return tell();
  its.mailbox().post(tell);
}

void TopicDesk::on_subscribe(Session& session, const dialects::Subscribe& subscribe) {
  const auto pattern = routing::Pattern::parse(subscribe.pattern);
  if (!pattern.ok()) return core_.refuse(session, Refusal::kBadTopic, {});
  // What a wildcard reaches is decided for each pulse. A no costs as much as a pulse, or asking for
  // what is denied would wash the references of others away.
  const Wish subscribing{Action::kSubscribe, pattern->text()};
  if (pattern->is_exact() && !core_.may(session, subscribing)) {
    if (const auto wait = must_wait(session, {})) {
      return core_.refuse(session, Refusal::kRateLimited, {}, wait);
    }
    core_.may_or_refuse(session, subscribing);
    return;
  }
  const auto& mine = session.listener.subscriptions;
  const bool is_there = mine && std::find(mine->patterns.begin(), mine->patterns.end(), *pattern) !=
                                    mine->patterns.end();
  const std::size_t most = core_.shared().options.subscriptions_per_session;
  if (!is_there && mine && mine->patterns.size() >= most) {
    return core_.refuse(session, Refusal::kLimitExceeded, {});
  }
  hub_.subscribe(session, *pattern);
  core_.say(session, dialects::SubscriptionChanged{pattern->text(), true});
}

void TopicDesk::on_unsubscribe(Session& session, const dialects::Unsubscribe& unsubscribe) {
  const auto pattern = routing::Pattern::parse(unsubscribe.pattern);
  if (!pattern.ok()) return core_.refuse(session, Refusal::kBadTopic, {});
  if (!hub_.unsubscribe(session, *pattern)) {
    return core_.refuse(session, Refusal::kNotSubscribed, {});
  }
  core_.say(session, dialects::SubscriptionChanged{pattern->text(), false});
}

void TopicDesk::listen(Session& session, const std::string& topic) {
  const auto pattern = routing::Pattern::parse(topic);
  if (pattern.ok()) hub_.subscribe(session, *pattern);
}

void TopicDesk::on_history(Session& session, const dialects::ReadHistory& read) {
  if (const auto wait = must_wait(session, {})) {
    return core_.refuse(session, Refusal::kRateLimited, {}, wait);
  }
  HistoryQuery query{std::string(read.pattern), read.after, read.limit};
  Broker& mine = *core_.shared().brokers[core_.shard().index()];
  const auto answer = [&mine,
                       id = session.connection.id()](const routing::TopicHistory::Page& page) {
    mine.mailbox().post([&mine, id, page] { mine.tell(id, dialects::History{page}); });
  };
  Broker& home = core_.shared().home_of(session.mesh);
  home.mailbox().post([&home, who = core_.principal_of(session), query, answer] {
    home.topics().read_history(who, query, answer);
  });
}

void TopicDesk::read_history(const Principal& who, const HistoryQuery& query,
                             const HistoryAnswer& answer) {
  const auto pattern = routing::Pattern::parse(query.pattern);
  const trust::Roles roles = core_.roles_of(who);
  const bool connects = core_.may(who, roles, {Action::kConnect, {}});
  const auto may_read = [&](const routing::Pulse& pulse) {
    return connects && (query.pattern.empty() || (pattern.ok() && pattern->matches(pulse.topic))) &&
           core_.may(who, roles, {Action::kReadHistory, pulse.topic});
  };
  const routing::TopicHistory& history = history_of(who.mesh);
  answer(query.after ? history.after(*query.after, query.limit, may_read)
                     : history.last(query.limit, may_read));
}

std::optional<std::string> TopicDesk::deny_reader(const Principal& who,
                                                  const net::PeerAddress& peer,
                                                  std::initializer_list<trust::Action> by_any) {
  if (who.operates) return std::nullopt;
  const trust::Roles roles = core_.roles_of(who);
  const trust::Policy& policy = *core_.rules_of(who.mesh).policy;
  const bool connects = core_.may(who, roles, {Action::kConnect, {}});
  const bool reads_some = std::any_of(by_any.begin(), by_any.end(), [&](Action action) {
    return policy.may_some(roles, who.proof, action);
  });
  if (connects && reads_some) return std::nullopt;
  core_.shared().metrics.reads_refused[ReadRefusal::kDenied].add();
  core_.note(who.mesh, who.member, peer, audit::Event::kRefused, name_of(ReadRefusal::kDenied));
  const Wish refused = connects ? Wish{*by_any.begin(), ">"} : Wish{Action::kConnect, {}};
  const std::string name = who.proof == trust::Proof::kShared ? "shared:" + who.source : who.source;
  return core_.record_denial({who.mesh, who.proof, roles, name}, refused,
                             name_of(ReadRefusal::kDenied));
}

bool TopicDesk::sees_presence(const Principal& who) {
  return core_.may(who, core_.roles_of(who), {Action::kSeePresence, {}});
}

void TopicDesk::on_list(Session& session) {
  if (const auto wait = must_wait(session, {})) {
    return core_.refuse(session, Refusal::kRateLimited, {}, wait);
  }
  Broker& mine = *core_.shared().brokers[core_.shard().index()];
  gather_topics(core_.principal_of(session), [&mine, id = session.connection.id()](
                                                 const std::vector<dialects::TopicEntry>& topics) {
    mine.tell(id, dialects::Topics{topics});
  });
}

// Each shard adds its counts in turn; the last one sends them home.
void TopicDesk::gather_topics(
    const Principal& who, std::function<void(const std::vector<dialects::TopicEntry>&)> answer) {
  struct Gathering {
    std::map<std::string, std::size_t> counts;
    std::size_t next = 0;
    std::function<void()> step;
  };
  auto gathering = std::make_shared<Gathering>();
  gathering->step = [this, gathering, who, answer = std::move(answer)] {
    const auto& brokers = core_.shared().brokers;
    Broker& here = *brokers[gathering->next];
    for (TopicCount& count : here.topics().topics(who.mesh)) {
      gathering->counts[std::move(count.name)] += count.subscribers;
    }
    if (++gathering->next < brokers.size()) {
      return brokers[gathering->next]->mailbox().post(gathering->step);
    }
    core_.mailbox().post([this, gathering, who, answer] {
      std::vector<dialects::TopicEntry> topics;
      const trust::Roles roles = core_.roles_of(who);
      const bool connects = core_.may(who, roles, {Action::kConnect, {}});
      for (const auto& [name, subscribers] : gathering->counts) {
        const bool visible = connects && (core_.may(who, roles, {Action::kSubscribe, name}) ||
                                          core_.may(who, roles, {Action::kReadHistory, name}));
        if (visible) topics.push_back({name, subscribers});
      }
      answer(topics);
      gathering->step = {};  // the step holds the gathering: let both go
    });
  };
  core_.shared().brokers.front()->mailbox().post(gathering->step);
}

}  // namespace signet::broker
