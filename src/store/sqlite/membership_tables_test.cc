#include <algorithm>
#include <map>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using namespace membership;

Mesh mesh_of(std::int64_t number) {
  Mesh mesh;
  mesh.number = {number};
  mesh.id = "mesh-" + std::to_string(number);
  mesh.slug = "slug-" + std::to_string(number);
  return mesh;
}

Member member_of(std::int64_t number, std::int64_t mesh = 1) {
  Member member;
  member.number = {number};
  member.mesh = {mesh};
  member.id = "member-" + std::to_string(number);
  member.key.emplace().bytes[0] = static_cast<unsigned char>(number);
  member.key->bytes[1] = static_cast<unsigned char>(number >> 8);
  return member;
}

Invite invite_of(unsigned char digest, std::int64_t max_uses = 1, std::int64_t mesh = 1) {
  Invite invite;
  invite.digest[0] = digest;
  invite.mesh = {mesh};
  invite.max_uses = max_uses;
  return invite;
}

Member with_id(Member member, std::string id) {
  member.id = std::move(id);
  return member;
}
Member with_key(Member member, unsigned char key) {
  member.key.emplace().bytes[0] = key;
  return member;
}

Member keyless(std::int64_t number, std::int64_t mesh = 1) {
  Member member = member_of(number, mesh);
  member.key.reset();
  return member;
}

SourceSecret secret_of(const std::string& source, std::int64_t member, std::int64_t mesh = 1,
                       const std::string& text = "the heron waits at noon") {
  SourceSecret secret;
  secret.mesh = {mesh};
  secret.source = source;
  secret.member = {member};
  secret.secret = crypto::SecretText(text);
  secret.shared = source == kSharedSource;
  return secret;
}

struct Row {
  const char* name;
  std::vector<Change> changes;
  bool holds;
};

TEST_F(StoreTest, CommitsAChangeOnlyWhenItsConditionHolds) {
  open();
  const auto used = [](unsigned char digest) {
    return std::optional<crypto::Digest32>(invite_of(digest).digest);
  };
  // Each row goes on from the one before.
  // clang-format off
  const std::vector<Row> rows = {
      {"two meshes", {MeshAdded{mesh_of(1)}, MeshAdded{mesh_of(2)}}, true},
      {"a mesh twice", {MeshAdded{mesh_of(1)}}, false},
      {"settings of a mesh", {MeshSettingsChanged{mesh_of(2)}}, true},
      {"settings of no mesh", {MeshSettingsChanged{mesh_of(3)}}, false},
      {"a member", {MemberAdded{member_of(1), {}}}, true},
      {"its number again", {MemberAdded{with_key(with_id(member_of(1), "new"), 99), {}}}, false},
      {"its key again", {MemberAdded{with_key(member_of(2), 1), {}}}, false},
      {"its id again", {MemberAdded{with_id(member_of(2), "member-1"), {}}}, false},
      {"its key and id in another mesh",
       {MemberAdded{with_key(with_id(member_of(2, 2), "member-1"), 1), {}}}, true},
      {"no such invite", {MemberAdded{member_of(3), used(1)}}, false},
      {"an invite", {InviteAdded{invite_of(1)}, InviteAdded{invite_of(2, 1, 2)}}, true},
      {"an invite twice", {InviteAdded{invite_of(1)}}, false},
      {"the invite of another mesh", {MemberAdded{member_of(3), used(2)}}, false},
      {"the invite, but the key is taken", {MemberAdded{with_key(member_of(3), 1), used(1)}}, false},
      {"that did not use it up", {MemberAdded{member_of(3), used(1)}}, true},
      {"now it is used up", {MemberAdded{member_of(4), used(1)}}, false},
      {"a revoked invite", {InviteRevoked{invite_of(2).digest}}, true},
      {"can't be used", {MemberAdded{member_of(4, 2), used(2)}}, false},
      {"revoking an unknown one", {InviteRevoked{invite_of(9).digest}}, false},
      {"standing moves", {StandingChanged{{1}, Standing::kAdmitted, Standing::kQuarantined}}, true},
      {"standing moved before", {StandingChanged{{1}, Standing::kAdmitted, Standing::kRevoked}}, false},
      {"nobody's standing", {StandingChanged{{77}, Standing::kAdmitted, Standing::kRevoked}}, false},
      {"role and tags", {RoleChanged{{1}, Role::kAdmin, {"a", "b"}}}, true},
      {"nobody's role", {RoleChanged{{77}, Role::kAdmin, {}}}, false},
      {"a revocation", {StandingChanged{{3}, Standing::kAdmitted, Standing::kRevoked}}, true},
      {"no role behind it", {RoleChanged{{3}, Role::kAdmin, {"a"}}}, false},
      {"a channel", {ChannelJoined{{1}, {1}, "general"}, ChannelJoined{{3}, {1}, "general"}}, true},
      {"twice is once", {ChannelJoined{{1}, {1}, "general"}}, true},
      {"a channel of another mesh", {ChannelJoined{{1}, {2}, "general"}}, false},
      {"leaving", {ChannelLeft{{3}, {1}, "general"}}, true},
      {"leaving twice", {ChannelLeft{{3}, {1}, "general"}}, true},
      {"all or nothing", {MemberAdded{member_of(50), {}}, ChannelJoined{{50}, {1}, "x"},
                          MeshAdded{mesh_of(1)}}, false},
      {"nothing of it was left", {MemberAdded{member_of(50), {}}}, true},
      {"a member without a key", {MemberAdded{keyless(60), {}}}, true},
      {"another one: no key is no key twice", {MemberAdded{keyless(61), {}}}, true},
      {"its id again", {MemberAdded{with_id(keyless(62), "member-60"), {}}}, false},
      {"a source of it", {SourceSecretSet{secret_of("gauge", 60)}}, true},
      {"the same source again", {SourceSecretSet{secret_of("gauge", 61)}}, true},
      {"a source of a member with a key", {SourceSecretSet{secret_of("relay", 1)}}, true},
      {"a source of nobody", {SourceSecretSet{secret_of("gauge", 77)}}, false},
      {"a source of a member of another mesh", {SourceSecretSet{secret_of("gauge", 1, 2)}}, false},
      {"the shared secret", {SourceSecretSet{secret_of("*", 61)}}, true},
      {"a member with its source", {MemberAdded{keyless(63), {}},
                                    SourceSecretSet{secret_of("new", 63)}}, true},
      {"a source whose member can't be", {MemberAdded{with_id(keyless(64), "member-63"), {}},
                                          SourceSecretSet{secret_of("newer", 64)}}, false},
      {"revoking a source", {SourceRevoked{{1}, "gauge"}}, true},
      {"revoking one that never was", {SourceRevoked{{1}, "newer"}}, false},
      {"revoking one of another mesh", {SourceRevoked{{2}, "relay"}}, false},
      {"a use on its way to the table", {InviteUsed{invite_of(1).digest}}, true},
  };
  // clang-format on
  for (const Row& row : rows) {
    const Status status = commit(row.changes);
    EXPECT_EQ(status.ok(), row.holds) << row.name;
    if (!status.ok()) {
      EXPECT_EQ(status.error().code, ErrorCode::kConflict) << row.name;
    }
  }
}

