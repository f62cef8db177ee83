#include "signet/node/agent.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/captured_log_for_test.h"
#include "signet/node/fake_controller_for_test.h"

namespace signet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A node with all its surroundings. Its methods are what happens.
class AgentTest : public testing::Test {
 protected:
  AgentTest() : controller_(clock_) {
    kept_ = test_state();
    EXPECT_TRUE(disk_.write(kept_).ok());
    disk_.writes = 0;
  }

  void start() {
    agent_.reset();
    agent_ = std::make_unique<Agent>(options_,
                                     AgentPorts{controller_, tool_, disk_, suite_, key_, clock_,
                                                [](std::uint64_t bound) { return bound - 1; }},
                                     disk_.state());
  }
  // Turns for so long, as the loop does.
  void run_for(milliseconds time) {
    for (const Elapsed end = clock_.elapsed() + time; clock_.elapsed() < end;) {
      const milliseconds left = agent_->turn();
      clock_.advance(std::clamp(left, milliseconds(10), milliseconds(200)));
    }
  }
  // True after a report and a configuration.
  bool is_up() const { return !tool_.now.peers.empty(); }
  std::size_t count(std::string_view part) const {
    return static_cast<std::size_t>(
        std::count_if(controller_.targets.begin(), controller_.targets.end(),
                      [&](const std::string& each) { return each.find(part) != each.npos; }));
  }

  FakeClock clock_;
  CapturedLog log_;
  FakeController controller_;
  FakeTool tool_;
  FakeDisk disk_;
  FakeSuite suite_;
  crypto::SecretKey key_ = test_key(1);
  KeptState kept_;
  AgentOptions options_;
  std::unique_ptr<Agent> agent_;
};

TEST_F(AgentTest, ReportsAsksAppliesAndSaysSo) {
  start();
  run_for(seconds(3));
  EXPECT_EQ(tool_.keys(), (std::set<overlay::WireGuardKey>{test_wireguard(7), test_wireguard(8)}));
  EXPECT_EQ(tool_.now.private_key.text(), kept_.wireguard.text());
  EXPECT_EQ(tool_.now.listen_port, 51'999);
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{{}, 1}));
  EXPECT_EQ(disk_.state().in_use, 1U);
  EXPECT_EQ(agent_->counts().submissions, 1U);
}

TEST_F(AgentTest, AppliesOnlyWhatIsNew) {
  start();
  run_for(seconds(50));
  EXPECT_EQ(tool_.epochs, (std::vector<std::uint64_t>{1}));
  EXPECT_EQ(agent_->counts().submissions, 3U);
  const int writes = disk_.writes;
  controller_.peers = {7};
  run_for(seconds(3));
  EXPECT_EQ(tool_.keys(), (std::set<overlay::WireGuardKey>{test_wireguard(7)}));
  EXPECT_EQ(tool_.epochs.size(), 2U);
  EXPECT_EQ(disk_.writes, writes + 1);
}

TEST_F(AgentTest, SwitchesAtTheMomentAlsoWhenNobodyAnswers) {
  start();
  run_for(seconds(3));
  controller_.offer = {1, 2, {}, {}};
  run_for(seconds(3));
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{2, 1}));
  const WallTime moment = clock_.wall() + seconds(5);
  controller_.offer.moment = moment;
  run_for(seconds(3));
  controller_.is_away = true;
  WallTime switched;
  tool_.on_apply = [&] { switched = clock_.wall(); };
  run_for(seconds(4));
  EXPECT_EQ(epoch_of_keys(tool_.now), 2U);
  EXPECT_GE(switched, moment);
  EXPECT_LE(switched, moment + milliseconds(200));
  controller_.is_away = false;
  run_for(seconds(20));
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{2, 2}));
}

TEST_F(AgentTest, StaysAsItIsWhileTheControllerIsAway) {
  start();
  run_for(seconds(3));
  controller_.is_away = true;
  const std::size_t before = controller_.targets.size();
  run_for(seconds(600));
  EXPECT_EQ(tool_.epochs.size(), 1U);
  EXPECT_TRUE(is_up());
  // Polls are at most `retry_last` apart, and reports go on.
  EXPECT_LT(controller_.targets.size() - before, 250U);
  EXPECT_GT(controller_.targets.size() - before, 60U);
  controller_.is_away = false;
  run_for(seconds(30));
  EXPECT_EQ(controller_.said.uses, 1U);
}

