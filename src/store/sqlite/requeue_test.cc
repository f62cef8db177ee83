// Dead letters that go back to their mailboxes: who gets them, who does not, and what it counts.
#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using membership::Standing;
using std::chrono::hours;
using Bodies = std::vector<std::string>;

class RequeueTest : public StoreTest {
 protected:
  RequeueTest() { options_.message_ttl = hours(10); }

  void open_with_members(const std::vector<std::int64_t>& members) {
    open();
    membership::Mesh mesh;
    mesh.number = {1};
    mesh.id = mesh.slug = "team";
    std::vector<membership::Change> changes{membership::MeshAdded{mesh}};
    for (const std::int64_t number : members) {
      membership::Member member;
      member.number = {number};
      member.mesh = {1};
      member.id = "member-" + std::to_string(number);
      member.key.emplace().bytes[0] = static_cast<unsigned char>(number);
      changes.push_back(membership::MemberAdded{member, {}});
    }
    ASSERT_TRUE(commit(changes).ok());
  }
  void set_standing(std::int64_t member, Standing from, Standing to) {
    ASSERT_TRUE(commit({membership::StandingChanged{{member}, from, to}}).ok());
  }
  // All that waits dies now.
  void expire() {
    clock_.advance(hours(10));
    sweep(clock_.wall());
    deliveries_.clear();
  }
  Result<Requeued> requeue(RequeueDead command) {
    command.mesh = {1};
    return thread_.ask<Result<Requeued>>(
        [&](auto answer) { store_->requeue_dead(command, thread_.mailbox(), answer); });
  }
  // In words: requeued/refused/full and a plus where there is more.
  std::string all(std::size_t letters = 1'000, std::size_t bytes = 8 << 20) {
    return words(requeue({{}, {}, letters, bytes}));
  }
  std::string one(std::int64_t number, std::int64_t recipient) {
    return words(requeue({{}, RequeueDead::One{{number}, {recipient}}}));
  }
  static std::string words(const Result<Requeued>& done) {
    if (!done.ok()) return done.error().detail;
    return std::to_string(done->requeued) + "/" + std::to_string(done->refused) + "/" +
           std::to_string(done->full) + (done->more ? "+" : "");
  }
};

TEST_F(RequeueTest, PutsOneBackWithItsIdAndAWholeTimeToLive) {
  open_with_members({11, 12});
  publish({7, {11, 12}, "seven"});
  expire();
  const std::int64_t old = dead(1)[0].number.value;
  EXPECT_EQ(one(old, 11), "1/0/0");
  EXPECT_EQ(waiting(11), Bodies{"seven"});
  EXPECT_TRUE(waiting(12).empty());
  ASSERT_EQ(dead(1).size(), 1u);
  EXPECT_EQ(dead(1)[0].recipient.value, 12);
  ASSERT_EQ(deliveries_.size(), 1u);
  EXPECT_EQ(deliveries_[0].envelope->id, id_of(7));
  EXPECT_EQ(deliveries_[0].recipients, (std::vector<MemberNumber>{{11}}));
  EXPECT_GT(deliveries_[0].number.value, old) << "a cursor that passed the old one still gets it";
  EXPECT_EQ(numbers(11), std::vector<std::int64_t>{deliveries_[0].number.value});

  EXPECT_EQ(one(old, 11), "0/0/0") << "once";
  sweep(clock_.wall() + hours(10) - std::chrono::milliseconds(1));
  EXPECT_EQ(waiting(11).size(), 1u);
  sweep(clock_.wall() + hours(10));
  EXPECT_TRUE(waiting(11).empty());
  EXPECT_EQ(dead(1).size(), 2u);
}

TEST_F(RequeueTest, TellsWhatIsNone) {
  open_with_members({11});
  publish({1, {11}});
  const std::int64_t alive = numbers(11)[0];
  EXPECT_EQ(one(alive, 11), "0/0/0") << "it waits";
  expire();
  EXPECT_EQ(one(alive + 1, 11), "0/0/0") << "another number";
  EXPECT_EQ(one(alive, 12), "0/0/0") << "another recipient";
  RequeueDead elsewhere{{}, RequeueDead::One{{alive}, {11}}};
  const auto done = thread_.ask<Result<Requeued>>([&](auto answer) {
    elsewhere.mesh = {2};
    store_->requeue_dead(elsewhere, thread_.mailbox(), answer);
  });
  EXPECT_EQ(words(done), "0/0/0") << "another mesh";
  EXPECT_EQ(dead(1).size(), 1u);
  EXPECT_EQ(waiting(11), Bodies{});
}

