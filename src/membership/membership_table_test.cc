#include "membership/membership_table.h"

#include <gtest/gtest.h>

#include "membership/fixture_for_test.h"

namespace signet::membership {
namespace {

crypto::Digest32 digest_of(unsigned char byte) {
  crypto::Digest32 digest{};
  digest.fill(byte);
  return digest;
}

// A mesh "team" (1) of ann (1), bob (2) and cid (3), and a mesh "other" (2) of ann's other key (4).
class MembershipTableTest : public testing::Test {
 protected:
  MembershipTableTest() {
    table_.apply(MeshAdded{mesh_named(1, "team")});
    table_.apply(MeshAdded{mesh_named(2, "other")});
    table_.apply(MemberAdded{member_named(1, 1, "ann", {"ops", "dev"}), {}});
    table_.apply(MemberAdded{member_named(2, 1, "bob", {"dev"}), {}});
    table_.apply(MemberAdded{member_named(3, 1, "cid"), {}});
    table_.apply(MemberAdded{member_named(4, 2, "ann at other"), {}});
  }
  const MeshSnapshot& team() { return *table_.mesh(MeshNumber{1}); }

  // The numbers that a message of ann to `to` goes to, or the error.
  static std::string heard_by(const MeshSnapshot& mesh, std::string_view to,
                              std::int64_t sender = 1) {
    const auto address = routing::parse_address(to);
    EXPECT_TRUE(address.ok()) << to;
    const auto recipients = mesh.recipients(*address, MemberNumber{sender});
    if (!recipients.ok()) return recipients.error().code == ErrorCode::kNotFound ? "none" : "?";
    std::string text;
    for (const MemberNumber number : *recipients) text += std::to_string(number.value) + " ";
    return text;
  }
  static std::string key(const std::string& name) {
    return crypto::to_hex(key_of(name).public_key());
  }

