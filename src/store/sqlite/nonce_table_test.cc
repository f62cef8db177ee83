// A nonce is taken once: through restarts, steps of the wall, sweeps and failures.
#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds kLife = minutes(5);

class NonceTableTest : public StoreTest {
 protected:
  NonceTableTest() { options_.synchronous_full = false; }  // many commits, none of them precious

  // One under a packet that was signed now.
  NonceOutcome spend_now(std::int64_t member, std::uint32_t digest) {
    return spend(member, digest, clock_.wall() + kLife);
  }
  std::int64_t counted(const std::string& outcome) {
    return metrics_.counter("signet_store_nonces_total", "", "outcome=\"" + outcome + "\"").value();
  }
  void spend_many(std::int64_t member, std::uint32_t count, WallTime until) {
    for (std::uint32_t i = 0; i + 1 < count; ++i) {
      SpendNonce command{{member}, {}, until};
      command.digest[0] = static_cast<unsigned char>(i);
      command.digest[1] = static_cast<unsigned char>(i >> 8);
      command.digest[9] = 1;
      store_->spend_nonce(command, thread_.mailbox(), [](NonceOutcome) {});
    }
    ASSERT_EQ(spend(member, 0, until), NonceOutcome::kNew) << "the last is answered last";
  }
};

TEST_F(NonceTableTest, TakesEachNonceOfAMemberOnce) {
  open();
  EXPECT_EQ(spend_now(3, 1), NonceOutcome::kNew);
  EXPECT_EQ(spend_now(3, 1), NonceOutcome::kUsed);
  EXPECT_EQ(spend_now(3, 2), NonceOutcome::kNew);
  EXPECT_EQ(spend_now(4, 1), NonceOutcome::kNew) << "another's is another";
  reopen();
  EXPECT_EQ(spend_now(3, 1), NonceOutcome::kUsed);
  EXPECT_EQ(spend_now(3, 2), NonceOutcome::kUsed);
  EXPECT_EQ(spend_now(4, 1), NonceOutcome::kUsed);
  EXPECT_EQ(spend_now(3, 3), NonceOutcome::kNew);
  EXPECT_EQ(counted("new"), 4);
  EXPECT_EQ(counted("used"), 4);
  EXPECT_EQ(counted("full"), 0);
}

TEST_F(NonceTableTest, AnswersTwoInOneTransactionAsIfOneCameLater) {
  open();
  std::vector<NonceOutcome> outcomes;
  for (int i = 0; i < 50; ++i) {
    store_->spend_nonce({{3}, {}, clock_.wall() + kLife}, thread_.mailbox(),
                        [&](NonceOutcome outcome) { outcomes.push_back(outcome); });
  }
  settle();
  ASSERT_EQ(outcomes.size(), 50U);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), NonceOutcome::kNew), 1);
  EXPECT_EQ(outcomes[0], NonceOutcome::kNew);
}

