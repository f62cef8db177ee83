// Stories of what operators decide together: olga, omar and otto are the mesh's operators, and any
// two of them are enough. ann and bob are nodes.
#include <gtest/gtest.h>

#include "controller/epochs_story_for_test.h"

namespace signet::controller {
namespace {

using membership::OperatorAction;
using membership::OperatorSignature;
using membership::OperatorStatement;
using membership::SignedStatement;
using membership::Standing;
using namespace std::chrono_literals;

class StatementsTest : public EpochsStory {
 protected:
  StatementsTest() {
    overlay_.operators.keys = {key("olga"), key("omar"), key("otto")};
    overlay_.operators.needed = 2;
  }

  static crypto::PublicKey key(const std::string& name) {
    return membership::key_of(name).public_key();
  }
  static std::string hex(const std::string& name) { return crypto::to_hex(key(name)); }

  // Another daemon on the same rows.
  void start_again() {
    restart();
    begin();
  }

  OperatorStatement statement(OperatorAction action, const std::string& target) {
    const QuorumState* quorum = epochs_->quorum();
    return {"mesh-team",
            action,
            target,
            quorum == nullptr ? 1 : quorum->last_serial + 1,
            quorum == nullptr ? 1 : quorum->policy_version,
            clock_.wall() + 1h};
  }
  static SignedStatement signed_by(const OperatorStatement& what,
                                   const std::vector<std::string>& names) {
    SignedStatement said{what.text(), {}};
    for (const std::string& name : names) {
      said.signatures.push_back({key(name), membership::key_of(name).sign(bytes_of(said.text))});
    }
    return said;
  }
  std::string word_of(const std::optional<StatementAnswer>& answer) {
    if (!answer) return "no answer";
    const auto* why = std::get_if<StatementRefusal>(&*answer);
    return why == nullptr ? "done" : std::string(name_of(*why));
  }
  std::string say(const SignedStatement& said) {
    std::optional<StatementAnswer> got;
    on_control([&] { epochs_->carry_out(said, [&](StatementAnswer answer) { got = answer; }); });
    settle();
    quiet();
    return word_of(got);
  }
  std::string say(OperatorAction action, const std::string& target,
                  const std::vector<std::string>& names = {"olga", "omar"}) {
    return say(signed_by(statement(action, target), names));
  }
  std::string fate(const std::string& member) {
    return std::string(name_of(epochs_->node("node-" + member)->verdict));
  }
  std::string id_of(const std::string& name) { return member(name)->id; }
  // node-`name` says so itself, under the key of its first name.
  NodeRekeyed own_word(const std::string& name, const std::string& next) {
    NodeRekeyed wanted{"node-" + name, std::nullopt, key(next), {}};
    wanted.word = NodeRekeyed::Word{key(name), clock_.wall()};
    return wanted;
  }
  std::string rekey(const NodeRekeyed& wanted) {
    std::optional<NodeAnswer> got;
    on_control([&] { epochs_->rekey(wanted, [&](NodeAnswer answer) { got = answer; }); });
    settle();
    return got ? word(*got) : "no answer";
  }
  // Both fall far below the threshold, which is too many in one step.
  void hold_both() {
    begin_with_two();
    on_control([&] { clock_.advance(10s); });
    ASSERT_EQ(submit("ann", 0.1), "ok");
    ASSERT_EQ(submit("bob", 0.1), "ok");
    pass(1min);
    ASSERT_EQ(epochs_->held_denials(), (std::vector<std::string>{"node-ann", "node-bob"}));
    ASSERT_EQ(fate("ann"), "ALLOWED");
  }
};

TEST_F(StatementsTest, OperatorsBecomeTheMeshsAtItsFirstStart) {
  begin();
  ASSERT_TRUE(loaded_.ok());
  ASSERT_NE(epochs_->quorum(), nullptr);
  EXPECT_EQ(epochs_->quorum()->operators, overlay_.operators.keys);
  EXPECT_EQ(epochs_->quorum()->needed, 2U);
  EXPECT_TRUE(epochs_->takes_many());
  EXPECT_EQ(rows_of(std::string(kQuorumRows)), 1U);

  overlay_.operators.keys = {key("zoe")};
  overlay_.operators.needed = 1;
  start_again();
  EXPECT_EQ(epochs_->quorum()->needed, 2U) << "the settings change nothing any more";
  overlay_.operators.keys.clear();
  start_again();
  EXPECT_EQ(epochs_->quorum()->operators.size(), 3U) << "nor does leaving them out";
  EXPECT_TRUE(epochs_->takes_many());
}

TEST_F(StatementsTest, WithoutOperatorsNoneIsAsked) {
  overlay_.operators.keys.clear();
  begin();
  EXPECT_EQ(epochs_->quorum(), nullptr);
  EXPECT_FALSE(epochs_->takes_many());
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("bob")), "no_operators");
  EXPECT_EQ(rows_of(std::string(kQuorumRows)), 0U);
  EXPECT_EQ(epochs_->revocations_serial(), 0U);
}

