// Stories of a node and the member without a key that has its name: what ends the one ends the
// other, and is given back with it.
#include "controller/epochs_story_for_test.h"

namespace signet::controller {
namespace {

using membership::OperatorAction;
using membership::Standing;
using namespace std::chrono_literals;

class NamesakesTest : public EpochsStory {
 protected:
  using ControllerStory::word;
  using EpochsStory::word;

  static crypto::PublicKey key_of(const std::string& name) {
    return membership::key_of(name).public_key();
  }
  // A subject of that name comes by a token: "ok", or why not.
  std::string come(const std::string& name) {
    std::optional<Result<MemberNumber>> got;
    on_control([&] {
      controller_->admit_subject({1}, name, "token", [&](const auto& made) { got = made; });
    });
    settle();
    if (!got) return "no answer";
    return got->ok() ? "ok" : word(Status(got->error()));
  }
  Standing standing_of(const std::string& id) { return mesh().member_with_id(id)->standing; }
  Status say(const std::string& id, Standing standing) {
    return status_of([&](auto answer) {
      controller_->set_standing({1}, mesh().member_with_id(id)->number, standing, answer);
    });
  }
  const overlay::Node& node(const std::string& name) { return *epochs_->node("node-" + name); }
  // node-ann and node-bob are allowed, and an engine came by a token under the name of node-bob.
  void begin_with_engine() {
    begin_with_two();
    ASSERT_EQ(come("node-bob"), "ok");
    ASSERT_EQ(standing_of("node-bob"), Standing::kAdmitted);
  }
  void report(double ann, double bob) {
    ASSERT_EQ(submit("ann", ann), "ok");
    ASSERT_EQ(submit("bob", bob), "ok");
    pass(1min);
  }
  // What the standings were changed to since: each change is an entry of the log.
  std::vector<Standing> changes_since(std::size_t first) {
    std::vector<Standing> all;
    for (std::size_t i = first; i < store_.committed.size(); ++i) {
      const auto* change = std::get_if<membership::StandingChanged>(&store_.committed[i]);
      if (change != nullptr) all.push_back(change->to);
    }
    return all;
  }
  // From the second commit on the store keeps nothing.
  void fail_behind_the_next() {
    store_.commit_answers.emplace_back(Done{});
    for (int i = 0; i < 8; ++i) {
      store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
    }
  }
};

TEST_F(NamesakesTest, TheRuleTakesBothAndGivesBothBack) {
  begin_with_engine();
  report(0.9, 0.3);
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
  EXPECT_EQ(node("bob").namesake_was, Standing::kAdmitted);
  EXPECT_EQ(come("node-bob"), "forbidden");
  restart();
  begin();
  report(0.9, 0.95);
  EXPECT_EQ(verdict("bob"), "ALLOWED score 0.95 >= 0.70, fresh");
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
  EXPECT_EQ(node("bob").namesake_was, std::nullopt);
  EXPECT_EQ(come("node-bob"), "ok");
}

TEST_F(NamesakesTest, AnOperatorTakesBothInOneCommitAndGivesBothBack) {
  begin_with_engine();
  const std::size_t commits = store_.words.size(), changes = store_.committed.size();
  fail_behind_the_next();
  set_standing("bob", Standing::kQuarantined);
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
  EXPECT_EQ(store_.words.at(commits), "operator");
  store_.commit_answers.clear();
  quiet();
  EXPECT_EQ(changes_since(changes), (std::vector{Standing::kQuarantined, Standing::kQuarantined}));
  report(0.9, 0.99);
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined) << "a score lifts neither";
  set_standing("bob", Standing::kAdmitted);
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
}

TEST_F(NamesakesTest, WhatTheStoreDoesNotKeepNarrowsNeither) {
  begin_with_engine();
  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  EXPECT_FALSE(status_of([&](auto answer) {
                 controller_->set_standing({1}, key_of("bob"), Standing::kQuarantined, answer);
               }).ok());
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
  EXPECT_EQ(node("bob").namesake_was, std::nullopt);
}

TEST_F(NamesakesTest, AnOperatorsOwnQuarantineOfTheNamesakeStays) {
  for (const bool before : {true, false}) {
    SCOPED_TRACE(before);
    if (before) begin_with_engine();
    if (!before) set_standing("bob", Standing::kQuarantined);
    EXPECT_TRUE(say("node-bob", Standing::kQuarantined).ok()) << "also where it is so already";
    if (before) set_standing("bob", Standing::kQuarantined);
    EXPECT_EQ(node("bob").namesake_was, std::nullopt);
    set_standing("bob", Standing::kAdmitted);
    EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
    quiet();
    EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
    EXPECT_TRUE(say("node-bob", Standing::kAdmitted).ok());
    EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
  }
}

TEST_F(NamesakesTest, NobodyLiftsTheNamesakeAlone) {
  begin_with_engine();
  set_standing("bob", Standing::kQuarantined);
  EXPECT_EQ(word(say("node-bob", Standing::kAdmitted)), "conflict");
  EXPECT_EQ(word(say("node-bob", Standing::kProbation)), "conflict");
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
  EXPECT_TRUE(say("node-bob", Standing::kRevoked).ok()) << "further down it goes";
  set_standing("bob", Standing::kAdmitted);
  EXPECT_EQ(standing_of("node-bob"), Standing::kRevoked);
}

TEST_F(NamesakesTest, ARevocationIsFinalForBoth) {
  begin_with_engine();
  set_standing("bob", Standing::kQuarantined);
  set_standing("bob", Standing::kRevoked);
  EXPECT_EQ(standing_of("node-bob"), Standing::kRevoked);
  EXPECT_EQ(word(say("node-bob", Standing::kAdmitted)), "forbidden");
  EXPECT_EQ(come("node-bob"), "forbidden");
  on_control([&] { epochs_->forget("node-bob", [](const NodeAnswer&) {}); });
  settle();
  ASSERT_EQ(epochs_->node("node-bob"), nullptr);
  EXPECT_EQ(standing_of("node-bob"), Standing::kRevoked) << "who is forgotten is not forgiven";
}

TEST_F(NamesakesTest, WhoseNodeIsForgottenStaysAsItIsUntilAnOperatorSaysOtherwise) {
  begin_with_engine();
  report(0.9, 0.3);
  on_control([&] { epochs_->forget("node-bob", [](const NodeAnswer&) {}); });
  settle();
  quiet();
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
  EXPECT_TRUE(say("node-bob", Standing::kAdmitted).ok());
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
}

TEST_F(NamesakesTest, AnotherKeyOfTheNodeChangesNothingOfIt) {
  begin_with_engine();
  const auto rekey = [&](const std::string& next, bool is_own) {
    NodeRekeyed wanted{"node-bob", std::nullopt, key_of(next), {}};
    if (is_own) wanted.word = NodeRekeyed::Word{key_of("bob"), clock_.wall()};
    std::optional<NodeAnswer> got;
    on_control([&] { epochs_->rekey(wanted, [&](NodeAnswer answer) { got = answer; }); });
    settle();
    quiet();
    return got ? word(*got) : "no answer";
  };
  EXPECT_EQ(rekey("bobby", true), "ok");
  EXPECT_EQ(standing("bob"), Standing::kRevoked) << "the old key is over";
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted) << "and the node is not";
  set_standing("bobby", Standing::kQuarantined);
  EXPECT_EQ(rekey("robert", false), "ok");
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
  set_standing("robert", Standing::kAdmitted);
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
}

