// Stories of members that tokens and certificates bring, of tokens that are taken back, and on
// whose word the log has each change.
#include <algorithm>

#include "controller/story_for_test.h"

namespace signet::controller {
namespace {

using membership::Standing;
using membership::TokenRevocation;
using namespace std::chrono_literals;

class SubjectsTest : public ControllerStory {
 protected:
  Result<MemberNumber> admit(const std::string& subject, MeshNumber where = {1},
                             std::string_view by = "token") {
    return ask<Result<MemberNumber>>(
        [&](const auto& answer) { controller_->admit_subject(where, subject, by, answer); });
  }
  Status revoke(TokenRevocation revocation, MeshNumber where = {1}) {
    return status_of([&](const auto& answer) {
      controller_->revoke_tokens(where, std::move(revocation), answer);
    });
  }
  template <class T>
  static std::string said(const Result<T>& result) {
    if (result.ok()) return "ok";
    return result.error().code == ErrorCode::kMalformed ? "malformed" : word(result.error());
  }
  void put_at_start(std::int64_t number, const std::string& id, bool with_key, Standing standing) {
    auto member = membership::member_named(number, 1, id);
    member.id = id;
    member.standing = standing;
    if (!with_key) member.key.reset();
    store_.at_start.emplace_back(membership::MemberAdded{member, {}});
  }
  using Words = std::vector<std::string>;
};

TEST_F(SubjectsTest, ANewOneIsAMemberWithoutAKey) {
  start();
  const auto made = admit("lab/gauge");
  ASSERT_TRUE(made.ok());
  const auto* member = mesh().member_with_id("lab/gauge");
  ASSERT_NE(member, nullptr);
  EXPECT_EQ(member->number, *made);
  EXPECT_FALSE(member->key.has_value());
  EXPECT_EQ(member->role, membership::Role::kMember);
  EXPECT_EQ(member->standing, Standing::kAdmitted);
  EXPECT_TRUE(member->tags.empty());
  EXPECT_EQ(member->joined, clock_.wall());
  EXPECT_EQ(events_, (Words{"shown", "answered"})) << "who asks meets a broker that knows it";
  EXPECT_EQ(store_.words, Words{"token"});
}

TEST_F(SubjectsTest, AKnownOneIsAnsweredWithoutTheStore) {
  start();
  const auto made = admit("gauge");
  const auto again = admit("gauge", {1}, "certificate");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, *made);
  EXPECT_EQ(store_.committed.size(), 1U);
  const auto elsewhere = admit("gauge", {2});
  ASSERT_TRUE(elsewhere.ok());
  EXPECT_NE(*elsewhere, *made) << "another mesh, another member";
}

TEST_F(SubjectsTest, WhoCannotBeHad) {
  put_at_start(20, "with-a-key", true, Standing::kAdmitted);
  put_at_start(21, "legacy-shared", false, Standing::kAdmitted);
  put_at_start(22, "quiet", false, Standing::kQuarantined);
  start();
  struct Row {
    const char* name;
    const char* subject;
    MeshNumber mesh;
    const char* answer;
  };
  const Row rows[] = {
      {"a member with a key", "with-a-key", {1}, "forbidden"},
      {"whom the shared secret proves", "legacy-shared", {1}, "forbidden"},
      {"that one where there is none yet", "legacy-shared", {2}, "forbidden"},
      {"no mesh", "gauge", {9}, "not found"},
      {"nobody", "", {1}, "malformed"},
      {"no name", "a b", {1}, "malformed"},
      {"the shared secret", "*", {1}, "malformed"},
      {"who has lost its standing is known", "quiet", {1}, "ok"},
      {"the id of a key in another mesh", "with-a-key", {2}, "ok"},
  };
  for (const Row& row : rows) EXPECT_EQ(said(admit(row.subject, row.mesh)), row.answer) << row.name;
  EXPECT_EQ(store_.committed.size(), 1U);
}

// Who came under that name by the shared secret has to go.
TEST_F(SubjectsTest, ANewOneTellsTheShardsOfWhoSharesASecret) {
  start();
  EXPECT_EQ(word(status_of([&](const auto& answer) {
              controller_->declare_shared_secret(
                  {1}, crypto::SecretText("a secret that many share"), answer);
            })),
            "ok");
  const auto* shared = mesh().member_with_id("legacy-shared");
  ASSERT_NE(shared, nullptr);
  shown_.clear();
  ASSERT_TRUE(admit("gauge").ok());
  ASSERT_EQ(shown_.size(), 1U);
  EXPECT_EQ(shown_[0].narrowed, std::vector<MemberNumber>{shared->number});
}

TEST_F(SubjectsTest, WhatNothingProvesIsNeverAMemberThatIsThere) {
  options_.subjects_per_mesh = 3;
  put_at_start(20, "with-a-key", true, Standing::kAdmitted);
  put_at_start(21, "known", false, Standing::kAdmitted);
  start();
  on_control([&] {
    controller_->admit_subject({1}, "coming", "token", [](const auto&) {});
    for (const char* taken : {"with-a-key", "known", "coming", "legacy-shared"}) {
      EXPECT_EQ(said(controller_->new_subject({1}, taken)), "forbidden") << taken;
    }
    EXPECT_EQ(said(controller_->new_subject({1}, "a b")), "malformed");
    EXPECT_EQ(said(controller_->new_subject({9}, "free")), "not found");
    const auto made = controller_->new_subject({1}, "free");
    ASSERT_TRUE(made.ok());
    EXPECT_EQ(made->id, "free");
    EXPECT_FALSE(made->key.has_value());
  });
  settle();
  EXPECT_EQ(mesh().member_with_id("free"), nullptr) << "its maker commits it";
  ASSERT_TRUE(admit("third").ok());
  on_control([&] { EXPECT_EQ(said(controller_->new_subject({1}, "free")), "overloaded"); });
}

TEST_F(SubjectsTest, SeveralThatComeAtOnceAreOneMember) {
  start();
  std::vector<Result<MemberNumber>> answers;
  const auto come = [&] {
    controller_->admit_subject({1}, "gauge", "token",
                               [&](Result<MemberNumber> member) { answers.push_back(member); });
  };
  on_control([&] {
    come();
    come();
  });
  on_control(come);
  EXPECT_TRUE(answers.empty()) << "not before the store says so";
  settle();
  ASSERT_EQ(answers.size(), 3U);
  for (const auto& answer : answers) {
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(*answer, *answers[0]);
  }
  EXPECT_EQ(store_.committed.size(), 1U);
}

TEST_F(SubjectsTest, WhatTheStoreRefusesIsNobody) {
  store_.commit_answers = {Error{ErrorCode::kConflict, ""}, Error{ErrorCode::kOverloaded, ""},
                           Error{ErrorCode::kUnavailable, ""}};
  start();
  EXPECT_EQ(said(admit("gauge")), "conflict");
  EXPECT_EQ(said(admit("gauge")), "overloaded");
  EXPECT_EQ(said(admit("gauge")), "unavailable");
  EXPECT_EQ(mesh().member_with_id("gauge"), nullptr);
  EXPECT_EQ(said(admit("gauge")), "ok") << "and it can come again";
}

// The operator makes a source of that name while the token's member is on its way to the store.
TEST_F(SubjectsTest, AConflictWithTheSameMemberIsThatMember) {
  start();
  std::vector<Result<MemberNumber>> answers;
  std::vector<std::string> added;
  on_control([&] {
    controller_->add_source({1}, "gauge", {},
                            [&](const auto& made) { added.push_back(said(made)); });
    controller_->admit_subject({1}, "gauge", "token",
                               [&](Result<MemberNumber> member) { answers.push_back(member); });
  });
  // The store takes the first and refuses the second: the id is there by then.
  store_.commit_answers = {Done{}, Error{ErrorCode::kConflict, ""}};
  settle();
  EXPECT_EQ(added, Words{"ok"});
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_TRUE(answers[0].ok());
  EXPECT_EQ(*answers[0], mesh().source("gauge")->member);
}

// A token that came first keeps no name from the operator: the source is the same member.
TEST_F(SubjectsTest, ASourceOfItsNameIsTheSameMember) {
  put_at_start(20, "keyed", true, Standing::kAdmitted);
  put_at_start(21, "lost", false, Standing::kRevoked);
  start();
  const auto add = [&](const std::string& name, std::vector<std::string> tags = {}) {
    SourceOptions options;
    options.tags = std::move(tags);
    return ask<Result<NewSecret>>(
        [&](const auto& answer) { controller_->add_source({1}, name, options, answer); });
  };
  const auto gauge = admit("gauge");
  ASSERT_TRUE(gauge.ok());
  EXPECT_EQ(said(add("gauge", {"lab"})), "malformed") << "it has its tags";
  const auto made = add("gauge");
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->member_id, "gauge");
  EXPECT_EQ(mesh().source("gauge")->member, *gauge);
  EXPECT_EQ(said(add("gauge")), "conflict") << "the source is there";
  EXPECT_EQ(said(admit("gauge")), "ok") << "and its tokens hold as before";
  EXPECT_EQ(said(add("keyed")), "conflict") << "a key is nobody else's";
  EXPECT_EQ(said(add("lost")), "forbidden");
  EXPECT_EQ(said(add("legacy-shared")), "conflict");
}