TEST_F(StatementsTest, WhatTheStoreDoesNotKeepSetsNobodyUp) {
  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  begin();
  EXPECT_FALSE(loaded_.ok());
  EXPECT_FALSE(epochs_->is_loaded());
}

TEST_F(StatementsTest, TwoOfThreeRevokeAtOnceAndOnce) {
  begin_with_two();
  const SignedStatement said =
      signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "otto"});
  EXPECT_EQ(say(said), "done");
  EXPECT_EQ(standing("bob"), Standing::kRevoked);
  EXPECT_EQ(fate("bob"), "DENIED");
  EXPECT_EQ(fate("ann"), "ALLOWED");
  EXPECT_EQ(epochs_->revocations_serial(), 1U);
  ASSERT_EQ(epochs_->revocations().size(), 1U);
  const KeptStatement& kept = epochs_->revocations().at(1);
  EXPECT_EQ(kept.wireguard, crypto::digest32("test-wireguard", {"bob"}));
  EXPECT_EQ(kept.signatures.size(), 2U);
  EXPECT_EQ(say(said), "stale_serial");
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("bob")), "already_so");
  EXPECT_EQ(say(OperatorAction::kRevoke, "member-nobody"), "unknown_target");
  EXPECT_EQ(epochs_->quorum()->last_serial, 1U) << "what was refused uses no serial";

  start_again();
  EXPECT_EQ(say(said), "stale_serial");
  ASSERT_EQ(epochs_->revocations().size(), 1U);
  EXPECT_EQ(epochs_->revocations().at(1).statement.text(), said.text);
}

// Else a node would be quicker than those who sign: they name who it was when they began.
TEST_F(StatementsTest, ARevocationReachesTheNodeThatChangedItsKeySince) {
  begin_with_two();
  const std::string id = id_of("bob");
  ASSERT_EQ(rekey(own_word("bob", "bobby")), "ok");
  ASSERT_EQ(standing("bobby"), Standing::kAdmitted);
  start_again();
  EXPECT_EQ(say(OperatorAction::kRevoke, id), "done");
  EXPECT_EQ(standing("bobby"), Standing::kRevoked);
  EXPECT_EQ(fate("bob"), "DENIED");
  EXPECT_EQ(fate("ann"), "ALLOWED");
  ASSERT_EQ(epochs_->revocations().size(), 1U);
  EXPECT_EQ(epochs_->revocations().at(1).wireguard, wireguard_of("bob"));
  EXPECT_EQ(epochs_->revocations().at(1).statement.target, id);
  EXPECT_EQ(say(OperatorAction::kRevoke, id), "already_so");
  NodeRekeyed next = own_word("bob", "robert");
  next.word = NodeRekeyed::Word{key("bobby"), clock_.wall()};
  EXPECT_EQ(rekey(next), "revoked");
}

