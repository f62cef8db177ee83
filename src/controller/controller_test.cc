// Stories of the one writer: what it refuses, what it commits, and in which order it tells.
#include <algorithm>

#include "controller/story_for_test.h"

namespace signet::controller {
namespace {

using membership::Change;
using membership::Role;
using membership::Standing;
using Answer = std::function<void(Status)>;

class ControllerTest : public ControllerStory {
 protected:
  Status set_standing(const std::string& name, Standing standing, MeshNumber where = {1}) {
    return status_of([&](const Answer& answer) {
      controller_->set_standing(where, membership::key_of(name).public_key(), standing, answer);
    });
  }
  Status set_role(const std::string& name, Role role, std::vector<std::string> tags) {
    return status_of([&](const Answer& answer) {
      controller_->set_role({1}, membership::key_of(name).public_key(), role, tags, answer);
    });
  }
  Status join_channel(std::int64_t number, const std::string& channel, MeshNumber where = {1}) {
    return status_of(
        [&](const Answer& answer) { controller_->join_channel(where, {number}, channel, answer); });
  }
  Status leave_channel(std::int64_t number, const std::string& channel, MeshNumber where = {1}) {
    return status_of([&](const Answer& answer) {
      controller_->leave_channel(where, {number}, channel, answer);
    });
  }
  Result<std::string> declare(const MeshDeclaration& declaration) {
    return ask<Result<std::string>>(
        [&](const auto& answer) { controller_->declare_mesh(declaration, answer); });
  }
  static MeshDeclaration mesh_of(const std::string& slug, const std::string& owner,
                                 const std::string& id = {}) {
    MeshDeclaration declaration;
    declaration.slug = slug;
    declaration.id = id;
    declaration.owner = membership::key_of(owner).public_key();
    return declaration;
  }
  static std::string made_word(const Result<MadeMesh>& made) {
    if (!made.ok()) return word(made.error());
    return made->is_new ? "new" : "known";
  }
  std::string create(const MeshDeclaration& declaration) {
    return made_word(ask<Result<MadeMesh>>(
        [&](const auto& answer) { controller_->create_mesh(declaration, answer); }));
  }
};

TEST_F(ControllerTest, TheFirstTurnShowsWhatWasLoaded) {
  controller_.emplace(options_, control_, store_, clock_, [this](auto snapshot, auto narrowed) {
    shown_.push_back({std::move(snapshot), std::move(narrowed)});
  });
  control_.start();
  settle();
  ASSERT_EQ(shown_.size(), 1U) << "once, and not again without a change";
  EXPECT_TRUE(shown_[0].narrowed.empty());
  const auto* team = shown_[0].snapshot->mesh("mesh-team");
  ASSERT_NE(team, nullptr);
  EXPECT_NE(team->member(membership::key_of("ann").public_key()), nullptr);
}

TEST_F(ControllerTest, NothingIsTrueBeforeTheStoreCommittedAndNobodyHearsBeforeTheShards) {
  start();
  std::optional<Status> answer;
  on_control([&] {
    controller_->set_standing({1}, membership::key_of("bob").public_key(), Standing::kRevoked,
                              [&](const Status& status) {
                                events_.emplace_back("answered");
                                answer = status;
                              });
  });
  EXPECT_TRUE(events_.empty()) << "the store has not answered";
  EXPECT_EQ(member("bob")->standing, Standing::kAdmitted);
  settle();
  EXPECT_EQ(events_, (std::vector<std::string>{"shown", "answered"}));
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->ok());
  EXPECT_EQ(member("bob")->standing, Standing::kRevoked);
  EXPECT_EQ(shown_.at(0).narrowed, std::vector<MemberNumber>{{2}});
}

TEST_F(ControllerTest, OfAMeshWithoutAnOwnerSaysSo) {
  start();
  MeshDeclaration bare;
  bare.slug = "bare";
  ASSERT_TRUE(declare(bare).ok());
  const auto made = ask<Result<MadeMesh>>(
      [&](const auto& answer) { controller_->create_mesh(mesh_of("bare", "zoe"), answer); });
  ASSERT_FALSE(made.ok());
  EXPECT_EQ(made.error().code, ErrorCode::kConflict);
  EXPECT_EQ(made.error().detail, "the mesh is declared without an owner");
}

TEST_F(ControllerTest, CreatesAMeshOnceAndTakesNothingFromAnother) {
  const struct {
    const char* name;
    MeshDeclaration declaration;
    const char* outcome;
  } rows[] = {
      {"a new one", mesh_of("fresh", "zoe"), "new"},
      {"the same again", mesh_of("fresh", "zoe"), "known"},
      {"of another owner", mesh_of("fresh", "ann"), "conflict"},
      {"with an id", mesh_of("named", "zoe", "my.id"), "new"},
      {"the same with its id", mesh_of("named", "zoe", "my.id"), "known"},
      {"the same without", mesh_of("named", "zoe"), "known"},
      {"with another id", mesh_of("named", "zoe", "other.id"), "conflict"},
      {"the id under another slug", mesh_of("third", "zoe", "my.id"), "conflict"},
      {"the id of a mesh from the start", mesh_of("third", "owner of team", "mesh-team"),
       "conflict"},
      {"one from the start", mesh_of("team", "owner of team"), "known"},
      {"one from the start, taken over", mesh_of("team", "zoe"), "conflict"},
      {"as many as there may be", mesh_of("fifth", "zoe"), "new"},
      {"one more", mesh_of("sixth", "zoe"), "overloaded"},
      {"a known one when it is full", mesh_of("fifth", "zoe"), "known"},
  };
  options_.meshes = 5;
  start();
  for (const auto& row : rows) EXPECT_EQ(create(row.declaration), row.outcome) << row.name;
  EXPECT_EQ(store_.committed.size(), 3U);
  EXPECT_NE(controller_->table().mesh("my.id"), nullptr);
  EXPECT_EQ(shown_.back().snapshot->mesh_by_slug("fifth")->mesh().owner,
            membership::key_of("zoe").public_key());
}

TEST_F(ControllerTest, TwoThatCreateOneMeshAtOnceAreDecidedByTheStore) {
  const struct {
    const char* name;
    const char* second_owner;
    const char* second;
  } rows[] = {{"the same", "zoe", "known"}, {"of two owners", "yan", "conflict"}};
  start();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string slug = std::string("race-") + row.second_owner;
    store_.commit_answers = {Done{}, Error{ErrorCode::kConflict, "the slug is taken"}};
    std::vector<std::string> outcomes;
    on_control([&] {
      for (const char* owner : {"zoe", row.second_owner}) {
        controller_->create_mesh(mesh_of(slug, owner), [&](const Result<MadeMesh>& made) {
          outcomes.push_back(made_word(made));
        });
      }
    });
    settle();
    EXPECT_EQ(outcomes, (std::vector<std::string>{"new", row.second}));
  }
}

