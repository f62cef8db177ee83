// Stories of topics: published once, numbered for all, heard by who may hear. Each at two shards,
// where pulses cross them, and at one.
#include <random>

#include "broker/topics_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

constexpr const char* kHistory = R"({"type":"topic_history"})";
constexpr const char* kList = R"({"type":"topic_list"})";

INSTANTIATE_TEST_SUITE_P(Shards, Topics, testing::Values(1U, 2U),
                         [](const auto& shards) { return "On" + std::to_string(shards.param); });

TEST_P(Topics, APulseIsAcknowledgedAndGoesToEverybodyElseOnce) {
  begin();
  FakeConnection& ann = listener("ann", 0, {"a.b", ">"});
  FakeConnection& bob = listener("bob", 1, {"a.b", "a.*", ">"});
  FakeConnection& cid = listener("cid", 0, {"*.b"});
  EXPECT_EQ(ask(ann, publish("m1", "a.b", "hi")), "published m1") << "and no echo";
  EXPECT_EQ(heard(bob), "pulse a.b hi");
  EXPECT_EQ(heard(cid), "pulse a.b hi");
  EXPECT_EQ(ask(ann, publish("", "a.b", "again")), "") << "no id, no answer";
  EXPECT_EQ(ask(ann, publish("m2", "a.c", "other")), "published m2");
  EXPECT_EQ(heard(bob), "pulse a.b again, pulse a.c other");
  EXPECT_EQ(heard(cid), "pulse a.b again");
  EXPECT_EQ(metric("signet_pulses_total"), 3);
  EXPECT_EQ(metric("signet_pulse_deliveries_total"), 5);
}