TEST_F(StatementsTest, ARevocationAndAChangeOfKeysAtOnceLeaveNobody) {
  for (const bool node_first : {true, false}) {
    const std::string name = node_first ? "bob" : "ann";
    const std::string next = name + "'s next";
    if (node_first) begin_with_two();
    std::vector<std::string> answers;
    const auto said = signed_by(statement(OperatorAction::kRevoke, id_of(name)), {"olga", "omar"});
    const NodeRekeyed wanted = own_word(name, next);
    const auto change = [&] {
      epochs_->rekey(wanted, [&](const NodeAnswer& answer) { answers.push_back(word(answer)); });
    };
    on_control([&] {
      if (node_first) change();
      epochs_->carry_out(
          said, [&](const StatementAnswer& answer) { answers.push_back(word_of(answer)); });
      if (!node_first) change();
    });
    settle();
    quiet();
    const auto expected = node_first ? std::vector<std::string>{"ok", "done"}
                                     : std::vector<std::string>{"done", "revoked"};
    EXPECT_EQ(answers, expected);
    EXPECT_EQ(standing(name), Standing::kRevoked);
    EXPECT_EQ(member(next) != nullptr, node_first);
    EXPECT_EQ(epochs_->standing_of(*epochs_->node("node-" + name)), Standing::kRevoked);
    EXPECT_EQ(fate(name), "DENIED");
  }
}

TEST_F(StatementsTest, TheWireGuardKeyOfWhoWasRevokedIsNobodysAgain) {
  begin_with_two();
  ASSERT_EQ(say(OperatorAction::kRevoke, id_of("bob")), "done");
  on_control([&] { epochs_->forget("node-bob", [](const NodeAnswer&) {}); });
  settle();
  ASSERT_EQ(epochs_->node("node-bob"), nullptr);
  NewNode again = node_of("ann");
  again.wireguard = wireguard_of("bob");
  EXPECT_EQ(join(again), "revoked");
  NodeRekeyed wanted = own_word("ann", "ann");
  wanted.wireguard = wireguard_of("bob");
  EXPECT_EQ(rekey(wanted), "revoked");
  EXPECT_EQ(epochs_->node("node-ann")->wireguard, wireguard_of("ann"));
  wanted.wireguard = wireguard_of("ann's next");
  EXPECT_EQ(rekey(wanted), "ok");
}

TEST_F(StatementsTest, AMemberRevokedBeforeThereWereOperatorsCanBeListed) {
  begin();
  EXPECT_EQ(standing("eve"), Standing::kRevoked);
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("eve")), "done");
  EXPECT_EQ(epochs_->revocations().size(), 1U);
  EXPECT_FALSE(epochs_->revocations().at(1).wireguard.has_value());
}

TEST_F(StatementsTest, RefusesWhatTooFewOrTheWrongOnesSigned) {
  begin_with_two();
  const OperatorStatement what = statement(OperatorAction::kRevoke, id_of("bob"));
  const auto with = [&](const auto& change) {
    OperatorStatement other = what;
    change(other);
    return signed_by(other, {"olga", "omar"});
  };
  SignedStatement forged = signed_by(what, {"olga", "omar"});
  forged.signatures[1].signature[0] ^= 1U;
  SignedStatement moved =
      signed_by(statement(OperatorAction::kRevoke, id_of("ann")), {"olga", "omar"});
  moved.text = what.text();
  struct Row {
    const char* name;
    SignedStatement said;
    const char* answer;
  };
  const Row rows[] = {
      {"one of two", signed_by(what, {"olga"}), "too_few_signatures"},
      {"nobody", signed_by(what, {}), "too_few_signatures"},
      {"one twice", signed_by(what, {"olga", "olga"}), "duplicate_signer"},
      {"a stranger", signed_by(what, {"olga", "zoe"}), "unknown_signer"},
      {"a member", signed_by(what, {"olga", "ann"}), "unknown_signer"},
      {"a bad signature", forged, "bad_signature"},
      {"signatures of another statement", moved, "bad_signature"},
      {"another mesh", with([](auto& other) { other.mesh = "mesh-other"; }), "wrong_mesh"},
      {"an old serial", with([](auto& other) { other.serial = 0; }), "stale_serial"},
      {"another policy", with([](auto& other) { other.policy_version = 2; }), "stale_policy"},
      {"over", with([&](auto& other) { other.expires = clock_.wall(); }), "expired"},
      {"for ever", with([&](auto& other) { other.expires = clock_.wall() + 25h; }),
       "too_long_lived"},
      {"no text", {"", {}}, "malformed"},
      {"more text", {what.text() + " ", signed_by(what, {"olga", "omar"}).signatures}, "malformed"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(say(row.said), row.answer);
  }
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
  EXPECT_EQ(epochs_->quorum()->last_serial, 0U);
  EXPECT_EQ(rows_of(std::string(kStatementRows)), 0U);
}

TEST_F(StatementsTest, OfTwoWithOneSerialOneIsCarriedOut) {
  begin_with_two();
  const auto first = signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "omar"});
  const auto second = signed_by(statement(OperatorAction::kRevoke, id_of("ann")), {"omar", "otto"});
  std::vector<std::string> answers;
  on_control([&] {
    for (const auto& said : {first, first, second}) {
      epochs_->carry_out(said, [&](StatementAnswer answer) { answers.push_back(word_of(answer)); });
    }
  });
  settle();
  quiet();
  EXPECT_EQ(answers, (std::vector<std::string>{"done", "stale_serial", "stale_serial"}));
  EXPECT_EQ(standing("bob"), Standing::kRevoked);
  EXPECT_EQ(standing("ann"), Standing::kAdmitted);
}

