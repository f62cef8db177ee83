// Stories of joining: by an invite, without one, and the races that the store decides.
#include <limits>

#include "controller/story_for_test.h"

namespace signet::controller {
namespace {

using membership::InviteClaim;
using membership::Role;
using membership::Standing;

class JoinTest : public ControllerStory {
 protected:
  static InviteClaim claim_of(const std::string& slug, const std::string& role = "member") {
    InviteClaim claim;
    claim.mesh_id = "mesh-" + slug;
    claim.mesh_slug = slug;
    claim.broker_url = "ws://127.0.0.1:1/ws";
    claim.expires_at = 1'800'000'000;
    claim.root_key = "cm9vdA";
    claim.role = role;
    return signed_by(claim, "owner of " + slug);
  }
  static InviteClaim signed_by(InviteClaim claim, const std::string& who) {
    const auto key = membership::key_of(who);
    claim.owner_key = crypto::to_hex(key.public_key());
    claim.signature = to_hex(key.sign(bytes_of(membership::canonical_text(claim))));
    return claim;
  }

  Status add_invite(const InviteClaim& claim, const std::string& token, std::int64_t uses = 1) {
    return status_of(
        [&](const auto& answer) { controller_->add_invite(claim, token, uses, answer); });
  }
  Status revoke_invite(const std::string& token) {
    return status_of([&](const auto& answer) {
      controller_->revoke_invite(membership::invite_digest(token), answer);
    });
  }

  // `joined ID`, `already ID`, or the code of the refusal; the id of a new member is its name's.
  std::string word_of(const JoinOutcome& outcome) {
    if (const auto* code = std::get_if<JoinRefusal>(&outcome)) return std::string(name_of(*code));
    const auto& joined = std::get<Joined>(outcome);
    return (joined.already ? "already " : "joined ") + joined.member_id;
  }
  void join(const std::string& name, const std::string& token,
            const InviteClaim& claim = claim_of("team")) {
    controller_->join({claim, token, membership::key_of(name).public_key(), name},
                      [this](const JoinOutcome& outcome) { words_.push_back(word_of(outcome)); });
  }
  std::string answer_to(const std::function<void()>& task) {
    words_.clear();
    on_control(task);
    settle();
    return words_.size() == 1 ? words_[0] : std::to_string(words_.size()) + " answers";
  }
  std::string joined(const std::string& name) {
    const membership::Member* who = member(name);
    return "joined " + (who == nullptr ? "nobody" : who->id);
  }