TEST_F(AgentTest, BringsTunnelsUpFromTheDiskWithoutAController) {
  start();
  run_for(seconds(3));
  tool_.now = {};
  tool_.epochs.clear();
  controller_.is_away = true;
  start();
  EXPECT_EQ(tool_.epochs, (std::vector<std::uint64_t>{1})) << "before anybody is asked";
  EXPECT_TRUE(is_up());
}

TEST_F(AgentTest, WhoIsDeniedLosesItsPeersAndTheKeys) {
  start();
  run_for(seconds(3));
  controller_.allowed = false;
  controller_.reason = "score 0.30 < threshold 0.70";
  run_for(seconds(3));
  EXPECT_FALSE(is_up());
  EXPECT_FALSE(tool_.now.private_key.empty()) << "the interface stays what it is";
  EXPECT_TRUE(disk_.state().texts.empty());
  EXPECT_EQ(disk_.state().reason, "score 0.30 < threshold 0.70");
  controller_.is_away = true;
  tool_.now = {};
  start();
  run_for(seconds(10));
  EXPECT_FALSE(is_up()) << "and so it is after a restart";
  controller_.is_away = false;
  controller_.allowed = true;
  run_for(seconds(30));
  EXPECT_TRUE(is_up());
}

TEST_F(AgentTest, DeniedWithAFullDiskHasNoPeersEither) {
  start();
  run_for(seconds(3));
  disk_.fails = true;
  controller_.allowed = false;
  run_for(seconds(3));
  EXPECT_FALSE(is_up());
  controller_.is_away = true;
  run_for(seconds(30));
  EXPECT_FALSE(is_up()) << "it is not forgotten while nobody says it again";
  disk_.fails = false;
  run_for(seconds(30));
  EXPECT_EQ(disk_.state().allowed, false);
}

TEST_F(AgentTest, NothingIsReportedThatTheDiskDidNotTake) {
  start();
  run_for(seconds(3));
  disk_.fails = true;
  controller_.offer = {1, 2, {}, {}};
  const auto submissions = controller_.sequences.size();
  run_for(seconds(60));
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{{}, 1}));
  EXPECT_EQ(controller_.sequences.size(), submissions) << "no sequence that is not kept";
  disk_.fails = false;
  run_for(seconds(10));
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{2, 1}));
}

TEST_F(AgentTest, KeysThatCouldNotBeAppliedAreNotSaidToBeUsed) {
  start();
  run_for(seconds(3));
  controller_.offer = {1, 2, clock_.wall(), {}};
  tool_.on_apply = [&] { tool_.fails = true; };
  run_for(seconds(10));
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{2, 1}));
  tool_.on_apply = nullptr;
  tool_.fails = false;
  run_for(seconds(10));
  EXPECT_EQ(controller_.said, (dialects::NodeKeysSaid{2, 2}));
  EXPECT_EQ(epoch_of_keys(tool_.now), 2U);
}

TEST_F(AgentTest, AnInterfaceThatWasMadeAnewIsConfiguredAgain) {
  start();
  run_for(seconds(3));
  tool_.now = {};
  run_for(seconds(3));
  EXPECT_TRUE(is_up());
}

TEST_F(AgentTest, OlderAnswersAreRefusedLoudly) {
  start();
  run_for(seconds(3));
  (void)log_.take();
  controller_.epoch = 4;
  controller_.peers = {7, 8, 9};
  run_for(seconds(30));
  EXPECT_EQ(tool_.keys().size(), 2U);
  const std::string told = log_.take();
  EXPECT_NE(told.find("older_epoch"), std::string::npos);
  EXPECT_NE(told.find("\"level\":\"error\""), std::string::npos);
  EXPECT_EQ(told.find("older_epoch"), told.rfind("older_epoch")) << "once in a while";
  EXPECT_GT(agent_->counts().answers[static_cast<std::size_t>(AnswerFault::kOlderEpoch)], 5U);
}

