#include "client/subscriptions.h"

#include <algorithm>
#include <utility>

namespace signet::client {
namespace {

// Restoring waits as long as it takes: Requests ends a connection whose broker does not answer.
constexpr std::chrono::hours kPatience{24};

bool may_pass(const Error& error) {
  return error.code == ErrorCode::kOverloaded || error.code == ErrorCode::kUnavailable;
}

}  // namespace

void Subscriptions::add(const std::shared_ptr<Feed>& feed, std::optional<std::uint64_t> after,
                        Elapsed give_up, Told told) {
  const Id id = next_id_++;
  Entry& entry = entries_.try_emplace(id, feed, options_.stream).first->second;
  entry.after = after;
  entry.give_up = give_up;
  entry.told = std::move(told);
  ask(id, entry);  // it waits for a connection among the other questions
}

Subscriptions::Entry* Subscriptions::find(Id id) {
  const auto found = entries_.find(id);
  return found == entries_.end() ? nullptr : &found->second;
}

void Subscriptions::on_pulse(const dialects::PulseAnswer& pulse) {
  const auto names_it = [&](const Entry& entry) {
    return entry.feed->pattern().matches(pulse.topic);
  };
  const bool is_routed = std::none_of(entries_.begin(), entries_.end(),
                                      [&](const auto& each) { return names_it(each.second); });
  for (auto& [id, entry] : entries_) {
    if (is_routed || names_it(entry)) entry.stream.on_live(pulse);
  }
}

void Subscriptions::on_own(const std::string& topic, std::uint64_t topic_number) {
  for (auto& [id, entry] : entries_) {
    if (entry.feed->pattern().matches(topic)) entry.stream.on_own(topic, topic_number);
  }
}

void Subscriptions::connected() {
  ++connection_;
  connected_ = true;
}

void Subscriptions::disconnected() {
  connected_ = false;
  for (auto& [id, entry] : entries_) {
    // The question that is under way is asked again by Requests, and answered for the next one.
    if (entry.phase == Phase::kListening) entry.phase = Phase::kWanted;
    entry.not_before = {};
    entry.stream.drop_held();
  }
}

void Subscriptions::end_at_broker(const std::string& pattern) {
  const bool is_shared = std::any_of(entries_.begin(), entries_.end(), [&](const auto& each) {
    return each.second.feed->pattern().text() == pattern && !each.second.feed->has_ended();
  });
  if (is_shared || !connected_) return;
  requests_.ask({Requests::Kind::kTopicUnsubscribe, pattern, now_ + kPatience,
                 [](const Result<dialects::Answer>&) {}});
}

void Subscriptions::sweep() {
  for (auto each = entries_.begin(); each != entries_.end();) {
    if (!each->second.feed->has_ended()) {
      ++each;
      continue;
    }
    const Entry gone = std::move(each->second);
    each = entries_.erase(each);
    // One that is asked for ends when its answer comes: see on_subscribed.
    if (gone.phase == Phase::kListening) end_at_broker(gone.feed->pattern().text());
  }
}

void Subscriptions::pump(Elapsed now) {
  now_ = now;
  sweep();
  for (auto& [id, entry] : entries_) {
    if (now < entry.not_before) continue;
    if (entry.phase == Phase::kWanted) ask(id, entry);
    const bool wants_history = entry.need != Need::kNothing && entry.stream.is_empty();
    if (entry.phase == Phase::kListening && wants_history && !entry.asks_history) {
      ask_history(id, entry);
    }
  }
}

void Subscriptions::ask(Id id, Entry& entry) {
  entry.phase = Phase::kAsked;
  const std::string& pattern = entry.feed->pattern().text();
  const Elapsed give_up = entry.told ? entry.give_up : now_ + kPatience;
  requests_.ask({Requests::Kind::kTopicSubscribe, pattern, give_up,
                 [this, id, pattern](const Result<dialects::Answer>& answer) {
                   on_subscribed(id, pattern, answer);
                 }});
}

void Subscriptions::on_subscribed(Id id, const std::string& pattern,
                                  const Result<dialects::Answer>& answer) {
  Entry* entry = find(id);
  if (entry == nullptr) {
    if (answer.ok()) end_at_broker(pattern);
    return;
  }
  if (!answer.ok()) return refused(id, *entry, answer.error());
  listen(*entry);
  if (const Told told = std::exchange(entry->told, nullptr)) told(Done{});
}

// Whoever listens for the first time needs to know where it began: what comes before the first
// pulse can else not be had after a reconnect.
void Subscriptions::listen(Entry& entry) {
  entry.phase = Phase::kListening;
  entry.is_lost = false;
  entry.pages = 0;
  if (entry.was_heard && !entry.after) entry.after = entry.stream.last();
  if (entry.was_heard && !entry.after) entry.stream.mark_gap();
  entry.was_heard = true;
  entry.need = entry.after ? Need::kHistory : Need::kBase;
  if (entry.need == Need::kHistory) entry.stream.hold();
}

void Subscriptions::refused(Id id, Entry& entry, const Error& why) {
  if (const Told told = std::exchange(entry.told, nullptr)) {
    entry.feed->end();
    entries_.erase(id);
    return told(why);
  }
  entry.phase = Phase::kWanted;
  if (!connected_) return;  // no broker's word
  entry.not_before = now_ + (may_pass(why) ? options_.retry_after : options_.refused_again);
  if (may_pass(why) || std::exchange(entry.is_lost, true)) return;
  on_lost_(entry.feed->pattern().text(), why);
}

void Subscriptions::ask_history(Id id, Entry& entry) {
  entry.asks_history = true;
  const bool is_base = entry.need == Need::kBase;
  requests_.ask({Requests::Kind::kTopicHistory, entry.feed->pattern().text(), now_ + kPatience,
                 [this, id, connection = connection_](Result<dialects::Answer> answer) {
                   on_history(id, connection, std::move(answer));
                 },
                 entry.after, is_base ? 1 : options_.history_page});
}

void Subscriptions::on_history(Id id, std::uint64_t connection, Result<dialects::Answer> answer) {
  Entry* entry = find(id);
  if (entry == nullptr) return;
  entry->asks_history = false;
  // Of a connection that is gone: asked anew once the subscription is there again.
  if (connection != connection_ || entry->phase != Phase::kListening) return;
  if (answer.ok()) return take_page(*entry, std::get<dialects::TopicHistoryAnswer>(*answer));
  if (may_pass(answer.error())) {
    entry->not_before = now_ + options_.retry_after;
    return;
  }
  if (entry->need == Need::kHistory) entry->stream.mark_gap();
  entry->need = Need::kNothing;
  entry->after.reset();
  entry->stream.release();
}

void Subscriptions::take_page(Entry& entry, dialects::TopicHistoryAnswer page) {
  const bool is_base = std::exchange(entry.need, Need::kNothing) == Need::kBase;
  if (is_base) return entry.stream.reached(page.next);
  if (page.gap) entry.stream.mark_gap();
  const bool moves = page.next > entry.after.value_or(0);
  entry.stream.on_history(std::move(page.pulses));
  const bool is_too_long = ++entry.pages >= options_.max_pages;
  if (page.more && moves && !is_too_long) {
    entry.after = page.next;
    entry.need = Need::kHistory;
    return;
  }
  if (page.more) entry.stream.mark_gap();
  entry.stream.reached(page.next);
  entry.after.reset();
  entry.stream.release();
}

bool Subscriptions::deliver(const std::function<bool()>& may_go_on) {
  sweep();
  for (bool found = true; found;) {
    found = false;
    for (auto& [id, entry] : entries_) {
      const auto pulse = entry.stream.next();
      if (!pulse) continue;
      found = true;
      entry.feed->hand(*pulse);
      if (!may_go_on()) return has_pulses();
    }
  }
  return false;
}

bool Subscriptions::has_pulses() const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [](const auto& each) { return !each.second.stream.is_empty(); });
}

std::optional<Elapsed> Subscriptions::next_deadline() const {
  std::optional<Elapsed> next;
  for (const auto& [id, entry] : entries_) {
    const bool waits = entry.phase == Phase::kWanted ||
                       (entry.phase == Phase::kListening && entry.need != Need::kNothing &&
                        !entry.asks_history && entry.stream.is_empty());
    if (waits && (!next || entry.not_before < *next)) next = entry.not_before;
  }
  return next;
}

}  // namespace signet::client
