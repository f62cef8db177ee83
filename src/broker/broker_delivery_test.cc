// Stories of a message out: pushed live or from the mailbox, confirmed by the receiver only.
#include "broker/story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class DeliveryStory : public Story {
 protected:
  // ann and bob on two shards, bob's hello with or without `receipts`.
  void meet(bool receipts = false) {
    start();
    ann_ = &peer("ann", 0);
    HelloFields fields;
    fields.receipts = receipts;
    bob_ = &peer("bob", 1, fields);
  }
  void send(const std::string& id, const std::string& body, const std::string& priority = "next",
            bool receipts = false) {
    EXPECT_EQ(ask(*ann_, message(id, key_text("bob"), body, priority, receipts)),
              "ack " + id + " for 1");
  }
  std::size_t waiting() const { return store_.waiting_for({2}); }

  FakeConnection* ann_ = nullptr;
  FakeConnection* bob_ = nullptr;
};

TEST_F(DeliveryStory, APushShowsTheMessageAsItWasSent) {
  meet();
  say(*ann_, R"({"type":"send","targetSpec":"*","nonce":"\u0061","ciphertext":"caf\u00e9 <\/>"})");
  settle();
  ASSERT_EQ(bob_->texts.size(), 1u);
  const std::string& push = bob_->texts[0];
  for (const std::string& part :
       {std::string(R"("nonce":"\u0061","ciphertext":"caf\u00e9 <\/>")"),
        R"("senderPubkey":")" + key_text("ann") + "\"", std::string(R"("meshId":"mesh-team")"),
        std::string(R"("targetSpec":"*")"), std::string(R"("priority":"next")")}) {
    EXPECT_NE(push.find(part), std::string::npos) << part << " in " << push;
  }
}

TEST_F(DeliveryStory, APushIsEncodedOnceForAll) {
  start(1);
  FakeConnection& ann = peer("ann");
  FakeConnection& bob = peer("bob");
  FakeConnection& again = peer("bob");
  FakeConnection& cid = peer("cid");
  ask(ann, message("m1", "*", "x"));
  ASSERT_EQ(bob.encoded.size(), 1u) << "it came as a ready frame";
  EXPECT_EQ(bob.encoded, again.encoded) << "to every session of a member";
  EXPECT_EQ(bob.encoded, cid.encoded);
  EXPECT_TRUE(ann.encoded.empty());
}

TEST_F(DeliveryStory, APongToThePingAfterThePushConfirms) {
  meet();
  send("m1", "one");
  EXPECT_EQ(heard(*bob_), "push one");
  ASSERT_EQ(bob_->pings.size(), 1u);
  EXPECT_EQ(waiting(), 1u) << "written is not received";
  pong(*bob_);
  EXPECT_EQ(waiting(), 0u);
  EXPECT_EQ(metric("signet_confirmed_total{by=\"pong\"}"), 1);
  EXPECT_EQ(bob_->pings.size(), 1u) << "nothing new, no ping";
}

TEST_F(DeliveryStory, OtherPongsConfirmNothing) {
  meet();
  send("m1", "one");
  const std::string ping = bob_->pings.at(0);
  std::string other = ping;
  other[0] ^= 1;
  for (const std::string& payload :
       {std::string(), std::string("keepalive"), other, ping + "x", ping.substr(1)}) {
    brokers_[1]->on_pong(*bob_, payload);
    settle();
    EXPECT_EQ(waiting(), 1u);
  }
  brokers_[1]->on_pong(*bob_, ping);
  EXPECT_EQ(waiting(), 0u);
  brokers_[1]->on_pong(*bob_, ping);
  EXPECT_EQ(store_.confirmed.size(), 1u) << "once";
}