// Its commit was on its way when the node was quarantined, or the daemon was one of before.
TEST_F(NamesakesTest, ANamesakeThatComesMeanwhileIsNarrowedAtOnce) {
  begin_with_two();
  std::optional<Result<MemberNumber>> got;
  on_control([&] {
    controller_->set_standing({1}, key_of("bob"), Standing::kQuarantined, [](const Status&) {});
    controller_->admit_subject({1}, "node-bob", "token", [&](const auto& made) { got = made; });
  });
  settle();
  quiet();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(word(got->ok() ? Status(Done{}) : Status(got->error())), "forbidden");
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined);
  EXPECT_EQ(node("bob").namesake_was, Standing::kAdmitted);
  set_standing("bob", Standing::kAdmitted);
  EXPECT_EQ(standing_of("node-bob"), Standing::kAdmitted);
}

TEST_F(NamesakesTest, NeitherSubjectsNorSourcesAreMadeUnderTheNameOfANodeThatIsOut) {
  begin_with_two();
  set_standing("bob", Standing::kQuarantined);
  const auto add = [&](const std::string& name) {
    const auto made = ask<Result<NewSecret>>(
        [&](const auto& answer) { controller_->add_source({1}, name, {}, answer); });
    return made.ok() ? std::string("ok") : word(Status(made.error()));
  };
  EXPECT_EQ(come("node-bob"), "forbidden");
  EXPECT_EQ(add("node-bob"), "forbidden");
  EXPECT_EQ(mesh().member_with_id("node-bob"), nullptr);
  EXPECT_EQ(come("node-ann"), "ok");
  set_standing("bob", Standing::kAdmitted);
  EXPECT_EQ(add("node-bob"), "ok");
  set_standing("bob", Standing::kQuarantined);
  EXPECT_EQ(standing_of("node-bob"), Standing::kQuarantined) << "a source is a namesake as well";
}