TEST_F(StatementsTest, WhatIsNotOnDiskDidNotHappenAndMayBeSentAgain) {
  begin_with_two();
  const auto said = signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "omar"});
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kConflict}) {
    store_.commit_answers.emplace_back(Error{code, "scripted"});
    EXPECT_EQ(say(said), "unavailable");
    EXPECT_EQ(standing("bob"), Standing::kAdmitted);
    EXPECT_EQ(epochs_->quorum()->last_serial, 0U);
  }
  start_again();
  EXPECT_EQ(say(said), "done");
  EXPECT_EQ(standing("bob"), Standing::kRevoked);
}

TEST_F(StatementsTest, SerialEvidenceEntriesAndEffectAreOneCommit) {
  begin_with_two();
  store_.words.clear();
  store_.logged.clear();
  store_.committed.clear();
  std::optional<StatementAnswer> got;
  const auto said = signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "omar"});
  on_control([&] { epochs_->carry_out(said, [&](StatementAnswer answer) { got = answer; }); });
  ASSERT_TRUE(work());
  EXPECT_EQ(word_of(got), "done");
  ASSERT_FALSE(store_.words.empty());
  EXPECT_EQ(store_.words.front(), "operators");
  EXPECT_EQ(store_.committed.size(), 1U);
  EXPECT_EQ(rows_of(std::string(kStatementRows)), 1U);
  EXPECT_EQ(store_.sealed_rows.at({std::string(kQuorumRows), "state"}).version, 2U);
  ASSERT_EQ(store_.logged.size(), 3U) << "the statement, and each who signed";
  EXPECT_EQ(store_.logged[0].event, audit::Event::kOperatorsDecided);
  EXPECT_EQ(store_.logged[0].code, "revoke:1");
  EXPECT_EQ(store_.logged[1].event, audit::Event::kOperatorSigned);
  EXPECT_EQ(store_.logged[1].code, "1");
  EXPECT_NE(store_.logged[1].hash, store_.logged[2].hash);
}

TEST_F(StatementsTest, AStatementWaitsForWhatIsBeingWritten) {
  begin_with_two();
  const auto said = signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "omar"});
  std::vector<std::string> events;
  on_control([&] {
    epochs_->register_node(
        {"node-ann", key("ann"), crypto::digest32("test-wireguard", {"new"}), "192.0.2.1:51820"},
        [&](const NodeAnswer&) { events.emplace_back("written"); });
    epochs_->carry_out(said,
                       [&](const StatementAnswer& answer) { events.push_back(word_of(answer)); });
  });
  settle();
  quiet();
  EXPECT_EQ(events, (std::vector<std::string>{"written", "done"}));
}

