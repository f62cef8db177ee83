// TopicDesk against the obvious: for each pulse, ask the policy about every session there is, with
// neither trees, nor stamps, nor anything remembered.
#include <random>
#include <set>

#include "broker/story_for_test.h"

namespace signet::broker {
namespace {

constexpr std::uint32_t kSeed = 20'261'121;

class TopicDeskTest : public Story, public testing::WithParamInterface<std::uint32_t> {
 protected:
  // One session as the oracle knows it.
  struct Listener {
    FakeConnection* connection;
    trust::Subject subject;
    std::vector<std::string> tags;
    std::set<std::string> patterns;
  };

  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  std::string segments(const std::vector<std::string>& words) {
    std::string text = words[below(words.size())];
    while (one_in(2)) text += "." + words[below(words.size())];
    return text;
  }
  std::string topic() { return segments({"a", "b"}); }
  std::string pattern() {
    if (one_in(8)) return ">";
    return segments({"a", "b", "*"}) + (one_in(3) ? ".>" : "");
  }

  // Rules of any roles on any topics; everybody may connect.
  std::string policy() {
    std::string text = R"(
[role.dev]
tags = ["dev"]

[role.core]
sources = ["core"]

[[rule]]
id = "all-connect"
allow = ["connect"]
)";
    const std::vector<std::string> roles{"member", "dev", "core", "shared"};
    const std::size_t rules = 2 + below(6);
    for (std::size_t i = 0; i < rules; ++i) {
      text += "\n[[rule]]\nid = \"r" + std::to_string(i) + "\"\n";
      if (!one_in(3)) text += "roles = [\"" + roles[below(roles.size())] + "\"]\n";
      text += one_in(4) ? "deny" : "allow";
      text += one_in(2) ? " = [\"subscribe\", \"publish\"]\n" : " = [\"subscribe\"]\n";
      text += "topics = [\"" + pattern() + "\"]\n";
    }
    return text + "\n[[rule]]\nid = \"all-publish\"\nallow = [\"publish\"]\n";
  }
  void set_random_routes() {
    routing::RoutingDocument document;
    for (const char* node : {"n1", "n2"}) {
      for (std::size_t i = 0; i < 1 + below(3); ++i) document.nodes[node].push_back(topic());
      auto& topics = document.nodes[node];
      std::sort(topics.begin(), topics.end());
      topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
    }
    for (std::size_t i = 0; i < 4; ++i) document.targets[topic()] = {one_in(2) ? "n1" : "n2"};
    set_routes(document);
  }

  void join_members() {
    const std::vector<std::pair<std::string, std::vector<std::string>>> members{
        {"ann", {}}, {"bob", {"dev"}}, {"cid", {}}};
    for (std::size_t i = 0; i < 6; ++i) {
      const auto& [name, tags] = members[i % members.size()];
      Listener listener{&peer(name, i), {}, tags, {}};
      listener.subject.member = true;
      listener.subject.proof = trust::Proof::kKey;
      listeners_.push_back(std::move(listener));
    }
  }
  void join_source(const std::string& name, bool shared, std::size_t shard) {
    HandshakeFields fields;
    if (shared) fields.signed_with = secret_of("*");
    const std::string place = topic();
    Listener listener{&source(name, place, shard, fields), {}, {}, {place}};
    listener.subject.member = !shared;
    listener.subject.proof = shared ? trust::Proof::kShared : trust::Proof::kSecret;
    listener.subject.source = shared ? "anybody" : "core";
    listeners_.push_back(std::move(listener));
  }

  trust::Decision decide(const Listener& listener, trust::Action action,
                         const std::string& on) const {
    const trust::Policy& policy = *rules_.otherwise.policy;
    trust::Subject subject = listener.subject;
    subject.tags = &listener.tags;
    return policy.decide(policy.roles_of(subject), subject.proof, action, on);
  }
  bool hears(const Listener& listener, const std::string& topic) const {
    if (decide(listener, trust::Action::kSubscribe, topic).by_deny_rule) return false;
    std::vector<std::string> ways = rules_.otherwise.routes->also_to(topic);
    ways.push_back(topic);
    for (const std::string& way : ways) {
      for (const std::string& pattern : listener.patterns) {
        if (routing::Pattern::parse(pattern)->matches(way) &&
            decide(listener, trust::Action::kSubscribe, way).allowed) {
          return true;
        }
      }
    }
    return false;
  }

  // But for what Signet itself says of refusals, which whoever may subscribes to.
  std::string heard_from_peers(FakeConnection& connection) {
    std::string words;
    for (const std::string& text : connection.take_texts()) {
      const std::string word = word_of(text);
      if (word.starts_with("pulse governance.")) continue;
      words += words.empty() ? word : ", " + word;
    }
    return words;
  }
  std::string answer(FakeConnection& connection, const std::string& frame) {
    say(connection, frame);
    settle();
    return heard_from_peers(connection);
  }

  void change_a_subscription(Listener& listener) {
    const std::string text = pattern();
    if (listener.patterns.contains(text) && one_in(2)) {
      EXPECT_EQ(answer(*listener.connection, unsubscribe(text)), "topic_unsubscribed " + text);
      listener.patterns.erase(text);
      return;
    }
    const bool is_exact = routing::Pattern::parse(text)->is_exact();
    const bool may = !is_exact || decide(listener, trust::Action::kSubscribe, text).allowed;
    EXPECT_EQ(answer(*listener.connection, subscribe(text)),
              may ? "topic_subscribed " + text : "denied");
    if (may) listener.patterns.insert(text);
  }
  void publish_and_compare(Listener& publisher, const std::string& text) {
    const std::string on = topic();
    const bool may = decide(publisher, trust::Action::kPublish, on).allowed;
    EXPECT_EQ(answer(*publisher.connection, publish("m", on, text)),
              may ? "published m" : "denied m");
    for (const Listener& each : listeners_) {
      const bool expected = may && &each != &publisher && hears(each, on);
      EXPECT_EQ(heard_from_peers(*each.connection), expected ? "pulse " + on + " " + text : "")
          << "seed " << kSeed << ", listener " << &each - listeners_.data() << ", " << on;
    }
  }

  std::mt19937 random_{kSeed};
  std::vector<Listener> listeners_;
};

INSTANTIATE_TEST_SUITE_P(Shards, TopicDeskTest, testing::Values(1U, 2U),
                         [](const auto& shards) { return "On" + std::to_string(shards.param); });

TEST_P(TopicDeskTest, DeliversToExactlyThoseWhomThePolicyLetsHear) {
  options_.pulses_per_second = options_.pulses_per_minute = 0;
  options_.pulses_per_second_topic = options_.pulses_per_second_address = 0;
  options_.hellos_per_second = 0;
  options_.decisions_per_second = 1'000'000;
  add_source(11, "core");
  add_source(12, "*");
  set_policy("[[rule]]\nid = \"at-first\"\nallow = [\"connect\", \"publish\"]\n");
  start(GetParam());
  join_members();
  for (const std::size_t shard : {0U, 1U}) {
    join_source("core", false, shard);
    join_source("anybody", true, shard);
  }
  for (int round = 0; round < 12 && !HasFailure(); ++round) {
    set_policy(policy());
    set_random_routes();
    show_rules();
    for (int step = 0; step < 20 && !HasFailure(); ++step) {
      change_a_subscription(listeners_[below(6)]);
      publish_and_compare(listeners_[below(6)], std::to_string(round * 100 + step));
    }
  }
  EXPECT_GT(metric("signet_pulse_deliveries_total"), 100) << "it compared something";
}

}  // namespace
}  // namespace signet::broker
