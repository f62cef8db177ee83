#include "signet/profile/joining.h"

#include <gtest/gtest.h>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr const char* kBroker = "wss://broker.example/ws";

Profile joined(std::string owner_key) {
  Profile profile;
  profile.mesh_id = "id-1";
  profile.slug = "team";
  profile.broker_url = kBroker;
  profile.owner_key = std::move(owner_key);
  return profile;
}

TEST(RenewedBy, IsTheMembershipOnlyWhereItsBrokerAndOwnerAreTheSame) {
  const struct {
    const char* name;
    std::string kept_owner, mesh_id, broker_url, owner_key;
    std::string_view code;  // empty: fine
    bool found;
  } kRows[] = {
      {"the same", "aa", "id-1", kBroker, "aa", "", true},
      {"no owner kept", "", "id-1", kBroker, "bb", "", true},
      {"another mesh", "aa", "id-2", "wss://evil.example/ws", "bb", "", false},
      {"a mesh by the slug of a joined one", "aa", "team", kBroker, "aa", "", false},
      {"another broker", "aa", "id-1", "wss://evil.example/ws", "aa", "mesh_claimed", false},
      {"another path", "aa", "id-1", "wss://broker.example/evil", "aa", "mesh_claimed", false},
      {"without TLS", "aa", "id-1", "ws://broker.example/ws", "aa", "mesh_claimed", false},
      {"another owner", "aa", "id-1", kBroker, "bb", "mesh_claimed", false},
      {"no owner kept, another broker", "", "id-1", "ws://evil/ws", "aa", "mesh_claimed", false},
  };
  for (const auto& row : kRows) {
    Profiles profiles;
    profiles.all = {joined(row.kept_owner)};
    membership::InviteClaim claim;
    claim.mesh_id = row.mesh_id;
    claim.broker_url = row.broker_url;
    claim.owner_key = row.owner_key;
    const auto renewed = renewed_by(profiles, claim);
    ASSERT_EQ(renewed.ok(), row.code.empty()) << row.name;
    if (renewed.ok()) {
      EXPECT_EQ(*renewed != nullptr, row.found) << row.name;
    } else {
      EXPECT_EQ(tell(renewed.error()).code, row.code) << row.name;
      EXPECT_EQ(tell(renewed.error()).exit, kExitConflict) << row.name;
    }
  }
}

TEST(MemberId, HasNothingThatEndsAFieldOrALine) {
  EXPECT_TRUE(is_member_id("m_1.A-b"));
  EXPECT_TRUE(is_member_id(std::string(64, 'a')));
  for (const std::string& bad :
       {std::string(), std::string(65, 'a'), std::string("a|b"), std::string("a\nb"),
        std::string("a b"), std::string("\xc3\xa9")}) {
    EXPECT_FALSE(is_member_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace signet::cli
