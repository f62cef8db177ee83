// Stories of a message in: stored before it is acknowledged, and once however often it is sent.
#include "broker/story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

using Sending = Story;

TEST_F(Sending, AnAckComesAfterTheStoreAndNotBefore) {
  start();
  FakeConnection& ann = peer("ann");
  say(ann, message("m1", key_text("bob"), "hi"));
  turn_shards();
  EXPECT_EQ(heard(ann), "");
  ASSERT_EQ(store_.published.size(), 1u);
  store_.work();
  EXPECT_EQ(heard(ann), "") << "not on the store's thread";
  turn_shards();
  EXPECT_EQ(heard(ann), "ack m1 for 1");
  EXPECT_EQ(metric("broker_messages_routed_total{priority=\"next\"}"), 1);
}

TEST_F(Sending, WhoDoesNotWaitForAcksIsNotReadUntilThereAreSome) {
  options_.unanswered_sends = 3;
  options_.unanswered_bytes = 1'000;
  start();
  FakeConnection& ann = peer("ann");
  const auto send = [&](const std::string& id, std::size_t bytes) {
    say(ann, message(id, key_text("bob"), std::string(bytes, 'x')));
    return ann.paused;
  };
  EXPECT_FALSE(send("m1", 1));
  EXPECT_FALSE(send("m2", 1));
  EXPECT_TRUE(send("m3", 1)) << "too many";
  settle();
  EXPECT_FALSE(ann.paused) << "answered";
  EXPECT_TRUE(send("m4", 2'000)) << "too large";
  EXPECT_TRUE(send("m5", 1)) << "what was read already is not lost";
  settle();
  EXPECT_FALSE(ann.paused);
  EXPECT_EQ(heard(ann), "ack m1 for 1, ack m2 for 1, ack m3 for 1, ack m4 for 1, ack m5 for 1");
}

TEST_F(Sending, TheEnvelopeSaysWhoToWhomAndUntilWhen) {
  start();
  FakeConnection& ann = peer("ann");
  std::string key = key_text("bob");
  for (char& c : key) c = static_cast<char>(std::toupper(c));
  say(ann, message("m1", key, "hi", "low", true));
  const store::Publish& command = store_.published.at(0);
  const routing::Envelope& envelope = *command.envelope;
  EXPECT_EQ(envelope.mesh, MeshNumber{1});
  EXPECT_EQ(envelope.sender, MemberNumber{1});
  EXPECT_EQ(envelope.to, key_text("bob")) << "one text for an address";
  EXPECT_EQ(envelope.priority, routing::Priority::kLow);
  EXPECT_TRUE(envelope.receipts);
  EXPECT_EQ(envelope.created, clock_.wall());
  EXPECT_EQ(envelope.expires, clock_.wall() + options_.message_ttl);
  EXPECT_EQ(command.recipients, std::vector<MemberNumber>{{2}});
}

TEST_F(Sending, TheIdIsDerivedFromMeshSenderAndClientId) {
  start();
  FakeConnection& ann = peer("ann");
  FakeConnection& bob = peer("bob", 1);
  for (FakeConnection* sender : {&ann, &bob}) {
    say(*sender, message("m1", "*", "x"));
    say(*sender, message("m1", "*", "x"));
    say(*sender, message("m2", "*", "x"));
    say(*sender, message("", "*", "x"));
    say(*sender, message("", "*", "x"));
  }
  std::set<routing::MessageId> ids;
  for (const store::Publish& each : store_.published) ids.insert(each.envelope->id);
  EXPECT_EQ(ids.size(), 8u) << "m1 twice is one; without an id each is its own";
  EXPECT_EQ(store_.published[0].envelope->id, store_.published[1].envelope->id);
}

TEST_F(Sending, ARetryIsTheSameMessage) {
  start();
  FakeConnection& ann = peer("ann");
  FakeConnection& bob = peer("bob", 1);
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "hi")), "ack m1 for 1");
  EXPECT_EQ(heard(bob), "push hi");
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "hi")), "ack m1 for 1");
  EXPECT_EQ(heard(bob), "");
  EXPECT_EQ(metric("signet_duplicate_sends_total"), 1);
  EXPECT_EQ(metric("broker_messages_routed_total{priority=\"next\"}"), 1);
}

TEST_F(Sending, TheSameIdWithOtherContentIsRefused) {
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "hi")), "ack m1 for 1");
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "ho")), "id_reused m1");
  EXPECT_EQ(ask(ann, message("m1", key_text("cid"), "hi")), "id_reused m1");
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "hi", "now")), "id_reused m1");
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "hi")), "ack m1 for 1");
}

TEST_F(Sending, EveryNoOfTheStoreHasItsWord) {
  start();
  FakeConnection& ann = peer("ann");
  struct Case {
    store::PublishOutcome outcome;
    const char* words;
  };
  const Case cases[] = {{store::PublishOutcome::kIdReused, "id_reused m"},
                        {store::PublishOutcome::kQuotaExceeded, "quota_exceeded m"},
                        {store::PublishOutcome::kStoreFull, "store_full m"},
                        {store::PublishOutcome::kUnavailable, "unavailable m"}};
  for (const Case& row : cases) {
    store_.publish_outcomes = {row.outcome};
    EXPECT_EQ(ask(ann, message("m", key_text("bob"), "x")), row.words);
  }
  EXPECT_FALSE(ann.closed);
  EXPECT_EQ(metric("broker_messages_rejected_total{reason=\"store_full\"}"), 1);
}

