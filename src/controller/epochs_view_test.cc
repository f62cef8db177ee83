// What operators can see of a node later: the decision with its inputs, over restarts and changed
// rules, its reports, and what the log says of it.
#include <gtest/gtest.h>

#include <random>

#include "controller/epochs.h"
#include "controller/story_for_test.h"
#include "crypto/hash.h"

namespace signet::controller {
namespace {

using overlay::Judgement;
using namespace std::chrono_literals;

class EpochsViewTest : public ControllerStory {
 protected:
  EpochsViewTest() { vault_key_.fill(7); }
  ~EpochsViewTest() override { control_.stop(); }

  void begin() {
    if (epochs_ == nullptr) start();
    on_control([&] {
      if (epochs_ != nullptr) epochs_->end_for_test();
      all_.push_back(std::make_unique<Epochs>(overlay_, MeshNumber{1},
                                              OverlayVault(vault_key_, {1}), control_, store_,
                                              clock_, *controller_, metrics_));
      epochs_ = all_.back().get();
      epochs_->log_to(log_);
      epochs_->at_decided([this] { ++heard_; });
    });
    EXPECT_TRUE(ask<Status>([&](auto answer) { epochs_->load(answer); }).ok());
    quiet();
  }
  void quiet() {
    for (int i = 0; i < 8; ++i) {
      on_control([&] { epochs_->turn(); });
      settle();
    }
  }
  void pass(std::chrono::milliseconds time) {
    on_control([&] { clock_.advance(time); });
    quiet();
  }
  void join(const std::string& member) {
    std::optional<NodeAnswer> got;
    const NewNode node{"node-" + member, membership::key_of(member).public_key(),
                       crypto::digest32("test-wireguard", {member}), ""};
    on_control([&] { epochs_->register_node(node, [&](NodeAnswer answer) { got = answer; }); });
    settle();
    ASSERT_TRUE(got && std::holds_alternative<Done>(*got)) << member;
  }
  void submit(const std::string& member, double overall) {
    overlay::Submission made;
    made.node = "node-" + member;
    made.timestamp = clock_.wall();
    made.suite = "poc-0.1";
    made.scores.emplace("overall", *overlay::Score::from(overall));
    made.sequence = ++sequence_;
    made.nonce = "n" + std::to_string(sequence_);
    made.signed_text = "what " + member + " said\nin lines " + made.nonce;
    made.signature = membership::key_of(member).sign(bytes_of(made.signed_text));
    std::optional<SubmissionAnswer> got;
    on_control(
        [&] { epochs_->submit(made, made.node, [&](SubmissionAnswer answer) { got = answer; }); });
    settle();
    ASSERT_TRUE(got && std::holds_alternative<Received>(*got)) << member;
  }
  void forget(const std::string& name) {
    std::optional<NodeAnswer> got;
    on_control([&] { epochs_->forget(name, [&](NodeAnswer answer) { got = answer; }); });
    settle();
    ASSERT_TRUE(got && std::holds_alternative<Done>(*got)) << name;
  }
  // What is kept comes to what was decided, under the rule that is kept.
  void expect_the_same(const std::string& name) {
    const Judgement* judged = epochs_->judgement(name);
    ASSERT_NE(judged, nullptr) << name;
    const overlay::RuleParameters* rule = epochs_->rule_of(judged->rule);
    ASSERT_NE(rule, nullptr) << name << ", version " << judged->rule;
    EXPECT_EQ(overlay::judge_again(*judged, *rule), *judged) << name << ": " << judged->reason;
    EXPECT_EQ(judged->verdict, epochs_->node(name)->verdict);
    EXPECT_EQ(judged->reason, epochs_->node(name)->reason);
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> told;
    for (const audit::Draft& draft : store_.logged) {
      told.push_back(std::string(audit::name_of(draft.event)) + " " + draft.code);
    }
    return told;
  }
  Result<std::vector<KeptReport>> reports(const std::string& name, std::uint64_t after,
                                          std::size_t limit) {
    return ask<Result<std::vector<KeptReport>>>(
        [&](auto answer) { epochs_->read_reports(name, after, limit, answer); });
  }
  std::size_t rows_of(const std::string& kind) const {
    std::size_t count = 0;
    for (const auto& [place, row] : store_.sealed_rows) count += place.first == kind ? 1 : 0;
    return count;
  }