TEST_F(StoreTest, RebuildsMembershipAtStart) {
  open();
  EXPECT_TRUE(membership_.empty());
  Mesh mesh = mesh_of(1);
  mesh.owner = crypto::PublicKey{};
  mesh.owner->bytes.fill(7);
  mesh.root_key = "root";
  mesh.max_connections = 5;
  mesh.legacy_join = true;
  Member member = member_of(1);
  member.display_name = "Ada";
  member.role = Role::kAdmin;
  member.tags = {"a", "b"};
  member.joined = {123};
  Invite invite = invite_of(1, 3);
  invite.expires = {456};
  ASSERT_TRUE(commit({MeshAdded{mesh}, InviteAdded{invite}, MemberAdded{member, invite.digest},
                      ChannelJoined{{1}, {1}, "general"}, InviteRevoked{invite.digest},
                      StandingChanged{{1}, Standing::kAdmitted, Standing::kQuarantined}})
                  .ok());
  reopen();
  ASSERT_EQ(membership_.size(), 4u);
  const Mesh& kept_mesh = std::get<MeshAdded>(membership_[0]).mesh;
  EXPECT_EQ(kept_mesh.id, "mesh-1");
  EXPECT_EQ(kept_mesh.owner, mesh.owner);
  EXPECT_EQ(kept_mesh.root_key, "root");
  EXPECT_EQ(kept_mesh.max_connections, 5);
  EXPECT_TRUE(kept_mesh.legacy_join);
  const Member& kept = std::get<MemberAdded>(membership_[1]).member;
  EXPECT_EQ(kept.key, member.key);
  EXPECT_EQ(kept.display_name, "Ada");
  EXPECT_EQ(kept.role, Role::kAdmin);
  EXPECT_EQ(kept.standing, Standing::kQuarantined);
  EXPECT_EQ(kept.tags, member.tags);
  EXPECT_EQ(kept.joined.ms, 123);
  const Invite& kept_invite = std::get<InviteAdded>(membership_[2]).invite;
  EXPECT_EQ(kept_invite.digest, invite.digest);
  EXPECT_EQ(kept_invite.uses, 1);
  EXPECT_EQ(kept_invite.max_uses, 3);
  EXPECT_EQ(kept_invite.expires.ms, 456);
  EXPECT_TRUE(kept_invite.revoked);
  EXPECT_EQ(std::get<ChannelJoined>(membership_[3]).channel, "general");
}