TEST_F(ControllerTest, AMeshThatTheStoreNeverTakesIsAConflict) {
  start();
  const Status taken = Error{ErrorCode::kConflict, "scripted"};
  store_.commit_answers = {taken, taken, taken};
  EXPECT_EQ(create(mesh_of("fresh", "zoe")), "conflict");
  EXPECT_TRUE(store_.commit_answers.empty());
}

TEST_F(ControllerTest, AStormIsOneSnapshot) {
  start();
  int answered = 0;
  on_control([&] {
    for (int i = 0; i < 100; ++i) {
      controller_->set_role({1}, membership::key_of("ann").public_key(), Role::kAdmin,
                            {"t" + std::to_string(i)}, [&](const Status&) { ++answered; });
    }
  });
  settle();
  EXPECT_EQ(answered, 100);
  EXPECT_EQ(store_.committed.size(), 100U);
  EXPECT_EQ(shown_.size(), 1U);
  EXPECT_EQ(member("ann")->tags, std::vector<std::string>{"t99"});
}

TEST_F(ControllerTest, WhatTheStoreRefusedChangesNothing) {
  const struct {
    const char* name;
    std::function<Status()> command;
  } commands[] = {
      {"standing", [&] { return set_standing("bob", Standing::kQuarantined); }},
      {"role", [&] { return set_role("bob", Role::kAdmin, {"x"}); }},
      {"channel", [&] { return join_channel(1, "c"); }},
      {"mesh",
       [&] {
         const auto id = declare({.slug = "new", .id = {}, .owner = {}, .root_key = {}});
         return id.ok() ? Status(Done{}) : Status(id.error());
       }},
  };
  const std::pair<ErrorCode, const char*> refusals[] = {{ErrorCode::kConflict, "conflict"},
                                                        {ErrorCode::kOverloaded, "overloaded"},
                                                        {ErrorCode::kUnavailable, "unavailable"}};
  start();
  for (const auto& command : commands) {
    for (const auto& [code, expected] : refusals) {
      SCOPED_TRACE(std::string(command.name) + ", " + expected);
      store_.commit_answers = {Error{code, "scripted"}};
      EXPECT_EQ(word(command.command()), expected);
      EXPECT_TRUE(store_.committed.empty());
    }
  }
  EXPECT_TRUE(shown_.empty()) << "there is nothing new to show";
  EXPECT_EQ(member("bob")->standing, Standing::kAdmitted);
  EXPECT_EQ(member("bob")->role, Role::kMember);
  EXPECT_TRUE(mesh().channels().empty());
  EXPECT_EQ(word(join_channel(1, "c")), "ok") << "and a later try is not held against it";
}