TEST_F(StatementsTest, WhatNobodySignedWaitsForNothing) {
  begin_with_two();
  const auto good = signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "omar"});
  SignedStatement junk = good;
  junk.signatures[0].signature[0] ^= 1U;
  std::size_t refused = 0;
  std::optional<StatementAnswer> got;
  on_control([&] {
    NewNode other = node_of("ann");
    other.endpoint = "192.0.2.1:51820";
    epochs_->register_node(other, [](const NodeAnswer&) {});  // a write that statements wait for
    for (int i = 0; i < 100; ++i) {
      epochs_->carry_out(junk, [&](const StatementAnswer& answer) {
        if (word_of(answer) == "bad_signature") ++refused;
      });
    }
    EXPECT_EQ(refused, 100U) << "at once";
    epochs_->carry_out(good, [&](StatementAnswer answer) { got = answer; });
  });
  settle();
  quiet();
  EXPECT_EQ(word_of(got), "done");
}

TEST_F(StatementsTest, TheThresholdIsTheOperatorsFromThenOn) {
  begin_with_two();
  EXPECT_EQ(say(OperatorAction::kThreshold, "0.85"), "done");
  EXPECT_EQ(epochs_->rule().threshold, overlay::Score{850'000});
  EXPECT_EQ(fate("bob"), "DENIED") << "a decision follows at once";
  EXPECT_EQ(fate("ann"), "ALLOWED");
  const auto version = epochs_->rule().version;
  EXPECT_EQ(epochs_->quorum()->policy_version, 2U);
  EXPECT_EQ(say(OperatorAction::kThreshold, "0.85"), "already_so");

  start_again();
  EXPECT_EQ(epochs_->rule().threshold, overlay::Score{850'000}) << "the setting says 0.70";
  EXPECT_EQ(epochs_->rule().version, version);
  EXPECT_EQ(say(OperatorAction::kThreshold, "0.70"), "done");
  EXPECT_EQ(epochs_->rule().version, version + 1);
}

TEST_F(StatementsTest, AThresholdAboveTheWayBackIsNoRule) {
  overlay_.rule.return_threshold = overlay::Score{800'000};
  begin();
  EXPECT_EQ(say(OperatorAction::kThreshold, "0.85"), "not_possible");
  EXPECT_EQ(say(OperatorAction::kThreshold, "0.75"), "done");
}

TEST_F(StatementsTest, ManyAreDeniedOnlyByTheirNames) {
  hold_both();
  EXPECT_EQ(say(OperatorAction::kDenyMany, std::string(64, 'a')), "not_held");
  EXPECT_EQ(say(OperatorAction::kDenyMany, membership::digest_of_denials({"node-ann"})),
            "not_held");
  EXPECT_EQ(say(OperatorAction::kDenyMany, epochs_->held_digest(), {"omar"}), "too_few_signatures");
  EXPECT_EQ(fate("ann"), "ALLOWED");
  EXPECT_EQ(say(OperatorAction::kDenyMany, epochs_->held_digest()), "done");
  EXPECT_EQ(fate("ann"), "DENIED");
  EXPECT_EQ(fate("bob"), "DENIED");
  EXPECT_TRUE(epochs_->held_denials().empty());
  EXPECT_TRUE(epochs_->quorum()->may_deny.empty()) << "it held for one decision";
  start_again();
  EXPECT_TRUE(loaded_.ok());
  EXPECT_TRUE(epochs_->quorum()->may_deny.empty());
}

TEST_F(StatementsTest, ADenialThatWasAllowedIsCarriedOutBehindACrash) {
  hold_both();
  const auto said =
      signed_by(statement(OperatorAction::kDenyMany, epochs_->held_digest()), {"olga", "omar"});
  on_control(
      [&] { epochs_->carry_out(said, [&](const StatementAnswer&) { epochs_->end_for_test(); }); });
  settle();
  EXPECT_EQ(fate("ann"), "ALLOWED") << "it died behind the commit";
  begin();
  pass(1min);
  EXPECT_EQ(fate("ann"), "DENIED");
  EXPECT_EQ(fate("bob"), "DENIED");
}

TEST_F(StatementsTest, OperatorsComeAndGoByThemselvesAlone) {
  begin();
  const auto early = signed_by(statement(OperatorAction::kRevoke, id_of("bob")), {"olga", "omar"});
  EXPECT_EQ(say(OperatorAction::kOperatorAdd, hex("olga")), "already_so");
  EXPECT_EQ(say(OperatorAction::kOperatorAdd, std::string(64, '0')), "not_possible");
  EXPECT_EQ(say(OperatorAction::kOperatorAdd, hex("zoe")), "done");
  EXPECT_EQ(say(early), "stale_policy") << "it was meant under those who decided then";
  EXPECT_EQ(say(OperatorAction::kQuorum, "5"), "not_possible");
  EXPECT_EQ(say(OperatorAction::kQuorum, "2"), "already_so");
  EXPECT_EQ(say(OperatorAction::kQuorum, "3", {"olga", "zoe"}), "done");
  EXPECT_EQ(say(OperatorAction::kOperatorRemove, hex("olga")), "too_few_signatures");
  EXPECT_EQ(say(OperatorAction::kOperatorRemove, hex("ann"), {"olga", "omar", "zoe"}),
            "unknown_target");
  EXPECT_EQ(say(OperatorAction::kOperatorRemove, hex("olga"), {"olga", "omar", "zoe"}), "done");
  EXPECT_EQ(say(OperatorAction::kOperatorRemove, hex("omar"), {"omar", "otto", "zoe"}),
            "not_possible")
      << "three are left, and three are needed";
  EXPECT_EQ(say(OperatorAction::kQuorum, "1", {"olga", "omar", "zoe"}), "unknown_signer");
  EXPECT_EQ(say(OperatorAction::kQuorum, "1", {"omar", "otto", "zoe"}), "done");
  start_again();
  EXPECT_EQ(epochs_->quorum()->operators,
            (std::vector<crypto::PublicKey>{key("omar"), key("otto"), key("zoe")}));
  EXPECT_EQ(epochs_->quorum()->needed, 1U);
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("bob"), {"zoe"}), "done");
}

TEST_F(StatementsTest, TheOwnerIsTheOperatorsWhateverIsDeclared) {
  begin();
  EXPECT_EQ(say(OperatorAction::kPolicyOwner, std::string(64, '0')), "not_possible");
  EXPECT_EQ(say(OperatorAction::kPolicyOwner, hex("zoe")), "done");
  EXPECT_EQ(mesh().mesh().owner, key("zoe"));
  EXPECT_EQ(say(OperatorAction::kPolicyOwner, hex("zoe")), "already_so");
  MeshDeclaration old;
  old.slug = mesh().mesh().slug;
  old.owner = key("ann");
  (void)ask<Result<std::string>>([&](auto answer) { controller_->declare_mesh(old, answer); });
  EXPECT_EQ(mesh().mesh().owner, key("ann")) << "as the configuration has it at each start";
  start_again();
  EXPECT_EQ(mesh().mesh().owner, key("zoe"));
  (void)ask<Result<std::string>>([&](auto answer) { controller_->declare_mesh(old, answer); });
  EXPECT_TRUE(status_of([&](auto answer) { epochs_->keep_owner(answer); }).ok());
  EXPECT_EQ(mesh().mesh().owner, key("zoe")) << "dev mode declares it behind the overlay's start";
}

TEST_F(StatementsTest, WhoKeepsTheOwnerWaitsForTheStatementThatChangesIt) {
  begin();
  ASSERT_EQ(say(OperatorAction::kPolicyOwner, hex("zoe")), "done");
  MeshDeclaration old;
  old.slug = mesh().mesh().slug;
  old.owner = key("ann");
  (void)ask<Result<std::string>>([&](auto answer) { controller_->declare_mesh(old, answer); });
  const auto said =
      signed_by(statement(OperatorAction::kPolicyOwner, hex("yan")), {"olga", "omar"});
  std::vector<std::string> events;
  on_control([&] {
    epochs_->carry_out(said,
                       [&](const StatementAnswer& answer) { events.push_back(word_of(answer)); });
    epochs_->keep_owner(
        [&](const Status& status) { events.emplace_back(status.ok() ? "kept" : "failed"); });
  });
  settle();
  quiet();
  EXPECT_EQ(events, (std::vector<std::string>{"done", "kept"}));
  EXPECT_EQ(mesh().mesh().owner, key("yan"));
  EXPECT_EQ(epochs_->quorum()->owner, key("yan"));
}

TEST_F(StatementsTest, ANodeGetsANewKeyByTheOperatorsWord) {
  begin_with_two();
  const MemberNumber before = epochs_->node("node-bob")->member;
  EXPECT_EQ(say(OperatorAction::kRekey, "node-zoe " + hex("zoe")), "unknown_target");
  EXPECT_EQ(say(OperatorAction::kRekey, "node-bob " + hex("ann")), "not_possible");
  EXPECT_EQ(say(OperatorAction::kRekey, "node-bob " + hex("bob")), "already_so");
  EXPECT_EQ(say(OperatorAction::kRekey, "node-bob " + hex("zoe")), "done");
  EXPECT_EQ(epochs_->node("node-bob")->key, key("zoe"));
  EXPECT_NE(epochs_->node("node-bob")->member, before);
  EXPECT_EQ(standing("bob"), Standing::kRevoked) << "the old key opens nothing any more";
  ASSERT_NE(member("zoe"), nullptr);
  EXPECT_EQ(standing("zoe"), Standing::kAdmitted);
  start_again();
  EXPECT_EQ(epochs_->node("node-bob")->key, key("zoe"));
}

TEST_F(StatementsTest, InAnEmergencyOneIsEnoughAndItIsWrittenDown) {
  overlay_.operators.emergency = true;
  begin_with_two();
  EXPECT_FALSE(epochs_->takes_many());
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("bob"), {}), "too_few_signatures");
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("bob"), {"zoe"}), "unknown_signer");
  EXPECT_EQ(say(OperatorAction::kRevoke, id_of("bob"), {"omar"}), "done");
  EXPECT_NE(std::find(store_.words.begin(), store_.words.end(), "operator_in_emergency"),
            store_.words.end());
  EXPECT_TRUE(epochs_->revocations().at(1).emergency);
  overlay_.operators.emergency = false;
  start_again();
  EXPECT_TRUE(epochs_->revocations().at(1).emergency) << "and it stays written";
  EXPECT_TRUE(epochs_->takes_many());
}

