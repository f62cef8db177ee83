#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST_F(StoreTest, ExpiresWhatIsDueAndNothingElse) {
  options_.message_ttl = hours(10);
  open();
  const WallTime start = clock_.wall();
  publish({1, {11, 12}, "ttl"});
  publish({2, {11}, "soon", routing::Priority::kNext, 1, 1, start + hours(1)});
  publish({3, {11}, "never before the ttl", routing::Priority::kNext, 1, 1, start + hours(99)});
  sweep(start + hours(1) - milliseconds(1));
  EXPECT_EQ(waiting(11).size(), 3u);
  sweep(start + hours(1));
  EXPECT_EQ(waiting(11), (std::vector<std::string>{"ttl", "never before the ttl"}));
  ASSERT_EQ(dead(1).size(), 1u);
  EXPECT_EQ(dead(1)[0].reason, DeathReason::kExpired);
  EXPECT_EQ(dead(1)[0].envelope->body, "soon");
  sweep(start + hours(10));
  EXPECT_TRUE(waiting(11).empty());
  EXPECT_TRUE(waiting(12).empty());
  EXPECT_EQ(dead(1).size(), 4u);
}

TEST_F(StoreTest, ExpiresAfterARestart) {
  options_.message_ttl = hours(10);
  open();
  publish({1, {11}});
  reopen();
  sweep(clock_.wall() + hours(10));
  EXPECT_EQ(dead(1).size(), 1u);
}

TEST_F(StoreTest, ExpiresMoreThanOneStepHolds) {
  options_.message_ttl = hours(10);
  open();
  for (std::uint64_t i = 1; i <= 1'200; ++i) {
    store_->publish(publish_of({i, {11}}), thread_.mailbox(), [](PublishAnswer) {});
  }
  sweep(clock_.wall() + hours(10));
  EXPECT_TRUE(waiting(11).empty());
  EXPECT_EQ(rows("dead_letter"), 1'200);
}

TEST_F(StoreTest, SweepsByItselfUnlessOnlyTheWallMoved) {
  options_.message_ttl = hours(10);
  open();
  publish({1, {11}});
  clock_.step_wall(hours(1'000));
  clock_.advance(std::chrono::seconds(11));
  settle();
  settle();
  EXPECT_EQ(waiting(11).size(), 1u) << "a stepped wall expires nothing";
  clock_.advance(hours(10));
  for (int i = 0; i < 1'000 && !waiting(11).empty(); ++i) settle();
  EXPECT_TRUE(waiting(11).empty());
}

TEST_F(StoreTest, ForgetsOldDeadLettersAndSurplusOnes) {
  options_.message_ttl = hours(1);
  options_.dead_retention = hours(5);
  options_.dead_messages = 2;
  open();
  const WallTime start = clock_.wall();
  for (std::uint64_t i = 1; i <= 4; ++i) publish({i, {11}, std::to_string(i)});
  publish({5, {21}, "other mesh", routing::Priority::kNext, 1, 2});
  sweep(start + hours(1));
  ASSERT_EQ(dead(1).size(), 2u);
  EXPECT_EQ(dead(1)[0].envelope->body, "4");
  EXPECT_EQ(dead(1)[1].envelope->body, "3");
  EXPECT_EQ(dead(2).size(), 1u);
  EXPECT_EQ(rows("message"), 3);
  sweep(start + hours(6));
  EXPECT_TRUE(dead(1).empty());
  EXPECT_EQ(rows("message"), 0);
}

TEST_F(StoreTest, ListsDeadLettersByPages) {
  options_.message_ttl = hours(1);
  open();
  for (std::uint64_t i = 1; i <= 3; ++i) publish({i, {11, 12}, std::to_string(i)});
  sweep(clock_.wall() + hours(1));
  std::string seen;
  std::int64_t before = 0;
  for (int page = 0; page < 5; ++page) {
    const auto letters = dead(1, before, 3);  // a message of two never fits by halves
    for (const DeadLetter& letter : letters) {
      seen += letter.envelope->body + "/" + std::to_string(letter.recipient.value) + " ";
    }
    if (letters.empty()) break;
    before = letters.back().number.value;
  }
  EXPECT_EQ(seen, "3/11 3/12 2/11 2/12 1/11 1/12 ");
}

TEST_F(StoreTest, RemembersIdsForTheirRetention) {
  options_.dedupe_retention = hours(20);
  options_.message_ttl = hours(1'000);
  open();
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    store_->publish(publish_of({i * 0x9e3779b97f4a7c15ULL, {}}), thread_.mailbox(),
                    [](PublishAnswer) {});
  }
  sweep(clock_.wall() + hours(20) - milliseconds(1));
  EXPECT_EQ(rows("sent"), 5'000);
  sweep(clock_.wall() + hours(20));
  EXPECT_EQ(rows("sent"), 0);
}

}  // namespace
}  // namespace signet::store::sqlite
