// Stories of nodes that change their keys, and of an operator's word against the rule's.
#include "controller/epochs_story_for_test.h"

namespace signet::controller {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

class RekeyTest : public EpochsStory {
 protected:
  static crypto::PublicKey key_of(const std::string& name) {
    return membership::key_of(name).public_key();
  }
  // As node-`name` says it, signed with the key of `by` just now.
  NodeRekeyed said(const std::string& name, const std::string& by) {
    NodeRekeyed wanted{"node-" + name, std::nullopt, std::nullopt, {}};
    wanted.word = NodeRekeyed::Word{key_of(by), clock_.wall()};
    return wanted;
  }
  std::string rekey(const NodeRekeyed& wanted) {
    std::optional<NodeAnswer> got;
    on_control([&] { epochs_->rekey(wanted, [&](NodeAnswer answer) { got = answer; }); });
    settle();
    return got ? word(*got) : "no answer";
  }
  // Signed with the key of `by`.
  std::string submit_as(const std::string& name, const std::string& by, double overall) {
    auto made = submission(name, overall);
    made.signature = membership::key_of(by).sign(bytes_of(made.signed_text));
    return submit(made);
  }
  const overlay::Node& node(const std::string& name) { return *epochs_->node("node-" + name); }
};

TEST_F(RekeyTest, AnotherKeyForWireGuardIsThePeersWithTheNextConfiguration) {
  begin_with_two();
  const auto fresh = wireguard_of("fresh");
  auto told = submission("ann", 0.9);
  told.fresh_key = fresh;
  ASSERT_EQ(submit(told), "ok");
  const overlay::Node before = node("ann");
  NodeRekeyed wanted = said("ann", "ann");
  wanted.wireguard = wireguard_of("ann's next");
  EXPECT_EQ(rekey(wanted), "ok");
  const overlay::Node& after = node("ann");
  EXPECT_EQ(after.wireguard, wireguard_of("ann's next"));
  EXPECT_EQ(after.key, before.key);
  EXPECT_EQ(after.address, before.address);
  EXPECT_EQ(after.sequence, before.sequence);
  EXPECT_EQ(after.verdict, overlay::Verdict::kAllowed);
  EXPECT_FALSE(after.fresh_key.has_value()) << "nothing is sealed to the old fresh key any more";
  // Both ends come to one key at once, whichever of them asks first.
  const auto anns = epochs_->configuration("node-ann"), bobs = epochs_->configuration("node-bob");
  ASSERT_EQ(anns.peers.size(), 1U);
  ASSERT_EQ(bobs.peers.size(), 1U);
  EXPECT_EQ(bobs.peers[0].key, wireguard_of("ann's next"));
  EXPECT_EQ(anns.peers[0].current.bytes.text(), bobs.peers[0].current.bytes.text());
}

TEST_F(RekeyTest, EachRefusalChangesNothing) {
  begin_with_two();
  NodeRekeyed late = said("ann", "ann");
  late.wireguard = wireguard_of("late");
  on_control([&] { clock_.advance(1ms); });
  NodeRekeyed good = said("ann", "ann");
  good.wireguard = wireguard_of("good");
  NodeRekeyed nobody = said("zoe", "zoe");
  NodeRekeyed of_bob = said("ann", "bob");
  of_bob.wireguard = wireguard_of("x");
  NodeRekeyed same_wireguard = said("ann", "ann");
  same_wireguard.wireguard = wireguard_of("bob");
  NodeRekeyed key_of_bob = said("ann", "ann");
  key_of_bob.key = key_of("bob");
  NodeRekeyed key_of_eve = said("ann", "ann");
  key_of_eve.key = key_of("eve");
  NodeRekeyed no_key = said("ann", "ann");
  no_key.key = crypto::PublicKey{};
  struct Row {
    const char* name;
    NodeRekeyed wanted;
    const char* answer;
  };
  const Row rows[] = {
      {"no such node", nobody, "unproven"},
      {"signed by another", of_bob, "unproven"},
      {"a WireGuard key of another", same_wireguard, "key_taken"},
      {"the key of another member", key_of_bob, "key_taken"},
      {"a key that was revoked", key_of_eve, "revoked"},
      {"a key that signs nothing", no_key, "bad_key"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const overlay::Node before = node("ann");
    EXPECT_EQ(rekey(row.wanted), row.answer);
    EXPECT_TRUE(node("ann") == before);
  }
  EXPECT_EQ(rekey(good), "ok");
  EXPECT_EQ(rekey(good), "replayed");
  EXPECT_EQ(rekey(late), "replayed") << "an old one brings no old key back";
  on_control([&] { clock_.advance(1ms); });
  good.word->at = clock_.wall();
  EXPECT_EQ(rekey(good), "ok") << "the same again, said anew";
  EXPECT_EQ(node("ann").wireguard, wireguard_of("good"));
  set_standing("bob", Standing::kRevoked);
  NodeRekeyed revoked = said("bob", "bob");
  revoked.wireguard = wireguard_of("y");
  EXPECT_EQ(rekey(revoked), "revoked");
}

TEST_F(RekeyTest, AnotherKeyThatSignsTakesTheMembersPlaceAndEndsTheOldOne) {
  begin_with_two();
  const overlay::Node before = node("ann");
  NodeRekeyed wanted = said("ann", "ann");
  wanted.key = key_of("anna");
  EXPECT_EQ(rekey(wanted), "ok");
  EXPECT_EQ(standing("ann"), Standing::kRevoked);
  ASSERT_NE(member("anna"), nullptr);
  EXPECT_EQ(standing("anna"), Standing::kAdmitted);
  EXPECT_EQ(member("anna")->role, member("ann")->role);
  EXPECT_EQ(node("ann").member, member("anna")->number);
  EXPECT_EQ(node("ann").address, before.address);
  EXPECT_EQ(node("ann").sequence, 0U) << "what the old key signed is nothing any more";
  EXPECT_EQ(submit_as("ann", "ann", 0.9), "bad_signature");
  EXPECT_EQ(submit_as("ann", "anna", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.9), "ok");
  pass(1min);
  EXPECT_EQ(verdict("ann"), "ALLOWED score 0.90 >= 0.70, fresh");
  EXPECT_EQ(rekey(said("ann", "ann")), "unproven");
  EXPECT_EQ(join(node_of("ann")), "revoked") << "the old key is final";
  restart();
  begin();
  EXPECT_EQ(node("ann").key, key_of("anna"));
  NodeRekeyed again = wanted;
  EXPECT_EQ(rekey(again), "unproven") << "over a restart";
}

TEST_F(RekeyTest, AnotherKeyIsNoWayOutOfAQuarantine) {
  begin_with_two();
  set_standing("bob", Standing::kQuarantined);
  quiet();
  NodeRekeyed wanted = said("bob", "bob");
  wanted.key = key_of("bobby");
  EXPECT_EQ(rekey(wanted), "not_invited") << "on its own word";
  EXPECT_EQ(node("bob").key, key_of("bob"));
  NodeRekeyed same = wanted;
  same.key = key_of("bob");
  same.wireguard = wireguard_of("bob's next");
  EXPECT_EQ(rekey(same), "ok") << "another WireGuard key changes nothing of that";
  wanted.word.reset();
  EXPECT_EQ(rekey(wanted), "ok") << "by the operators' word";
  EXPECT_EQ(standing("bobby"), Standing::kQuarantined);
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit_as("bob", "bobby", 0.99), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob"), "DENIED quarantined by an operator");
  EXPECT_EQ(standing("bobby"), Standing::kQuarantined);
}

TEST_F(RekeyTest, SoManyChangesOfTheKeyAreItsOwnAndTheNextTheOperators) {
  begin_with_two();
  std::string by = "ann";
  std::vector<MemberNumber> before;
  const auto next = [&](const std::string& name) {
    on_control([&] { clock_.advance(1ms); });
    NodeRekeyed wanted = said("ann", by);
    wanted.key = key_of(name);
    return wanted;
  };
  for (std::size_t i = 0; i < overlay::kMostFormerMembers; ++i) {
    before.push_back(node("ann").member);
    const std::string name = "ann" + std::to_string(i);
    ASSERT_EQ(rekey(next(name)), "ok") << i;
    by = name;
  }
  EXPECT_EQ(node("ann").former, before);
  restart();
  begin();
  EXPECT_EQ(node("ann").former, before) << "it is on disk";
  for (const MemberNumber number : before) {
    ASSERT_NE(epochs_->successor_of(number), nullptr);
    EXPECT_EQ(epochs_->successor_of(number)->name, "node-ann");
  }
  EXPECT_EQ(epochs_->successor_of(node("ann").member), nullptr) << "it is that one still";
  NodeRekeyed wanted = next("anna");
  EXPECT_EQ(rekey(wanted), "not_invited");
  wanted.word.reset();
  EXPECT_EQ(rekey(wanted), "ok") << "by the operators' word";
  EXPECT_EQ(node("ann").former.size(), overlay::kMostFormerMembers + 1);
  EXPECT_EQ(node("ann").key, key_of("anna"));
}

TEST_F(RekeyTest, OfTwoNodesThatWantOneKeyAtOnceOneHasIt) {
  begin_with_two();
  std::vector<std::string> answers;
  on_control([&] {
    for (const char* name : {"ann", "bob"}) {
      NodeRekeyed wanted = said(name, name);
      wanted.key = key_of("zoe");
      epochs_->rekey(wanted, [&](const NodeAnswer& answer) { answers.push_back(word(answer)); });
    }
  });
  settle();
  EXPECT_EQ(answers, (std::vector<std::string>{"key_taken", "ok"}));
  EXPECT_EQ(node("ann").key, key_of("zoe"));
  EXPECT_EQ(node("bob").key, key_of("bob"));
  NodeRekeyed other = said("bob", "bob");
  other.key = key_of("bobby");
  EXPECT_EQ(rekey(other), "ok") << "another one is free";
}

TEST_F(RekeyTest, OperatorsGiveAKeyToANodeThatLostItsOwn) {
  begin_with_two();
  NodeRekeyed wanted{"node-ann", std::nullopt, key_of("anna"), {}};
  EXPECT_EQ(rekey(wanted), "ok");
  EXPECT_EQ(rekey(wanted), "ok") << "the same again";
  EXPECT_EQ(node("ann").wireguard, wireguard_of("ann"));
  EXPECT_EQ(standing("ann"), Standing::kRevoked);
  EXPECT_EQ(submit_as("ann", "anna", 0.9), "ok");
}

TEST_F(RekeyTest, WhoTookTheOldKeyHasNotSpentTheNumbersOfTheNewOne) {
  begin_with_two();
  auto last = submission("ann", 0.9);
  last.sequence = std::uint64_t{1} << 53;
  ASSERT_EQ(submit(last), "ok") << "the highest that there is";
  EXPECT_EQ(submit("ann", 0.9), "replayed");
  EXPECT_EQ(rekey({"node-ann", std::nullopt, key_of("anna"), {}}), "ok");
  EXPECT_EQ(submit_as("ann", "anna", 0.9), "ok");
  EXPECT_EQ(submit(last), "bad_signature");
}

TEST_F(RekeyTest, WhatIsNotOnDiskDidNotHappen) {
  begin_with_two();
  NodeRekeyed wanted = said("ann", "ann");
  wanted.key = key_of("anna");
  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  EXPECT_EQ(rekey(wanted), "unavailable");
  EXPECT_EQ(node("ann").key, key_of("ann"));
  EXPECT_EQ(standing("ann"), Standing::kAdmitted);
  EXPECT_EQ(member("anna"), nullptr);
  EXPECT_EQ(rekey(wanted), "ok") << "the same again: nothing of it was kept";
}

// The rule denied it, and an operator quarantines it as well: nothing changes in its standing, but
// only an operator lifts it from then on.
TEST_F(RekeyTest, AnOperatorsQuarantineOutlastsTheRules) {
  begin_with_two();
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.3), "ok");
  pass(1min);
  ASSERT_EQ(standing("bob"), Standing::kQuarantined);
  EXPECT_TRUE(node("bob").denied_by_rule);
  set_standing("bob", Standing::kQuarantined);
  EXPECT_FALSE(node("bob").denied_by_rule);
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.95), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob"), "DENIED quarantined by an operator");
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
  set_standing("bob", Standing::kAdmitted);
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.95), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob"), "ALLOWED score 0.95 >= 0.70, fresh");

  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  Status refused = status_of([&](auto answer) {
    controller_->set_standing({1}, key_of("bob"), Standing::kQuarantined, answer);
  });
  EXPECT_FALSE(refused.ok());
}

}  // namespace
}  // namespace signet::controller