TEST_F(ControllerTest, StandingsMoveByTheRules) {
  const struct {
    const char* name;
    const char* member;
    Standing to;
    MeshNumber mesh;
    const char* answer;
    std::size_t committed;
  } rows[] = {
      {"no such mesh", "ann", Standing::kRevoked, {9}, "not found", 0},
      {"no such member", "zed", Standing::kRevoked, {1}, "not found", 0},
      {"a member of another mesh", "ann", Standing::kRevoked, {2}, "not found", 0},
      {"the same again", "ann", Standing::kAdmitted, {1}, "ok", 0},
      {"to probation", "ann", Standing::kProbation, {1}, "ok", 1},
      {"to quarantine", "ann", Standing::kQuarantined, {1}, "ok", 1},
      {"and back", "ann", Standing::kAdmitted, {1}, "ok", 1},
      {"revoked", "ann", Standing::kRevoked, {1}, "ok", 1},
      {"revoked again", "ann", Standing::kRevoked, {1}, "ok", 0},
      {"never back from it", "ann", Standing::kAdmitted, {1}, "forbidden", 0},
      {"nor to quarantine", "eve", Standing::kQuarantined, {1}, "forbidden", 0},
  };
  start();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.committed.clear();
    shown_.clear();
    EXPECT_EQ(word(set_standing(row.member, row.to, row.mesh)), row.answer);
    EXPECT_EQ(store_.committed.size(), row.committed);
    ASSERT_EQ(shown_.size(), row.committed);
    if (row.committed > 0) {
      EXPECT_EQ(member(row.member)->standing, row.to);
      EXPECT_EQ(shown_[0].narrowed, std::vector<MemberNumber>{{1}}) << "its sessions are looked at";
    }
  }
}

TEST_F(ControllerTest, TwoRevocationsOfOneTurnNarrowBoth) {
  start();
  on_control([&] {
    for (const char* name : {"ann", "bob"}) {
      controller_->set_standing({1}, membership::key_of(name).public_key(), Standing::kRevoked,
                                [](const Status&) {});
    }
  });
  settle();
  ASSERT_EQ(shown_.size(), 1U);
  EXPECT_EQ(shown_[0].narrowed, (std::vector<MemberNumber>{{1}, {2}}));
}

