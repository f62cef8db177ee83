// Members that have no key, the sources that prove them, and the keys of relays.
#include <gtest/gtest.h>

#include "membership/audience.h"
#include "membership/fixture_for_test.h"

namespace signet::membership {
namespace {

Member keyless(std::int64_t number, const std::string& id, std::vector<std::string> tags = {}) {
  Member member = member_named(number, 1, id, std::move(tags));
  member.id = id;
  member.key.reset();
  return member;
}

SourceSecret secret_of(const std::string& source, std::int64_t member,
                       const std::string& text = "the heron waits at noon") {
  SourceSecret secret;
  secret.mesh = {1};
  secret.source = source;
  secret.member = {member};
  secret.secret = crypto::SecretText(text);
  secret.shared = source == kSharedSource;
  return secret;
}

// Ann (1) and bob (2) with keys, gauge (3) without, all of them tagged "dev".
class KeylessTest : public testing::Test {
 protected:
  KeylessTest() {
    table_.apply(MeshAdded{mesh_named(1, "team")});
    table_.apply(MemberAdded{member_named(1, 1, "ann", {"dev"}), {}});
    table_.apply(MemberAdded{member_named(2, 1, "bob", {"dev"}), {}});
    table_.apply(MemberAdded{keyless(3, "gauge", {"dev"}), {}});
  }
  const MeshSnapshot& team() { return *table_.mesh(MeshNumber{1}); }
  std::string heard_by(std::string_view to) {
    std::string text;
    const auto recipients = team().recipients(*routing::parse_address(to), MemberNumber{1});
    for (const MemberNumber number : *recipients) text += std::to_string(number.value) + " ";
    return text;
  }

