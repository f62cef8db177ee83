// Stories of a mesh's overlay: ann, bob and eve (revoked) are its members, and each may be a node.
#include "controller/epochs.h"

#include <limits>

#include "controller/epochs_story_for_test.h"

namespace signet::controller {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

class EpochsTest : public EpochsStory {};

TEST_F(EpochsTest, ANodeIsTheCredentialOfOneMember) {
  overlay_.nodes = 2;
  begin();
  struct Row {
    const char* name;
    NewNode node;
    const char* answer;
  };
  NewNode bad_name = node_of("ann");
  bad_name.name = "a\nPostUp = x";
  NewNode bad_endpoint = node_of("ann");
  bad_endpoint.endpoint = "example.org:51820";
  NewNode stranger = node_of("zoe");
  NewNode with_endpoint = node_of("ann");
  with_endpoint.endpoint = "192.0.2.1:51820";
  NewNode taken = node_of("bob");
  taken.name = "node-ann";
  NewNode twice = node_of("ann");
  twice.name = "node-ann-2";
  NewNode same_wireguard = node_of("bob");
  same_wireguard.wireguard = wireguard_of("ann");
  const Row rows[] = {
      {"a name that is none", bad_name, "bad_name"},
      {"an endpoint that is a name", bad_endpoint, "bad_endpoint"},
      {"nobody's key", stranger, "not_invited"},
      {"a revoked member", node_of("eve"), "revoked"},
      {"a member", with_endpoint, "ok"},
      {"the same again", with_endpoint, "ok"},
      {"the name of another", taken, "name_taken"},
      {"one key for two nodes", twice, "key_taken"},
      {"one WireGuard key for two nodes", same_wireguard, "key_taken"},
      {"a second member", node_of("bob"), "ok"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(join(row.node), row.answer);
  }
  EXPECT_EQ(rows_of("node"), 2U);
  EXPECT_EQ(epochs_->node("node-ann")->address, 2U);
  EXPECT_EQ(epochs_->node("node-bob")->address, 3U);
}

TEST_F(EpochsTest, WhatIsNotOnDiskDidNotHappen) {
  begin();
  ASSERT_EQ(join(node_of("ann")), "ok");
  std::vector<std::string> answers;
  const auto good = submission("ann", 0.9);
  on_control([&] {
    epochs_->submit(good, good.node, [&](auto answer) { answers.push_back(word(answer)); });
  });
  EXPECT_TRUE(answers.empty());
  EXPECT_EQ(epochs_->node("node-ann")->sequence, 0U);
  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  settle();
  EXPECT_EQ(answers, std::vector<std::string>{"unavailable"});
  EXPECT_TRUE(store_.reports.empty());
  EXPECT_EQ(submit(good), "ok") << "the same again: nothing of it was kept";
  EXPECT_EQ(submit(good), "replayed");
  EXPECT_EQ(store_.reports.size(), 1U);

  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  EXPECT_EQ(join(node_of("bob")), "unavailable");
  EXPECT_EQ(epochs_->node("node-bob"), nullptr);
  EXPECT_EQ(join(node_of("bob")), "ok");
  EXPECT_EQ(epochs_->node("node-bob")->address, 4U) << "the place that was not taken rests";
}

TEST_F(EpochsTest, TwoReportsOfOneNodeAtOnceAreTakenOneBehindTheOther) {
  begin();
  ASSERT_EQ(join(node_of("ann")), "ok");
  std::vector<std::string> answers;
  const auto first = submission("ann", 0.9), second = submission("ann", 0.8);
  on_control([&] {
    for (const auto& each : {first, second, first}) {
      epochs_->submit(each, each.node, [&](auto answer) { answers.push_back(word(answer)); });
    }
  });
  settle();
  EXPECT_EQ(answers, (std::vector<std::string>{"ok", "ok", "replayed"}));
  EXPECT_EQ(epochs_->node("node-ann")->reports.at("poc-0.1").overall.millionths, 800'000);
}

TEST_F(EpochsTest, ASubmissionOverTheRateChangesNothing) {
  overlay_.submissions_burst = 2;
  begin();
  ASSERT_EQ(join(node_of("ann")), "ok");
  EXPECT_EQ(submit("ann", 0.9), "ok");
  EXPECT_EQ(submit("ann", 0.9), "ok");
  EXPECT_EQ(submit("ann", 0.9), "rate_limited");
  EXPECT_EQ(store_.reports.size(), 2U);
  auto forged = submission("ann", 0.9);
  forged.signature = membership::key_of("bob").sign(bytes_of(forged.signed_text));
  EXPECT_EQ(submit(forged), "bad_signature") << "who can't sign can't use up a rate";
}

TEST_F(EpochsTest, AnOriginalNodeIsMadeOnItsOwnWordWhereThatIsAllowed) {
  auto unsigned_one = [&](const std::string& name) {
    auto made = submission(name, 0.9);
    made.signature.reset();
    made.sequence.reset();
    return made;
  };
  begin();
  EXPECT_EQ(submit(unsigned_one("old")), "unknown_node");
  restart();
  overlay_.submissions.allow_unsigned = true;
  begin();
  EXPECT_EQ(submit(unsigned_one("old")), "ok");
  pass(1min);
  EXPECT_EQ(verdict("old"), "ALLOWED score 0.90 >= 0.70, fresh");
  const auto configuration = epochs_->configuration("node-old");
  ASSERT_TRUE(configuration.original.has_value());
  EXPECT_EQ(configuration.original->bytes.size(), 32U);
  EXPECT_TRUE(configuration.peers.empty()) << "it has no key of a pair";
}

// Two reports that anybody may send would make the user of Hub a node, and then quarantine it.
TEST_F(EpochsTest, WithoutASignatureNobodyReportsInTheNameOfAMember) {
  overlay_.submissions.allow_unsigned = true;
  begin();
  auto unsigned_one = [&](const std::string& name) {
    auto made = submission(name, 0.9);
    made.signature.reset();
    made.sequence.reset();
    return made;
  };
  const auto come = [&](const std::string& subject) {
    return ask<Result<MemberNumber>>(
        [&](auto answer) { controller_->admit_subject({1}, subject, "token", answer); });
  };
  ASSERT_TRUE(come("node-user").ok());
  EXPECT_EQ(submit(unsigned_one("user")), "unsigned");
  EXPECT_EQ(epochs_->node("node-user"), nullptr);

  // While a token's member is on its way to the disk it is a member as well.
  std::optional<SubmissionAnswer> got;
  const auto early = unsigned_one("gauge");
  on_control([&] {
    controller_->admit_subject({1}, "node-gauge", "token", [](const auto&) {});
    epochs_->submit(early, early.node, [&](SubmissionAnswer answer) { got = answer; });
  });
  settle();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(word(*got), "unsigned");

  // A node and its member are one commit: what fails leaves neither, and may come again.
  store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
  EXPECT_EQ(submit(unsigned_one("old")), "unavailable");
  EXPECT_EQ(mesh().member_with_id("node-old"), nullptr);
  EXPECT_EQ(submit(unsigned_one("old")), "ok");
  ASSERT_NE(mesh().member_with_id("node-old"), nullptr);
  const auto user = come("node-old");
  ASSERT_TRUE(user.ok());
  EXPECT_EQ(*user, epochs_->node("node-old")->member) << "who comes behind the node is the node";
}

TEST_F(EpochsTest, TwoFirstReportsOfOneNameAtOnceAreOneNode) {
  overlay_.submissions.allow_unsigned = true;
  begin();
  std::vector<std::string> answers;
  on_control([&] {
    for (const int later : {0, 1, 0}) {
      auto made = submission("old", 0.9);
      made.signature.reset();
      made.timestamp = made.timestamp + std::chrono::milliseconds(later);
      epochs_->submit(made, made.node, [&](auto answer) { answers.push_back(word(answer)); });
    }
  });
  settle();
  EXPECT_EQ(answers, (std::vector<std::string>{"ok", "ok", "replayed"}));
  EXPECT_EQ(rows_of("node"), 1U);
}

TEST_F(EpochsTest, WhoFallsBelowIsQuarantinedInTheSameCommitAndMayComeBack) {
  begin_with_two();
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
  ASSERT_EQ(submit("bob", 0.5), "ok");
  ASSERT_EQ(submit("ann", 0.9), "ok");
  shown_.clear();
  pass(1min);
  EXPECT_EQ(verdict("bob"), "DENIED score 0.50 < threshold 0.70");
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
  ASSERT_FALSE(shown_.empty()) << "each shard hears of it";
  EXPECT_EQ(shown_.front().narrowed, std::vector<MemberNumber>{{2}});
  EXPECT_EQ(epochs_->configuration("node-bob").allowed, false);
  EXPECT_TRUE(epochs_->configuration("node-bob").peers.empty());
  EXPECT_TRUE(epochs_->configuration("node-ann").peers.empty()) << "its peer is gone";

  ASSERT_EQ(submit("bob", 0.75), "ok") << "it may report while it is out";
  ASSERT_EQ(submit("ann", 0.9), "ok");
  pass(1min);
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
  EXPECT_EQ(epochs_->configuration("node-ann").peers.size(), 1U);
}

TEST_F(EpochsTest, AMemberThatWasNoneOfTheOverlayYetKeepsItsSockets) {
  begin();
  ASSERT_EQ(join(node_of("ann")), "ok");
  ASSERT_EQ(join(node_of("bob")), "ok");
  ASSERT_EQ(submit("bob", 0.5), "ok");
  pass(1min);
  pass(1min);
  EXPECT_EQ(verdict("ann"), "DENIED no benchmark submitted");
  EXPECT_EQ(verdict("bob").substr(0, 17), "DENIED score 0.50") << verdict("bob");
  EXPECT_EQ(standing("ann"), Standing::kAdmitted);
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
}

TEST_F(EpochsTest, WhatAnOperatorSaysStaysSaid) {
  begin_with_two();
  set_standing("bob", Standing::kQuarantined);
  quiet();
  EXPECT_EQ(verdict("bob").substr(0, 6), "DENIED") << "at once, not at the boundary";
  EXPECT_TRUE(epochs_->configuration("node-ann").peers.empty());
  ASSERT_EQ(submit("bob", 0.99), "ok");
  ASSERT_EQ(submit("ann", 0.9), "ok");
  pass(1min);
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
  set_standing("bob", Standing::kAdmitted);
  pass(1min);
  EXPECT_EQ(verdict("bob").substr(0, 7), "ALLOWED");

  set_standing("bob", Standing::kRevoked);
  quiet();
  EXPECT_EQ(verdict("bob").substr(0, 6), "DENIED");
  EXPECT_EQ(submit("bob", 0.99), "revoked");
}

TEST_F(EpochsTest, ManyDenialsAtOnceWaitForTheOperators) {
  for (int i = 10; i < 14; ++i) {
    const std::string name = "n" + std::to_string(i);
    store_.at_start.emplace_back(membership::MemberAdded{membership::member_named(i, 1, name), {}});
  }
  begin();
  for (int i = 10; i < 14; ++i) {
    const std::string name = "n" + std::to_string(i);
    ASSERT_EQ(join(node_of(name)), "ok");
    ASSERT_EQ(submit(name, 0.9), "ok");
  }
  pass(1min);
  for (int i = 10; i < 14; ++i)
    ASSERT_EQ(submit("n" + std::to_string(i), i == 10 ? 0.9 : 0.1), "ok");
  pass(1min);
  EXPECT_EQ(epochs_->held_denials().size(), 3U);
  EXPECT_EQ(verdict("n11"), "ALLOWED score 0.10 < threshold 0.70 [denial held for operators]");
  EXPECT_EQ(standing("n11"), Standing::kAdmitted);
  on_control([&] { epochs_->allow_mass_denial(); });
  pass(1min);
  EXPECT_TRUE(epochs_->held_denials().empty());
  EXPECT_EQ(standing("n11"), Standing::kQuarantined);
  EXPECT_EQ(standing("n10"), Standing::kAdmitted);
}

TEST_F(EpochsTest, ADecisionThatCantBeKeptIsMadeAgain) {
  begin_with_two();
  ASSERT_EQ(submit("bob", 0.5), "ok");
  ASSERT_EQ(submit("ann", 0.9), "ok");
  const std::uint64_t epoch = epochs_->state().decided;
  on_control([&] {
    store_.commit_answers.emplace_back(Error{ErrorCode::kUnavailable, "scripted"});
    clock_.advance(1min);
    epochs_->turn();
  });
  work();
  EXPECT_EQ(epochs_->state().decided, epoch);
  EXPECT_EQ(standing("bob"), Standing::kAdmitted);
  quiet();
  EXPECT_EQ(epochs_->state().decided, epoch + 1);
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
}

TEST_F(EpochsTest, CallsWaitForAStepAndAStepForWrites) {
  begin_with_two();
  std::vector<std::string> answers;
  const auto good = submission("ann", 0.9);
  on_control([&] {
    clock_.advance(1min);
    epochs_->turn();
    epochs_->submit(good, good.node, [&](auto answer) { answers.push_back(word(answer)); });
  });
  EXPECT_EQ(store_.reports.size(), 2U);
  settle();
  EXPECT_EQ(answers, std::vector<std::string>{"ok"});
  EXPECT_EQ(store_.reports.size(), 3U);
  const std::uint64_t epoch = epochs_->state().decided;
  const auto next = submission("ann", 0.9);
  on_control([&] {
    clock_.advance(1min);
    epochs_->submit(next, next.node, [&](auto answer) { answers.push_back(word(answer)); });
    epochs_->turn();
  });
  EXPECT_EQ(epochs_->state().decided, epoch);
  settle();
  EXPECT_EQ(epochs_->state().decided, epoch + 1);
  EXPECT_EQ(answers.size(), 2U);
}

TEST_F(EpochsTest, BothEndsOfAPairHaveTheSameKeysThroughAWholeChange) {
  begin_with_two();
  const auto key_of = [&](const std::string& member) {
    const auto configuration = epochs_->configuration("node-" + member);
    EXPECT_EQ(configuration.peers.size(), 1U);
    std::string keys;
    for (const PeerKeys& peer : configuration.peers) {
      keys += to_hex(peer.current.bytes.bytes());
      if (peer.other) keys += " " + to_hex(peer.other->bytes.bytes());
    }
    return keys;
  };
  std::set<std::uint64_t> used;
  for (int round = 0; round < 40; ++round) {
    ASSERT_EQ(submit("ann", 0.9), "ok");
    ASSERT_EQ(submit("bob", 0.9), "ok");
    for (int i = 0; i < 12; ++i) {
      const overlay::KeyOffer offer = epochs_->configuration("node-ann").keys;
      EXPECT_EQ(key_of("ann"), key_of("bob"));
      EXPECT_LE(rows_of("secret"), 2U);
      used.insert(offer.current);
      on_control([&] {
        for (const char* name : {"node-ann", "node-bob"}) {
          if (offer.next) epochs_->ready(name, *offer.next);
          epochs_->uses(name, offer.current);
        }
      });
      pass(5s);
    }
  }
  EXPECT_GT(used.size(), 10U) << "the keys did change";
  for (const auto& [place, row] : store_.sealed_rows) {
    EXPECT_EQ(row.bytes.find("node-"), std::string::npos) << "nothing is legible on disk";
  }
}

TEST_F(EpochsTest, ARestartGoesOnWhereItWas) {
  begin_with_two();
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(submit("ann", 0.92), "ok");
    ASSERT_EQ(submit("bob", 0.80), "ok");
    pass(1min);
  }
  ASSERT_GT(epochs_->state().decided, 5U);
  const auto state = epochs_->state();
  const std::string hash = epochs_->secret_hash();
  restart();
  begin();
  ASSERT_TRUE(loaded_.ok());
  EXPECT_EQ(epochs_->state().current, state.current);
  EXPECT_EQ(epochs_->state().decided, state.decided);
  EXPECT_EQ(epochs_->secret_hash(), hash);
  EXPECT_EQ(verdict("ann"), "ALLOWED score 0.92 >= 0.70, fresh");
  auto replay = submission("ann", 0.9);
  replay.sequence = 1;
  EXPECT_EQ(submit(replay), "replayed") << "its sequence is remembered";
}

// Nobody could report while it was away, so nobody is denied for it before there was time to.
TEST_F(EpochsTest, AControllerThatWasAwayDeniesNobodyForItsOwnSilence) {
  begin_with_two();
  restart();
  on_control([&] { clock_.advance(10min); });
  begin();
  set_standing("bob", Standing::kQuarantined);  // which decides at once
  quiet();
  EXPECT_EQ(verdict("ann").substr(0, 7), "ALLOWED") << verdict("ann");
  EXPECT_EQ(standing("ann"), Standing::kAdmitted);
  pass(10min);
  EXPECT_EQ(verdict("ann").substr(0, 6), "DENIED") << "but not for ever";
}

TEST_F(EpochsTest, NorWithinAnEpochThatIsLongerThanAReportCounts) {
  overlay_.epochs.length = 1h;
  overlay_.rule.max_age = 3s;
  begin();
  ASSERT_EQ(join(node_of("ann")), "ok");
  ASSERT_EQ(submit("ann", 0.9), "ok");
  pass(3s);
  ASSERT_EQ(verdict("ann").substr(0, 7), "ALLOWED");
  restart();
  on_control([&] { clock_.advance(4s); });
  begin();
  pass(2s);
  EXPECT_EQ(verdict("ann").substr(0, 7), "ALLOWED") << verdict("ann");
  pass(2s);
  EXPECT_EQ(verdict("ann").substr(0, 24), "DENIED benchmark too old") << "but not for ever";
}

// Both saw the same state, and the store takes one step from it: the other one stands still.
TEST_F(EpochsTest, OfTwoControllersOnOneStoreOneIssuesEpochs) {
  begin_with_two();
  begin();  // the first goes on
  ASSERT_EQ(all_.size(), 2U);
  const std::uint64_t before = epochs_->state().decided;
  ASSERT_EQ(all_[0]->state().decided, before);
  for (std::uint64_t boundary = 1; boundary <= 5; ++boundary) {
    for (const char* name : {"ann", "bob"}) ASSERT_EQ(submit(name, 0.9), "ok");
    on_control([&] {
      clock_.advance(1min);
      for (const std::size_t i : {boundary % 2, 1 - boundary % 2}) all_[i]->turn();
    });
    settle();
    for (int i = 0; i < 8; ++i) {
      on_control([&] {
        for (const auto& each : all_) each->turn();
      });
      settle();
    }
    EXPECT_EQ(all_[1]->state().decided, before + boundary) << "it was first";
    EXPECT_EQ(all_[0]->state().decided, before);
  }
  restart();
  begin();
  EXPECT_EQ(epochs_->state().decided, before + 5) << "what is on disk is the one's";
  EXPECT_EQ(epochs_->state(), all_[1]->state());
}

TEST_F(EpochsTest, UnderAnotherKeyNothingIsReadAndNothingDecided) {
  begin_with_two();
  const auto rows = store_.sealed_rows;
  restart();
  vault_key_.fill(8);
  begin();
  EXPECT_EQ(loaded_.error().code, ErrorCode::kMalformed);
  pass(10min);
  EXPECT_EQ(submit("ann", 0.9), "unavailable");
  EXPECT_EQ(rows.size(), store_.sealed_rows.size());
  restart();
  vault_key_.fill(7);
  std::swap(store_.sealed_rows.find({"node", "node-ann"})->second.bytes,
            store_.sealed_rows.find({"node", "node-bob"})->second.bytes);
  begin();
  EXPECT_EQ(loaded_.error().code, ErrorCode::kMalformed) << "rows can't be swapped";
}

TEST_F(EpochsTest, AForgottenNodeLeavesNothing) {
  begin_with_two();
  std::optional<NodeAnswer> got;
  on_control([&] { epochs_->forget("node-bob", [&](NodeAnswer answer) { got = answer; }); });
  settle();
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(word(*got), "ok");
  EXPECT_EQ(epochs_->node("node-bob"), nullptr);
  EXPECT_EQ(rows_of("node"), 1U);
  for (const auto& report : store_.reports) EXPECT_EQ(report.name, "node-ann");
  EXPECT_TRUE(epochs_->configuration("node-ann").peers.empty());
  EXPECT_EQ(epochs_->configuration("node-bob").reason, "no membership decision");
}

TEST_F(EpochsTest, WhatANodeReportedIsForgottenBehindTheRetention) {
  overlay_.report_retention = 1h;
  begin_with_two();
  auto other_suite = submission("ann", 0.9);
  other_suite.suite = "another";
  ASSERT_EQ(submit(other_suite), "ok");
  const std::uint64_t sequence = epochs_->node("node-bob")->sequence;
  for (int i = 0; i < 4; ++i) {
    ASSERT_EQ(submit("ann", 0.9), "ok");
    pass(1min);
  }
  ASSERT_EQ(verdict("bob").substr(0, 24), "DENIED benchmark too old");
  ASSERT_EQ(epochs_->node("node-bob")->reports.size(), 1U);
  std::string answer;
  on_control([&] {  // before anything is decided
    clock_.advance(2h);
    const auto fresh = submission("ann", 0.9);
    epochs_->submit(fresh, fresh.node, [&](auto got) { answer = word(got); });
  });
  settle();
  ASSERT_EQ(answer, "ok");
  quiet();

  const auto forgotten = [&] {
    const overlay::Node& bob = *epochs_->node("node-bob");
    const overlay::Judgement& judged = *epochs_->judgement("node-bob");
    EXPECT_TRUE(bob.reports.empty());
    EXPECT_EQ(bob.trend, overlay::Trend{});
    EXPECT_EQ(verdict("bob"), "DENIED no benchmark submitted");
    EXPECT_TRUE(judged.node.reports.empty()) << "nor is it in what was decided of";
    EXPECT_EQ(judged.node.trend, overlay::Trend{});
    EXPECT_EQ(judged.score, overlay::Score{});
    EXPECT_EQ(overlay::judge_again(judged, *epochs_->rule_of(judged.rule)), judged);
    EXPECT_EQ(bob.sequence, sequence) << "no replay becomes good by it";
  };
  forgotten();
  EXPECT_EQ(verdict("ann").substr(0, 7), "ALLOWED");
  EXPECT_EQ(epochs_->node("node-ann")->reports.size(), 1U) << "a suite that it left";
  const std::uint64_t version = store_.sealed_rows.at({"node", "node-bob"}).version;
  ASSERT_EQ(submit("ann", 0.9), "ok");
  pass(1min);
  EXPECT_EQ(store_.sealed_rows.at({"node", "node-bob"}).version, version) << "once";
  restart();
  on_control([&] { clock_.advance(3h); });
  begin();
  on_control([&] { epochs_->decide_now([](const Status&) {}); });
  quiet();
  forgotten();
  EXPECT_EQ(epochs_->node("node-ann")->reports.size(), 1U) << "nobody could report";
  EXPECT_EQ(verdict("ann").substr(0, 7), "ALLOWED");
}

TEST_F(EpochsTest, WhatTheBrokerSawOfAKeyCountsOnce) {
  overlay_.rule.per_replay = *overlay::Score::from(0.1);
  begin_with_two();
  on_control([&] { epochs_->add_signals({2}, {0, 3, 0}); });
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.9), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob").substr(0, 33), "DENIED score 0.60 < threshold 0.7") << verdict("bob");
  EXPECT_NE(verdict("bob").find("3 replays"), std::string::npos) << verdict("bob");
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.9), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob").substr(0, 7), "ALLOWED");
}

}  // namespace
}  // namespace signet::controller
