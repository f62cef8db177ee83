// What was received: once each, in order, and for one reader at a time.
#include "client/state_fixture_test.h"

namespace signet::client {
namespace {

class InboxTest : public StateTest {
 protected:
  InboxTest() { state_ = open(); }
  Taken take(const StoredPush& push) { return StateTest::take(*state_, push); }
  std::vector<Taken> take_all(const std::vector<StoredPush>& pushes) {
    auto taken = state_->take_in(pushes);
    EXPECT_TRUE(taken.ok()) << taken.error().detail;
    return taken.ok() ? *taken : std::vector<Taken>{};
  }
};

TEST_F(InboxTest, GivesBackEveryFieldAsItCame) {
  StoredPush push = push_of(1);
  push.priority = Priority::kLow;
  push.ciphertext = "a\"b\\c\nd";
  ASSERT_EQ(take(push), Taken::kNew);
  reopen();
  const auto pushes = state_->lease(1);
  ASSERT_TRUE(pushes.ok());
  ASSERT_EQ(pushes->size(), 1u);
  const StoredPush& found = pushes->at(0);
  EXPECT_EQ(found.message_id, push.message_id);
  EXPECT_EQ(found.sender_key, push.sender_key);
  EXPECT_EQ(found.target, push.target);
  EXPECT_EQ(found.priority, push.priority);
  EXPECT_EQ(found.created_at, push.created_at);
  EXPECT_EQ(found.nonce, push.nonce);
  EXPECT_EQ(found.ciphertext, push.ciphertext);
}

std::string shout(std::string text) {
  for (char& c : text) {
    if (c >= 'a') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

TEST_F(InboxTest, TellsCopiesFromNewOnes) {
  struct Case {
    const char* name;
    std::function<void(StoredPush&)> change;
    Taken taken;
  };
  const std::string own_key = key_of(3);
  StoredPush direct = push_of(2);
  direct.target = own_key;
  StoredPush letters = push_of(0xabc);
  letters.sender_key = key_of(0xdef);
  ASSERT_EQ(take_all({push_of(1), direct, letters}), std::vector(3, Taken::kNew));
  // clang-format off
  const Case cases[] = {
      {"the same id", [](StoredPush&) {}, Taken::kSeen},
      {"the same id with another body", [](StoredPush& p) { p.ciphertext = "x"; }, Taken::kSeen},
{"the same id in capitals", [&](StoredPush& p) { p = letters; p.message_id = shout(p.message_id); p.nonce = "n"; }, Taken::kSeen},
      {"a copy whose sender is in capitals", [&](StoredPush& p) { p = letters; p.message_id = id_of(54); p.sender_key = shout(p.sender_key); }, Taken::kReplayed},
      {"another id and the same body", [](StoredPush& p) { p.message_id = id_of(50); }, Taken::kReplayed},
      {"a copy with another time and priority", [](StoredPush& p) { p.message_id = id_of(51); p.created_at = "later"; p.priority = Priority::kNow; }, Taken::kReplayed},
      {"another nonce", [](StoredPush& p) { p.message_id = id_of(60); p.nonce = "n"; }, Taken::kNew},
      {"another body", [](StoredPush& p) { p.message_id = id_of(61); p.ciphertext = "U0dDMXh4 c"; }, Taken::kNew},
      {"another sender", [](StoredPush& p) { p.message_id = id_of(62); p.sender_key = key_of(8); }, Taken::kNew},
      {"another channel", [](StoredPush& p) { p.message_id = id_of(63); p.target = "#other"; }, Taken::kNew},
      {"a direct one without its target", [&](StoredPush& p) { p = direct; p.message_id = id_of(52); p.target = ""; }, Taken::kReplayed},
      {"a direct one under another key", [&](StoredPush& p) { p = direct; p.message_id = id_of(53); p.target = key_of(4); }, Taken::kReplayed},
      {"a bound that fields share", [&](StoredPush& p) { p = direct; p.message_id = id_of(64); p.nonce += "U0dDMXh4"; p.ciphertext = " body 2"; }, Taken::kNew},
  };
  // clang-format on
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    StoredPush push = push_of(1);
    c.change(push);
    EXPECT_EQ(take(push), c.taken);
  }
}

// Whoever writes in the clear may say the same again, and a nonce means nothing to it.
TEST_F(InboxTest, ComparesNoBodiesInTheClear) {
  std::uint64_t number = 0;
  for (const char* target : {"#room", "*", "tag:x"}) {
    SCOPED_TRACE(target);
    for (const char* text : {"b2theQ==", "okay", "", "SGC1 as it is"}) {
      StoredPush push = push_of(++number);
      push.target = target;
      push.nonce.clear();
      push.ciphertext = text;
      EXPECT_EQ(take(push), Taken::kNew) << text;
      EXPECT_EQ(take(push), Taken::kSeen) << text;
      push.message_id = id_of(++number);
      EXPECT_EQ(take(push), Taken::kNew) << text;
    }
  }
}

TEST_F(InboxTest, DropsTheSecondOfOneBatch) {
  StoredPush copy = push_of(1);
  copy.message_id = id_of(2);
  EXPECT_EQ(take_all({push_of(1), push_of(1), copy, push_of(3)}),
            (std::vector{Taken::kNew, Taken::kSeen, Taken::kReplayed, Taken::kNew}));
  EXPECT_EQ(leased(*state_), ids({1, 3}));
}

TEST_F(InboxTest, TakesNoMoreThanItsBoundAndStillKnowsWhatItHas) {
  options_.inbox_messages = 2;
  reopen();
  EXPECT_EQ(state_->room(), 2u);
  EXPECT_EQ(take_all({push_of(1), push_of(2), push_of(3), push_of(1)}),
            (std::vector{Taken::kNew, Taken::kNew, Taken::kFull, Taken::kSeen}));
  EXPECT_EQ(state_->room(), 0u);
  StoredPush copy = push_of(1);
  copy.message_id = id_of(50);
  EXPECT_EQ(take(copy), Taken::kReplayed);
  EXPECT_EQ(leased(*state_), ids({1, 2}));
  EXPECT_EQ(state_->room(), 0u) << "leased is not read";
  EXPECT_EQ(confirmed(*state_, ids({1})), ids({1}));
  EXPECT_EQ(state_->room(), 1u);
  EXPECT_EQ(take(push_of(3)), Taken::kNew) << "it was not taken for seen when it was refused";
}

TEST_F(InboxTest, ForgetsTheOldestIdsButNoneThatWaits) {
  options_.seen_messages = 3;
  options_.kept_messages = 0;
  reopen();
  ASSERT_EQ(take(push_of(1)), Taken::kNew);
  ASSERT_EQ(leased(*state_), ids({1}));  // and stays unread
  for (std::uint64_t i = 2; i <= 8; ++i) {
    ASSERT_EQ(take(push_of(i)), Taken::kNew);
    ASSERT_EQ(leased(*state_, 1), ids({i}));
    ASSERT_EQ(confirmed(*state_, ids({i})), ids({i}));
  }
  EXPECT_EQ(take(push_of(1)), Taken::kSeen) << "it waits";
  EXPECT_EQ(take(push_of(6)), Taken::kSeen);
  EXPECT_EQ(take(push_of(2)), Taken::kNew) << "that was forgotten";
}

TEST_F(InboxTest, LeasesEachToOneReaderInOrder) {
  take_all({push_of(5), push_of(3), push_of(9), push_of(1)});
  const auto other = open();
  EXPECT_EQ(leased(*state_, 1), ids({5}));
  EXPECT_EQ(leased(*other, 2), ids({3, 9}));
  EXPECT_EQ(leased(*state_), ids({1}));
  EXPECT_TRUE(leased(*other).empty());
  EXPECT_TRUE(confirmed(*other, ids({5, 1})).empty()) << "others' leases";
  EXPECT_TRUE(other->give_back(ids({5, 1})).ok());
  EXPECT_TRUE(leased(*other).empty());
  EXPECT_EQ(confirmed(*other, ids({3, 3, 77})), ids({3})) << "once";
  EXPECT_TRUE(other->give_back(ids({3, 9})).ok());
  EXPECT_EQ(leased(*state_), ids({9})) << "a confirmed one does not come back";
}

TEST_F(InboxTest, EndsALeaseWithItsHolder) {
  take_all({push_of(1), push_of(2)});
  auto other = open();
  EXPECT_EQ(leased(*other, 1), ids({1}));
  EXPECT_EQ(leased(*state_), ids({2}));
  other.reset();
  EXPECT_EQ(leased(*state_), ids({1}));
}

TEST_F(InboxTest, ShowsWithoutLeasing) {
  take_all({push_of(1), push_of(2), push_of(3), push_of(4)});
  leased(*state_, 1);
  const auto unread = state_->unread(3);
  ASSERT_TRUE(unread.ok());
  EXPECT_EQ(ids_of(*unread), ids({2, 3, 4})) << "the newest, the oldest of them first";
  EXPECT_EQ(ids_of(*state_->unread(10)), ids({1, 2, 3, 4}));
  EXPECT_TRUE(state_->unread(0)->empty());
  EXPECT_EQ(leased(*state_), ids({2, 3, 4}));
}

TEST_F(InboxTest, KeepsWhatWasReadUpToItsBound) {
  options_.kept_messages = 2;
  reopen();
  take_all({push_of(1), push_of(2), push_of(3)});
  leased(*state_);
  confirmed(*state_, ids({2}));
  confirmed(*state_, ids({1, 3}));
  EXPECT_EQ(ids_of(*state_->history(10)), ids({3, 1})) << "in the order of reading";
  EXPECT_EQ(ids_of(*state_->history(1)), ids({3}));
  EXPECT_EQ(take(push_of(2)), Taken::kSeen) << "forgotten, but not as seen";
}

// One commit for all, and none for what is known already.
TEST_F(InboxTest, TakesManyInOneCommit) {
  options_.inbox_messages = 1'000;
  reopen();
  std::vector<StoredPush> pushes;
  for (std::uint64_t i = 1; i <= 100; ++i) pushes.push_back(push_of(i));
  const auto log_size = [&] { return std::filesystem::file_size(options_.file + "-wal"); };
  take_all({push_of(500)});
  const auto before = log_size();
  take_all(pushes);
  const auto after = log_size();
  EXPECT_GT(after, before);
  // A commit writes each page that it changed once; 100 commits would write several hundred.
  EXPECT_LT((after - before) / 4'096, 60u);
  take_all(pushes);
  EXPECT_EQ(log_size(), after);
}

TEST(InboxInMemory, IsTheSameForOneProcess) {
  const auto identity = crypto::SecretKey::generate();
  auto opened = State::open({}, identity);
  ASSERT_TRUE(opened.ok()) << opened.error().detail;
  State& state = **opened;
  ASSERT_TRUE(state.take_in({push_of(1), push_of(2)}).ok());
  EXPECT_EQ(ids_of(*state.lease(1)), ids({1}));
  EXPECT_EQ(*state.confirm(ids({1, 2})), ids({1}));
  EXPECT_EQ(*state.take_in({push_of(1)}), std::vector{Taken::kSeen});
  ASSERT_TRUE(state.enqueue(entry_of("hello")).ok());
  EXPECT_EQ(state.claim_outbox()->size(), 1u);
  EXPECT_EQ(state.claim_outbox()->size(), 1u);
  auto another = State::open({}, identity);
  ASSERT_TRUE(another.ok());
  EXPECT_TRUE((*another)->lease(10)->empty()) << "each has its own";
}

}  // namespace
}  // namespace signet::client