TEST_F(SubjectsTest, AMeshTakesSoMany) {
  options_.subjects_per_mesh = 2;
  start();
  EXPECT_EQ(said(admit("a")), "ok");
  std::vector<std::string> answers;
  on_control([&] {
    for (const char* subject : {"b", "c"}) {
      controller_->admit_subject({1}, subject, "token", [&](const Result<MemberNumber>& member) {
        answers.push_back(said(member));
      });
    }
  });
  settle();
  std::sort(answers.begin(), answers.end());
  EXPECT_EQ(answers, (Words{"ok", "overloaded"})) << "what is on its way counts";
  EXPECT_EQ(said(admit("a")), "ok") << "who is there may come";
  EXPECT_EQ(said(admit("d")), "overloaded");
  EXPECT_EQ(said(admit("a", {2})), "ok") << "another mesh has its own room";
}

TEST_F(SubjectsTest, WithoutRoomOnlyThoseWhomTheOperatorMade) {
  options_.subjects_per_mesh = 0;
  put_at_start(20, "gauge", false, Standing::kAdmitted);
  start();
  EXPECT_EQ(said(admit("gauge")), "ok");
  EXPECT_EQ(said(admit("sage")), "overloaded");
}

TEST_F(SubjectsTest, TokensAreTakenBackForAllToSee) {
  start();
  const WallTime now = clock_.wall();
  EXPECT_EQ(said(revoke({"t-1", "", {}, now + 1h})), "ok");
  EXPECT_EQ(events_, (Words{"shown", "answered"}));
  EXPECT_TRUE(mesh().is_token_revoked("t-1", "gauge", now));
  EXPECT_EQ(said(revoke({"", "gauge", now, now + 1h})), "ok");
  EXPECT_TRUE(mesh().is_token_revoked("", "gauge", now - 1s));
  EXPECT_FALSE(mesh().is_token_revoked("", "gauge", now));
  EXPECT_EQ(store_.words, (Words{"operator", "operator"}));
}