  std::vector<std::string> words_;
};

TEST_F(JoinTest, InvitesAreRegisteredWhenTheOwnerSignedThem) {
  start();
  InviteClaim forged = claim_of("team");
  forged.role = "admin";
  const struct {
    const char* name;
    InviteClaim claim;
    const char* token;
    const char* answer;
    std::size_t committed;
  } rows[] = {
      {"of an unknown mesh", claim_of("nowhere"), "t", "not found", 0},
      {"signed by a stranger", signed_by(claim_of("team"), "stranger"), "t", "forbidden", 0},
      {"of another mesh's owner", signed_by(claim_of("team"), "owner of other"), "t", "forbidden",
       0},
      {"changed after it was signed", forged, "t", "forbidden", 0},
      {"signed by the owner", claim_of("team"), "t", "ok", 1},
      {"the same again", claim_of("team"), "t", "ok", 0},
      {"for an admin", claim_of("team", "admin"), "u", "ok", 1},
      {"that never expires",
       signed_by(
           [] {
             InviteClaim claim = claim_of("team");
             claim.expires_at = std::numeric_limits<std::int64_t>::max();
             return claim;
           }(),
           "owner of team"),
       "v", "ok", 1},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.committed.clear();
    EXPECT_EQ(word(add_invite(row.claim, row.token, 7)), row.answer);
    EXPECT_EQ(store_.committed.size(), row.committed);
  }
  const auto* invite = controller_->table().invite(membership::invite_digest("t"));
  ASSERT_NE(invite, nullptr);
  EXPECT_EQ(invite->mesh, MeshNumber{1});
  EXPECT_EQ(invite->role, Role::kMember);
  EXPECT_EQ(invite->max_uses, 7);
  EXPECT_EQ(invite->expires.ms, 1'800'000'000'000);
  EXPECT_EQ(controller_->table().invite(membership::invite_digest("u"))->role, Role::kAdmin);
  EXPECT_GT(controller_->table().invite(membership::invite_digest("v"))->expires, clock_.wall());
}

TEST_F(JoinTest, InvitesAreTakenBack) {
  start();
  EXPECT_EQ(word(revoke_invite("t")), "not found");
  ASSERT_EQ(word(add_invite(claim_of("team"), "t")), "ok");
  EXPECT_EQ(word(revoke_invite("t")), "ok");
  EXPECT_EQ(answer_to([&] { join("zoe", "t"); }), "invite_revoked");
}

TEST_F(JoinTest, WhoHasAnInviteJoins) {
  start();
  ASSERT_EQ(word(add_invite(claim_of("team", "admin"), "t", 2)), "ok");
  const std::string zoe = answer_to([&] { join("zoe", "t"); });
  EXPECT_EQ(zoe, joined("zoe"));
  ASSERT_NE(member("zoe"), nullptr);
  EXPECT_EQ(member("zoe")->role, Role::kAdmin) << "the role that was registered";
  EXPECT_EQ(member("zoe")->display_name, "zoe");
  EXPECT_EQ(member("zoe")->joined, clock_.wall());
  EXPECT_EQ(member("zoe")->standing, Standing::kAdmitted);
  EXPECT_EQ(answer_to([&] { join("zoe", "t"); }), "already " + member("zoe")->id);
  EXPECT_EQ(answer_to([&] { join("ann", "t"); }), "already member-ann") << "no use is burned";
  const std::string yan = answer_to([&] { join("yan", "t"); });
  EXPECT_EQ(yan, joined("yan"));
  EXPECT_EQ(answer_to([&] { join("xia", "t"); }), "invite_exhausted");
  EXPECT_EQ(answer_to([&] { join("eve", "t"); }), "member_revoked");
  EXPECT_EQ(members(), 5U);
}

TEST_F(JoinTest, TheMembersIdIsNotToBeGuessed) {
  start();
  ASSERT_EQ(word(add_invite(claim_of("team"), "t", 2)), "ok");
  answer_to([&] { join("zoe", "t"); });
  answer_to([&] { join("yan", "t"); });
  EXPECT_NE(member("zoe")->id, member("yan")->id);
  EXPECT_EQ(member("zoe")->id.size(), std::string("member-").size() + 16);
}

TEST_F(JoinTest, ALostRaceIsDecidedAnew) {
  const Status conflict = Error{ErrorCode::kConflict, "scripted"};
  const struct {
    const char* name;
    std::vector<Status> answers;
    const char* word;  // nullptr: joined
    std::size_t left;  // of the scripted answers
  } rows[] = {
      {"no race", {}, nullptr, 0},
      {"lost once", {conflict}, nullptr, 0},
      {"lost twice", {conflict, conflict}, nullptr, 0},
      {"lost thrice", {conflict, conflict, conflict}, "unavailable", 0},
      {"not for ever", {conflict, conflict, conflict, conflict}, "unavailable", 1},
      {"a failure is none", {Error{ErrorCode::kUnavailable, "s"}, conflict}, "unavailable", 1},
      {"nor is a full disk", {Error{ErrorCode::kOverloaded, "s"}, conflict}, "unavailable", 1},
  };
  start();
  ASSERT_EQ(word(add_invite(claim_of("team"), "t", 100)), "ok");
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.commit_answers.assign(row.answers.begin(), row.answers.end());
    const std::string name = std::string("racer, ") + row.name;
    const std::string answer = answer_to([&] { join(name, "t"); });
    EXPECT_EQ(answer, row.word == nullptr ? joined(name) : row.word);
    EXPECT_EQ(store_.commit_answers.size(), row.left);
  }
}

TEST_F(JoinTest, WhoLostTheLastUseIsToldSo) {
  start();
  ASSERT_EQ(word(add_invite(claim_of("team"), "t", 1)), "ok");
  store_.commit_answers = {Done{}, Error{ErrorCode::kConflict, "no use left"}};
  on_control([&] {
    join("zoe", "t");  // both are decided before either is committed
    join("yan", "t");
  });
  settle();
  EXPECT_EQ(words_, (std::vector<std::string>{joined("zoe"), "invite_exhausted"}));
  EXPECT_EQ(member("yan"), nullptr);
}

TEST_F(JoinTest, TwoJoinsOfOneKeyAreOneMember) {
  start();
  ASSERT_EQ(word(add_invite(claim_of("team"), "t", 9)), "ok");
  store_.commit_answers = {Done{}, Error{ErrorCode::kConflict, "the key is known"}};
  on_control([&] {
    join("zoe", "t");
    join("zoe", "t");
  });
  settle();
  EXPECT_EQ(words_, (std::vector<std::string>{joined("zoe"), "already " + member("zoe")->id}));
}

TEST_F(JoinTest, WithoutAnInviteWhereTheOperatorAllowsIt) {
  membership::Mesh open = membership::mesh_named(5, "open");
  open.legacy_join = true;
  store_.at_start.emplace_back(membership::MeshAdded{open});
  store_.at_start.emplace_back(membership::MemberAdded{membership::member_named(6, 5, "old"), {}});
  auto out = membership::member_named(7, 5, "out");
  out.standing = Standing::kRevoked;
  store_.at_start.emplace_back(membership::MemberAdded{out, {}});
  start();
  const struct {
    const char* name;
    const char* mesh;
    const char* who;
    std::vector<Status> answers;
    const char* word;
  } rows[] = {
      {"no such mesh", "mesh-none", "zoe", {}, "mesh_not_found"},
      {"not allowed here", "mesh-team", "zoe", {}, "legacy_join_off"},
      {"not allowed, though known", "mesh-team", "ann", {}, "legacy_join_off"},
      {"known", "mesh-open", "old", {}, "already member-old"},
      {"revoked", "mesh-open", "out", {}, "member_revoked"},
      {"the store is down",
       "mesh-open",
       "zoe",
       {Error{ErrorCode::kUnavailable, "s"}},
       "unavailable"},
      {"new", "mesh-open", "zoe", {}, "joined"},
      {"again", "mesh-open", "zoe", {}, "already"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.commit_answers.assign(row.answers.begin(), row.answers.end());
    const std::string answer = answer_to([&] {
      controller_->join_without_invite(
          row.mesh, membership::key_of(row.who).public_key(), row.who,
          [this](const JoinOutcome& outcome) { words_.push_back(word_of(outcome)); });
    });
    EXPECT_EQ(answer.substr(0, std::string(row.word).size()), row.word);
  }
  const auto* zoe =
      controller_->table().mesh("mesh-open")->member(membership::key_of("zoe").public_key());
  ASSERT_NE(zoe, nullptr);
  EXPECT_EQ(zoe->role, Role::kMember) << "never admin, whatever the body asked for";
}

TEST_F(JoinTest, TwoOldJoinsOfOneKeyAreOneMember) {
  membership::Mesh open = membership::mesh_named(5, "open");
  open.legacy_join = true;
  store_.at_start.emplace_back(membership::MeshAdded{open});
  start();
  store_.commit_answers = {Done{}, Error{ErrorCode::kConflict, "the key is known"}};
  on_control([&] {
    for (int i = 0; i < 2; ++i) {
      controller_->join_without_invite(
          "mesh-open", membership::key_of("zoe").public_key(), "zoe",
          [this](const JoinOutcome& outcome) { words_.push_back(word_of(outcome)); });
    }
  });
  settle();
  const auto* zoe =
      controller_->table().mesh("mesh-open")->member(membership::key_of("zoe").public_key());
  ASSERT_NE(zoe, nullptr);
  EXPECT_EQ(words_, (std::vector<std::string>{"joined " + zoe->id, "already " + zoe->id}));
}

}  // namespace
}  // namespace signet::controller
