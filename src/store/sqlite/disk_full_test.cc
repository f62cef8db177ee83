// A full disk: messages are refused, receivers go on draining, and room ends it.
#include <sys/mount.h>

#include <cstring>
#include <fstream>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using Outcome = PublishOutcome;

class DiskFullTest : public StoreTest {
 protected:
  // Publishes 10 kB messages to member 11 until one is refused; answers the refusal.
  PublishAnswer fill() {
    for (int i = 0; i < 2'000; ++i) {
      const PublishAnswer answer = publish({++id_, {11}, body_});
      if (answer.outcome != Outcome::kStored) return answer;
      ++stored_;
    }
    return {Outcome::kStored};
  }
  std::int64_t gauge(std::string_view name) { return metrics_.gauge(name, "").value(); }
  bool reserve_exists() const { return std::filesystem::exists(options_.directory + "/reserve"); }
  std::size_t count(std::int64_t member) { return numbers(member).size(); }

  const std::string body_ = std::string(10'000, 'x');
  std::uint64_t id_ = 0;
  std::size_t stored_ = 0;
};

TEST_F(DiskFullTest, RefusesMessagesAndGoesOnDraining) {
  open();
  publish({++id_, {12}, "before"});
  const auto pages = std::filesystem::file_size(folder_.path() + "/signet.db") / 4'096;
  store_->limit_pages_for_test(static_cast<std::int64_t>(pages) + 200);
  ASSERT_EQ(fill().outcome, Outcome::kStoreFull);
  EXPECT_GT(stored_, 10u);
  EXPECT_EQ(gauge("signet_store_disk_full"), 1);
  EXPECT_EQ(gauge("broker_db_healthy"), 1);
  EXPECT_FALSE(reserve_exists());
  EXPECT_EQ(publish({++id_, {13}, "small"}).outcome, Outcome::kStoreFull);
  EXPECT_EQ(probe().error().code, ErrorCode::kOverloaded);
  membership::Mesh mesh{{1}, "m", "s", {}, "", 1, false};
  EXPECT_EQ(commit({membership::MeshAdded{mesh}}).error().code, ErrorCode::kOverloaded);

  EXPECT_EQ(count(11), stored_) << "what was stored is there";
  confirm(11, numbers(11));
  EXPECT_EQ(count(11), 0u) << "confirmations go on";
  EXPECT_EQ(hello(5, 77), HelloOutcome::kAdmitted) << "so that receivers can come back";
  EXPECT_EQ(publish({++id_, {13}, "small"}).outcome, Outcome::kStoreFull) << "until the next look";

  store_->limit_pages_for_test(1'000'000);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(publish({++id_, {13}, "small"}).outcome, Outcome::kStored);
  EXPECT_EQ(gauge("signet_store_disk_full"), 0);
  EXPECT_TRUE(reserve_exists());
  reopen();
  EXPECT_EQ(waiting(12), std::vector<std::string>{"before"});
  EXPECT_EQ(waiting(13), std::vector<std::string>{"small"});
}

TEST_F(DiskFullTest, RefusesSecretsOfSourcesAndGoesOnRevokingThem) {
  open();
  membership::Member member;
  member.number = {20};
  member.mesh = {1};
  member.id = "gauge";
  membership::SourceSecret secret;
  secret.mesh = {1};
  secret.source = "gauge";
  secret.member = {20};
  secret.secret = crypto::SecretText("the heron waits at noon");
  ASSERT_TRUE(commit({membership::MeshAdded{{{1}, "m", "s", {}, "", 1, false}},
                      membership::MemberAdded{member, {}}, membership::SourceSecretSet{secret}})
                  .ok());
  const auto pages = std::filesystem::file_size(folder_.path() + "/signet.db") / 4'096;
  store_->limit_pages_for_test(static_cast<std::int64_t>(pages) + 200);
  ASSERT_EQ(fill().outcome, Outcome::kStoreFull);
  EXPECT_EQ(commit({membership::SourceSecretSet{secret}}).error().code, ErrorCode::kOverloaded);
  EXPECT_TRUE(commit({membership::SourceRevoked{{1}, "gauge"}}).ok());
}

TEST_F(DiskFullTest, RefusesJobsAndNoncesAndGoesOnForgetting) {
  open();
  const jobs::Job job = new_job(1);
  ASSERT_TRUE(put_jobs({job, new_job(2)}).ok());
  const WallTime until = clock_.wall() + std::chrono::minutes(5);
  ASSERT_EQ(spend(3, 1, until), NonceOutcome::kNew);
  const auto pages = std::filesystem::file_size(folder_.path() + "/signet.db") / 4'096;
  store_->limit_pages_for_test(static_cast<std::int64_t>(pages) + 200);
  ASSERT_EQ(fill().outcome, Outcome::kStoreFull);
  jobs::Job changed = job;
  changed.version = 2;
  EXPECT_EQ(put_jobs({new_job(3)}).error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(put_jobs({changed}, {"job_2"}).error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(spend(3, 2, until), NonceOutcome::kUnavailable);
  EXPECT_EQ(load_jobs().size(), 2U) << "reading goes on";
  EXPECT_TRUE(put_jobs({}, {"job_2"}).ok()) << "and what makes room";

  store_->limit_pages_for_test(1'000'000);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_TRUE(put_jobs({changed}).ok());
  EXPECT_EQ(spend(3, 1, until), NonceOutcome::kUsed);
  EXPECT_EQ(spend(3, 2, until), NonceOutcome::kNew) << "the refusal did not spend it";
}

TEST_F(DiskFullTest, RefusesReportsAndNewNodesAndGoesOnWithWhatFollowsFromARevocation) {
  open();
  CommitSealed what;
  what.mesh = {1};
  what.rows = {{"node", "a", 1, "x"}};
  ASSERT_TRUE(commit_sealed(what).ok());
  const auto pages = std::filesystem::file_size(folder_.path() + "/signet.db") / 4'096;
  store_->limit_pages_for_test(static_cast<std::int64_t>(pages) + 200);
  ASSERT_EQ(fill().outcome, Outcome::kStoreFull);
  what.rows = {{"node", "b", 1, "x"}};
  EXPECT_EQ(commit_sealed(what).error().code, ErrorCode::kOverloaded);
  what.rows.clear();
  what.reports = {{0, "a", {1}, "x"}};
  EXPECT_EQ(commit_sealed(what).error().code, ErrorCode::kOverloaded);
  what.reports.clear();
  what.rows = {{"node", "a", 2, "y"}};
  EXPECT_TRUE(commit_sealed(what).ok());
  what.rows = {{"node", "a", 0, ""}};
  EXPECT_TRUE(commit_sealed(what).ok());
}

// A transaction without room takes back what its commands did, in memory and on disk.
TEST_F(DiskFullTest, ARolledBackTransactionSpendsNoNonceAndWritesNoJob) {
  open();
  const WallTime until = clock_.wall() + std::chrono::minutes(5);
  ASSERT_EQ(spend(3, 1, until), NonceOutcome::kNew);
  store_->limit_pages_for_test(1);  // SQLite raises it to what is there
  jobs::Job large = new_job(1);
  large.spec = std::make_shared<const std::string>(1 << 20, 'x');
  std::vector<NonceOutcome> outcomes;
  Status put = Done{};
  SpendNonce nonce{{3}, {}, until};
  nonce.digest[0] = 2;
  store_->spend_nonce(nonce, thread_.mailbox(), [&](auto outcome) { outcomes.push_back(outcome); });
  store_->put_jobs({large}, {1}, {}, thread_.mailbox(),
                   [&](const Status& status) { put = status; });
  settle();
  EXPECT_FALSE(put.ok());
  EXPECT_EQ(put.ok() ? ErrorCode::kBug : put.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(gauge("signet_store_disk_full"), 1);
  EXPECT_TRUE(load_jobs().empty());
  store_->limit_pages_for_test(1'000'000);
  clock_.advance(std::chrono::seconds(2));
  // In the transaction of the job it was taken back; in one of its own it was taken.
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(spend(3, 2, until),
            outcomes[0] == NonceOutcome::kUnavailable ? NonceOutcome::kNew : NonceOutcome::kUsed);
  EXPECT_EQ(spend(3, 1, until), NonceOutcome::kUsed);
  EXPECT_TRUE(put_jobs({large}).ok());
}

// The refusal of one transaction loses no confirmation that was in it.
TEST_F(DiskFullTest, RetriesTheConfirmationsOfARefusedTransaction) {
  open();
  for (int i = 0; i < 20; ++i) publish({++id_, {12}, "before"});
  std::vector<MessageNumber> before;
  for (const std::int64_t number : numbers(12)) before.push_back({number});
  std::size_t confirmed = 0;        // on the test's mailbox thread, read after settle()
  store_->limit_pages_for_test(1);  // SQLite raises it to what is there
  for (int i = 0; i < 100; ++i) {
    store_->publish(publish_of({++id_, {11}, body_}), thread_.mailbox(), [](PublishAnswer) {});
    if (i != 50) continue;
    store_->confirm({12}, before, thread_.mailbox(),
                    [&](const auto& waited) { confirmed = waited.size(); });
  }
  settle();
  EXPECT_EQ(gauge("signet_store_disk_full"), 1);
  EXPECT_EQ(count(12), 0u);
  EXPECT_EQ(confirmed, before.size()) << "and whoever asked hears of it";
}

TEST_F(DiskFullTest, KeepsItsCountsRightThroughARollback) {
  options_.mailbox_messages = 60;
  open();
  store_->limit_pages_for_test(100);
  ASSERT_EQ(fill().outcome, Outcome::kStoreFull);
  ASSERT_LT(stored_, 60u);
  store_->limit_pages_for_test(1'000'000);
  clock_.advance(std::chrono::seconds(2));
  ASSERT_EQ(fill().outcome, Outcome::kQuotaExceeded);
  EXPECT_EQ(stored_, 60u);
  EXPECT_EQ(count(11), 60u);
}

// A disk of 8 MiB that this test mounts; it needs the right to.
class SmallDiskTest : public DiskFullTest {
 protected:
  void SetUp() override {
    options_.directory = folder_.path() + "/disk";
    std::filesystem::create_directory(options_.directory);
    mounted_ = mount("tmpfs", options_.directory.c_str(), "tmpfs", 0, "size=8m,mode=0700") == 0;
    if (!mounted_) GTEST_SKIP() << "no right to mount a small disk: " << std::strerror(errno);
  }
  void TearDown() override {
    store_.reset();
    if (mounted_) umount(options_.directory.c_str());
  }
  bool mounted_ = false;
};

TEST_F(SmallDiskTest, SurvivesARealOne) {
  options_.reserve_bytes = 2 << 20;
  open();
  publish({++id_, {12}, "before"});
  ASSERT_EQ(fill().outcome, Outcome::kStoreFull);
  EXPECT_FALSE(reserve_exists());
  const auto held = numbers(11);
  ASSERT_EQ(held.size(), stored_);
  // One by one, as receivers do it: each confirmation has its own place in the log.
  for (const std::int64_t number : held) {
    confirm(11, {number});
    settle();
  }
  EXPECT_EQ(count(11), 0u);
  for (int i = 0; i < 5 && gauge("signet_store_disk_full") != 0; ++i) {
    clock_.advance(std::chrono::seconds(2));
    settle();
  }
  EXPECT_EQ(gauge("signet_store_disk_full"), 0) << "the space inside the database is room too";
  EXPECT_TRUE(reserve_exists());
  EXPECT_EQ(publish({++id_, {13}, "after"}).outcome, Outcome::kStored);
  reopen();
  EXPECT_EQ(waiting(12), std::vector<std::string>{"before"});
  EXPECT_EQ(waiting(13), std::vector<std::string>{"after"});
}

TEST_F(SmallDiskTest, StartsFullAndRecovers) {
  const std::string filler = options_.directory + "/filler";
  std::ofstream(filler) << std::string(7 << 20, 'x');
  options_.reserve_bytes = 2 << 20;
  open();
  EXPECT_EQ(publish({++id_, {11}}).outcome, Outcome::kStoreFull);
  std::filesystem::remove(filler);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(publish({++id_, {11}}).outcome, Outcome::kStored);
}

TEST_F(SmallDiskTest, StartsWithNoRoomAtAll) {
  options_.reserve_bytes = 2 << 20;
  open();
  publish({++id_, {12}, "before"});
  store_.reset();
  const std::string filler = options_.directory + "/filler";
  std::ofstream(filler) << std::string(8 << 20, 'x');  // as much as goes
  open();
  EXPECT_FALSE(reserve_exists());
  EXPECT_EQ(waiting(12), std::vector<std::string>{"before"});
  EXPECT_EQ(publish({++id_, {11}}).outcome, Outcome::kStoreFull);
  std::filesystem::remove(filler);
  clock_.advance(std::chrono::seconds(2));
  EXPECT_EQ(publish({++id_, {11}}).outcome, Outcome::kStored);
}

}  // namespace
}  // namespace signet::store::sqlite