TEST_F(SubjectsTest, WhatNamesNoTokensTakesNoneBack) {
  options_.token_revocations = 2;
  start();
  struct Row {
    const char* name;
    TokenRevocation revocation;
    MeshNumber mesh;
    const char* answer;
  };
  const Row rows[] = {
      {"neither", {"", "", {}, {}}, {1}, "malformed"},
      {"both", {"t-1", "gauge", {}, {}}, {1}, "malformed"},
      {"no mesh", {"t-1", "", {}, {}}, {9}, "not found"},
      {"one", {"t-1", "", {}, {}}, {1}, "ok"},
      {"two", {"", "gauge", {}, {}}, {1}, "ok"},
      {"too many", {"t-2", "", {}, {}}, {1}, "overloaded"},
      {"of another mesh", {"t-2", "", {}, {}}, {2}, "ok"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(said(revoke(row.revocation, row.mesh)), row.answer) << row.name;
}

TEST_F(SubjectsTest, WhatTheStoreRefusesIsNotTakenBack) {
  store_.commit_answers = {Error{ErrorCode::kUnavailable, ""}};
  start();
  EXPECT_EQ(said(revoke({"t-1", "", {}, {}})), "unavailable");
  EXPECT_FALSE(mesh().is_token_revoked("t-1", "gauge", {}));
}

// The log has with each change on whose word it was made.
TEST_F(SubjectsTest, EveryCommitSaysOnWhoseWord) {
  start();
  const auto word_of = [this](const auto& command) {
    store_.words.clear();
    (void)command();
    return store_.words.size() == 1 ? store_.words.front() : std::to_string(store_.words.size());
  };
  const auto ann = membership::key_of("ann").public_key();
  const auto zed = membership::key_of("zed").public_key();
  MeshDeclaration open_mesh;
  open_mesh.slug = "open";
  open_mesh.legacy_join = true;
  struct Row {
    const char* name;
    std::function<Status()> command;
    const char* by;
  };
  const auto status = [this](const auto& command) { return status_of(command); };
  const Row rows[] = {
      {"a mesh",
       [&] {
         return ask<Result<std::string>>([&](const auto& a) {
                  controller_->declare_mesh(open_mesh, a);
                }).ok()
                    ? Status(Done{})
                    : Status(Error{ErrorCode::kBug, ""});
       },
       "configuration"},
      {"a standing",
       [&] {
         return status([&](const auto& a) {
           controller_->set_standing({1}, ann, Standing::kQuarantined, a);
         });
       },
       "operator"},
      {"a role",
       [&] {
         return status([&](const auto& a) {
           controller_->set_role({1}, ann, membership::Role::kAdmin, {}, a);
         });
       },
       "operator"},
      {"a channel",
       [&] {
         return status([&](const auto& a) { controller_->join_channel({1}, {2}, "general", a); });
       },
       "member"},
      {"a channel that is left",
       [&] {
         return status([&](const auto& a) { controller_->leave_channel({1}, {2}, "general", a); });
       },
       "member"},
      {"a source",
       [&] {
         return ask<Result<NewSecret>>([&](const auto& a) {
                  controller_->add_source({1}, "gauge", {}, a);
                }).ok()
                    ? Status(Done{})
                    : Status(Error{ErrorCode::kBug, ""});
       },
       "operator"},
      {"a source that is revoked",
       [&] { return status([&](const auto& a) { controller_->revoke_source({1}, "gauge", a); }); },
       "operator"},
      {"the shared secret",
       [&] {
         return status([&](const auto& a) {
           controller_->declare_shared_secret({1}, crypto::SecretText("the heron waits at noon"),
                                              a);
         });
       },
       "configuration"},
      {"a certificate's member",
       [&] {
         return admit("sage", {1}, "certificate").ok() ? Status(Done{})
                                                       : Status(Error{ErrorCode::kBug, ""});
       },
       "certificate"},
      {"tokens",
       [&] {
         return revoke({"t-1", "", {}, {}});
       },
       "operator"},
  };
  for (const Row& row : rows) EXPECT_EQ(word_of(row.command), row.by) << row.name;

  store_.words.clear();
  const std::string open_id = [this] {
    std::string id;
    controller_->table().each_mesh([&](const auto& each) {
      if (each.mesh().slug == "open") id = each.mesh().id;
    });
    return id;
  }();
  std::vector<bool> joined;
  on_control([&] {
    controller_->join_without_invite(open_id, zed, "zed", [&](const JoinOutcome& outcome) {
      joined.push_back(std::holds_alternative<Joined>(outcome));
    });
  });
  settle();
  EXPECT_EQ(joined, std::vector<bool>{true});
  EXPECT_EQ(store_.words, Words{"legacy_join"});
}

}  // namespace
}  // namespace signet::controller
