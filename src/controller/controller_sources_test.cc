// Stories of sources: whom a secret proves, what a rotation leaves, and which secrets are none.
#include <algorithm>

#include "controller/story_for_test.h"

namespace signet::controller {
namespace {

using membership::Role;
using membership::SourceSecret;
using membership::Standing;
using namespace std::chrono_literals;

constexpr const char* kGiven = "the heron waits at noon";
constexpr const char* kSample = "mirror:logos:2025";

class SourcesTest : public ControllerStory {
 protected:
  Result<NewSecret> add(const std::string& source, const SourceOptions& options = {},
                        MeshNumber where = {1}) {
    return ask<Result<NewSecret>>(
        [&](const auto& answer) { controller_->add_source(where, source, options, answer); });
  }
  Result<NewSecret> rotate(const std::string& source, std::chrono::milliseconds overlap = 1h) {
    return ask<Result<NewSecret>>(
        [&](const auto& answer) { controller_->rotate_source({1}, source, overlap, answer); });
  }
  Result<NewSecret> set(const std::string& source, const std::string& text) {
    return ask<Result<NewSecret>>([&](const auto& answer) {
      controller_->set_source_secret({1}, source, crypto::SecretText(text), answer);
    });
  }
  Status share(const std::string& text, MeshNumber where = {1}) {
    return status_of([&](const auto& answer) {
      controller_->declare_shared_secret(where, crypto::SecretText(text), answer);
    });
  }
  Status revoke(const std::string& source) {
    return status_of([&](const auto& answer) { controller_->revoke_source({1}, source, answer); });
  }
  static std::string made(const Result<NewSecret>& made) {
    if (made.ok()) return "ok";
    return made.error().code == ErrorCode::kMalformed ? "malformed" : word(made.error());
  }
  static SourceOptions of(const std::string& member) {
    SourceOptions options;
    options.member = membership::key_of(member).public_key();
    return options;
  }
  static SourceOptions with_tag(SourceOptions options) {
    options.tags = {"lab"};
    return options;
  }
  static SourceOptions given(const std::string& secret) {
    SourceOptions options;
    options.secret = crypto::SecretText(secret);
    return options;
  }
  const SourceSecret& source(const std::string& name) { return *mesh().source(name); }
};

TEST_F(SourcesTest, ASourceComesWithItsOwnMemberAndASecretThatOnlyTheAnswerShows) {
  start();
  SourceOptions options;
  options.tags = {"sensors", "lab", "lab"};
  const auto made = add("lab/gauge-1", options);
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->member_id, "lab/gauge-1");
  EXPECT_EQ(made->secret.reveal().size(), 43U);
  const SourceSecret& kept = source("lab/gauge-1");
  EXPECT_TRUE(kept.secret.matches(made->secret.reveal()));
  EXPECT_EQ(kept.changed, clock_.wall());
  const auto* member = mesh().member(kept.member);
  ASSERT_NE(member, nullptr);
  EXPECT_FALSE(member->key.has_value());
  EXPECT_EQ(member->display_name, "lab/gauge-1");
  EXPECT_EQ(member->standing, Standing::kAdmitted);
  EXPECT_EQ(member->tags, (std::vector<std::string>{"lab", "sensors"}));
  EXPECT_EQ(store_.committed.size(), 2U) << "both in one commit";
  EXPECT_EQ(events_, (std::vector<std::string>{"shown", "answered"}));
}

TEST_F(SourcesTest, AddsWhatIsNewAndTakesNobodysPlace) {
  options_.sources_per_mesh = 4;
  start();
  const struct {
    const char* name;
    std::string source;
    SourceOptions options;
    const char* outcome;
    MeshNumber mesh{1};
  } rows[] = {
      {"a new one", "gauge", {}, "ok"},
      {"again", "gauge", {}, "conflict"},
      {"again, for a member", "gauge", of("ann"), "conflict"},
      {"of a member with a key", "relay", of("ann"), "ok"},
      {"a second one of it", "relay-2", of("ann"), "ok"},
      {"of a stranger", "other", of("zed"), "not found"},
      {"of a member, with other tags", "other", with_tag(of("ann")), "malformed"},
      {"of a revoked member", "other", of("eve"), "forbidden"},
      {"the id of a member", "member-bob", {}, "conflict"},
      {"the name of who shows the shared secret", "legacy-shared", {}, "conflict"},
      {"no name", "", {}, "malformed"},
      {"the shared one", "*", {}, "malformed"},
      {"no such mesh", "gauge", {}, "not found", {9}},
      {"with the sample", "other", given(kSample), "malformed"},
      {"with a short one", "other", given("short"), "malformed"},
      {"with one that is had", "other", given(kGiven), "ok"},
      {"one too many", "fifth", {}, "overloaded"},
      {"in another mesh", "gauge", {}, "ok", {2}},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(made(add(row.source, row.options, row.mesh)), row.outcome) << row.name;
  }
  EXPECT_TRUE(source("other").secret.matches(kGiven));
  EXPECT_EQ(source("relay").member, member("ann")->number);
}

TEST_F(SourcesTest, ARefusedCommitLeavesNothing) {
  start();
  store_.commit_answers = {Error{ErrorCode::kConflict, "scripted"},
                           Error{ErrorCode::kOverloaded, "scripted"}};
  EXPECT_EQ(made(add("gauge")), "conflict");
  EXPECT_EQ(made(add("gauge")), "overloaded");
  EXPECT_EQ(mesh().source("gauge"), nullptr);
  EXPECT_EQ(made(add("gauge")), "ok") << "and nothing stands in the way";
}

TEST_F(SourcesTest, OneChangeOfASourceAtATime) {
  start();
  std::vector<std::string> outcomes;
  const auto note = [&](const Result<NewSecret>& each) { outcomes.push_back(made(each)); };
  on_control([&] {
    controller_->add_source({1}, "gauge", of("ann"), note);
    controller_->add_source({1}, "gauge", of("bob"), note);
    controller_->add_source({1}, "other", {}, note);
  });
  settle();
  std::sort(outcomes.begin(), outcomes.end());
  EXPECT_EQ(outcomes, (std::vector<std::string>{"conflict", "ok", "ok"}));
  EXPECT_EQ(source("gauge").member, member("ann")->number);
  outcomes.clear();
  on_control([&] {
    controller_->rotate_source({1}, "gauge", 1h, note);
    controller_->rotate_source({1}, "gauge", 1h, note);
    controller_->revoke_source({1}, "gauge",
                               [&](const Status& status) { outcomes.push_back(word(status)); });
  });
  settle();
  std::sort(outcomes.begin(), outcomes.end());
  EXPECT_EQ(outcomes, (std::vector<std::string>{"conflict", "conflict", "ok"}));
  EXPECT_FALSE(source("gauge").revoked);
}

TEST_F(SourcesTest, ABurstPassesNoLimit) {
  options_.sources_per_mesh = 2;
  start();
  std::vector<std::string> outcomes;
  on_control([&] {
    for (const char* name : {"a", "b", "c"}) {
      controller_->add_source({1}, name, {},
                              [&](const auto& each) { outcomes.push_back(made(each)); });
    }
  });
  settle();
  EXPECT_EQ(mesh().source_count(), 2U);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), "overloaded"), 1);
}