TEST_F(DeliveryStory, APongCoversOnlyWhatWasPushedBeforeItsPing) {
  meet();
  send("m1", "one");
  send("m2", "two");
  EXPECT_EQ(bob_->pings.size(), 1u) << "one ping is out at a time";
  pong(*bob_);
  EXPECT_EQ(waiting(), 1u);
  EXPECT_EQ(bob_->pings.size(), 2u) << "the next one covers the rest";
  pong(*bob_);
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(DeliveryStory, WhoConfirmsByReceiptsIsNotPingedAndItsPongsDoNotCount) {
  meet(true);
  send("m1", "one");
  EXPECT_EQ(heard(*bob_), "push one");
  EXPECT_TRUE(bob_->pings.empty());
  brokers_[1]->on_pong(*bob_, std::string("\1\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(waiting(), 1u);
  EXPECT_EQ(ask(*bob_, receipt(last_push_, "received")), "");
  EXPECT_EQ(waiting(), 0u);
  EXPECT_EQ(metric("signet_confirmed_total{by=\"receipt\"}"), 1);
}

TEST_F(DeliveryStory, AFirstReceiptEndsTheRuleOfPongs) {
  meet();
  send("m1", "one");
  heard(*bob_);
  const std::string first = last_push_;
  send("m2", "two");
  EXPECT_EQ(ask(*bob_, receipt(first, "received")), "push two");
  pong(*bob_);
  EXPECT_EQ(waiting(), 1u) << "two needs its own receipt now";
}

TEST_F(DeliveryStory, TheSenderThatAskedIsTold) {
  meet(true);
  FakeConnection& ann_again = peer("ann", 1);
  send("m1", "one", "next", true);
  heard(*bob_);
  EXPECT_EQ(ask(*bob_, receipt(last_push_, "received")), "");
  EXPECT_EQ(heard(*ann_), "received by bob");
  EXPECT_EQ(heard(ann_again), "received by bob") << "on every session, whatever its shard";
  EXPECT_EQ(ask(*bob_, receipt(last_push_, "received")), "");
  EXPECT_EQ(heard(*ann_), "") << "once";
  ask(*bob_, receipt(last_push_, "read"));
  EXPECT_EQ(heard(*ann_), "read by bob");
  ask(*bob_, receipt(last_push_, "read"));
  EXPECT_EQ(heard(*ann_), "") << "once";
}

TEST_F(DeliveryStory, ReadSaysReceivedToo) {
  meet(true);
  send("m1", "one", "next", true);
  heard(*bob_);
  EXPECT_EQ(ask(*bob_, receipt(last_push_, "read")), "");
  EXPECT_EQ(heard(*ann_), "received by bob, read by bob");
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(DeliveryStory, TheSenderThatDidNotAskIsNotTold) {
  meet(true);
  send("m1", "one");
  heard(*bob_);
  ask(*bob_, receipt(last_push_, "read"));
  EXPECT_EQ(heard(*ann_), "");
}

TEST_F(DeliveryStory, APongTellsTheSenderToo) {
  meet();
  send("m1", "one", "next", true);
  pong(*bob_);
  EXPECT_EQ(heard(*ann_), "received by bob");
}

TEST_F(DeliveryStory, OfSeveralSessionsThatConfirmTheFirstIsTold) {
  meet();
  FakeConnection& bob_again = peer("bob", 0);
  send("m1", "one", "next", true);
  EXPECT_EQ(heard(*bob_), "push one");
  EXPECT_EQ(heard(bob_again), "push one");
  pong(*bob_);
  ASSERT_EQ(bob_again.pings.size(), 1u);
  brokers_[0]->on_pong(bob_again, bob_again.pings.back());
  settle();
  EXPECT_EQ(metric("signet_confirmed_total{by=\"pong\"}"), 2);
  EXPECT_EQ(heard(*ann_), "received by bob") << "once";
}

TEST_F(DeliveryStory, AReceiptForWhatWasNotPushedHereIsRefused) {
  meet(true);
  const std::string unknown(32, 'a');
  EXPECT_EQ(ask(*bob_, receipt(unknown, "received")), "no_such_message");
  EXPECT_EQ(ask(*bob_, receipt(unknown, "read")), "no_such_message");
  send("m1", "one", "next", true);
  heard(*bob_);
  FakeConnection& cid = peer("cid");
  EXPECT_EQ(ask(cid, receipt(last_push_, "received")), "no_such_message");
  EXPECT_EQ(heard(*ann_), "");
  EXPECT_EQ(waiting(), 1u) << "nobody confirms for another";
}

TEST_F(DeliveryStory, WhatWaitedComesFirstAndInOrder) {
  start();
  ann_ = &peer("ann");
  for (const char* id : {"1", "2", "3"}) send(id, id);
  bob_ = &connect(1);
  say(*bob_, hello("bob"));
  settle();
  EXPECT_EQ(heard(*bob_), "hello_ack, push 1, push 2, push 3");
  send("4", "4");
  EXPECT_EQ(heard(*bob_), "push 4");
}

TEST_F(DeliveryStory, AMailboxIsReadPageByPage) {
  start();
  ann_ = &peer("ann");
  std::string expected = "hello_ack";
  for (int i = 0; i < 25; ++i) {
    send(std::to_string(i), std::to_string(i));
    expected += ", push " + std::to_string(i);
  }
  store_.page_limit = 4;
  bob_ = &connect(1);
  EXPECT_EQ(ask(*bob_, hello("bob")), expected);
  EXPECT_GE(store_.reads.size(), 7u);
}

TEST_F(DeliveryStory, WhatWasNotConfirmedComesAgainUnderTheSameId) {
  meet();
  send("m1", "one");
  heard(*bob_);
  const std::string first = last_push_;
  shards_[1]->hang_up(*bob_);
  bob_ = &connect(0);
  EXPECT_EQ(ask(*bob_, hello("bob")), "hello_ack, push one");
  EXPECT_EQ(last_push_, first);
  pong(*bob_);
  shards_[0]->hang_up(*bob_);
  bob_ = &connect(0);
  EXPECT_EQ(ask(*bob_, hello("bob")), "hello_ack") << "confirmed is done";
}

TEST_F(DeliveryStory, EachSessionGetsAPushAndOneConfirmationIsEnough) {
  meet(true);
  HelloFields fields;
  fields.receipts = true;
  FakeConnection& second = peer("bob", 0, fields);
  send("m1", "one");
  EXPECT_EQ(heard(*bob_), "push one");
  EXPECT_EQ(heard(second), "push one");
  ask(second, receipt(last_push_, "received"));
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(DeliveryStory, ASlowReaderIsNotPushedMoreThanItsWindow) {
  options_.unconfirmed_messages = 3;
  meet();
  for (const char* id : {"1", "2", "3", "4", "5"}) send(id, id);
  EXPECT_EQ(heard(*bob_), "push 1, push 2, push 3");
  pong(*bob_);  // for 1
  EXPECT_EQ(heard(*bob_), "push 4");
  pong(*bob_);  // for 2 and 3
  EXPECT_EQ(heard(*bob_), "push 5");
  for (int i = 0; i < 3 && waiting() > 0; ++i) pong(*bob_);
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(DeliveryStory, BytesHaveAWindowToo) {
  options_.unconfirmed_bytes = 1'000;
  meet();
  for (const char* id : {"1", "2", "3"}) send(id, std::string(600, *id));
  EXPECT_EQ(bob_->texts.size(), 2u);
}

TEST_F(DeliveryStory, AFullOutputQueueHoldsThePushesBackUntilItDrains) {
  meet();
  bob_->queued = options_.high_water_bytes;
  send("1", "1");
  EXPECT_EQ(heard(*bob_), "");
  bob_->queued = 0;
  brokers_[1]->on_drained(*bob_);
  settle();
  EXPECT_EQ(heard(*bob_), "push 1");
}

TEST_F(DeliveryStory, AReaderThatStoppedIsClosedAndLosesNothing) {
  meet();
  bob_->next_sent = net::Sent::kDropped;
  send("1", "1");
  ASSERT_TRUE(bob_->closed);
  EXPECT_EQ(bob_->closed->reason, CloseReason::kSlowConsumer);
  shards_[1]->hang_up(*bob_);
  bob_ = &connect(0);
  EXPECT_EQ(ask(*bob_, hello("bob")), "hello_ack, push 1");
}

TEST_F(DeliveryStory, WhoReadsNoAnswersIsClosedRatherThanLeftWithoutOne) {
  meet();
  ann_->next_sent = net::Sent::kDropped;
  EXPECT_EQ(ask(*ann_, message("m1", key_text("bob"), "kept")), "");
  ASSERT_TRUE(ann_->closed);
  EXPECT_EQ(ann_->closed->reason, CloseReason::kSlowConsumer);
}

// The queue was full when the ping was due: without another one nothing would ever be confirmed.
TEST_F(DeliveryStory, APingThatFoundNoRoomIsAskedAgain) {
  meet();
  say(*ann_, message("1", key_text("bob"), "1"));
  store_.work();
  shards_[1]->mailbox().drain();  // pushed, and the turn is not over
  bob_->next_sent = net::Sent::kDropped;
  turn_shards();
  EXPECT_TRUE(bob_->pings.empty());
  bob_->next_sent = net::Sent::kQueued;
  brokers_[1]->on_drained(*bob_);
  settle();
  ASSERT_EQ(bob_->pings.size(), 1u);
  pong(*bob_);
  EXPECT_EQ(waiting(), 0u);
}

TEST_F(DeliveryStory, AFailedReadIsTriedAgainLater) {
  start();
  ann_ = &peer("ann");
  send("1", "1");
  store_.failing_reads = 1;
  bob_ = &connect(1);
  EXPECT_EQ(ask(*bob_, hello("bob")), "hello_ack");
  clock_.advance(options_.read_retry);
  settle();
  EXPECT_EQ(heard(*bob_), "push 1");
}

TEST_F(DeliveryStory, StatusDecidesWhatComesNow) {
  struct Case {
    const char* status;
    const char* priority;
    bool comes;
  };
  const Case cases[] = {
      {"idle", "now", true},    {"idle", "next", true},     {"idle", "low", true},
      {"working", "now", true}, {"working", "next", false}, {"working", "low", false},
      {"dnd", "now", true},     {"dnd", "next", false},     {"dnd", "low", false},
  };
  meet();
  int number = 0;
  for (const Case& row : cases) {
    SCOPED_TRACE(std::string(row.status) + " " + row.priority);
    ask(*bob_, status(row.status));
    const std::string id = std::to_string(++number);
    send(id, id, row.priority);
    EXPECT_EQ(heard(*bob_), row.comes ? "push " + id : "");
    ask(*bob_, status("idle"));
    EXPECT_EQ(bob_->texts.size(), 0u);
  }
}

TEST_F(DeliveryStory, WhatWasHeldBackComesWithTheStatusThatAllowsIt) {
  meet();
  ask(*bob_, status("working"));
  send("1", "1", "next");
  send("2", "2", "low");
  send("3", "3", "now");
  EXPECT_EQ(heard(*bob_), "push 3");
  EXPECT_EQ(ask(*bob_, status("idle")), "push 1, push 2");
}

TEST_F(DeliveryStory, WorkingFallsBackAndReleasesWhatWaits) {
  meet();
  ask(*bob_, status("working"));
  send("1", "1");
  clock_.advance(59s);
  settle();
  EXPECT_EQ(heard(*bob_), "");
  clock_.advance(2s);
  settle();
  EXPECT_EQ(heard(*bob_), "push 1");
}

}  // namespace
}  // namespace signet::broker
