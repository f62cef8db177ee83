#include "dialects/claudemesh_topics.h"

#include <utility>

#include "dialects/claudemesh.h"
#include "dialects/pulse_text.h"
#include "routing/pattern.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

bool is_missing(JsonValue value) { return !value || value.is(JsonKind::kNull); }

JsonWriter frame_of(std::string_view type) {
  JsonWriter frame;
  frame.object().key("type").value(type);
  return frame;
}

// A pattern that must be there.
std::optional<Misspoken> fault_of_pattern(JsonValue value) {
  const auto text = value.string();
  if (!text) return Misspoken{Refusal::kBadFrame, "pattern", {}};
  if (!routing::Pattern::parse(*text).ok()) return Misspoken{Refusal::kBadTopic, "pattern", {}};
  return std::nullopt;
}

template <class SubscriptionVerb>
Verb read_subscription(JsonValue frame) {
  if (auto fault = fault_of_pattern(frame["pattern"])) return *std::move(fault);
  return SubscriptionVerb{*frame["pattern"].string()};
}

// The members of a pulse, where it stands in a frame of its own and in a list alike.
void write_members(JsonWriter& out, const routing::Pulse& pulse) {
  out.key("topic").value(pulse.topic).key("number").value(pulse.number);
  out.key("topicNumber").value(pulse.topic_number).key("from").value(pulse.from);
  out.key("at").value(iso8601(pulse.at)).key("pulse").raw(pulse.text);
}

}  // namespace

Verb read_topic_publish(JsonValue frame) {
  const JsonValue id = frame["id"];
  const auto client_id = is_missing(id) ? std::optional<std::string_view>("") : id.string();
  if (!client_id || client_id->size() > kMaxClientIdBytes) {
    return Misspoken{Refusal::kBadFrame, "id", {}};
  }
  const auto refuse = [&](Refusal code, std::string_view rule) {
    return Misspoken{code, rule, std::string(*client_id)};
  };
  const auto topic = frame["topic"].string();
  if (!topic) return refuse(Refusal::kBadFrame, "topic");
  if (!routing::is_topic(*topic)) return refuse(Refusal::kBadTopic, "topic");
  const JsonValue pulse = frame["pulse"];
  if (!pulse.is(JsonKind::kObject)) return refuse(Refusal::kBadFrame, "pulse");
  return Publish{*client_id, *topic, open_pulse(pulse)};
}

Verb read_topic_subscribe(JsonValue frame) { return read_subscription<Subscribe>(frame); }
Verb read_topic_unsubscribe(JsonValue frame) { return read_subscription<Unsubscribe>(frame); }

Verb read_topic_history(JsonValue frame) {
  ReadHistory read{"", std::nullopt, kTopicHistoryLimit};
  if (const JsonValue pattern = frame["pattern"]; !is_missing(pattern)) {
    if (auto fault = fault_of_pattern(pattern)) return *std::move(fault);
    read.pattern = *pattern.string();
  }
  if (const JsonValue after = frame["after"]; !is_missing(after)) {
    const auto number = after.integer();
    if (!number || *number < 0) return Misspoken{Refusal::kBadFrame, "after", {}};
    read.after = static_cast<std::uint64_t>(*number);
  }
  if (const JsonValue limit = frame["limit"]; !is_missing(limit)) {
    const std::int64_t most = limit.integer().value_or(0);
    if (most < 1 || most > std::int64_t{kMaxTopicHistoryLimit}) {
      return Misspoken{Refusal::kBadFrame, "limit", {}};
    }
    read.limit = static_cast<std::size_t>(most);
  }
  return read;
}

std::string write_published(const Published& published) {
  JsonWriter frame = frame_of("topic_published");
  frame.key("id").value(published.client_id).key("number").value(published.number);
  return frame.key("topicNumber").value(published.topic_number).end().take();
}

std::string write_subscription_changed(const SubscriptionChanged& change) {
  JsonWriter frame = frame_of(change.subscribed ? "topic_subscribed" : "topic_unsubscribed");
  return frame.key("pattern").value(change.pattern).end().take();
}

std::string write_pulse(const PulseOut& out) {
  JsonWriter frame = frame_of("pulse");
  write_members(frame, out.pulse);
  return frame.end().take();
}

std::string write_history(const History& history) {
  const routing::TopicHistory::Page& page = history.page;
  JsonWriter frame = frame_of("topic_history");
  frame.key("pulses").array();
  std::size_t listed = 0;
  for (const auto& pulse : page.pulses) {
    const bool fits = frame.text().size() + pulse->text.size() < kMaxListBytes;
    if (listed > 0 && !fits) break;
    ++listed;
    write_members(frame.object(), *pulse);
    frame.end();
  }
  const bool is_cut = listed < page.pulses.size();
  frame.end().key("gap").value(page.gap).key("more").value(is_cut || page.more);
  frame.key("next").value(is_cut ? page.pulses[listed - 1]->number : page.next);
  return frame.end().take();
}

std::string write_topics(const Topics& topics) {
  JsonWriter frame = frame_of("topic_list");
  frame.key("topics").array();
  for (const TopicEntry& topic : topics.topics) {
    if (frame.text().size() >= kMaxListBytes) break;
    frame.object().key("name").value(topic.name);
    frame.key("subscribers").value(std::uint64_t{topic.subscribers}).end();
  }
  return frame.end().end().take();
}

}  // namespace signet::dialects