TEST_F(AgentTest, AnAnswerToAnOlderFreshKeyIsOpened) {
  start();
  run_for(seconds(3));
  // The next report arrives, its answer does not; nor did the controller seal to it yet.
  const auto sealed_to = controller_.fresh;
  controller_.on_ask = [&](const std::string& target) {
    if (!target.starts_with("/v1/benchmarks/")) controller_.fresh = sealed_to;
  };
  controller_.peers = {7};
  run_for(seconds(25));
  EXPECT_EQ(controller_.sequences.size(), 2U);
  EXPECT_EQ(tool_.keys().size(), 1U);
  EXPECT_EQ(agent_->counts().answers[static_cast<std::size_t>(AnswerFault::kNotOpened)], 0U);
}

TEST_F(AgentTest, AfterAStartItReportsBeforeItCanOpen) {
  start();
  run_for(seconds(3));
  suite_.is_slow = true;
  start();
  run_for(seconds(5));
  EXPECT_GT(agent_->counts().answers[static_cast<std::size_t>(AnswerFault::kNotOpened)], 0U);
  EXPECT_TRUE(is_up()) << "with what it kept";
  suite_.is_slow = false;
  run_for(seconds(10));
  EXPECT_EQ(controller_.said.uses, 1U);
}

TEST_F(AgentTest, ASlowSuiteKeepsNoPeerIn) {
  start();
  run_for(seconds(3));
  suite_.is_slow = true;
  run_for(seconds(30));
  controller_.peers = {7};
  run_for(seconds(3));
  EXPECT_EQ(tool_.keys().size(), 1U);
}

TEST_F(AgentTest, AFailingSuiteReportsNothing) {
  suite_.fails = true;
  start();
  run_for(seconds(60));
  EXPECT_TRUE(controller_.sequences.empty());
  EXPECT_EQ(agent_->counts().suites_failed, 3U);
  EXPECT_NE(log_.take().find("node.suite_failed"), std::string::npos);
}