TEST_P(Topics, APulseIsNumberedStampedAndNamesItsPublisher) {
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"a.>"});
  const std::string first = std::to_string(shared_->started.ms * 1'000);
  say(ann, R"({"type":"topic_publish","id":"m1","topic":"a.b","pulse":{"z":1,"_mesh_topic":"x"}})");
  settle();
  EXPECT_EQ(last(ann, "number"), first);
  const std::string frame = bob.texts.at(0);
  EXPECT_NE(frame.find(R"("pulse":{"z":1,"_mesh_timestamp":")"), std::string::npos) << frame;
  EXPECT_NE(frame.find(R"("_mesh_topic":"a.b"})"), std::string::npos) << frame;
  EXPECT_EQ(last(bob, "from"), key_text("ann"));
  ask(ann, publish("m2", "a.c", "x"));
  const std::string second = bob.texts.at(0);
  EXPECT_NE(second.find("\"number\":" + std::to_string(shared_->started.ms * 1'000 + 1)),
            std::string::npos)
      << "of the mesh: " << second;
  EXPECT_NE(second.find("\"topicNumber\":" + first), std::string::npos) << "of the topic";
}

TEST_P(Topics, SourcesAndMembersHearEachOther) {
  add_source(11, "sage");
  add_source(12, "core");
  begin();
  FakeConnection& sage = source("sage", "a.b", 0);
  FakeConnection& core = source("core", "a.b", 1);
  FakeConnection& elsewhere = source("core", "a.c", 0);
  FakeConnection& bob = listener("bob", 1, {"a.b"});
  EXPECT_EQ(ask(sage, pulse("hi")), "");
  EXPECT_EQ(heard(core), "pulse a.b hi");
  EXPECT_EQ(last(bob, "from"), "sage");
  ask(bob, publish("m", "a.b", "hello"));
  EXPECT_EQ(heard(sage), "pulse a.b hello");
  EXPECT_EQ(heard(core), "pulse a.b hello");
  EXPECT_EQ(heard(elsewhere), "");
}

TEST_P(Topics, ARoutedPulseComesOnceHoweverManyWaysLeadToIt) {
  set_routes({{{"core", {"core.a", "core.b"}}, {"me", {"in"}}}, {{"in", {"core", "me"}}}});
  begin();
  FakeConnection& ann = listener("ann", 0, {"core.a"});
  FakeConnection& bob = listener("bob", 1, {"core.a", "core.b", "in"});
  FakeConnection& cid = listener("cid", 1, {"core.*"});
  EXPECT_EQ(ask(ann, publish("", "in", "x")), "") << "no echo by a route either";
  EXPECT_EQ(heard(bob), "pulse in x");
  EXPECT_EQ(heard(cid), "pulse in x");
  ask(ann, publish("", "core.a", "y"));
  EXPECT_EQ(heard(cid), "pulse core.a y");
  EXPECT_EQ(heard(bob), "pulse core.a y");
}

// Publishers on all shards at once: everybody hears all pulses, and in one order.
TEST_P(Topics, TheOrderOfAllPublishersIsTheSameForAllWhoListen) {
  unlimited();
  begin();
  std::vector<FakeConnection*> publishers;
  std::vector<FakeConnection*> listeners;
  for (const std::size_t shard : {0U, 1U}) {
    for (const char* name : {"ann", "bob"}) publishers.push_back(&peer(name, shard));
    for (int i = 0; i < 2; ++i) listeners.push_back(&listener("cid", shard, {"t.>"}));
  }
  std::mt19937 random(7);
  constexpr int kPulses = 200;
  for (int i = 0; i < kPulses; ++i) {
    const std::size_t who = random() % publishers.size();
    say(*publishers[who], publish("", "t." + std::to_string(random() % 3), std::to_string(i)));
    if (random() % 4 == 0) shards_[at(random())]->turn();
  }
  settle();
  std::vector<std::vector<std::string>> all;
  for (FakeConnection* each : listeners) all.push_back(each->take_texts());
  ASSERT_EQ(all[0].size(), std::size_t{kPulses});
  for (const auto& each : all) EXPECT_EQ(each, all[0]);
}

TEST_P(Topics, WhatIsDeniedHasAReferenceByWhichTheOperatorFindsTheRule) {
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  say(ann, publish("m1", "vault.a", "x"));
  settle();
  EXPECT_NE(ann.texts.at(0).find(R"("code":"denied")"), std::string::npos);
  EXPECT_EQ(ann.texts.at(0).find("vault"), std::string::npos) << "the peer is told no rule";
  const auto by_rule = decision(last(ann, "ref"));
  ASSERT_TRUE(by_rule);
  EXPECT_EQ(by_rule->rule, "vault");
  EXPECT_EQ(by_rule->mesh, "team");
  EXPECT_EQ(by_rule->who, key_text("ann"));
  EXPECT_EQ(by_rule->action, "publish");
  EXPECT_EQ(by_rule->on, "vault.a");
  EXPECT_EQ(by_rule->code, "denied");
  EXPECT_EQ(by_rule->roles, std::vector<std::string>{"member"});
  say(ann, subscribe("shut.a"));
  settle();
  const auto by_default = decision(last(ann, "ref"));
  ASSERT_TRUE(by_default);
  EXPECT_EQ(by_default->rule, "") << "nothing allows it";
  EXPECT_EQ(by_default->action, "subscribe");
  EXPECT_EQ(metric("signet_pulses_total"), 0);
}

TEST_P(Topics, WhoGovernsHearsOfEachRefusal) {
  set_policy(std::string(kOpenAndShut) + R"(
[[rule]]
id = "governors"
roles = ["reader"]
allow = ["subscribe"]
topics = ["governance.>"]
)");
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"governance.decision"});
  EXPECT_EQ(ask(ann, publish("m1", "vault.a", "x")), "denied m1");
  const std::string told = bob.texts.empty() ? "" : bob.texts[0];
  EXPECT_NE(told.find(R"("rule":"vault")"), std::string::npos) << told;
  EXPECT_NE(told.find(key_text("ann")), std::string::npos) << told;
  EXPECT_NE(told.find(R"("_mesh_from":"signet")"), std::string::npos) << told;
}

// By default no member hears which rule refused it, or whom else, and none speaks there.
TEST_P(Topics, WhoDoesNotGovernNeitherHearsNorSaysWhatWasDecided) {
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {">"});
  EXPECT_EQ(ask(ann, subscribe("governance.decision")), "denied");
  EXPECT_EQ(ask(ann, publish("m1", "governance.decision", "x")), "denied m1");
  EXPECT_EQ(ask(ann, publish("m2", "audit.log", "x")), "denied m2");
  EXPECT_EQ(heard(bob), "") << "a wildcard is no way there";
  EXPECT_EQ(ask(ann, publish("m3", "a", "x")), "published m3");
  EXPECT_EQ(heard(bob), "pulse a x");
}

TEST_P(Topics, OnlySoManyRefusalsASecondAreKept) {
  options_.decisions_per_second = 2;
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  for (int i = 0; i < 3; ++i) say(ann, publish("", "vault.a", "x"));
  settle();
  ASSERT_EQ(ann.texts.size(), 3U) << "all are refused";
  EXPECT_NE(ann.texts[1].find("\"ref\""), std::string::npos);
  EXPECT_EQ(ann.texts[2].find("\"ref\""), std::string::npos);
}