TEST_F(SourcesTest, TheOldSecretHoldsUntilTheOverlapEnds) {
  start();
  const auto first = add("gauge");
  const WallTime rotated = clock_.wall();
  const auto second = rotate("gauge", 1h);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->member_id, "gauge");
  EXPECT_FALSE(second->secret.matches(first->secret.reveal()));
  EXPECT_TRUE(source("gauge").secret.matches(second->secret.reveal()));
  EXPECT_TRUE(source("gauge").previous.matches(first->secret.reveal()));
  EXPECT_TRUE(previous_holds(source("gauge"), rotated + (1h - 1ms)));
  EXPECT_FALSE(previous_holds(source("gauge"), rotated + 1h));

  const auto third = rotate("gauge", 1h);
  EXPECT_TRUE(source("gauge").previous.matches(second->secret.reveal()))
      << "the first one holds no more";
  ASSERT_TRUE(rotate("gauge", 0ms).ok());
  EXPECT_TRUE(source("gauge").previous.empty()) << "without an overlap the third one went too";
  EXPECT_EQ(made(rotate("nobody")), "not found");
  EXPECT_EQ(made(rotate("*")), "malformed");
}

TEST_F(SourcesTest, ASecretThatIsHadIsSetOnceAndAtOnce) {
  start();
  EXPECT_EQ(made(set("gauge", kGiven)), "ok") << "made where it was missing";
  const std::size_t committed = store_.committed.size();
  EXPECT_EQ(made(set("gauge", kGiven)), "ok");
  EXPECT_EQ(store_.committed.size(), committed) << "the same again changes nothing";
  EXPECT_EQ(made(set("gauge", "the heron is gone by noon")), "ok");
  EXPECT_TRUE(source("gauge").secret.matches("the heron is gone by noon"));
  EXPECT_TRUE(source("gauge").previous.empty());
  EXPECT_EQ(made(set("gauge", kSample)), "malformed");
  EXPECT_EQ(made(set("gauge", "")), "malformed");
  EXPECT_EQ(made(set("gauge", "fifteen bytes..")), "malformed");
  EXPECT_EQ(made(set("a b", kGiven)), "malformed");
}

TEST_F(SourcesTest, TheSampleIsTakenInDevOnly) {
  options_.allow_sample_secrets = true;
  start();
  EXPECT_EQ(made(set("gauge", kSample)), "ok");
  EXPECT_EQ(word(share(kSample)), "ok");
  EXPECT_EQ(word(share("short")), "ok");
  EXPECT_FALSE(share("no\nline").ok());
}