TEST_F(StatementsTest, RowsThatSayWhatCannotBeStopTheStart) {
  begin();
  auto& row = store_.sealed_rows.at({std::string(kQuorumRows), "state"});
  const OverlayVault vault(vault_key_, {1});
  row = vault.seal(kQuorumRows, "state", row.version, "signet-quorum-v1\n0\n");
  start_again();
  EXPECT_FALSE(loaded_.ok());
  EXPECT_FALSE(epochs_->is_loaded());
}

// Without them the settings would make operators anew, or a revocation be off the list.
TEST_F(StatementsTest, RowsThatSomebodyTookAwayStopTheStart) {
  begin_with_two();
  ASSERT_EQ(say(OperatorAction::kRevoke, id_of("bob")), "done");
  ASSERT_EQ(say(OperatorAction::kThreshold, "0.75"), "done");
  const auto rows = store_.sealed_rows;
  const std::pair<std::string, std::string> taken[] = {{std::string(kQuorumRows), "state"},
                                                       {std::string(kStatementRows), "2"}};
  for (const auto& place : taken) {
    SCOPED_TRACE(place.first);
    store_.sealed_rows = rows;
    ASSERT_EQ(store_.sealed_rows.erase(place), 1U);
    start_again();
    ASSERT_FALSE(loaded_.ok());
    EXPECT_EQ(loaded_.error().code, ErrorCode::kMalformed);
    EXPECT_FALSE(epochs_->is_loaded());
    const std::uint64_t serial = epochs_->quorum() == nullptr ? 0 : 2;
    EXPECT_EQ(epochs_->revocations_serial(), serial);
  }
  store_.sealed_rows = rows;
  start_again();
  EXPECT_TRUE(loaded_.ok());
}

}  // namespace
}  // namespace signet::controller