TEST_F(ControllerTest, RolesHaveSortedTagsOnce) {
  start();
  EXPECT_EQ(word(set_role("zed", Role::kAdmin, {})), "not found");
  EXPECT_EQ(word(set_role("ann", Role::kAdmin, {"b", "a", "b"})), "ok");
  EXPECT_EQ(member("ann")->role, Role::kAdmin);
  EXPECT_EQ(member("ann")->tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(shown_.at(0).narrowed, std::vector<MemberNumber>{{1}}) << "its sessions may do less";
}

TEST_F(ControllerTest, WhoWasRevokedGetsNoRole) {
  start();
  const membership::Role before = member("eve")->role;
  EXPECT_EQ(word(set_role("eve", Role::kAdmin, {"a"})), "forbidden");
  EXPECT_EQ(member("eve")->role, before);
  EXPECT_TRUE(store_.committed.empty());
}

TEST_F(ControllerTest, ChannelsAreJoinedAndLeft) {
  start();
  const struct {
    const char* name;
    std::function<Status()> command;
    const char* answer;
    std::size_t committed;
  } rows[] = {
      {"joins", [&] { return join_channel(1, "a"); }, "ok", 1},
      {"joins again", [&] { return join_channel(1, "a"); }, "ok", 0},
      {"no such member", [&] { return join_channel(9, "a"); }, "not found", 0},
      {"no such mesh", [&] { return join_channel(1, "a", {9}); }, "not found", 0},
      {"a mesh that is not its own", [&] { return join_channel(1, "a", {2}); }, "not found", 0},
      {"leaves", [&] { return leave_channel(1, "a"); }, "ok", 1},
      {"leaves again", [&] { return leave_channel(1, "a"); }, "ok", 0},
      {"leaves what never was", [&] { return leave_channel(9, "z", {9}); }, "ok", 0},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.committed.clear();
    EXPECT_EQ(word(row.command()), row.answer);
    EXPECT_EQ(store_.committed.size(), row.committed);
  }
}

TEST_F(ControllerTest, ChannelsHaveTheirLimits) {
  options_ = {2, 3};
  start();
  const struct {
    const char* name;
    std::int64_t member;
    const char* channel;
    const char* answer;
  } rows[] = {
      {"the first", 1, "a", "ok"},
      {"the second", 1, "b", "ok"},
      {"one more than a member may have", 1, "c", "overloaded"},
      {"which it is in already", 1, "b", "ok"},
      {"another member", 2, "c", "ok"},
      {"a fourth channel of the mesh", 2, "d", "overloaded"},
      {"one that is there", 2, "a", "ok"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(word(join_channel(row.member, row.channel)), row.answer) << row.name;
  }
}

TEST_F(ControllerTest, JoinsThatAreOnTheirWayToTheStoreCountForTheLimits) {
  options_ = {2, 3};
  start();
  std::vector<std::string> answers;
  const auto join_all = [&](std::int64_t number, std::initializer_list<const char*> channels) {
    for (const char* channel : channels) {
      controller_->join_channel({1}, {number}, channel,
                                [&](const Status& status) { answers.push_back(word(status)); });
    }
  };
  on_control([&] { join_all(1, {"a", "b", "c", "d"}); });
  settle();
  EXPECT_EQ(std::count(answers.begin(), answers.end(), "ok"), 2);
  EXPECT_EQ(mesh().channels_of({1}), 2U);
  on_control([&] { join_all(2, {"x", "y", "z"}); });
  settle();
  EXPECT_EQ(mesh().channels().size(), 3U);

  store_.commit_answers = {Error{ErrorCode::kUnavailable, "scripted"}};
  EXPECT_EQ(word(join_channel(2, "a")), "unavailable");
  EXPECT_EQ(word(join_channel(2, "a")), "ok") << "a failed join gives its place back";
}

TEST_F(ControllerTest, MeshesAreDeclared) {
  start();
  const auto owner = membership::key_of("owner of team").public_key();
  const auto new_owner = membership::key_of("heir").public_key();
  const struct {
    const char* name;
    MeshDeclaration declaration;
    const char* id;  // nullptr: a random one; empty: conflict
    std::size_t committed;
  } rows[] = {
      {"a known one as it is", {"team", "", owner, "cm9vdA"}, "mesh-team", 0},
      {"by its id", {"team", "mesh-team", owner, ""}, "mesh-team", 0},
      {"without an owner: it keeps its own", {"team", "", {}, ""}, "mesh-team", 0},
      {"under another id", {"team", "mesh-x", owner, ""}, "", 0},
      {"with another limit", {"team", "", {}, "", 5}, "mesh-team", 1},
      {"the same again", {"team", "", {}, "", 5}, "mesh-team", 0},
      {"with another owner", {"team", "", new_owner, "", 5}, "mesh-team", 1},
      {"open to the old join", {"team", "", {}, "", 5, true}, "mesh-team", 1},
      {"with another root key", {"team", "", {}, "bmV3", 5, true}, "mesh-team", 1},
      {"a new one with an id", {"fresh", "mesh-42", {}, ""}, "mesh-42", 1},
      {"a new one without", {"random", "", {}, ""}, nullptr, 1},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.committed.clear();
    const auto id = declare(row.declaration);
    EXPECT_EQ(store_.committed.size(), row.committed);
    if (row.id != nullptr && *row.id == '\0') {
      ASSERT_FALSE(id.ok());
      EXPECT_EQ(id.error().code, ErrorCode::kConflict);
      continue;
    }
    ASSERT_TRUE(id.ok());
    EXPECT_EQ(*id, row.id == nullptr ? *id : row.id);
    const auto* declared = controller_->table().mesh(*id);
    ASSERT_NE(declared, nullptr);
    EXPECT_EQ(declared->mesh().slug, row.declaration.slug);
    EXPECT_EQ(declared->mesh().max_connections, row.declaration.max_connections);
    EXPECT_EQ(declared->mesh().legacy_join, row.declaration.legacy_join);
    EXPECT_FALSE(declared->mesh().root_key.empty()) << "made where none is given";
  }
  EXPECT_EQ(mesh().mesh().owner, new_owner);
  EXPECT_EQ(mesh().mesh().root_key, "bmV3");
}

}  // namespace
}  // namespace signet::controller
