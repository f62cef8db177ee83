#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using Rows = std::vector<std::string>;

class SealedTableTest : public StoreTest {
 protected:
  // A mesh, and in it an admitted member 20.
  void open_with_member() {
    open();
    membership::Member member;
    member.number = {20};
    member.mesh = {1};
    member.id = "node-a";
    member.standing = membership::Standing::kAdmitted;
    ASSERT_TRUE(commit({membership::MeshAdded{{{1}, "m", "s", {}, "", 1, false}},
                        membership::MemberAdded{member, {}}})
                    .ok());
  }
  static CommitSealed rows(std::vector<SealedRow> rows) {
    CommitSealed what;
    what.mesh = {1};
    what.rows = std::move(rows);
    what.by = "test";
    return what;
  }
  static CommitSealed reports_of(const std::string& name, const std::vector<std::int64_t>& times) {
    CommitSealed what;
    what.mesh = {1};
    for (const std::int64_t at : times) {
      what.reports.push_back({0, name, {at}, std::string("sealed\0", 7) + std::to_string(at)});
    }
    return what;
  }
  static membership::StandingChanged quarantined(membership::Standing from) {
    return {{20}, from, membership::Standing::kQuarantined};
  }
};

TEST_F(SealedTableTest, ARowIsWrittenOverTheVersionBefore) {
  struct Row {
    const char* name;
    std::vector<SealedRow> rows;
    bool good;
    Rows then;
  };
  const std::string nul("b\0c", 3);
  const Row table[] = {
      {"a new one", {{"node", "a", 1, "x"}}, true, {"node a 1 x"}},
      {"new again", {{"node", "a", 1, "y"}}, false, {"node a 1 x"}},
      {"one above", {{"node", "a", 2, nul}}, true, {"node a 2 " + nul}},
      {"the same again", {{"node", "a", 2, "z"}}, false, {"node a 2 " + nul}},
      {"two above", {{"node", "a", 4, "z"}}, false, {"node a 2 " + nul}},
      {"a new one with a version", {{"node", "b", 2, "z"}}, false, {"node a 2 " + nul}},
      {"another kind is another row",
       {{"epoch", "a", 1, "e"}},
       true,
       {"epoch a 1 e", "node a 2 " + nul}},
      {"all or none",
       {{"node", "a", 3, "z"}, {"node", "b", 7, "z"}},
       false,
       {"epoch a 1 e", "node a 2 " + nul}},
      {"no bytes: it goes", {{"node", "a", 0, ""}}, true, {"epoch a 1 e"}},
      {"and may come again", {{"node", "a", 1, "new"}}, true, {"epoch a 1 e", "node a 1 new"}},
      {"what is not there may go", {{"node", "zz", 0, ""}}, true, {"epoch a 1 e", "node a 1 new"}},
  };
  open_with_member();
  for (const Row& row : table) {
    SCOPED_TRACE(row.name);
    const Status put = commit_sealed(rows(row.rows));
    EXPECT_EQ(put.ok(), row.good);
    if (!put.ok()) {
      EXPECT_EQ(put.error().code, ErrorCode::kConflict);
    }
    EXPECT_EQ(sealed_rows(), row.then);
  }
  EXPECT_EQ(sealed_rows(2), Rows()) << "of another mesh";
  reopen();
  EXPECT_EQ(sealed_rows(), (Rows{"epoch a 1 e", "node a 1 new"}));
}

TEST_F(SealedTableTest, WhatIsSaidOfANodeAndItsStandingAreTrueTogetherOrNotAtAll) {
  open_with_member();
  CommitSealed what = rows({{"node", "a", 1, "denied"}});
  what.changes = {quarantined(membership::Standing::kProbation)};
  what.reports = reports_of("a", {1}).reports;
  EXPECT_EQ(commit_sealed(what).error().code, ErrorCode::kConflict) << "its standing is another";
  EXPECT_EQ(sealed_rows(), Rows());
  EXPECT_TRUE(reports("a").empty());

  what.changes = {quarantined(membership::Standing::kAdmitted)};
  what.rows[0].version = 2;
  EXPECT_EQ(commit_sealed(what).error().code, ErrorCode::kConflict) << "its row is another";
  what.rows[0].version = 1;
  EXPECT_TRUE(commit_sealed(what).ok()) << "the refusals changed nothing";
  EXPECT_EQ(sealed_rows(), Rows{"node a 1 denied"});
  EXPECT_EQ(reports("a").size(), 1U);
}

TEST_F(SealedTableTest, ReportsAreReadInPagesAndForgotten) {
  open_with_member();
  ASSERT_TRUE(commit_sealed(reports_of("a", {10, 20, 30})).ok());
  ASSERT_TRUE(commit_sealed(reports_of("b", {15})).ok());
  ASSERT_TRUE(commit_sealed(reports_of("a", {5})).ok());
  const auto first = reports("a", 0, 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].at.ms, 10);
  EXPECT_EQ(first[0].bytes, std::string("sealed\0", 7) + "10");
  const auto rest = reports("a", first[1].number);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].at.ms, 30);
  EXPECT_EQ(rest[1].at.ms, 5) << "in the order of their coming";
  EXPECT_TRUE(reports("a", 0, 100, 2).empty()) << "of another mesh";
  const auto newest = newest_reports("a", 2);
  ASSERT_EQ(newest.size(), 2U);
  EXPECT_EQ(newest[0].at.ms, 30);
  EXPECT_EQ(newest[1].at.ms, 5) << "the last of them, in the same order";
  EXPECT_EQ(newest_reports("a", 100).size(), 4U);
  EXPECT_TRUE(newest_reports("a", 100, 2).empty()) << "of another mesh";

  CommitSealed forget = rows({});
  forget.forget = {{"a", {20}}};
  ASSERT_TRUE(commit_sealed(forget).ok());
  EXPECT_EQ(reports("a").size(), 2U) << "what is as old as that stays";
  EXPECT_EQ(reports("b").size(), 1U);
  forget.forget = {{"", {25}}};
  ASSERT_TRUE(commit_sealed(forget).ok());
  EXPECT_EQ(reports("a").size(), 1U);
  EXPECT_TRUE(reports("b").empty());
}

}  // namespace
}  // namespace signet::store::sqlite