TEST_F(RequeueTest, LeavesThoseOfWhoMayNotConnect) {
  open_with_members({11, 12, 13, 14});
  publish({1, {11, 12, 13, 14, 99}, "to all"});  // 99 is no member
  set_standing(12, Standing::kAdmitted, Standing::kQuarantined);
  set_standing(13, Standing::kAdmitted, Standing::kRevoked);  // buries at once
  set_standing(14, Standing::kAdmitted, Standing::kProbation);
  expire();
  EXPECT_EQ(one(dead(1)[0].number.value, 13), "0/1/0");
  EXPECT_EQ(all(), "2/3/0");
  EXPECT_EQ(waiting(11).size() + waiting(14).size(), 2u);
  EXPECT_EQ(waiting(12).size() + waiting(13).size() + waiting(99).size(), 0u);
  ASSERT_EQ(deliveries_.size(), 1u) << "one message for both";
  EXPECT_EQ(all(), "0/3/0");
  set_standing(12, Standing::kQuarantined, Standing::kAdmitted);
  EXPECT_EQ(all(), "1/2/0");
}

TEST_F(RequeueTest, StaysWithinEveryQuota) {
  const struct {
    const char* name;
    std::function<void(StoreOptions&)> limit;
    const char* first;
  } rows[] = {
      {"messages of a mailbox", [](StoreOptions& o) { o.mailbox_messages = 2; }, "4/0/2"},
      {"bytes of a mailbox", [](StoreOptions& o) { o.mailbox_bytes = 10; }, "4/0/2"},
      {"messages of a sender", [](StoreOptions& o) { o.sender_messages = 2; }, "4/0/2"},
      {"bytes of a mesh", [](StoreOptions& o) { o.mesh_bytes = 10; }, "4/0/2"},
      {"none", [](StoreOptions&) {}, "6/0/0"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.reset();
    std::filesystem::remove_all(folder_.path());
    options_ = StoreOptions{};
    options_.directory = folder_.path();
    options_.reserve_bytes = 1 << 20;
    options_.message_ttl = hours(10);
    open_with_members({11, 12});
    for (std::uint64_t i = 1; i <= 3; ++i) publish({i, {11, 12}, "bytes"});
    expire();
    row.limit(options_);
    reopen();
    EXPECT_EQ(all(), row.first);
    EXPECT_EQ(waiting(11).size(), waiting(12).size());
    EXPECT_EQ(deliveries_.size(), waiting(11).size());
    const std::string rest = std::string("0/0/") + row.first[4];
    EXPECT_EQ(all(), rest) << "asking again changes nothing";
    for (const std::int64_t member : {11, 12}) confirm(member, numbers(member));
    EXPECT_EQ(all(), rest == "0/0/0" ? "0/0/0" : "2/0/0") << "now there is room";
    EXPECT_TRUE(dead(1).empty());
  }
}

TEST_F(RequeueTest, DoesManyInBoundedStepsOldestFirst) {
  open_with_members({11, 12});
  for (std::uint64_t i = 1; i <= 5; ++i) publish({i, {11}, std::to_string(i)});
  publish({6, {12}, "quarantined"});
  expire();
  set_standing(12, Standing::kAdmitted, Standing::kQuarantined);
  EXPECT_EQ(all(2), "2/0/0+");
  EXPECT_EQ(waiting(11), (Bodies{"1", "2"}));
  EXPECT_EQ(all(1'000, 1), "1/1/0+") << "by bytes";
  EXPECT_EQ(all(2), "2/1/0");
  EXPECT_EQ(waiting(11), (Bodies{"1", "2", "3", "4", "5"})) << "in their order";
  EXPECT_EQ(all(2), "0/1/0");
}

TEST_F(RequeueTest, IsThereAfterARestartAndStillTheSameMessage) {
  options_.dedupe_retention = hours(12);
  open_with_members({11});
  publish({7, {11}, "seven"});
  expire();
  EXPECT_EQ(all(), "1/0/0");
  reopen();
  EXPECT_EQ(waiting(11), Bodies{"seven"});
  EXPECT_TRUE(dead(1).empty());
  EXPECT_EQ(rows("message"), 1);
  clock_.advance(hours(9));  // 19 since it was sent
  sweep(clock_.wall());
  EXPECT_EQ(publish({7, {11}, "seven"}).outcome, PublishOutcome::kDuplicate);
  EXPECT_EQ(waiting(11), Bodies{"seven"});
  confirm(11, numbers(11));
  EXPECT_EQ(rows("message"), 0);
  EXPECT_EQ(rows("dead_letter"), 0);
}

TEST_F(RequeueTest, IsAllOrNothingOnAFullDisk) {
  open_with_members({11});
  for (std::uint64_t i = 1; i <= 40; ++i) publish({i, {11}, std::string(60'000, 'x')});
  expire();
  ASSERT_EQ(dead(1).size(), 40u);
  store_->limit_pages_for_test(1);  // SQLite keeps what it has: not one page more
  EXPECT_EQ(all(), "the disk is full");
  EXPECT_EQ(dead(1).size(), 40u);
  EXPECT_TRUE(waiting(11).empty());
  EXPECT_TRUE(deliveries_.empty());
  reopen();
  EXPECT_EQ(all(), "40/0/0");
  EXPECT_EQ(waiting(11).size(), 40u);
}

}  // namespace
}  // namespace signet::store::sqlite
