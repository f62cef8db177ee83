// What waits to be sent, and how far it came.
#include "client/database.h"
#include "client/state_fixture_test.h"

namespace signet::client {
namespace {

class OutboxTest : public StateTest {
 protected:
  OutboxTest() { state_ = open(); }
};

using Texts = std::vector<std::string>;

TEST_F(OutboxTest, KeepsWhatWaitsThroughAnEndAndGivesItInOrder) {
  OutboxEntry full = entry_of("one");
  full.priority = Priority::kNow;
  full.receipts = true;
  full.sealed = false;
  const std::string ticket = *state_->enqueue(full);
  EXPECT_EQ(ticket.size(), 32u);
  ASSERT_TRUE(state_->keep_attempt(ticket, "nonce", "ciphertext", "audience").ok());
  enqueue("two");
  reopen();
  const auto entries = state_->claim_outbox();
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 2u);
  const OutboxEntry& first = entries->at(0);
  EXPECT_EQ(first.ticket, ticket);
  EXPECT_EQ(first.to, "#room");
  EXPECT_EQ(first.text, "one");
  EXPECT_EQ(first.priority, Priority::kNow);
  EXPECT_TRUE(first.receipts);
  EXPECT_FALSE(first.sealed);
  EXPECT_EQ(first.nonce, "nonce");
  EXPECT_EQ(first.ciphertext, "ciphertext");
  EXPECT_EQ(first.audience, "audience");
  EXPECT_LT(first.number, entries->at(1).number);
  EXPECT_EQ(entries->at(1).text, "two");
  EXPECT_EQ(entries->at(1).nonce, "");
  EXPECT_TRUE(entries->at(1).sealed);
}

// Whoever can write to the disk can't send a message elsewhere, or without its seal.
TEST_F(OutboxTest, SendsNothingOtherwiseThanItWasMeant) {
  for (const char* change : {"target = '#other'", "sealed = 0", "receipts = 1", "priority = 0"}) {
    SCOPED_TRACE(change);
    const std::string ticket = enqueue("meant");
    {
      Database disk;
      ASSERT_TRUE(disk.open(options_.file, options_.busy_timeout).ok());
      disk.trust();
      ASSERT_TRUE(disk.run(("UPDATE outbox SET " + std::string(change)).c_str()));
    }
    EXPECT_TRUE(claimed(*state_).empty());
    EXPECT_EQ(report(ticket).why, "state_corrupt");
  }
}

TEST_F(OutboxTest, KeepsAnyText) {
  const std::string texts[] = {"", std::string("a\0b", 3), std::string(40'000, 'x'), "'; DROP"};
  for (const std::string& text : texts) enqueue(text);
  reopen();
  EXPECT_EQ(claimed(*state_), Texts(std::begin(texts), std::end(texts)));
}

TEST_F(OutboxTest, RefusesOneMoreThanItsBound) {
  options_.outbox_messages = 2;
  reopen();
  const std::string first = enqueue("one");
  enqueue("two");
  const auto refused = state_->enqueue(entry_of("three"));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(code_in(refused.error()), "outbox_full");
  ASSERT_TRUE(state_->mark_stored(first, id_of(1), 1).ok());
  enqueue("three");
  EXPECT_EQ(claimed(*state_), (Texts{"two", "three"}));
}

TEST_F(OutboxTest, MovesOnAndNeverBack) {
  const std::string ticket = enqueue("hello");
  EXPECT_EQ(report(ticket).state, SendState::kWaiting);
  ASSERT_TRUE(state_->mark_stored(ticket, id_of(9), 2).ok());
  EXPECT_TRUE(state_->mark_stored(ticket, id_of(10), 5).ok()) << "a second ack says nothing new";
  SendReport stored = report(ticket);
  EXPECT_EQ(stored.state, SendState::kStored);
  EXPECT_EQ(stored.message_id, id_of(9));
  EXPECT_EQ(stored.to, "#room");
  EXPECT_EQ(stored.recipients, 2);

  const auto read = state_->mark_receipt(id_of(9), SendState::kRead, key_of(1));
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->state, SendState::kRead);
  const auto received = state_->mark_receipt(id_of(9), SendState::kReceived, key_of(2));
  ASSERT_TRUE(received.ok() && received->has_value());
  EXPECT_EQ((*received)->state, SendState::kRead);
  EXPECT_EQ((*received)->by, (Texts{key_of(1), key_of(2)}));
  EXPECT_EQ((*received)->ticket, ticket);
  const auto again = state_->mark_receipt(id_of(9), SendState::kRead, key_of(1));
  ASSERT_TRUE(again.ok() && again->has_value());
  EXPECT_EQ((*again)->by.size(), 2u);

  EXPECT_EQ(state_->mark_refused(ticket, "late").error().code, ErrorCode::kConflict);
  EXPECT_EQ(code_in(state_->keep_attempt(ticket, "n", "c", "").error()), "not_waiting");
  reopen();
  EXPECT_EQ(report(ticket).state, SendState::kRead);
  EXPECT_EQ(report(ticket).by.size(), 2u);
}

TEST_F(OutboxTest, KnowsNoMessageOfAnother) {
  enqueue("it has no id yet");
  for (const std::string& id : {id_of(1), std::string()}) {
    const auto report = state_->mark_receipt(id, SendState::kRead, key_of(1));
    ASSERT_TRUE(report.ok());
    EXPECT_FALSE(report->has_value()) << id;
  }
}

TEST_F(OutboxTest, BoundsWhatABrokerSaysOfReceivers) {
  options_.file.clear();  // a commit for each would take seconds
  reopen();
  const std::string ticket = enqueue("hello");
  ASSERT_TRUE(state_->mark_stored(ticket, id_of(9), 1).ok());
  ASSERT_TRUE(state_->mark_receipt(id_of(9), SendState::kReceived, "no key").ok());
  for (std::uint64_t i = 0; i < 1'010; ++i) {
    ASSERT_TRUE(state_->mark_receipt(id_of(9), SendState::kReceived, key_of(i)).ok());
  }
  EXPECT_EQ(report(ticket).by.size(), 1'000u);
}

TEST_F(OutboxTest, SaysWhyItWillNotBeSent) {
  const std::string ticket = enqueue("hello");
  ASSERT_TRUE(state_->mark_refused(ticket, "no_such_member").ok());
  EXPECT_TRUE(state_->mark_refused(ticket, "other").ok());
  EXPECT_EQ(report(ticket).state, SendState::kRefused);
  EXPECT_EQ(report(ticket).why, "no_such_member");
  EXPECT_EQ(state_->mark_stored(ticket, id_of(1), 1).error().code, ErrorCode::kConflict);
  EXPECT_TRUE(claimed(*state_).empty());
}

TEST_F(OutboxTest, TakesBackWhatWasNotTried) {
  const std::string waiting = enqueue("one");
  const std::string tried = enqueue("two");
  const std::string stored = enqueue("three");
  ASSERT_TRUE(state_->keep_attempt(tried, "nonce", "body", "").ok());
  ASSERT_TRUE(state_->mark_stored(stored, id_of(3), 1).ok());
  EXPECT_TRUE(state_->cancel(waiting).ok());
  EXPECT_TRUE(state_->cancel(waiting).ok()) << "it is not sent, as was asked";
  EXPECT_EQ(report(waiting).why, "cancelled");
  EXPECT_EQ(code_in(state_->keep_attempt(waiting, "n", "c", "").error()), "not_waiting")
      << "whoever had claimed it";
  for (const std::string& ticket : {tried, stored}) {
    EXPECT_EQ(state_->cancel(ticket).error().code, ErrorCode::kConflict);
    EXPECT_EQ(code_in(state_->cancel(ticket).error()), "already_sent");
  }
  EXPECT_EQ(claimed(*state_), Texts{"two"});
}

TEST_F(OutboxTest, SaysThatATicketIsUnknown) {
  EXPECT_EQ(code_in(state_->report("no").error()), "no_such_ticket");
  EXPECT_EQ(state_->report("no").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(state_->cancel("no").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(state_->mark_stored("no", id_of(1), 1).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(state_->mark_refused("no", "x").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(state_->keep_attempt("no", "n", "c", "").error().code, ErrorCode::kNotFound);
}

TEST_F(OutboxTest, RefusesATicketThatIsUsed) {
  OutboxEntry entry = entry_of("one");
  entry.ticket = id_of(1);
  EXPECT_EQ(*state_->enqueue(entry), id_of(1));
  EXPECT_EQ(state_->enqueue(entry).error().code, ErrorCode::kConflict);
}

TEST_F(OutboxTest, ForgetsTheOldestThatAreFinished) {
  options_.kept_sent = 3;
  reopen();
  const std::string slow = enqueue("slow");
  Texts tickets;
  for (int i = 0; i < 5; ++i) {
    tickets.push_back(enqueue("quick"));
    ASSERT_TRUE(
        state_->mark_stored(tickets.back(), id_of(static_cast<std::uint64_t>(i) + 1), 1).ok());
  }
  EXPECT_FALSE(state_->report(tickets[0]).ok());
  EXPECT_FALSE(state_->report(tickets[1]).ok());
  EXPECT_TRUE(state_->report(tickets[2]).ok());
  ASSERT_TRUE(state_->mark_stored(slow, id_of(99), 1).ok());
  EXPECT_TRUE(state_->report(slow).ok()) << "it was sent first and finished last";
  EXPECT_FALSE(state_->report(tickets[2]).ok());
}

TEST_F(OutboxTest, IsClaimedByOneAtATime) {
  enqueue("one");
  const auto other = open();
  EXPECT_EQ(claimed(*state_), Texts{"one"});
  EXPECT_TRUE(claimed(*other).empty());
  enqueue("two");
  EXPECT_EQ(claimed(*other), Texts{"two"});
  EXPECT_EQ(claimed(*state_), Texts{"one"}) << "until it is finished";
  state_.reset();
  EXPECT_EQ(claimed(*other), (Texts{"one", "two"}));
}

TEST_F(OutboxTest, WhatOneWritesForItselfNoOtherTakesWhileItLives) {
  const auto other = open();
  ASSERT_TRUE(state_->enqueue_claimed(entry_of("one")).ok());
  EXPECT_TRUE(claimed(*other).empty());
  EXPECT_EQ(claimed(*state_), Texts{"one"});
  ASSERT_TRUE(state_->enqueue_claimed(entry_of("two")).ok());
  state_.reset();
  EXPECT_EQ(claimed(*other), (Texts{"one", "two"}));
}

TEST_F(OutboxTest, TellsWhatWaits) {
  const std::string one = enqueue("one");
  const std::string two = enqueue("two");
  const std::string three = enqueue("three");
  ASSERT_TRUE(state_->mark_refused(two, "no").ok());
  const auto waiting = state_->waiting();
  ASSERT_TRUE(waiting.ok());
  ASSERT_EQ(waiting->size(), 2u);
  EXPECT_EQ(waiting->at(0).ticket, one);
  EXPECT_EQ(waiting->at(0).to, "#room");
  EXPECT_EQ(waiting->at(1).ticket, three);
}

}  // namespace
}  // namespace signet::client