TEST_F(SourcesTest, TheSharedSecretProvesOneMemberThatHasNoKey) {
  start();
  EXPECT_EQ(made(set("gauge", kGiven)), "ok");
  EXPECT_FALSE(share(kSample).ok());
  EXPECT_EQ(word(share(kGiven, {9})), "not found");
  EXPECT_EQ(word(share(kGiven)), "ok");
  const SourceSecret* shared = mesh().shared_secret();
  ASSERT_NE(shared, nullptr);
  EXPECT_TRUE(shared->shared);
  const auto* who = mesh().member(shared->member);
  ASSERT_NE(who, nullptr);
  EXPECT_EQ(who->id, "legacy-shared");
  EXPECT_FALSE(who->key.has_value());

  const std::size_t committed = store_.committed.size();
  EXPECT_EQ(word(share(kGiven)), "ok");
  EXPECT_EQ(store_.committed.size(), committed) << "the same again changes nothing";
  EXPECT_EQ(word(share("another one, that is longer")), "ok");
  EXPECT_EQ(store_.committed.size(), committed + 1) << "the member is there";
  EXPECT_TRUE(mesh().shared_secret()->previous.empty());
  EXPECT_EQ(mesh().shared_secret()->member, who->number);

  EXPECT_EQ(word(revoke("*")), "ok");
  EXPECT_FALSE(holds(*mesh().shared_secret()));
  EXPECT_EQ(word(share(kGiven)), "ok") << "the configuration has the last word";
  EXPECT_TRUE(holds(*mesh().shared_secret()));
}

TEST_F(SourcesTest, ARevokedSourceTellsTheShardsAndComesBackForItsOwnMemberOnly) {
  start();
  ASSERT_TRUE(add("gauge").ok());
  ASSERT_TRUE(add("relay", of("ann")).ok());
  const MemberNumber gauge = source("gauge").member;
  shown_.clear();
  EXPECT_EQ(word(revoke("gauge")), "ok");
  ASSERT_EQ(shown_.size(), 1U);
  EXPECT_EQ(shown_[0].narrowed, std::vector<MemberNumber>{gauge});
  EXPECT_FALSE(holds(source("gauge")));
  EXPECT_EQ(word(revoke("gauge")), "ok") << "again";
  EXPECT_EQ(word(revoke("nobody")), "not found");
  EXPECT_EQ(made(rotate("gauge")), "forbidden");
  EXPECT_EQ(made(set("gauge", kGiven)), "forbidden");
  EXPECT_EQ(made(add("gauge", of("bob"))), "conflict") << "it proved another member";
  const auto back = add("gauge");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->member_id, "gauge");
  EXPECT_EQ(source("gauge").member, gauge);
  EXPECT_TRUE(holds(source("gauge")));
}

TEST_F(SourcesTest, RoleAndStandingOfAMemberWithoutAKeyChangeAndTellTheShards) {
  start();
  ASSERT_TRUE(add("gauge").ok());
  const MemberNumber gauge = source("gauge").member;
  shown_.clear();
  EXPECT_EQ(word(status_of([&](const auto& answer) {
              controller_->set_role({1}, gauge, Role::kMember, {"ops"}, answer);
            })),
            "ok");
  EXPECT_EQ(shown_.at(0).narrowed, std::vector<MemberNumber>{gauge});
  EXPECT_EQ(mesh().member(gauge)->tags, std::vector<std::string>{"ops"});
  EXPECT_EQ(word(status_of([&](const auto& answer) {
              controller_->set_standing({1}, gauge, Standing::kRevoked, answer);
            })),
            "ok");
  EXPECT_EQ(shown_.at(1).narrowed, std::vector<MemberNumber>{gauge});
  EXPECT_EQ(word(revoke("gauge")), "ok");
  EXPECT_EQ(made(add("gauge")), "forbidden") << "a revoked member gets no new secret";
  EXPECT_EQ(word(status_of([&](const auto& answer) {
              controller_->set_role({2}, gauge, Role::kAdmin, {}, answer);
            })),
            "not found")
      << "a member of another mesh";
  EXPECT_EQ(word(status_of([&](const auto& answer) {
              controller_->join_channel({1}, gauge, "general", answer);
            })),
            "not found")
      << "channels are for who can be sealed to";
}

TEST_F(SourcesTest, SourcesAreThereAfterARestart) {
  membership::Member gauge = membership::member_named(7, 1, "gauge");
  gauge.key.reset();
  SourceSecret secret;
  secret.mesh = {1};
  secret.source = "gauge";
  secret.member = {7};
  secret.secret = crypto::SecretText(kGiven);
  store_.at_start.emplace_back(membership::MemberAdded{gauge, {}});
  store_.at_start.emplace_back(membership::SourceSecretSet{secret});
  start();
  EXPECT_TRUE(source("gauge").secret.matches(kGiven));
  EXPECT_EQ(made(add("gauge")), "conflict");
}

}  // namespace
}  // namespace signet::controller