  OverlayOptions overlay_;
  std::array<unsigned char, 32> vault_key_{};
  MetricRegistry metrics_;
  std::shared_ptr<const store::LogIdentity> log_ = std::make_shared<const store::LogIdentity>(
      store::LogIdentity{"signet/test", crypto::SecretKey::from_seed({1}),
                         audit::Pseudonyms(std::string(32, 'p'))});
  std::vector<std::unique_ptr<Epochs>> all_;
  Epochs* epochs_ = nullptr;
  std::uint64_t sequence_ = 0;
  int heard_ = 0;
};

TEST_F(EpochsViewTest, ADecisionIsMadeAgainFromWhatIsKeptOverRestartsAndRules) {
  overlay_.rule.smoothing_permille = 400;
  overlay_.rule.per_replay = *overlay::Score::from(0.05);
  overlay_.mass_denial_permille = 100;  // denials are held back as well
  begin();
  std::mt19937 random(42);
  for (const char* name : {"ann", "bob"}) join(name);
  EXPECT_EQ(epochs_->judgement("node-ann"), nullptr) << "nothing is decided yet";
  for (int epoch = 0; epoch < 30; ++epoch) {
    for (const char* name : {"ann", "bob"}) {
      if (random() % 4 != 0) submit(name, 0.4 + 0.01 * static_cast<double>(random() % 60));
    }
    if (random() % 3 == 0) {
      on_control([&] { epochs_->add_signals({1}, {0, 1, 0}); });
    }
    pass(1min);
    if (random() % 5 == 0) {
      overlay_.rule.threshold.millionths =
          500'000 + static_cast<std::int32_t>(random() % 9) * 50'000;
      begin();  // another daemon, with another configuration
    }
    for (const char* name : {"node-ann", "node-bob"}) expect_the_same(name);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(epochs_->rule().version, 3U) << "rules changed on the way";
  EXPECT_EQ(rows_of("verdict"), 2U) << "one a node";
}

TEST_F(EpochsViewTest, TheInputsAreThoseBeforeTheDecision) {
  overlay_.rule.per_replay = *overlay::Score::from(0.1);
  begin();
  join("ann");
  submit("ann", 0.75);
  on_control([&] { epochs_->add_signals({1}, {0, 1, 0}); });
  pass(1min);
  const Judgement* judged = epochs_->judgement("node-ann");
  ASSERT_NE(judged, nullptr);
  EXPECT_EQ(judged->node.verdict, overlay::Verdict::kUnknown);
  EXPECT_EQ(judged->node.signals.replays, 1U) << "which the node itself forgets";
  EXPECT_EQ(judged->node.trend.samples, 0U);
  EXPECT_EQ(judged->because, overlay::Because::kBelow);
  EXPECT_EQ(judged->epoch, 1U);
  EXPECT_EQ(judged->rule, 1U);
  EXPECT_EQ(epochs_->node("node-ann")->signals.replays, 0U);
}

TEST_F(EpochsViewTest, TheFirstRuleIsKeptAlsoWhereItIsTheDefault) {
  begin();
  join("ann");
  submit("ann", 0.9);
  pass(1min);
  EXPECT_EQ(rows_of("rule"), 1U);
  EXPECT_EQ(epochs_->rule().version, 1U);
  begin();
  EXPECT_EQ(epochs_->rule().version, 1U) << "the same rule is the same version";
  expect_the_same("node-ann");
}

TEST_F(EpochsViewTest, TheLogSaysWhoCameWhatWasDecidedAndWhatChanged) {
  begin();
  pass(1min);
  EXPECT_TRUE(entries().empty()) << "an epoch without nodes is no news";
  join("ann");
  join("bob");
  submit("ann", 0.92);
  pass(1min);
  using Lines = std::vector<std::string>;
  EXPECT_EQ(entries(),
            (Lines{"node_registered ", "node_registered ",
                   "epoch_decided epoch:2.rule:1.allowed:1.denied:1",
                   "verdict_changed allowed.good", "verdict_changed denied.no_benchmark"}));
  store_.logged.clear();
  submit("ann", 0.93);
  pass(1min);
  EXPECT_EQ(entries(), Lines{"epoch_decided epoch:3.rule:1.allowed:1.denied:1"})
      << "a repeat is no entry of its own";
  store_.logged.clear();
  forget("node-bob");
  EXPECT_EQ(entries(), Lines{"node_forgotten "});
  for (const audit::Draft& draft : store_.logged) {
    EXPECT_EQ(draft.subject, log_->pseudonyms.of_member({2}));
  }
}

TEST_F(EpochsViewTest, WithoutALogThereAreNoEntries) {
  log_ = nullptr;
  begin();
  join("ann");
  submit("ann", 0.9);
  pass(1min);
  forget("node-ann");
  EXPECT_TRUE(entries().empty());
}

TEST_F(EpochsViewTest, WhoIsForgottenLeavesNoRow) {
  begin();
  join("ann");
  join("bob");
  for (const char* name : {"ann", "bob"}) submit(name, 0.9);
  pass(1min);
  ASSERT_EQ(rows_of("verdict"), 2U);
  forget("node-ann");
  EXPECT_EQ(rows_of("verdict"), 1U);
  EXPECT_EQ(rows_of("node"), 1U);
  for (const store::SealedReport& report : store_.reports) EXPECT_EQ(report.name, "node-bob");
  EXPECT_EQ(epochs_->judgement("node-ann"), nullptr);
  join("ann");
  submit("ann", 0.9);
  pass(1min);
  begin();
  expect_the_same("node-ann");
}

TEST_F(EpochsViewTest, ReportsAreReadAsTheyWereSigned) {
  begin();
  join("ann");
  join("bob");
  for (const double score : {0.7, 0.8, 0.9}) submit("ann", score);
  submit("bob", 0.6);
  const auto all = reports("node-ann", 0, 10);
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 3U);
  EXPECT_EQ((*all)[0].signed_text, "what ann said\nin lines n1");
  const auto signature = membership::key_of("ann").sign(bytes_of((*all)[0].signed_text));
  EXPECT_EQ((*all)[0].signature, to_hex(signature));
  const auto rest = reports("node-ann", (*all)[1].number, 10);
  ASSERT_TRUE(rest.ok());
  ASSERT_EQ(rest->size(), 1U);
  EXPECT_EQ((*rest)[0].signed_text, "what ann said\nin lines n3");
  const auto newest = ask<Result<std::vector<KeptReport>>>(
      [&](auto answer) { epochs_->newest_reports("node-ann", 2, answer); });
  ASSERT_TRUE(newest.ok());
  ASSERT_EQ(newest->size(), 2U);
  EXPECT_EQ((*newest)[0].signed_text, "what ann said\nin lines n2");
  EXPECT_EQ((*newest)[1].signed_text, "what ann said\nin lines n3");
}

TEST_F(EpochsViewTest, AReportThatDoesNotOpenIsShownAsOne) {
  begin();
  join("ann");
  submit("ann", 0.7);
  store_.reports.front().bytes.back() ^= 1;
  const auto all = reports("node-ann", 0, 10);
  ASSERT_TRUE(all.ok());
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ((*all)[0].signed_text, "");
  EXPECT_EQ((*all)[0].signature, "");
}

TEST_F(EpochsViewTest, EachDecisionIsHeardWhenItIsOnDisk) {
  begin();
  join("ann");
  submit("ann", 0.9);
  const int before = heard_;
  store_.commit_answers = {Error{ErrorCode::kUnavailable, "scripted"}};
  on_control([&] { clock_.advance(1min); });
  on_control([&] { epochs_->turn(); });
  settle();
  EXPECT_EQ(heard_, before) << "it was not kept";
  quiet();
  EXPECT_EQ(heard_, before + 1);
}

}  // namespace
}  // namespace signet::controller
