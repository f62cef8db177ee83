// What stories of topics have in common. Each is told at two shards, where pulses cross them, and
// at one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/story_for_test.h"

namespace signet::broker {

// Members connect and read what is open; those with the tag may read the rest.
inline constexpr const char* kOpenAndShut = R"(
[role.reader]
tags = ["dev"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish"]

[[rule]]
id = "open"
roles = ["member"]
allow = ["subscribe", "read_history"]
topics = ["open.>"]

[[rule]]
id = "readers"
roles = ["reader"]
allow = ["subscribe", "read_history"]
topics = ["shut.>"]

[[rule]]
id = "vault"
deny = ["publish", "subscribe"]
topics = ["vault.>"]
)";

class Topics : public Story, public testing::WithParamInterface<std::uint32_t> {
 protected:
  void begin() { start(GetParam()); }
  void unlimited() {
    options_.pulses_per_second = options_.pulses_per_minute = 0;
    options_.pulses_per_second_topic = options_.pulses_per_second_address = 0;
    options_.deliveries_per_second = 0;
  }
  // The member `name` of the last frame, which is taken away.
  static std::string last(FakeConnection& connection, std::string_view name) {
    const std::vector<std::string> texts = connection.take_texts();
    wire::JsonDocument document;
    if (texts.empty() || !document.parse(texts.back()).ok()) return "nothing";
    const wire::JsonValue value = document.root()[name];
    return value.string() ? std::string(*value.string()) : std::string(value.raw());
  }
  std::optional<RefusedDecision> decision(const std::string& ref) {
    std::optional<RefusedDecision> found;
    control_.run_and_wait([&] {
      if (const RefusedDecision* kept = shared_->decisions.find(ref)) found = *kept;
    });
    return found;
  }
  void set_tags(const std::string& name, const std::vector<std::string>& tags) {
    control_.run_and_wait([&] {
      controller_->set_role({1}, membership::key_of(name).public_key(), membership::Role::kMember,
                            tags, [](const Status&) {});
    });
    settle();
  }
};

}  // namespace signet::broker