  MembershipTable table_;
};

TEST_F(MembershipTableTest, FindsAMeshByIdAndByNumber) {
  EXPECT_EQ(table_.mesh("mesh-team"), table_.mesh(MeshNumber{1}));
  EXPECT_EQ(team().mesh().slug, "team");
  EXPECT_EQ(table_.mesh("team"), nullptr);  // a slug is no id
  EXPECT_EQ(table_.mesh(""), nullptr);
  EXPECT_EQ(table_.mesh(MeshNumber{3}), nullptr);
  EXPECT_EQ(table_.mesh(MeshNumber{}), nullptr);
}

TEST_F(MembershipTableTest, FindsAMemberByNumberKeyAndId) {
  const Member* ann = team().member(MemberNumber{1});
  ASSERT_NE(ann, nullptr);
  EXPECT_EQ(ann->id, "member-ann");
  EXPECT_EQ(team().member(key_of("ann").public_key()), ann);
  EXPECT_TRUE(team().has_member_id("member-ann"));
  EXPECT_FALSE(team().has_member_id("member-zoe"));
  EXPECT_EQ(table_.mesh_of(MemberNumber{1}), &team());
}

TEST_F(MembershipTableTest, KeepsTheMembersOfMeshesApart) {
  EXPECT_EQ(team().member(MemberNumber{4}), nullptr);
  EXPECT_EQ(team().member(key_of("ann at other").public_key()), nullptr);
  EXPECT_EQ(heard_by(team(), key("ann at other")), "none");
  EXPECT_EQ(heard_by(*table_.mesh(MeshNumber{2}), "*", 4), "");
}

TEST_F(MembershipTableTest, GivesOutNumbersAboveAllThatItWasShown) {
  EXPECT_EQ(table_.reserve_member(), MemberNumber{5});
  EXPECT_EQ(table_.reserve_member(), MemberNumber{6});
  EXPECT_EQ(table_.reserve_mesh(), MeshNumber{3});
  table_.apply(MemberAdded{member_named(90, 1, "zoe"), {}});
  EXPECT_EQ(table_.reserve_member(), MemberNumber{91});
}

TEST_F(MembershipTableTest, AppliesEveryChange) {
  Mesh changed = mesh_named(1, "team");
  changed.max_connections = 7;
  changed.legacy_join = true;
  table_.apply(MeshSettingsChanged{changed});
  EXPECT_EQ(team().mesh().max_connections, 7);
  EXPECT_TRUE(team().mesh().legacy_join);
  EXPECT_NE(team().member(MemberNumber{1}), nullptr) << "settings do not touch members";

  table_.apply(RoleChanged{MemberNumber{2}, Role::kAdmin, {"ops"}});
  EXPECT_EQ(team().member(MemberNumber{2})->role, Role::kAdmin);
  EXPECT_EQ(heard_by(team(), "tag:ops"), "2 ");
  EXPECT_EQ(heard_by(team(), "tag:dev", 3), "1 ") << "bob lost his old tag";

  table_.apply(StandingChanged{MemberNumber{2}, Standing::kAdmitted, Standing::kRevoked});
  EXPECT_EQ(team().member(MemberNumber{2})->standing, Standing::kRevoked);

  Invite invite;
  invite.digest = digest_of(1);
  invite.mesh = {1};
  invite.max_uses = 3;
  table_.apply(InviteAdded{invite});
  ASSERT_NE(table_.invite(digest_of(1)), nullptr);
  EXPECT_EQ(table_.invite(digest_of(2)), nullptr);
  table_.apply(InviteUsed{digest_of(1)});
  EXPECT_EQ(table_.invite(digest_of(1))->uses, 1);
  table_.apply(MemberAdded{member_named(5, 1, "eve"), digest_of(1)});
  EXPECT_EQ(table_.invite(digest_of(1))->uses, 2) << "a join by an invite is one use of it";
  table_.apply(InviteRevoked{digest_of(1)});
  EXPECT_TRUE(table_.invite(digest_of(1))->revoked);

  table_.apply(ChannelJoined{MemberNumber{1}, MeshNumber{1}, "ops"});
  table_.apply(ChannelJoined{MemberNumber{3}, MeshNumber{1}, "ops"});
  table_.apply(ChannelJoined{MemberNumber{3}, MeshNumber{1}, "ops"});  // twice is once
  EXPECT_TRUE(team().in_channel("ops", MemberNumber{1}));
  EXPECT_FALSE(team().in_channel("ops", MemberNumber{2}));
  EXPECT_FALSE(team().in_channel("dev", MemberNumber{1}));
  EXPECT_EQ(team().channels().at("ops").size(), 2u);
  EXPECT_EQ(team().channels_of(MemberNumber{3}), 1u);
  table_.apply(ChannelLeft{MemberNumber{1}, MeshNumber{1}, "ops"});
  EXPECT_FALSE(team().in_channel("ops", MemberNumber{1}));
  table_.apply(ChannelLeft{MemberNumber{3}, MeshNumber{1}, "ops"});
  EXPECT_TRUE(team().channels().empty()) << "a channel without members is gone";
}

TEST_F(MembershipTableTest, DoesNothingForWhatDoesNotExist) {
  const auto before = table_.snapshot();
  table_.apply(MeshSettingsChanged{mesh_named(9, "nine")});
  table_.apply(MemberAdded{member_named(9, 9, "nobody"), {}});
  table_.apply(StandingChanged{MemberNumber{9}, Standing::kAdmitted, Standing::kRevoked});
  table_.apply(RoleChanged{MemberNumber{9}, Role::kAdmin, {"ops"}});
  table_.apply(InviteUsed{digest_of(9)});
  table_.apply(InviteRevoked{digest_of(9)});
  table_.apply(ChannelJoined{MemberNumber{1}, MeshNumber{9}, "ops"});
  table_.apply(ChannelJoined{MemberNumber{4}, MeshNumber{1}, "ops"});  // of the other mesh
  table_.apply(ChannelLeft{MemberNumber{1}, MeshNumber{1}, "none"});
  const auto after = table_.snapshot();
  EXPECT_EQ(after->mesh(MeshNumber{9}), nullptr);
  EXPECT_EQ(heard_by(*after->mesh(MeshNumber{1}), "tag:ops", 3), "1 ");
  EXPECT_TRUE(after->mesh(MeshNumber{1})->channels().empty());
  EXPECT_EQ(table_.invite(digest_of(9)), nullptr);
  EXPECT_EQ(table_.mesh_of(MemberNumber{9}), nullptr);
  EXPECT_EQ(before->mesh(MeshNumber{2}), after->mesh(MeshNumber{2})) << "nothing was copied";
}

TEST_F(MembershipTableTest, ChoosesWhoHearsEveryAddress) {
  table_.apply(ChannelJoined{MemberNumber{1}, MeshNumber{1}, "ops"});
  table_.apply(ChannelJoined{MemberNumber{2}, MeshNumber{1}, "ops"});
  table_.apply(ChannelJoined{MemberNumber{5}, MeshNumber{1}, "ops"});
  struct Case {
    const char* name;
    std::string to;
    std::int64_t sender;
    std::string heard_by;
  };
  const Case cases[] = {
      {"another member", key("bob"), 1, "2 "},
      {"oneself", key("ann"), 1, "1 "},
      {"no member", key("zoe"), 1, "none"},
      {"everyone else", "*", 1, "2 3 "},
      {"everyone else, from the last", "*", 3, "1 2 "},
      {"a channel without its sender", "#ops", 1, "2 "},
      {"a channel from outside", "#ops", 3, "1 2 "},
      {"a channel that nobody joined", "#dev", 1, ""},
      {"a tag without its sender", "tag:dev", 1, "2 "},
      {"a tag of the sender alone", "tag:ops", 1, ""},
      {"a tag from outside", "tag:dev", 3, "1 2 "},
      {"a tag that nobody has", "tag:none", 1, ""},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(heard_by(team(), row.to, row.sender), row.heard_by);
  }
}

TEST_F(MembershipTableTest, LeavesOutWhoMayNotConnect) {
  table_.apply(ChannelJoined{MemberNumber{2}, MeshNumber{1}, "ops"});
  struct Case {
    const char* name;
    Standing standing;
    bool hears;
  };
  const Case cases[] = {
      {"probation", Standing::kProbation, true}, {"quarantined", Standing::kQuarantined, false},
      {"admitted", Standing::kAdmitted, true},   {"unknown", Standing::kUnknown, false},
      {"admitted", Standing::kAdmitted, true},   {"revoked", Standing::kRevoked, false},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    table_.apply(StandingChanged{MemberNumber{2}, {}, row.standing});
    EXPECT_EQ(may_connect(row.standing), row.hears);
    EXPECT_EQ(heard_by(team(), key("bob")), row.hears ? "2 " : "none");
    EXPECT_EQ(heard_by(team(), "*"), row.hears ? "2 3 " : "3 ");
    EXPECT_EQ(heard_by(team(), "#ops"), row.hears ? "2 " : "");
    EXPECT_EQ(heard_by(team(), "tag:dev"), row.hears ? "2 " : "");
    EXPECT_NE(team().member(MemberNumber{2}), nullptr) << "it is still found";
  }
}

// What a snapshot shows, as one text.
std::string picture(const MembershipSnapshot& snapshot) {
  std::string text;
  snapshot.each_mesh([&](const MeshSnapshot& mesh) {
    text += mesh.mesh().id + ":" + std::to_string(mesh.mesh().max_connections);
    mesh.each_member([&](const Member& member) {
      text += " " + member.id + "/" + std::to_string(static_cast<int>(member.standing));
      for (const std::string& tag : member.tags) text += "+" + tag;
    });
    for (const auto& [name, members] : mesh.channels()) {
      text += " #" + name + std::to_string(members.size());
    }
    text += "\n";
  });
  return text;
}

TEST_F(MembershipTableTest, SnapshotsStayAsTheyWereWhileTheTableMoves) {
  Mesh settings = mesh_named(1, "team");
  settings.max_connections = 5;
  const std::vector<Change> changes{
      MeshSettingsChanged{settings},
      MemberAdded{member_named(5, 1, "eve"), {}},
      StandingChanged{MemberNumber{1}, {}, Standing::kRevoked},
      RoleChanged{MemberNumber{2}, Role::kAdmin, {"x"}},
      ChannelJoined{MemberNumber{3}, MeshNumber{1}, "c"},
      MeshAdded{mesh_named(3, "third")},
      ChannelLeft{MemberNumber{3}, MeshNumber{1}, "c"},
  };
  std::vector<std::pair<std::shared_ptr<const MembershipSnapshot>, std::string>> shown;
  for (const Change& change : changes) {
    auto snapshot = table_.snapshot();
    const std::string now = picture(*snapshot);
    shown.emplace_back(std::move(snapshot), now);
    table_.apply(change);
    EXPECT_NE(picture(*table_.snapshot()), now) << "the change shows";
    table_.apply(StandingChanged{MemberNumber{3}, {}, Standing::kQuarantined});
    table_.apply(StandingChanged{MemberNumber{3}, {}, Standing::kAdmitted});
  }
  for (const auto& [snapshot, then] : shown) EXPECT_EQ(picture(*snapshot), then);
}

TEST_F(MembershipTableTest, CopiesAMeshOnceForManyChangesBetweenTwoSnapshots) {
  const auto first = table_.snapshot();
  table_.apply(ChannelJoined{MemberNumber{1}, MeshNumber{1}, "a"});
  const MeshSnapshot* copy = &team();
  EXPECT_NE(copy, first->mesh(MeshNumber{1}));
  table_.apply(ChannelJoined{MemberNumber{2}, MeshNumber{1}, "a"});
  EXPECT_EQ(&team(), copy) << "nobody has seen the copy yet";
  const auto second = table_.snapshot();
  EXPECT_EQ(second->mesh(MeshNumber{1}), copy);
  EXPECT_EQ(second->mesh(MeshNumber{2}), first->mesh(MeshNumber{2})) << "the other is shared";
}

TEST_F(MembershipTableTest, ASnapshotFindsMeshesByIdNumberAndSlug) {
  const auto snapshot = table_.snapshot();
  EXPECT_EQ(snapshot->mesh("mesh-team"), snapshot->mesh(MeshNumber{1}));
  EXPECT_EQ(snapshot->mesh_by_slug("team"), snapshot->mesh(MeshNumber{1}));
  EXPECT_EQ(snapshot->mesh_by_slug("mesh-team"), nullptr);
  EXPECT_EQ(snapshot->mesh("nothing"), nullptr);
  EXPECT_EQ(snapshot->mesh(MeshNumber{7}), nullptr);
  EXPECT_EQ(MembershipSnapshot().mesh("mesh-team"), nullptr);
}

}  // namespace
}  // namespace signet::membership