TEST_F(Sending, ThereMustBeSomebody) {
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(ask(ann, message("m1", key_text("zoe"), "x")), "no_such_member m1");
  EXPECT_EQ(ask(ann, message("m2", key_text("dan"), "x")), "no_such_member m2") << "another mesh";
  EXPECT_TRUE(store_.published.empty());
  EXPECT_EQ(ask(ann, message("m3", "#nobody", "x")), "ack m3 for 0");
  EXPECT_EQ(ask(ann, message("m4", "tag:dev", "x")), "ack m4 for 1");
  EXPECT_EQ(ask(ann, message("m5", "*", "x")), "ack m5 for 2");
  EXPECT_EQ(ask(ann, message("m6", key_text("ann"), "me")), "push me, ack m6 for 1");
}

TEST_F(Sending, AMemberHasOneRateOnAllItsSessions) {
  options_.sends_per_second = 10;
  options_.sends_burst = 4;
  start();
  FakeConnection& first = peer("ann", 0);
  FakeConnection& second = peer("ann", 1);
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(ask(first, message("a" + std::to_string(i), "*", "x")).substr(0, 3), "ack");
    EXPECT_EQ(ask(second, message("b" + std::to_string(i), "*", "x")).substr(0, 3), "ack");
  }
  say(second, message("b9", "*", "x"));
  const std::string refusal = second.texts.at(0);
  EXPECT_NE(refusal.find("\"retryAfterMs\":100"), std::string::npos) << refusal;
  EXPECT_EQ(heard(second), "rate_limited b9");
  clock_.advance(100ms);
  EXPECT_EQ(ask(second, message("b9", "*", "x")), "ack b9 for 2");
  EXPECT_EQ(metric("broker_messages_rejected_total{reason=\"rate_limited\"}"), 1);
}

TEST_F(Sending, WhatIsUnderWayBehindARefusedOneIsRefusedWithIt) {
  options_.sends_per_second = 100;
  options_.sends_burst = 20;
  start();
  FakeConnection& ann = peer("ann");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(ask(ann, message("a" + std::to_string(i), "*", "x")).substr(0, 3), "ack");
  }
  say(ann, message("b0", "*", "x"));
  EXPECT_NE(ann.texts.at(0).find("\"retryAfterMs\":100"), std::string::npos) << ann.texts.at(0);
  EXPECT_EQ(heard(ann), "rate_limited b0");
  clock_.advance(60ms);  // there would be room for six
  say(ann, message("b1", "*", "x"));
  EXPECT_NE(ann.texts.at(0).find("\"retryAfterMs\":40"), std::string::npos) << ann.texts.at(0);
  EXPECT_EQ(heard(ann), "rate_limited b1");
  clock_.advance(40ms);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ask(ann, message("b" + std::to_string(i), "*", "x")).substr(0, 3), "ack") << i;
  }
  EXPECT_EQ(ask(ann, message("b10", "*", "x")), "rate_limited b10") << "none was given away";
}

TEST_F(Sending, ASmallBurstIsNotHeldBackLongerThanItTakesToFill) {
  options_.sends_per_second = 100;
  options_.sends_burst = 1;
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(ask(ann, message("a0", "*", "x")).substr(0, 3), "ack");
  EXPECT_EQ(ask(ann, message("a1", "*", "x")), "rate_limited a1");
  clock_.advance(10ms);
  EXPECT_EQ(ask(ann, message("a1", "*", "x")).substr(0, 3), "ack");
}

TEST_F(Sending, JoiningAndLeavingAChannelCountsAsASend) {
  options_.sends_per_second = 10;
  options_.sends_burst = 2;
  start();
  FakeConnection& ann = peer("ann");
  const std::string join = R"({"type":"channel_join","name":"ops"})";
  const std::string leave = R"({"type":"channel_leave","name":"ops"})";
  EXPECT_EQ(ask(ann, join), "channel_joined");
  EXPECT_EQ(ask(ann, leave), "channel_left");
  EXPECT_EQ(ask(ann, join), "rate_limited");
  clock_.advance(100ms);
  EXPECT_EQ(ask(ann, join), "channel_joined");
}

TEST_F(Sending, TheSenderMayHaveGone) {
  start();
  FakeConnection& ann = peer("ann");
  FakeConnection& bob = peer("bob");
  say(ann, message("m1", key_text("bob"), "hi"));
  shards_[0]->hang_up(ann);
  settle();
  EXPECT_EQ(heard(bob), "push hi") << "it was said before";
}

TEST_F(Sending, BadFramesChangeNothing) {
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(ask(ann, R"({"type":"send","id":"m1","targetSpec":"nobody"})"), "bad_frame m1");
  EXPECT_EQ(ask(ann, R"({"type":"fly","id":"m2"})"), "unknown_type m2");
  EXPECT_EQ(ask(ann, "not json"), "bad_frame");
  EXPECT_FALSE(ann.closed);
  EXPECT_TRUE(store_.published.empty());
}

}  // namespace
}  // namespace signet::broker
