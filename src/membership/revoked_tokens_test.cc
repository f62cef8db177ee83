// Tokens that were taken back, and the members that tokens bring.
#include <gtest/gtest.h>

#include "membership/fixture_for_test.h"

namespace signet::membership {
namespace {

constexpr WallTime kMoment{1'780'000'000'000};
constexpr WallTime kLater = {kMoment.ms + 3'600'000};

Change by_id(const std::string& token, std::int64_t mesh = 1) {
  return TokensRevoked{{mesh}, {token, "", {}, kLater}};
}
Change by_subject(const std::string& subject, WallTime before, std::int64_t mesh = 1) {
  return TokensRevoked{{mesh}, {"", subject, before, kLater}};
}

class RevokedTokens : public testing::Test {
 protected:
  RevokedTokens() {
    table_.apply(MeshAdded{mesh_named(1, "team")});
    table_.apply(MeshAdded{mesh_named(2, "other")});
  }
  const MeshSnapshot& team() { return *table_.mesh(MeshNumber{1}); }
  const MeshSnapshot& other() { return *table_.mesh(MeshNumber{2}); }

  MembershipTable table_;
};

TEST_F(RevokedTokens, AreKnownByTheirIdOrByWhoseAndWhen) {
  table_.apply(by_id("t-1"));
  table_.apply(by_subject("gauge", kMoment));
  struct Row {
    const char* name;
    const char* id;
    const char* subject;
    std::optional<WallTime> issued;
    bool revoked;
  };
  // clang-format off
  const Row rows[] = {
      {"its id", "t-1", "sage", kLater, true},
      {"its id, of whoever", "t-1", "nobody", std::nullopt, true},
      {"another id", "t-2", "sage", kMoment, false},
      {"the beginning of the id", "t-", "sage", kMoment, false},
      {"the id in other letters", "T-1", "sage", kMoment, false},
      {"no id", "", "sage", kMoment, false},
      {"the id as a subject", "", "t-1", std::nullopt, false},
      {"of the subject, before", "t-2", "gauge", kMoment - std::chrono::milliseconds(1), true},
      {"of the subject, at that moment", "t-2", "gauge", kMoment, false},
      {"of the subject, after", "t-2", "gauge", kLater, false},
      {"of the subject, from whenever", "t-2", "gauge", std::nullopt, true},
      {"of the subject, without an id", "", "gauge", std::nullopt, true},
      {"the subject as an id", "gauge", "sage", std::nullopt, false},
      {"of another subject", "", "gauge2", std::nullopt, false},
      {"of nobody", "", "", std::nullopt, false},
  };
  // clang-format on
  for (const Row& row : rows) {
    EXPECT_EQ(team().is_token_revoked(row.id, row.subject, row.issued), row.revoked) << row.name;
    EXPECT_FALSE(other().is_token_revoked(row.id, row.subject, row.issued)) << row.name;
  }
}

TEST_F(RevokedTokens, StayRevokedWhateverIsRevokedAfterwards) {
  table_.apply(by_subject("gauge", kLater));
  table_.apply(by_subject("gauge", kMoment));
  EXPECT_TRUE(team().is_token_revoked("", "gauge", kMoment)) << "an earlier moment frees nobody";
  table_.apply(by_subject("gauge", kLater + std::chrono::milliseconds(1)));
  EXPECT_TRUE(team().is_token_revoked("", "gauge", kLater));
}

TEST_F(RevokedTokens, ASnapshotDoesNotChange) {
  const auto before = table_.snapshot();
  table_.apply(by_id("t-1"));
  EXPECT_FALSE(before->mesh(MeshNumber{1})->is_token_revoked("t-1", "a", {}));
  EXPECT_TRUE(table_.snapshot()->mesh(MeshNumber{1})->is_token_revoked("t-1", "a", {}));
  EXPECT_EQ(before->mesh(MeshNumber{1})->token_revocations(), 0U);
}

TEST_F(RevokedTokens, EachOneIsSeenByWhoComparesTwoSnapshots) {
  table_.apply(by_subject("gauge", kMoment));
  const auto first = team().token_revocations();
  table_.apply(by_subject("gauge", kLater));
  EXPECT_GT(team().token_revocations(), first) << "of the same subject, too";
  EXPECT_EQ(other().token_revocations(), 0U);
  table_.apply(by_id("t-1", 9));  // of no mesh
}

TEST_F(RevokedTokens, OneThatMeansNoMoreIsNotSeen) {
  table_.apply(by_id("t-1"));
  table_.apply(by_subject("gauge", kLater));
  const auto first = team().token_revocations();
  table_.apply(by_id("t-1"));
  table_.apply(by_subject("gauge", kLater));
  table_.apply(by_subject("gauge", kMoment));
  EXPECT_EQ(team().token_revocations(), first) << "nobody's session is judged for it";
  table_.apply(by_subject("t-1", kMoment));
  table_.apply(by_id("gauge"));
  EXPECT_EQ(team().token_revocations(), first + 2) << "a subject is no id";
}

TEST_F(RevokedTokens, MembersWithoutAKeyAreCountedOnce) {
  Member gauge = member_named(3, 1, "gauge");
  gauge.key.reset();
  table_.apply(MemberAdded{member_named(1, 1, "ann"), {}});
  EXPECT_EQ(team().keyless_members(), 0U);
  table_.apply(MemberAdded{gauge, {}});
  EXPECT_EQ(team().keyless_members(), 1U);
  table_.apply(RoleChanged{{3}, Role::kAdmin, {"ops"}});
  table_.apply(StandingChanged{{3}, Standing::kAdmitted, Standing::kRevoked});
  EXPECT_EQ(team().keyless_members(), 1U) << "changed, and still one";
  EXPECT_EQ(other().keyless_members(), 0U);
}

}  // namespace
}  // namespace signet::membership