TEST_F(StoreTest, RebuildsSourcesAndMembersWithoutKeysAtStart) {
  open();
  SourceSecret gauge = secret_of("gauge", 1);
  gauge.previous = crypto::SecretText("the secret of before noon");
  gauge.previous_until = {2'000};
  gauge.changed = {1'000};
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}, MemberAdded{keyless(1), {}},
                      SourceSecretSet{secret_of("gauge", 1, 1, "replaced before it was read")},
                      SourceSecretSet{gauge}, SourceSecretSet{secret_of("*", 1)},
                      SourceSecretSet{secret_of("old", 1)}, SourceRevoked{{1}, "old"}})
                  .ok());
  reopen();
  ASSERT_EQ(membership_.size(), 5u);
  EXPECT_FALSE(std::get<MemberAdded>(membership_[1]).member.key.has_value());
  const auto& shared = std::get<SourceSecretSet>(membership_[2]).secret;
  EXPECT_EQ(shared.source, "*");
  EXPECT_TRUE(shared.shared);
  const auto& kept = std::get<SourceSecretSet>(membership_[3]).secret;
  EXPECT_EQ(kept.mesh.value, 1);
  EXPECT_EQ(kept.source, "gauge");
  EXPECT_EQ(kept.member.value, 1);
  EXPECT_TRUE(kept.secret.matches("the heron waits at noon"));
  EXPECT_TRUE(kept.previous.matches("the secret of before noon"));
  EXPECT_EQ(kept.previous_until.ms, 2'000);
  EXPECT_EQ(kept.changed.ms, 1'000);
  EXPECT_FALSE(kept.shared);
  EXPECT_FALSE(kept.revoked);
  const auto& old = std::get<SourceSecretSet>(membership_[4]).secret;
  EXPECT_TRUE(old.revoked);
  EXPECT_TRUE(old.secret.empty()) << "what is revoked is not kept";
}

TEST_F(StoreTest, LetsOneOfAHundredUseASingleInvite) {
  open();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}, InviteAdded{invite_of(1)}}).ok());
  int won = 0;
  int lost = 0;
  for (std::int64_t i = 1; i <= 100; ++i) {
    store_->commit({MemberAdded{member_of(i), invite_of(1).digest}}, "test", thread_.mailbox(),
                   [&](const Status& status) { ++(status.ok() ? won : lost); });
  }
  settle();
  EXPECT_EQ(won, 1);
  EXPECT_EQ(lost, 99);
  EXPECT_EQ(rows("member"), 1);
}

TEST_F(StoreTest, BuriesTheMailboxOfARevokedMember) {
  options_.mailbox_messages = 2;
  open();
  ASSERT_TRUE(
      commit({MeshAdded{mesh_of(1)}, MemberAdded{member_of(1), {}}, MemberAdded{member_of(2), {}}})
          .ok());
  publish({1, {1, 2}, "both"});
  publish({2, {1}, "one"});
  ASSERT_TRUE(commit({StandingChanged{{1}, Standing::kAdmitted, Standing::kRevoked}}).ok());
  EXPECT_TRUE(waiting(1).empty());
  EXPECT_EQ(waiting(2), std::vector<std::string>{"both"});
  const auto letters = dead(1);
  ASSERT_EQ(letters.size(), 2u);
  EXPECT_EQ(letters[0].envelope->body, "one") << "newest first";
  EXPECT_EQ(letters[1].reason, DeathReason::kRecipientRevoked);
  EXPECT_EQ(letters[1].recipient.value, 1);
  EXPECT_EQ(letters[1].died, clock_.wall());
  confirm(2, {letters[1].number.value});
  EXPECT_EQ(dead(1).size(), 2u) << "the letter keeps its content";
}

TEST_F(StoreTest, BuriesNothingWhenTheCommitFails) {
  open();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}, MemberAdded{member_of(1), {}}}).ok());
  publish({1, {1}});
  EXPECT_FALSE(
      commit({StandingChanged{{1}, Standing::kAdmitted, Standing::kRevoked}, MeshAdded{mesh_of(1)}})
          .ok());
  EXPECT_EQ(waiting(1).size(), 1u);
  confirm(1, numbers(1));
  EXPECT_EQ(waiting(1).size(), 0u);
  EXPECT_EQ(rows("message"), 0);
}

}  // namespace
}  // namespace signet::store::sqlite
