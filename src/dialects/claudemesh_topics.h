// The topic frames of claudemesh, Signet's addition: readers of what a member says, and writers of
// what it hears. Format: "Topics" in protocol/claudemesh.md. What a verb shows borrows the frame.
#pragma once

#include <string>

#include "dialects/reply.h"
#include "dialects/verb.h"
#include "wire/json.h"

namespace signet::dialects {

inline constexpr std::size_t kTopicHistoryLimit = 100;      // of a frame that names none
inline constexpr std::size_t kMaxTopicHistoryLimit = 1000;  // as many as a mesh keeps by default

Verb read_topic_publish(wire::JsonValue frame);
Verb read_topic_subscribe(wire::JsonValue frame);
Verb read_topic_unsubscribe(wire::JsonValue frame);
Verb read_topic_history(wire::JsonValue frame);

std::string write_published(const Published& published);
std::string write_subscription_changed(const SubscriptionChanged& change);
std::string write_pulse(const PulseOut& out);
// As many pulses of the page as fit, and at least one: where some do not, `more` and `next` lead to
// the rest.
std::string write_history(const History& history);
std::string write_topics(const Topics& topics);

}  // namespace signet::dialects
