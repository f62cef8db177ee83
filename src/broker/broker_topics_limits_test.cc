// Stories of topics: the rates of those who publish, and readers that are too slow.
#include "base/captured_log_for_test.h"
#include "broker/topics_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

TEST_P(Topics, AMemberHasOneRateOnAllItsConnections) {
  options_.pulses_per_second = 1;
  options_.pulses_burst = 2;
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& again = peer("ann", 1);
  FakeConnection& bob = peer("bob", 1);
  EXPECT_EQ(ask(ann, publish("m1", "a", "x")), "published m1");
  EXPECT_EQ(ask(again, publish("m2", "a", "x")), "published m2");
  say(again, publish("m3", "a", "x"));
  settle();
  EXPECT_NE(again.texts.at(0).find(R"("code":"rate_limited")"), std::string::npos);
  EXPECT_EQ(last(again, "retryAfterMs"), "1000");
  EXPECT_EQ(ask(ann, publish("m4", "a", "x")), "rate_limited m4");
  EXPECT_EQ(ask(bob, publish("m5", "a", "x")), "published m5");
  clock_.advance(1s);
  EXPECT_EQ(ask(ann, publish("m6", "a", "x")), "published m6");
}

TEST_P(Topics, ARoleMayHaveAnotherRate) {
  set_policy(std::string(R"(
[role.slow]
tags = ["dev"]
pulses_per_second = 1
burst = 1
pulses_per_minute = 2
)") + R"(
[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish"]
)");
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(ann, publish("m", "a", "x")), "published m");
  EXPECT_EQ(ask(bob, publish("m1", "a", "x")), "published m1");
  EXPECT_EQ(ask(bob, publish("m2", "a", "x")), "rate_limited m2");
  clock_.advance(1s);
  EXPECT_EQ(ask(bob, publish("m3", "a", "x")), "published m3");
  clock_.advance(1s);
  EXPECT_EQ(ask(bob, publish("m4", "a", "x")), "rate_limited m4") << "two a minute";
}

TEST_P(Topics, ATopicHasARateOnAShardWhoeverPublishes) {
  options_.pulses_per_second_topic = 1;
  options_.pulses_burst_topic = 2;
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 0);
  EXPECT_EQ(ask(ann, publish("m1", "a", "x")), "published m1");
  EXPECT_EQ(ask(bob, publish("m2", "a", "x")), "published m2");
  EXPECT_EQ(ask(bob, publish("m3", "a", "x")), "rate_limited m3");
  EXPECT_EQ(ask(bob, publish("m4", "b", "x")), "published m4");
}

TEST_P(Topics, AnAddressHasARateOnAShardWhoeverIsBehindIt) {
  options_.pulses_per_second_address = 1;
  options_.pulses_burst_address = 2;
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 0);
  EXPECT_EQ(ask(ann, publish("m1", "a", "x")), "published m1");
  EXPECT_EQ(ask(bob, publish("m2", "b", "x")), "published m2");
  EXPECT_EQ(ask(bob, publish("m3", "c", "x")), "rate_limited m3");
  bob.peer_address.ip[15] = 2;
  EXPECT_EQ(ask(bob, publish("m4", "c", "x")), "published m4");
}

TEST_P(Topics, WhoCausesTooManyDeliveriesWaits) {
  options_.deliveries_per_second = 1;
  options_.deliveries_burst = 2;
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"a"});
  FakeConnection& cid = listener("cid", 0, {"a"});
  EXPECT_EQ(ask(ann, publish("m1", "a", "x")), "published m1");
  EXPECT_EQ(ask(ann, publish("m2", "b", "x")), "rate_limited m2") << "whatever the topic";
  EXPECT_EQ(heard(bob), "pulse a x");
  EXPECT_EQ(heard(cid), "pulse a x");
  EXPECT_EQ(ask(bob, publish("m3", "b", "x")), "published m3");
  clock_.advance(1s);
  EXPECT_EQ(ask(ann, publish("m4", "b", "x")), "published m4");
}