// Else each member could cut off any user of Hub: by a node of that name, and a bad report of it.
TEST_F(NamesakesTest, ANameOfSomebodyIsNoNodesForTheAsking) {
  overlay_.doors.certificates = true;
  overlay_.doors.listed.emplace("uma", key_of("bob"));
  begin();
  for (const char* name : {"uma", "vic", "gpu"}) ASSERT_EQ(come(name), "ok");
  NewNode wanted = node_of("ann");
  wanted.name = "vic";
  EXPECT_EQ(join(wanted), "name_taken");
  wanted.certificate = "gpu";
  EXPECT_EQ(join(wanted), "name_taken") << "of another name";
  wanted.name = "gpu";
  EXPECT_EQ(join(wanted), "ok") << "an authority says that it is its";
  wanted = node_of("bob");
  wanted.name = "uma";
  EXPECT_EQ(join(wanted), "ok") << "it is listed with its key";
  wanted.endpoint = "192.0.2.1:51820";
  EXPECT_EQ(join(wanted), "ok") << "and known from then on";
  set_standing("bob", Standing::kQuarantined);
  EXPECT_EQ(standing_of("uma"), Standing::kQuarantined);
  EXPECT_EQ(standing_of("vic"), Standing::kAdmitted);
}

TEST_F(NamesakesTest, TheSharedSecretIsNobodysNamesake) {
  overlay_.doors.certificates = true;
  begin();
  ASSERT_TRUE(status_of([&](auto answer) {
                controller_->declare_shared_secret(
                    {1}, crypto::SecretText("a shared secret of this test"), answer);
              }).ok());
  const std::string shared(membership::kSharedMember);
  NewNode wanted = node_of("bob");
  wanted.name = shared;
  EXPECT_EQ(join(wanted), "name_taken");
  wanted.certificate = shared;
  EXPECT_EQ(join(wanted), "ok");
  set_standing("bob", Standing::kQuarantined);
  EXPECT_EQ(standing_of(shared), Standing::kAdmitted) << "of all who have no other";
}

class NamesakesOfManyTest : public NamesakesTest {
 protected:
  NamesakesOfManyTest() {
    overlay_.operators.keys = {key_of("olga"), key_of("omar")};
    overlay_.operators.needed = 2;
  }
  std::string revoke(const std::string& id) {
    const QuorumState& quorum = *epochs_->quorum();
    membership::SignedStatement said{
        membership::OperatorStatement{"mesh-team", OperatorAction::kRevoke, id,
                                      quorum.last_serial + 1, quorum.policy_version,
                                      clock_.wall() + 1h}
            .text(),
        {}};
    for (const char* name : {"olga", "omar"}) {
      said.signatures.push_back({key_of(name), membership::key_of(name).sign(bytes_of(said.text))});
    }
    std::optional<StatementAnswer> got;
    on_control([&] { epochs_->carry_out(said, [&](StatementAnswer answer) { got = answer; }); });
    settle();
    quiet();
    return got ? word(*got) : "no answer";
  }
};

TEST_F(NamesakesOfManyTest, AStatementRevokesBothInItsOneCommit) {
  begin_with_engine();
  const std::size_t changes = store_.committed.size();
  fail_behind_the_next();
  EXPECT_EQ(revoke(member("bob")->id), "ok");
  EXPECT_EQ(standing("bob"), Standing::kRevoked);
  EXPECT_EQ(standing_of("node-bob"), Standing::kRevoked);
  EXPECT_EQ(changes_since(changes), (std::vector{Standing::kRevoked, Standing::kRevoked}));
  store_.commit_answers.clear();
  restart();
  begin();
  EXPECT_TRUE(loaded_.ok());
  EXPECT_EQ(node("bob").namesake_was, Standing::kAdmitted);
}

TEST_F(NamesakesOfManyTest, AStatementOnTheNamesakeItselfIsNotTheNodes) {
  begin_with_engine();
  set_standing("bob", Standing::kQuarantined);
  ASSERT_EQ(node("bob").namesake_was, Standing::kAdmitted);
  EXPECT_EQ(revoke("node-bob"), "ok");
  EXPECT_EQ(node("bob").namesake_was, std::nullopt);
  set_standing("bob", Standing::kAdmitted);
  EXPECT_EQ(standing_of("node-bob"), Standing::kRevoked);
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
}

}  // namespace
}  // namespace signet::controller
