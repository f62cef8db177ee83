#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "audit/entry.h"

namespace signet::audit {
namespace {

using membership::Change;
using membership::Member;
using membership::Mesh;
using membership::Role;
using membership::Standing;

const Pseudonyms& pseudonyms() {
  static const Pseudonyms known(std::string(32, 'k'));
  return known;
}

crypto::PublicKey some_key() {
  return crypto::SecretKey::from_seed(std::array<unsigned char, 32>{1}).public_key();
}

Mesh some_mesh() {
  Mesh mesh;
  mesh.number = {3};
  mesh.id = "mesh-id";
  mesh.slug = "the-team";
  mesh.root_key = "root key";
  return mesh;
}

Member some_member() {
  Member member;
  member.number = {9};
  member.mesh = {3};
  member.id = "member-id";
  member.key = some_key();
  member.display_name = "Alice Example";
  member.role = Role::kAdmin;
  member.tags = {"a-tag"};
  return member;
}

membership::SourceSecret some_secret() {
  membership::SourceSecret secret;
  secret.mesh = {3};
  secret.source = "robot";
  secret.secret = crypto::SecretText("0123456789abcdefgh");
  return secret;
}

struct Row {
  const char* name;
  Change change;
  Event event;
  MeshNumber mesh;
  Pseudonym subject;
  std::string code;
  std::optional<crypto::Digest32> hash;
};

std::vector<Row> rows() {
  const crypto::Digest32 link = crypto::digest32("an invite", {"link"});
  const Pseudonym member = pseudonyms().of_member({9});
  const Pseudonym source = pseudonyms().of_name("source", "robot");
  const auto keyed = [](const std::string& kind, const char* name) {
    return crypto::digest32("signet audit " + kind, {pseudonyms().of_name(kind, name)});
  };
  const crypto::Digest32 channel = keyed("channel", "plans");
  membership::Invite invite;
  invite.digest = link;
  invite.mesh = {3};
  // clang-format off
  return {
      {"mesh", membership::MeshAdded{some_mesh()}, Event::kMeshAdded, {3}, "", "", keyed("mesh", "mesh-id")},
      {"member", membership::MemberAdded{some_member(), link}, Event::kMemberAdded, {3}, member, "admin", crypto::digest32("signet audit key", {text_of(some_key().bytes)})},
      {"standing", membership::StandingChanged{{9}, Standing::kAdmitted, Standing::kRevoked}, Event::kStandingChanged, {}, member, "revoked", {}},
      {"role", membership::RoleChanged{{9}, Role::kMember, {"a-tag"}}, Event::kRoleChanged, {}, member, "member", {}},
      {"invite", membership::InviteAdded{invite}, Event::kInviteAdded, {3}, "", "member", link},
      {"invite revoked", membership::InviteRevoked{link}, Event::kInviteRevoked, {}, "", "", link},
      {"joined", membership::ChannelJoined{{9}, {3}, "plans"}, Event::kChannelJoined, {3}, member, "", channel},
      {"left", membership::ChannelLeft{{9}, {3}, "plans"}, Event::kChannelLeft, {3}, member, "", channel},
      {"secret", membership::SourceSecretSet{some_secret()}, Event::kSecretSet, {3}, source, "set", {}},
      {"source revoked", membership::SourceRevoked{{3}, "robot"}, Event::kSecretRevoked, {3}, source, "", {}},
      {"token", membership::TokensRevoked{{3}, {"jti-1", "", {}, {}}}, Event::kTokensRevoked, {3}, "", "token", keyed("token", "jti-1")},
      {"tokens of one", membership::TokensRevoked{{3}, {"", "alice", {}, {}}}, Event::kTokensRevoked, {3}, pseudonyms().of_name("token_subject", "alice"), "subject", {}},
  };
  // clang-format on
}

TEST(DraftsOf, SaysWhatChangedByWhoseWord) {
  for (const Row& row : rows()) {
    const std::vector<Draft> drafts = drafts_of(row.change, "operator", pseudonyms());
    ASSERT_EQ(drafts.size(), 1U) << row.name;
    EXPECT_EQ(drafts[0].event, row.event) << row.name;
    EXPECT_EQ(drafts[0].mesh, row.mesh) << row.name;
    EXPECT_EQ(drafts[0].subject, row.subject) << row.name;
    EXPECT_EQ(drafts[0].code, row.code) << row.name;
    EXPECT_EQ(drafts[0].by, "operator") << row.name;
    EXPECT_EQ(drafts[0].hash, row.hash) << row.name;
    EXPECT_EQ(drafts[0].count, 1) << row.name;
  }
}

TEST(DraftsOf, HoldsNoNameAndNoSecret) {
  for (const Row& row : rows()) {
    for (Draft& draft : drafts_of(row.change, "operator", pseudonyms())) {
      const std::string line = encode({1, {0}, std::move(draft)});
      EXPECT_TRUE(parse_entry(line).ok()) << row.name;
      for (const char* text : {"alice", "Alice", "robot", "plans", "mesh-id", "member-id", "jti",
                               "the-team", "0123456789abcdefgh", "a-tag", "root key"}) {
        EXPECT_EQ(line.find(text), std::string::npos) << row.name << ": " << text;
      }
    }
  }
}

// Who has the log alone could try names until a hash fits.
TEST(DraftsOf, NoHashOfANameCanBeGuessedWithoutTheKeyOfPseudonyms) {
  const Pseudonyms others(std::string(32, 'o'));
  std::vector<Row> all = rows();
  all.push_back({"settings",
                 membership::MeshSettingsChanged{some_mesh()},
                 Event::kMeshChanged,
                 {3},
                 "",
                 "",
                 {}});
  for (const Row& row : all) {
    const bool is_of_a_key = row.event == Event::kMemberAdded || row.event == Event::kInviteAdded ||
                             row.event == Event::kInviteRevoked;
    const auto ours = drafts_of(row.change, "operator", pseudonyms())[0].hash;
    if (!ours || is_of_a_key) continue;  // 256 random bits
    EXPECT_NE(ours, drafts_of(row.change, "operator", others)[0].hash) << row.name;
  }
}

TEST(DraftsOf, AMemberWithoutAKeyHasNoHash) {
  Member member = some_member();
  member.key.reset();
  EXPECT_EQ(drafts_of(membership::MemberAdded{member, {}}, "configuration", pseudonyms())[0].hash,
            std::nullopt);
}

TEST(DraftsOf, WhatTheStoreDerivesIsNone) {
  EXPECT_TRUE(drafts_of(membership::InviteUsed{}, "operator", pseudonyms()).empty());
}

TEST(DraftsOf, EverySettingOfAMeshIsInItsHashButTheRootKey) {
  const auto hash = [](const Mesh& mesh) {
    return *drafts_of(membership::MeshSettingsChanged{mesh}, "operator", pseudonyms())[0].hash;
  };
  std::vector<Mesh> meshes(6, some_mesh());
  meshes[1].slug = "others";
  meshes[2].owner = some_key();
  meshes[3].max_connections = 7;
  meshes[4].legacy_join = true;
  meshes[5].id = "other";
  for (std::size_t a = 0; a < meshes.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(hash(meshes[a]), hash(meshes[b])) << a << b;
  }
  Mesh other_root = some_mesh();
  other_root.root_key = "another";
  EXPECT_EQ(hash(other_root), hash(some_mesh()));
}

}  // namespace
}  // namespace signet::audit