  MembershipTable table_;
};

TEST_F(KeylessTest, AMemberWithoutAKeyIsAddressedByNothing) {
  table_.apply(ChannelJoined{{2}, {1}, "general"});
  table_.apply(ChannelJoined{{3}, {1}, "general"});
  EXPECT_EQ(heard_by("*"), "2 ");
  EXPECT_EQ(heard_by("tag:dev"), "2 ");
  EXPECT_EQ(heard_by("#general"), "2 ");
  EXPECT_FALSE(team().in_channel("general", {3}));
  EXPECT_EQ(team().member(crypto::PublicKey{}), nullptr) << "no key is not the key of zeros";
}

TEST_F(KeylessTest, ItIsNeverInAChangeOfTagsOrStandingEither) {
  table_.apply(RoleChanged{{3}, Role::kAdmin, {"ops"}});
  table_.apply(StandingChanged{{3}, Standing::kAdmitted, Standing::kQuarantined});
  table_.apply(StandingChanged{{3}, Standing::kQuarantined, Standing::kAdmitted});
  EXPECT_EQ(heard_by("*"), "2 ");
  EXPECT_EQ(heard_by("tag:ops"), "");
  EXPECT_EQ(team().member(MemberNumber{3})->tags, std::vector<std::string>{"ops"});
}

TEST_F(KeylessTest, ItIsFoundByNumberAndIdAndVisited) {
  ASSERT_NE(team().member(MemberNumber{3}), nullptr);
  EXPECT_EQ(team().member_with_id("gauge"), team().member(MemberNumber{3}));
  EXPECT_EQ(team().member_with_id("nobody"), nullptr);
  std::size_t members = 0;
  team().each_member([&](const Member&) { ++members; });
  EXPECT_EQ(members, 3U);
}

TEST_F(KeylessTest, NoAudienceHasIt) {
  const auto members = members_by_key(team(), {{1}, {2}, {3}});
  EXPECT_EQ(members.size(), 2U);
  EXPECT_EQ(audience_of(members), audience_of(members_by_key(team(), {{1}, {2}})));
}

TEST_F(KeylessTest, ASourceIsFoundByItsWholeName) {
  table_.apply(SourceSecretSet{secret_of("gauge", 3)});
  ASSERT_NE(team().source("gauge"), nullptr);
  EXPECT_EQ(team().source("gauge")->member, MemberNumber{3});
  for (const char* name : {"gaug", "gauge2", "Gauge", "*", ""}) {
    EXPECT_EQ(team().source(name), nullptr) << name;
  }
  EXPECT_EQ(team().shared_secret(), nullptr);
  EXPECT_EQ(team().source_count(), 1U);
}

TEST_F(KeylessTest, TheSharedSecretIsNoSource) {
  table_.apply(SourceSecretSet{secret_of("*", 3)});
  EXPECT_EQ(team().source("*"), nullptr);
  ASSERT_NE(team().shared_secret(), nullptr);
  EXPECT_TRUE(team().shared_secret()->shared);
}

// A name that a token, a certificate or a key proves is not free for whoever shares a secret.
TEST_F(KeylessTest, TheSharedSecretIsAskedOfNamesThatAreNobodysAlone) {
  EXPECT_EQ(team().secret_for("anybody"), nullptr) << "there is none yet";
  table_.apply(MemberAdded{keyless(4, "legacy-shared"), {}});
  table_.apply(SourceSecretSet{secret_of("*", 4)});
  table_.apply(SourceSecretSet{secret_of("relay", 3)});
  EXPECT_EQ(team().secret_for("anybody"), team().shared_secret());
  EXPECT_EQ(team().secret_for("legacy-shared"), team().shared_secret());
  EXPECT_EQ(team().secret_for("relay"), team().source("relay"));
  EXPECT_EQ(team().secret_for("gauge"), nullptr) << "a member without a secret of its own";
  EXPECT_EQ(team().secret_for(team().member(MemberNumber{1})->id), nullptr) << "one with a key";
  Member unproven = keyless(5, "original");
  unproven.tags = {std::string(kUnsignedTag)};
  table_.apply(MemberAdded{unproven, {}});
  EXPECT_EQ(team().secret_for("original"), team().shared_secret())
      << "an unsigned report takes a name from nobody";
  table_.apply(SourceSecretSet{secret_of("gauge", 3)});
  EXPECT_EQ(team().secret_for("gauge"), team().source("gauge"));
  table_.apply(SourceRevoked{{1}, "relay"});
  EXPECT_EQ(team().secret_for("relay"), team().source("relay")) << "revoked is not free";
}

TEST_F(KeylessTest, ASecretIsReplacedAndRevokedWhileASnapshotKeepsTheOldOne) {
  table_.apply(SourceSecretSet{secret_of("gauge", 3, "the first secret of all")});
  const auto before = table_.snapshot();
  table_.apply(SourceSecretSet{secret_of("gauge", 3, "the second secret of all")});
  EXPECT_TRUE(team().source("gauge")->secret.matches("the second secret of all"));
  EXPECT_EQ(team().source_count(), 1U);
  table_.apply(SourceRevoked{{1}, "gauge"});
  EXPECT_TRUE(team().source("gauge")->revoked);
  EXPECT_TRUE(team().source("gauge")->secret.empty()) << "what is revoked is forgotten";
  EXPECT_TRUE(
      before->mesh(MeshNumber{1})->source("gauge")->secret.matches("the first secret of all"));
}

TEST_F(KeylessTest, ASourceOfNobodyOrNoMeshIsIgnored) {
  table_.apply(SourceSecretSet{secret_of("gauge", 77)});
  SourceSecret elsewhere = secret_of("gauge", 3);
  elsewhere.mesh = {9};
  table_.apply(SourceSecretSet{elsewhere});
  table_.apply(SourceRevoked{{1}, "gauge"});
  table_.apply(SourceRevoked{{9}, "gauge"});
  EXPECT_EQ(team().source("gauge"), nullptr);
  EXPECT_EQ(team().source_count(), 0U);
}

TEST_F(KeylessTest, AMemberIsFoundByTheKeyThatItsOwnConvertsTo) {
  const auto relay = crypto::to_x25519(key_of("bob").public_key());
  ASSERT_TRUE(relay.has_value());
  EXPECT_EQ(team().relay_key(*relay), team().member(MemberNumber{2}));
  EXPECT_EQ(team().relay_key({}), nullptr);
  EXPECT_EQ(team().relay_key(key_of("bob").public_key().bytes), nullptr);
}

TEST_F(KeylessTest, TheNegativeOfAKeyDisplacesNobody) {
  Member mallory = member_named(4, 1, "mallory");
  mallory.key = key_of("bob").public_key();
  mallory.key->bytes[31] ^= 0x80;  // the sign of x: another Ed25519 key, the same X25519 key
  const auto relay = crypto::to_x25519(*mallory.key);
  ASSERT_EQ(relay, crypto::to_x25519(key_of("bob").public_key()));
  table_.apply(MemberAdded{mallory, {}});
  EXPECT_EQ(team().relay_key(*relay), team().member(MemberNumber{2}));
}

}  // namespace
}  // namespace signet::membership