TEST_F(AgentTest, WhoLostItsCountGoesOnFromAHigherOne) {
  controller_.sequences = {1'000};
  start();
  run_for(seconds(20));
  ASSERT_GE(controller_.sequences.size(), 2U);
  EXPECT_GT(controller_.sequences.back(), 1'000U);
  EXPECT_EQ(disk_.state().sequence, controller_.sequences.back());
  EXPECT_TRUE(is_up());
}

TEST_F(AgentTest, RefusalsOfTheControllerChangeNothing) {
  start();
  run_for(seconds(3));
  for (const char* code : {"unproven", "rate_limited", "unavailable", "revoked", "malformed"}) {
    controller_.refuse = code;
    run_for(seconds(40));
    EXPECT_TRUE(is_up()) << code;
    EXPECT_NE(log_.take().find(code), std::string::npos) << code;
  }
}

TEST_F(AgentTest, OnceEndsWithAReportAndAConfigurationThatWasToldBack) {
  start();
  int turns = 0;
  while (!agent_->once()) {
    ASSERT_LT(++turns, 10);
    clock_.advance(std::min(agent_->turn(), milliseconds(100)));
  }
  EXPECT_TRUE(agent_->once()->ok());
  EXPECT_TRUE(is_up());
  EXPECT_EQ(controller_.said.uses, 1U);
}

TEST_F(AgentTest, OnceGoesOnFromAHigherCountWhereItsOwnIsLost) {
  controller_.sequences = {1'000};
  start();
  int turns = 0;
  while (!agent_->once()) {
    ASSERT_LT(++turns, 200);
    clock_.advance(std::clamp(agent_->turn(), milliseconds(10), milliseconds(100)));
  }
  EXPECT_TRUE(agent_->once()->ok()) << agent_->once()->error().detail;
  EXPECT_GT(controller_.sequences.back(), 1'000U);
  EXPECT_EQ(agent_->counts().refused, 1U);
}

TEST_F(AgentTest, WhatIsNewIsSaidSoonAndNotAtOnce) {
  start();
  agent_->turn();
  ASSERT_TRUE(is_up());
  const std::size_t asked = count("/v1/config/");
  EXPECT_EQ(agent_->turn(), options_.look_every);
  EXPECT_EQ(count("/v1/config/"), asked);
  clock_.advance(options_.look_every);
  agent_->turn();
  EXPECT_EQ(count("/v1/config/"), asked + 1);
  EXPECT_EQ(controller_.said.uses, 1U);
}

TEST_F(AgentTest, WhoOnlyLooksSaysNothingOfKeysAndKeepsOnlyItsCount) {
  const KeptState before = disk_.state();
  CountOnlyStore count_only(disk_, copy_of(before));
  options_.looks_only = true;
  controller_.offer = {1, 2, {}, {}};
  agent_ = std::make_unique<Agent>(options_,
                                   AgentPorts{controller_, tool_, count_only, suite_, key_, clock_,
                                              [](std::uint64_t bound) { return bound - 1; }},
                                   disk_.state());
  run_for(seconds(25));
  EXPECT_TRUE(is_up()) << "it is shown what would be";
  EXPECT_TRUE(agent_->once() && agent_->once()->ok());
  EXPECT_EQ(controller_.said, dialects::NodeKeysSaid{});
  EXPECT_EQ(count("ready="), 0U);
  EXPECT_EQ(count("uses="), 0U);
  KeptState wanted = copy_of(before);
  wanted.sequence = controller_.sequences.back();
  EXPECT_GT(wanted.sequence, before.sequence);
  EXPECT_EQ(disk_.text.text(), write_kept(wanted).text());
  agent_.reset();  // before what it writes to
}

TEST_F(AgentTest, AnOldDenialIsObeyedLoudly) {
  controller_.epoch = 5;
  start();
  run_for(seconds(3));
  ASSERT_TRUE(is_up());
  (void)log_.take();
  controller_.epoch = 2;
  controller_.allowed = false;
  run_for(seconds(5));
  EXPECT_FALSE(is_up());
  EXPECT_NE(log_.take().find("node.older_denial_taken"), std::string::npos);
  controller_.allowed = true;
  run_for(seconds(30));
  EXPECT_FALSE(is_up()) << "an old answer brings nobody back";
  controller_.epoch = 5;
  run_for(seconds(30));
  EXPECT_TRUE(is_up());
}

TEST_F(AgentTest, AnAnswerThatIsTooLongIsToldAsThat) {
  controller_.is_away = true;
  controller_.away = {ErrorCode::kUnavailable, "answer_too_long: more than may be asked for"};
  start();
  run_for(seconds(3));
  const std::string told = log_.take();
  EXPECT_NE(told.find("too_long"), std::string::npos);
  EXPECT_EQ(told.find("node.controller_away"), std::string::npos);
  EXPECT_GT(agent_->counts().unanswered, 0U);
}

TEST(SuiteOnThread, ItsEndTellsTheSuiteToStop) {
  std::atomic<bool> has_seen{false};
  {
    const auto task = suite_on_thread([&](const std::atomic<bool>& stop) -> Result<SuiteReport> {
      for (int i = 0; i < 20'000 && !stop; ++i) std::this_thread::sleep_for(milliseconds(1));
      has_seen = stop.load();
      return Error{ErrorCode::kUnavailable, "stopped"};
    });
    task->start();
  }
  EXPECT_TRUE(has_seen);
}

TEST_F(AgentTest, OnceSaysWhatStandsInTheWay) {
  controller_.is_away = true;
  start();
  agent_->turn();
  ASSERT_TRUE(agent_->once());
  EXPECT_FALSE(agent_->once()->ok());
}

TEST_F(AgentTest, AtItsEndTunnelsStayUnlessItIsAskedOtherwise) {
  for (const bool down : {false, true}) {
    options_.down_on_exit = down;
    start();
    int turns = 0;
    agent_->run([&] { return ++turns > 10; }, [&](milliseconds time) { clock_.advance(time); });
    EXPECT_EQ(is_up(), !down);
    clock_.advance(seconds(1));
  }
}

// ---- revocations

dialects::RevocationList list_of_agent(std::uint64_t serial, unsigned char signer,
                                       unsigned char revoked) {
  membership::OperatorStatement statement;
  statement.mesh = kTestMesh;
  statement.action = membership::OperatorAction::kRevoke;
  statement.target = "member-eve";
  statement.serial = serial;
  statement.policy_version = 1;
  statement.expires = WallTime{1'767'620'090'123};
  dialects::Revocation entry;
  entry.statement = statement.text();
  const crypto::SecretKey ann = test_key(11);
  entry.signatures.push_back({ann.public_key(), ann.sign(bytes_of(entry.statement))});
  entry.wireguard = test_wireguard(revoked);
  dialects::RevocationList list;
  list.mesh = kTestMesh;
  list.serial = serial;
  list.entries.push_back(std::move(entry));
  const crypto::SecretKey key = test_key(signer);
  list.signer = key.public_key();
  list.signature = key.sign(bytes_of(dialects::text_to_sign(list)));
  return list;
}

TEST_F(AgentTest, ARevokedPeerIsGoneWhateverALaterConfigurationSays) {
  start();
  run_for(seconds(3));
  controller_.revocations = 3;
  controller_.revocations_body = dialects::write_revocations(list_of_agent(3, 9, 8));
  run_for(seconds(3));
  EXPECT_EQ(tool_.keys(), (std::set<overlay::WireGuardKey>{test_wireguard(7)}));
  EXPECT_EQ(disk_.state().revocations.serial, 3U);
  EXPECT_EQ(count("/v1/revocations"), 1U) << "a list that is known is not asked for again";
  // The controller is set back, and then forgets.
  controller_.revocations = 2;
  run_for(seconds(5));
  EXPECT_GT(agent_->counts().answers[static_cast<std::size_t>(AnswerFault::kOlderRevocations)], 0U);
  controller_.revocations = 4;
  controller_.revocations_body = dialects::write_revocations(list_of_agent(4, 9, 6));
  start();
  run_for(seconds(5));
  EXPECT_EQ(tool_.keys(), (std::set<overlay::WireGuardKey>{test_wireguard(7)}));
  EXPECT_EQ(disk_.state().revocations.keys.size(), 2U);
}

TEST_F(AgentTest, AListOfAnotherSignerIsRefusedLoudly) {
  controller_.revocations = 3;
  controller_.revocations_body = dialects::write_revocations(list_of_agent(3, 9, 6));
  start();
  run_for(seconds(3));
  ASSERT_EQ(disk_.state().revocations.serial, 3U);
  controller_.revocations = 4;
  controller_.revocations_body = dialects::write_revocations(list_of_agent(4, 10, 8));
  run_for(seconds(5));
  EXPECT_EQ(disk_.state().revocations.serial, 3U);
  EXPECT_EQ(tool_.keys().size(), 2U) << "nor does it take a peer away";
  EXPECT_NE(log_.take().find("other_signer"), std::string::npos);
}

TEST_F(AgentTest, AFullDiskKeepsNoRevokedPeerIn) {
  start();
  run_for(seconds(3));
  disk_.fails = true;
  controller_.revocations = 3;
  controller_.revocations_body = dialects::write_revocations(list_of_agent(3, 9, 8));
  run_for(seconds(3));
  EXPECT_EQ(tool_.keys(), (std::set<overlay::WireGuardKey>{test_wireguard(7)}));
}

TEST_F(AgentTest, AListWithASerialBelowItsNewestEntryIsRefused) {
  dialects::RevocationList list = list_of_agent(4, 9, 8);
  list.serial = 3;
  list.signature = test_key(9).sign(bytes_of(dialects::text_to_sign(list)));
  controller_.revocations = 4;
  controller_.revocations_body = dialects::write_revocations(list);
  start();
  run_for(seconds(3));
  EXPECT_EQ(disk_.state().revocations, KeptRevocations{});
  EXPECT_NE(log_.take().find("node.revocations_refused"), std::string::npos);
}

// ---- crashes

struct Crash {};

// A crash at every single step of a change of keys through all its phases, and a start behind it.
class AgentCrash : public AgentTest {
 protected:
  void step() {
    if (++steps_ == crash_at_) throw Crash{};
  }
  void watch_everything() {
    disk_.on_write = [this] { step(); };
    disk_.on_written = [this] { step(); };
    tool_.on_apply = [this] { step(); };
    controller_.on_ask = [this](const std::string& target) {
      check(target);
      step();
    };
  }
  // What is reported is on disk; what is used is applied; nothing goes back.
  void check(const std::string& target) {
    const KeptState on_disk = disk_.state();
    if (const auto query = target.find('?'); query != std::string::npos) {
      const auto said = dialects::read_keys_said(target.substr(query + 1));
      ASSERT_TRUE(said);
      EXPECT_TRUE(!said->ready || has_text(on_disk, *said->ready)) << target;
      if (said->uses) {
        EXPECT_EQ(on_disk.in_use, *said->uses) << target;
        EXPECT_EQ(epoch_of_keys(tool_.now), *said->uses) << target;
        EXPECT_GE(*said->uses, used_);
        used_ = *said->uses;
      }
    }
    if (target.starts_with("/v1/benchmarks/")) {
      EXPECT_GT(on_disk.sequence, sequence_) << "no sequence is sent twice";
      sequence_ = on_disk.sequence;
    }
    move_keys();
  }
  static bool has_text(const KeptState& state, std::uint64_t epoch) {
    return std::any_of(state.texts.begin(), state.texts.end(),
                       [&](const KeptText& each) { return each.epoch == epoch; });
  }
  // The controller goes on as soon as the node said what it waits for.
  void move_keys() {
    overlay::KeyOffer& offer = controller_.offer;
    const dialects::NodeKeysSaid& said = controller_.said;
    if (offer.current == 3) return;
    if (!offer.next && said.uses == offer.current) {
      offer = {offer.current, offer.current + 1, {}, {}};
    } else if (offer.next && !offer.moment && said.ready == offer.next) {
      offer.moment = clock_.wall() + seconds(1);
    } else if (offer.next && said.uses == offer.next) {
      offer = {*offer.next, {}, {}, offer.current};
    }
  }
  // True when it ran to its end without a crash.
  bool run_until_settled() {
    clock_.advance(milliseconds(5));  // a start takes time
    try {
      start();
      for (int i = 0; i < 400; ++i) {
        if (controller_.offer.current == 3 && controller_.said.uses == 3U) return true;
        clock_.advance(std::clamp(agent_->turn(), milliseconds(10), milliseconds(200)));
      }
    } catch (const Crash&) {
      return false;
    }
    ADD_FAILURE() << "it never came to the third keys; crash at " << crash_at_;
    return false;
  }

  int steps_ = 0;
  int crash_at_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t sequence_ = 0;
};

TEST_F(AgentCrash, AtNoStepDoesAReportPrecedeTheDisk) {
  watch_everything();
  ASSERT_TRUE(run_until_settled());
  const int all = steps_;
  EXPECT_GT(all, 30);
  for (int at = 1; at <= all; ++at) {
    SCOPED_TRACE(at);
    controller_.offer = {1, {}, {}, {}};
    controller_.said = {};
    controller_.sequences.clear();
    controller_.fresh.reset();
    tool_.now = {};
    steps_ = 0;
    used_ = 0;
    sequence_ = 0;
    crash_at_ = 0;
    disk_.on_write = nullptr;
    disk_.on_written = nullptr;
    ASSERT_TRUE(disk_.write(test_state()).ok());
    watch_everything();
    crash_at_ = at;
    ASSERT_FALSE(run_until_settled());
    crash_at_ = 0;
    ASSERT_TRUE(run_until_settled());
  }
}

// Half of what it did is lost with a disk of before: the controller says so, and it finds back.
TEST_F(AgentTest, ADiskOfYesterdayIsNoEnd) {
  start();
  run_for(seconds(3));
  const SecretBytes yesterday = copy_of(disk_.text);
  run_for(seconds(100));
  disk_.text = copy_of(yesterday);
  start();
  run_for(seconds(30));
  EXPECT_EQ(controller_.said.uses, 1U);
  EXPECT_GE(controller_.sequences.size(), 7U);
}

}  // namespace
}  // namespace signet::node