TEST_P(Topics, ASourceThatNeverKeepsItsRateIsClosed) {
  options_.pulses_per_second = options_.pulses_burst = 1;
  add_source(11, "sage");
  begin();
  FakeConnection& sage = source("sage", "a");
  say(sage, pulse("x"));
  for (int i = 0; i < 999; ++i) say(sage, pulse("x"));
  EXPECT_FALSE(sage.closed) << "an excess pulse has its answer";
  clock_.advance(1s);
  say(sage, pulse("x"));
  for (int i = 0; i < 999; ++i) say(sage, pulse("x"));
  EXPECT_FALSE(sage.closed) << "they were not in a row";
  say(sage, pulse("x"));
  ASSERT_TRUE(sage.closed);
  EXPECT_EQ(sage.closed->reason, CloseReason::kOverLimit);
}

TEST_P(Topics, ASlowReaderKeepsTheLatestAndLosesTheOldest) {
  options_.late_pulses = 3;
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"a"});
  FakeConnection& cid = listener("cid", 1, {"a"});
  CapturedLog log;
  set_log_level(LogLevel::kInfo);
  bob.queued = options_.high_water_bytes;
  for (const char* text : {"1", "2", "3", "4", "5"}) ask(ann, publish("", "a", text));
  EXPECT_EQ(heard(bob), "");
  EXPECT_EQ(heard(cid), "pulse a 1, pulse a 2, pulse a 3, pulse a 4, pulse a 5")
      << "nobody else waits for it";
  EXPECT_EQ(metric("signet_pulses_dropped_total"), 2);
  const std::string slow = log.take();
  EXPECT_NE(slow.find("consumer.slow"), std::string::npos) << slow;
  EXPECT_NE(slow.find(key_text("bob")), std::string::npos) << slow;

  bob.queued = 0;
  ask(ann, publish("", "a", "6"));
  EXPECT_EQ(heard(bob), "") << "what waits goes first";
  broker_of(bob).on_drained(bob);
  EXPECT_EQ(heard(bob), "pulse a 4, pulse a 5, pulse a 6");
  const std::string caught_up = log.take();
  EXPECT_NE(caught_up.find("consumer.caught_up"), std::string::npos) << caught_up;
  EXPECT_NE(caught_up.find("\"dropped\":3"), std::string::npos) << caught_up;
  ask(ann, publish("", "a", "7"));
  EXPECT_EQ(heard(bob), "pulse a 7");
  EXPECT_FALSE(bob.closed);
}

TEST_P(Topics, WhatWaitsForASlowReaderIsBoundedInBytes) {
  options_.high_water_bytes = 1'000;
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"a"});
  bob.queued = options_.high_water_bytes;
  const std::string much(600, 'x');
  for (const char* text : {"1", "2"}) ask(ann, publish("", "a", text + much));
  ask(ann, publish("", "a", "3"));
  bob.queued = 0;
  broker_of(bob).on_drained(bob);
  EXPECT_EQ(heard(bob), "pulse a 3");
  EXPECT_EQ(metric("signet_pulses_dropped_total"), 2);
}

// What waits was decided when it came; who may hear less now gets none of it.
TEST_P(Topics, ASlowReaderGetsNothingThatItMayNotHearAnyMore) {
  set_policy(kOpenAndShut);
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"shut.a"});
  bob.queued = options_.high_water_bytes;
  ask(ann, publish("", "shut.a", "secret"));
  set_tags("bob", {});
  bob.queued = 0;
  broker_of(bob).on_drained(bob);
  EXPECT_EQ(heard(bob), "");
}

TEST_P(Topics, ASlowReaderThatStopsAgainGoesOnWhereItStopped) {
  begin();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = listener("bob", 1, {"a"});
  bob.queued = options_.high_water_bytes;
  for (const char* text : {"1", "2"}) ask(ann, publish("", "a", text));
  bob.queued = 0;
  bob.next_sent = net::Sent::kDropped;
  broker_of(bob).on_drained(bob);
  EXPECT_EQ(heard(bob), "");
  bob.next_sent = net::Sent::kQueued;
  broker_of(bob).on_drained(bob);
  EXPECT_EQ(heard(bob), "pulse a 1, pulse a 2");
}

}  // namespace
}  // namespace signet::broker
