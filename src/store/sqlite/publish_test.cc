#include <filesystem>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using Outcome = PublishOutcome;
using routing::Priority;
using Strings = std::vector<std::string>;

std::string text_of(const PublishAnswer& answer) {
  constexpr const char* kNames[] = {"stored",         "duplicate",  "id reused",
                                    "quota exceeded", "store full", "unavailable"};
  return std::string(kNames[static_cast<int>(answer.outcome)]) + " " +
         std::to_string(answer.queued) + " " + std::to_string(answer.skipped);
}

struct Row {
  const char* name;
  Say say;
  const char* answer;
};

TEST_F(StoreTest, AnswersEveryPublishByTheState) {
  options_.mailbox_messages = 2;
  options_.mailbox_bytes = 1'000;
  options_.sender_messages = 6;
  options_.mesh_bytes = 3'000;
  open();
  const std::string big(900, 'x');
  // Each row goes on from the one before. Members 11 and 12 are of mesh 1.
  // clang-format off
  const std::vector<Row> rows = {
      {"the first", {1, {11}}, "stored 1 0"},
      {"a retry", {1, {11}}, "duplicate 1 0"},
      {"the id with another body", {1, {11}, "other"}, "id reused 0 0"},
      {"to two", {2, {11, 12}}, "stored 2 0"},
      {"a retry of it", {2, {11, 12}}, "duplicate 2 0"},
      {"the mailbox of 11 is full", {3, {11}}, "quota exceeded 0 1"},
      {"a retry of what is in the full mailbox", {1, {11}}, "duplicate 1 0"},
      {"what was refused may come again", {3, {12}}, "stored 1 0"},
      {"both are full", {4, {11, 12}}, "stored 0 2"},
      {"one of two is full", {5, {12, 13}}, "stored 1 1"},
      {"nobody", {6, {}}, "stored 0 0"},
      {"nobody, again", {6, {}}, "duplicate 0 0"},
      {"named twice counts once", {7, {14, 14}}, "stored 1 0"},
      {"the sender has six waiting", {8, {15}}, "stored 1 0"},
      {"the sender has no more", {9, {15}}, "quota exceeded 0 0"},
      {"another sender has", {9, {15}, "hello", Priority::kNext, 2}, "stored 1 0"},
      {"more bytes than a mailbox holds", {10, {16}, std::string(1'001, 'x'), Priority::kNext, 2},
       "quota exceeded 0 1"},
      {"bytes fill a mailbox", {11, {16}, big, Priority::kNext, 2}, "stored 1 0"},
      {"no byte more than it holds", {12, {16}, std::string(101, 'x'), Priority::kNext, 2},
       "quota exceeded 0 1"},
      {"bytes fill the mesh", {13, {17}, big, Priority::kNext, 2}, "stored 1 0"},
      {"the mesh, once for all receivers", {14, {18, 19}, big, Priority::kNext, 3}, "stored 2 0"},
      {"no more in this mesh", {15, {20}, big, Priority::kNext, 3}, "quota exceeded 0 0"},
      {"another mesh has room", {16, {21}, big, Priority::kNext, 4, 2}, "stored 1 0"},
  };
  // clang-format on
  for (const Row& row : rows) {
    EXPECT_EQ(text_of(publish(row.say)), row.answer) << row.name;
  }
}

TEST_F(StoreTest, AnswersTheSameWithinOneTransaction) {
  open();
  std::vector<std::string> answers;
  for (const Say& say : {Say{1, {11}}, Say{1, {11}}, Say{1, {11}, "other"}, Say{2, {11}}}) {
    store_->publish(publish_of(say), thread_.mailbox(),
                    [&](PublishAnswer answer) { answers.push_back(text_of(answer)); });
  }
  settle();
  EXPECT_EQ(answers, (Strings{"stored 1 0", "duplicate 1 0", "id reused 0 0", "stored 1 0"}));
}

TEST_F(StoreTest, ReportsWhatIsStoredBeforeTheAnswerInRisingNumbers) {
  options_.mailbox_messages = 1;
  open();
  publish({1, {11}});
  publish({2, {11, 12}});
  publish({3, {}});
  publish({1, {11}});
  publish({4, {13}});
  ASSERT_EQ(deliveries_.size(), 3u);
  EXPECT_LT(deliveries_[0].number, deliveries_[1].number);
  EXPECT_LT(deliveries_[1].number, deliveries_[2].number);
  EXPECT_EQ(deliveries_[1].recipients, std::vector<MemberNumber>{{12}}) << "11 was full";
}

TEST_F(StoreTest, KeepsEverythingAcrossARestart) {
  open();
  Say say{1, {11, 12}, std::string("a\0b", 3), Priority::kNow, 7, 3, {1'800'000'000'000}};
  publish(say);
  publish({2, {11}, ""});
  const MessageNumber last = deliveries_.back().number;
  reopen();
  EXPECT_EQ(text_of(publish(say)), "duplicate 2 0");
  const MailboxPage page = read({{11}, {}, {}});
  ASSERT_EQ(page.items.size(), 2u);
  const routing::Envelope& kept = *page.items[0].envelope;
  EXPECT_EQ(kept.id, id_of(1));
  EXPECT_EQ(kept.mesh.value, 3);
  EXPECT_EQ(kept.sender.value, 7);
  EXPECT_EQ(kept.priority, Priority::kNow);
  EXPECT_EQ(kept.to, "*");
  EXPECT_EQ(kept.body, say.body);
  EXPECT_EQ(kept.created.ms, 1'700'000'000'000);
  EXPECT_EQ(kept.expires.ms, 1'800'000'000'000);
  EXPECT_EQ(page.items[1].envelope->body, "");
  publish({3, {11}});
  EXPECT_GT(deliveries_.back().number, last) << "a number is never given twice";
}

TEST_F(StoreTest, CountsQuotasAcrossARestart) {
  options_.mailbox_messages = 2;
  open();
  publish({1, {11}});
  publish({2, {11}});
  reopen();
  EXPECT_EQ(text_of(publish({3, {11}})), "quota exceeded 0 1");
  confirm(11, {deliveries_[0].number.value});
  EXPECT_EQ(text_of(publish({3, {11}})), "stored 1 0");
}

TEST_F(StoreTest, DropsTheContentWithItsLastReader) {
  open();
  publish({1, {11, 12}});
  const std::int64_t number = deliveries_[0].number.value;
  EXPECT_EQ(confirm(11, {number, number, 4'711}), std::vector<std::int64_t>{number}) << "once";
  EXPECT_EQ(confirm(11, {number}), std::vector<std::int64_t>{});
  EXPECT_EQ(confirm(11, {}), std::vector<std::int64_t>{});
  EXPECT_EQ(waiting(11), Strings{});
  EXPECT_EQ(waiting(12), Strings{"hello"});
  EXPECT_EQ(rows("message"), 1);
  confirm(12, {number});
  EXPECT_EQ(waiting(12), Strings{});
  EXPECT_EQ(rows("message"), 0);
  EXPECT_EQ(text_of(publish({1, {11, 12}})), "duplicate 2 0");
}

TEST_F(StoreTest, ReadsBeyondTwoCursors) {
  open();
  // Bodies 1 to 6; 2 and 5 are urgent.
  for (std::uint64_t i = 1; i <= 6; ++i) {
    const bool urgent = i == 2 || i == 5;
    publish({i, {11}, std::to_string(i), urgent ? Priority::kNow : Priority::kLow});
  }
  const auto numbered = numbers(11);
  ASSERT_EQ(numbered.size(), 6u);
  const std::int64_t before = numbered[0] - 1;
  struct Query {
    const char* name;
    std::int64_t urgent_after, other_after;
    bool urgent_only;
    std::size_t max_messages, max_bytes;
    const char* bodies;
    bool complete;
  };
  // clang-format off
  const std::vector<Query> queries = {
      {"all", 0, 0, false, 10, 100, "123456", true},
      {"exactly as many as there are", 0, 0, false, 6, 100, "123456", true},
      {"one fewer", 0, 0, false, 5, 100, "12345", false},
      {"urgent ones", 0, 0, true, 10, 100, "25", true},
      {"urgent ones beyond the first", before + 2, 0, true, 10, 100, "5", true},
      {"other cursor further", 0, before + 4, false, 10, 100, "256", true},
      {"urgent cursor further", before + 5, before + 1, false, 10, 100, "346", true},
      {"nothing beyond", before + 6, before + 6, false, 10, 100, "", true},
      {"stops with the message that reaches the bytes", 0, 0, false, 10, 3, "123", false},
      {"one message whatever its size", 0, 0, false, 10, 0, "1", false},
  };
  // clang-format on
  for (const Query& query : queries) {
    const MailboxPage page = read({{11},
                                   {query.urgent_after},
                                   {query.other_after},
                                   query.urgent_only,
                                   query.max_messages,
                                   query.max_bytes});
    std::string bodies;
    for (const MailboxItem& item : page.items) bodies += item.envelope->body;
    EXPECT_EQ(bodies, query.bodies) << query.name;
    EXPECT_EQ(page.complete, query.complete) << query.name;
  }
}

TEST_F(StoreTest, RefusesWhatTheInboxCannotHold) {
  options_.max_inbox = 0;
  open();
  EXPECT_EQ(text_of(publish({1, {11}})), "unavailable 0 0");
  EXPECT_EQ(hello(1, 5), HelloOutcome::kUnavailable);
  const Status committed = commit({});
  ASSERT_FALSE(committed.ok());
  EXPECT_EQ(committed.error().code, ErrorCode::kUnavailable);
}

TEST_F(StoreTest, AnswersWhatWaitsBeforeItCloses) {
  open();
  int stored = 0;
  for (std::uint64_t i = 1; i <= 10'000; ++i) {
    store_->publish(publish_of({i, {11 + static_cast<std::int64_t>(i % 50)}}), thread_.mailbox(),
                    [&](PublishAnswer answer) { stored += answer.outcome == Outcome::kStored; });
  }
  store_.reset();
  thread_.mailbox().drain();
  EXPECT_EQ(stored, 10'000);
}

TEST_F(StoreTest, AdmitsAHelloOnceAlsoAfterARestart) {
  open();
  EXPECT_EQ(hello(1, 1'000), HelloOutcome::kAdmitted);
  EXPECT_EQ(hello(1, 1'000), HelloOutcome::kReplayed);
  EXPECT_EQ(hello(2, 1'000), HelloOutcome::kAdmitted) << "another member";
  EXPECT_EQ(hello(1, 1'000, 9), HelloOutcome::kAdmitted) << "another signature";
  for (int i = 1; i <= 70; ++i) hello(1, 1'000 + i * 10'000);
  reopen();
  EXPECT_EQ(hello(1, 1'000), HelloOutcome::kReplayed) << "below the floor";
  EXPECT_EQ(hello(1, 1'000 + 70 * 10'000), HelloOutcome::kReplayed) << "remembered";
  EXPECT_EQ(hello(2, 1'000), HelloOutcome::kReplayed);
  EXPECT_EQ(hello(1, 1'001 + 70 * 10'000), HelloOutcome::kAdmitted);
  EXPECT_LE(rows("hello WHERE member = 1"), 65);
}

TEST_F(StoreTest, ProbesByWriting) {
  open();
  EXPECT_TRUE(probe().ok());
}

TEST_F(StoreTest, IsHeldByOneAndPrivate) {
  open();
  MetricRegistry other_metrics;
  const auto second = open_sqlite(options_, clock_, other_metrics);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  EXPECT_NE(second.error().detail.find("stop it, or give"), std::string::npos);
  namespace fs = std::filesystem;
  EXPECT_EQ(fs::status(folder_.path()).permissions(), fs::perms::owner_all);
  constexpr fs::perms kOwn = fs::perms::owner_read | fs::perms::owner_write;
  for (const fs::directory_entry& file : fs::directory_iterator(folder_.path())) {
    EXPECT_EQ(file.status().permissions(), kOwn) << file.path();
  }
}

}  // namespace
}  // namespace signet::store::sqlite