TEST_P(Topics, TheHistoryIsWhatWhoAsksMayRead) {
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 1);
  for (const char* topic : {"open.a", "shut.a", "open.b", "shut.b", "open.a"}) {
    ask(ann, publish("", topic, topic));
  }
  EXPECT_EQ(ask(ann, kHistory), "history open.a open.b open.a");
  EXPECT_EQ(ask(bob, kHistory), "history open.a shut.a open.b shut.b open.a");
  EXPECT_EQ(ask(bob, R"({"type":"topic_history","pattern":"*.a"})"),
            "history open.a shut.a open.a");
  EXPECT_EQ(ask(ann, R"({"type":"topic_history","pattern":"shut.a"})"), "history");
  EXPECT_EQ(ask(ann, R"({"type":"topic_history","limit":2})"), "history open.b open.a");
  EXPECT_EQ(ask(ann, R"({"type":"topic_history","after":0,"limit":2})"),
            "history open.a open.b more");
}

// A reader that was away reads page by page, misses nothing it may read, and is told of a gap.
TEST_P(Topics, TheHistoryIsReadOnPageByPage) {
  options_.history.max_pulses = 4;
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  const auto page = [&](const std::string& after) {
    say(ann, R"({"type":"topic_history","limit":1,"after":)" + after + "}");
    settle();
    const std::string words = word_of(ann.texts.at(0));
    return std::pair(words, last(ann, "next"));
  };
  for (const char* topic : {"open.1", "shut.2", "open.3", "shut.4"}) {
    ask(ann, publish("", topic, topic));
  }
  auto [words, next] = page("0");
  EXPECT_EQ(words, "history open.1 more");
  std::tie(words, next) = page(next);
  EXPECT_EQ(words, "history open.3");
  std::tie(words, next) = page(next);
  EXPECT_EQ(words, "history");
  for (const char* topic : {"open.5", "open.6", "open.7", "open.8", "open.9"}) {
    ask(ann, publish("", topic, topic));
  }
  std::tie(words, next) = page(next);
  EXPECT_EQ(words, "history open.6 gap more");
}

TEST_P(Topics, TheListShowsTheTopicsThatWhoAsksMayHearOrRead) {
  add_source(11, "sage");
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = listener("ann", 0, {"open.a", "open.>"});
  FakeConnection& bob = listener("bob", 1, {"open.a", "shut.b"});
  source("sage", "open.c", 1);
  EXPECT_EQ(ask(ann, kList), "topics open.a:2 open.c:1");
  EXPECT_EQ(ask(bob, kList), "topics open.a:2 open.c:1 shut.b:1");
  shards_[at(1)]->hang_up(bob);
  EXPECT_EQ(ask(ann, kList), "topics open.a:1 open.c:1");
}

TEST_P(Topics, WhatAWildcardReachesIsDecidedForEachPulse) {
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = listener("ann", 0, {">", "shut.*"});
  FakeConnection& bob = listener("bob", 1, {">"});
  EXPECT_EQ(ask(ann, subscribe("shut.a")), "denied") << "by its name it is decided at once";
  FakeConnection& cid = peer("cid", 1);
  for (const char* topic : {"open.a", "shut.a", "open.b"}) ask(cid, publish("", topic, "x"));
  EXPECT_EQ(heard(ann), "pulse open.a x, pulse open.b x");
  EXPECT_EQ(heard(bob), "pulse open.a x, pulse shut.a x, pulse open.b x");
}

// Where a pulse is routed to, the right to hear that topic is enough, unless a rule denies its own.
TEST_P(Topics, ARouteGoesRoundNoRuleThatDenies) {
  set_policy(R"(
[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish"]

[[rule]]
id = "out"
roles = ["member"]
allow = ["subscribe"]
topics = ["out"]

[[rule]]
id = "vault"
deny = ["subscribe"]
topics = ["vault.>"]
)");
  set_routes({{{"node", {"out"}}}, {{"shut", {"node"}}, {"vault.a", {"node"}}}});
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"out"});
  ask(ann, publish("", "shut", "x"));
  ask(ann, publish("", "vault.a", "y"));
  EXPECT_EQ(heard(bob), "pulse shut x");
}

TEST_P(Topics, ARoleThatIsTakenAwayHearsNothingMore) {
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"shut.a", "shut.*"});
  ask(ann, publish("", "shut.a", "1"));
  EXPECT_EQ(heard(bob), "pulse shut.a 1");
  set_tags("bob", {});
  ask(ann, publish("", "shut.a", "2"));
  EXPECT_EQ(heard(bob), "");
  EXPECT_FALSE(bob.closed) << "it may still connect";
  EXPECT_EQ(ask(bob, kHistory), "history") << "nor read it later";
  set_tags("bob", {"dev"});
  ask(ann, publish("", "shut.a", "3"));
  EXPECT_EQ(heard(bob), "pulse shut.a 3");
}