TEST_F(NonceTableTest, ForgetsNoneForWantOfRoom) {
  options_.nonces_per_member = 100;
  open();
  spend_many(3, 100, clock_.wall() + kLife);
  for (const bool restarts : {false, true}) {
    if (restarts) reopen();
    EXPECT_EQ(spend_now(3, 77'777), NonceOutcome::kFull);
    EXPECT_EQ(spend_now(3, 0), NonceOutcome::kUsed);
    EXPECT_EQ(spend_now(4, 77'777), restarts ? NonceOutcome::kUsed : NonceOutcome::kNew);
  }
  EXPECT_EQ(counted("full"), 2);
  clock_.advance(kLife + kNonceGrace);
  sweep(clock_.wall());
  EXPECT_EQ(spend_now(3, 77'777), NonceOutcome::kNew) << "time makes room";
  EXPECT_EQ(spend_now(3, 0), NonceOutcome::kNew) << "and for as many as before";
}

TEST_F(NonceTableTest, ACrowdLocksNobodyOut) {
  options_.nonces = 300;
  open();
  spend_many(3, 150, clock_.wall() + kLife);
  spend_many(4, 150, clock_.wall() + kLife);
  for (const bool restarts : {false, true}) {
    if (restarts) reopen();
    EXPECT_EQ(spend_now(3, 77'777), NonceOutcome::kFull) << "who has more than its share";
    EXPECT_EQ(spend_now(3, 0), NonceOutcome::kUsed);
  }
  spend_many(5, kNonceShare, clock_.wall() + kLife);
  EXPECT_EQ(spend_now(5, 77'777), NonceOutcome::kFull) << "its share is all that there is now";
  EXPECT_EQ(rows("nonce"), 400);
  clock_.advance(kLife + kNonceGrace);
  sweep(clock_.wall());
  EXPECT_EQ(rows("nonce"), 0);
  spend_many(3, 299, clock_.wall() + kLife);
  EXPECT_EQ(spend_now(3, 77'777), NonceOutcome::kNew) << "time makes room for all of it";
  EXPECT_EQ(spend_now(3, 77'778), NonceOutcome::kFull);
}

// What a rollback took back counts for nobody.
TEST_F(NonceTableTest, CountsAllAgainAfterARollback) {
  options_.nonces = 300;
  options_.reserve_bytes = 0;
  open();
  spend_many(3, 150, clock_.wall() + kLife);
  store_->limit_pages_for_test(1);
  for (std::uint32_t i = 0; i < 5'000 && probe().ok(); ++i) {
    static_cast<void>(spend_now(4 + i / 90, 100'000 + i));
  }
  ASSERT_FALSE(probe().ok()) << "the disk is full";
  store_->limit_pages_for_test(1'000'000);
  clock_.advance(seconds(2));
  const std::int64_t there = rows("nonce");
  ASSERT_LT(there, 300) << "else this shows nothing";
  std::int64_t taken = 0;
  const auto next = [&] { return static_cast<std::uint32_t>(200'000 + taken); };
  while (taken < 1'000 && spend_now(3, next()) == NonceOutcome::kNew) ++taken;
  EXPECT_EQ(there + taken, 300);
}

TEST_F(NonceTableTest, SweepsInSmallStepsWhatIsNotNeeded) {
  open();
  const WallTime start = clock_.wall();
  spend_many(3, 4'200, start + kLife);
  EXPECT_EQ(spend(4, 5, start + kLife + milliseconds(1)), NonceOutcome::kNew);
  sweep(start + kLife + kNonceGrace - milliseconds(1));
  EXPECT_EQ(rows("nonce"), 4'201);
  EXPECT_EQ(rows("nonce_span"), 0);
  const std::int64_t commits = metrics_.counter("signet_store_commits_total", "").value();
  sweep(start + kLife + kNonceGrace);
  EXPECT_GT(metrics_.counter("signet_store_commits_total", "").value(), commits + 2);
  EXPECT_EQ(rows("nonce"), 1);
  EXPECT_EQ(rows("nonce_span"), 1);
  for (const bool restarts : {false, true}) {
    if (restarts) reopen();
    EXPECT_EQ(spend(3, 0, start + kLife), NonceOutcome::kForgotten) << "as its time";
    EXPECT_EQ(spend(7, 7, start + kLife), NonceOutcome::kForgotten) << "whoever's it is";
    EXPECT_EQ(spend(4, 5, start + hours(1)), NonceOutcome::kUsed) << "still there";
  }
  EXPECT_EQ(spend(3, 0, start + kLife + kNonceGrace + milliseconds(1)), NonceOutcome::kNew);
}

TEST_F(NonceTableTest, SweepsByItself) {
  open();
  ASSERT_EQ(spend_now(3, 1), NonceOutcome::kNew);
  clock_.advance(hours(1));
  for (int i = 0; i < 1'000 && rows("nonce") > 0; ++i) settle();
  EXPECT_EQ(rows("nonce"), 0);
}

// The wall is moved while the broker runs or is down, what is old is swept by that wall, and a
// packet is played again as if it were fresh by it.
TEST_F(NonceTableTest, TakesNoneTwiceThroughStepsOfTheWallAndRestarts) {
  std::int64_t member = 100;
  for (const milliseconds by : {milliseconds(seconds(20)), milliseconds(minutes(3)),
                                milliseconds(minutes(8)), milliseconds(hours(24 * 30))}) {
    for (const milliseconds first : {by, -by}) {
      for (const bool restarts : {false, true}) {
        SCOPED_TRACE(std::to_string(first.count()) + (restarts ? " restarts" : ""));
        open();
        const std::int64_t whose = ++member;
        const WallTime until = clock_.wall() + kLife;
        ASSERT_EQ(spend(whose, 1, until), NonceOutcome::kNew);
        for (const milliseconds step : {first, -first, -first, first}) {
          if (restarts) store_.reset();
          clock_.step_wall(step);
          if (restarts) open();
          sweep(clock_.wall());
          const NonceOutcome again = spend(whose, 1, until);
          EXPECT_TRUE(again == NonceOutcome::kUsed || again == NonceOutcome::kForgotten);
          clock_.advance(seconds(11));
        }
        clock_.advance(kNonceGrace);
        EXPECT_EQ(spend_now(whose, 2), NonceOutcome::kNew) << "the clock is right again";
        store_.reset();
      }
    }
  }
}

// A wall that was a day ahead for so long that what was spent then is forgotten.
TEST_F(NonceTableTest, AWrongDayLocksNobodyOutOfTheRightOne) {
  open();
  ASSERT_EQ(spend_now(3, 1), NonceOutcome::kNew);
  clock_.step_wall(hours(24));
  const WallTime wrong = clock_.wall() + kLife;
  ASSERT_EQ(spend(3, 2, wrong), NonceOutcome::kNew);
  clock_.advance(minutes(20));
  sweep(clock_.wall());
  ASSERT_EQ(rows("nonce"), 0);
  clock_.step_wall(-hours(24));
  EXPECT_EQ(spend_now(3, 3), NonceOutcome::kNew) << "at once";
  reopen();
  EXPECT_EQ(spend_now(3, 4), NonceOutcome::kNew);
  EXPECT_EQ(spend(3, 2, wrong), NonceOutcome::kForgotten) << "fresh again a day later";
}

// A wall that was an hour fast for long, while somebody spent: what is spent once it is right may
// have been spent before, and nobody is told that it was.
TEST_F(NonceTableTest, AWrongHourMakesNobodyARepeater) {
  open();
  clock_.step_wall(hours(1));
  std::uint32_t digest = 0;
  for (int i = 0; i < 180; ++i) {  // three hours
    ASSERT_EQ(spend_now(3, ++digest), NonceOutcome::kNew);
    clock_.advance(minutes(1));
    sweep(clock_.wall());
  }
  EXPECT_EQ(rows("nonce_span"), 1);
  clock_.step_wall(-hours(1));
  EXPECT_EQ(spend_now(3, digest), NonceOutcome::kUsed) << "one that is remembered";
  for (const bool restarts : {false, true}) {
    if (restarts) reopen();
    EXPECT_EQ(spend_now(3, ++digest), NonceOutcome::kForgotten);
  }
  EXPECT_EQ(counted("used"), 1);
  EXPECT_EQ(counted("forgotten"), 2);
  clock_.advance(hours(1) - kLife - minutes(2));
  sweep(clock_.wall());
  EXPECT_EQ(spend_now(3, ++digest), NonceOutcome::kForgotten) << "as long as it was fast by";
  clock_.advance(minutes(4));
  sweep(clock_.wall());
  EXPECT_EQ(spend_now(3, ++digest), NonceOutcome::kNew) << "less what a nonce is kept";
}

// The rest of a transaction that failed after them.
TEST_F(NonceTableTest, CountsAgainWhatARollbackTookBack) {
  options_.nonces_per_member = 100;
  options_.reserve_bytes = 0;
  open();
  spend_many(3, 60, clock_.wall() + kLife);
  store_->limit_pages_for_test(1);  // SQLite raises it to what is there
  for (std::uint32_t i = 0; i < 5'000 && probe().ok(); ++i) {
    static_cast<void>(spend_now(4 + i / 90, 100'000 + i));
  }
  ASSERT_FALSE(probe().ok()) << "the disk is full";
  store_->limit_pages_for_test(1'000'000);
  clock_.advance(seconds(2));
  std::uint32_t taken = 0;
  while (taken < 1'000 && spend_now(3, 200'000 + taken) == NonceOutcome::kNew) ++taken;
  EXPECT_EQ(taken, 40U);
  EXPECT_EQ(rows("nonce WHERE member = 3"), 100);
}

}  // namespace
}  // namespace signet::store::sqlite