TEST_P(Topics, ANewPolicyHoldsForThoseWhoAreHere) {
  add_source(11, "sage");
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"open.a", "shut.a"});
  FakeConnection& sage = source("sage", "open.a", 1);
  set_policy(R"(
[role.sage]
sources = ["sage"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect"]

[[rule]]
id = "open"
roles = ["member"]
allow = ["publish", "subscribe"]
topics = ["open.>"]

[[rule]]
id = "no-sage"
roles = ["sage"]
deny = ["connect"]
)");
  show_rules();
  EXPECT_EQ(heard(sage), "not_permitted");
  ASSERT_TRUE(sage.closed);
  EXPECT_EQ(sage.closed->reason, CloseReason::kNotPermitted);
  EXPECT_FALSE(bob.closed);
  EXPECT_EQ(ask(ann, publish("m", "shut.a", "x")), "denied m");
  ask(ann, publish("", "open.a", "x"));
  EXPECT_EQ(heard(bob), "pulse open.a x");
  EXPECT_EQ(heard(sage), "");
  set_policy(R"(
[[rule]]
id = "admins"
roles = ["admin"]
allow = ["connect"]
)");
  show_rules();
  ASSERT_TRUE(bob.closed);
  EXPECT_EQ(bob.closed->reason, CloseReason::kPolicy);
  EXPECT_EQ(bob.closed->text, "denied");
  EXPECT_EQ(shared_->loads.count({1}), 0);
  EXPECT_EQ(metric("broker_connections_active"), 0);
}

TEST_P(Topics, SubscriptionsComeAndGoWithinABound) {
  options_.subscriptions_per_session = 2;
  begin();
  FakeConnection& ann = listener("ann", 0, {"a", "b.*"});
  EXPECT_EQ(ask(ann, subscribe("c")), "limit_exceeded");
  EXPECT_EQ(ask(ann, unsubscribe("c")), "not_subscribed");
  EXPECT_EQ(ask(ann, unsubscribe("b.*")), "topic_unsubscribed b.*");
  EXPECT_EQ(ask(ann, subscribe("c")), "topic_subscribed c");
  EXPECT_EQ(ask(ann, subscribe("a..b")), "bad_topic");
  EXPECT_EQ(ask(ann, publish("m", "a.*", "x")), "bad_topic m");
  FakeConnection& bob = peer("bob", 1);
  for (const char* topic : {"a", "b.x", "c"}) ask(bob, publish("", topic, topic));
  EXPECT_EQ(heard(ann), "pulse a a, pulse c c");
  EXPECT_EQ(ask(ann, subscribe("a")), "topic_subscribed a") << "what it has it may ask for again";
}

TEST_P(Topics, AskingForWhatIsDeniedCostsAsMuchAsAPulse) {
  options_.pulses_per_second = 1;
  options_.pulses_burst = 2;
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ask(ann, subscribe("shut.a")), "denied");
  EXPECT_EQ(ask(ann, subscribe("shut.a")), "rate_limited");
  EXPECT_EQ(ask(ann, subscribe("open.a")), "topic_subscribed open.a") << "what it may is free";
}

TEST_P(Topics, WhoIsGoneHearsNothing) {
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {">"});
  say(ann, publish("m", "a", "x"));
  shards_[at(1)]->hang_up(bob);
  FakeConnection& gone = peer("cid", 1);
  say(gone, publish("m", "a", "y"));
  shards_[at(1)]->hang_up(gone);  // before its answer
  settle();
  EXPECT_EQ(heard(ann), "published m");
  EXPECT_EQ(ask(ann, kHistory), "history x y") << "what was said was said";
}

TEST_P(Topics, WhoMayOnlyPublishHearsNothingOfItsOwnTopic) {
  add_source(11, "sage");
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& sage = source("sage", "shut.a", 0);
  FakeConnection& bob = listener("bob", 1, {"shut.a"});
  ask(sage, pulse("x"));
  EXPECT_EQ(heard(bob), "pulse shut.a x");
  ask(bob, publish("", "shut.a", "y"));
  EXPECT_EQ(heard(sage), "");
}

TEST_P(Topics, MeshesHearNothingOfEachOther) {
  begin();
  HelloFields other;
  other.mesh = "mesh-other";
  FakeConnection& dan = peer("dan", 1, other);
  EXPECT_EQ(ask(dan, subscribe(">")), "topic_subscribed >");
  FakeConnection& ann = listener("ann", 0, {">"});
  ask(ann, publish("", "a", "x"));
  ask(dan, publish("", "a", "y"));
  EXPECT_EQ(heard(dan), "");
  EXPECT_EQ(heard(ann), "");
  EXPECT_EQ(ask(dan, kHistory), "history y");
}

}  // namespace
}  // namespace signet::broker
