#include <gtest/gtest.h>

#include "overlay/rule_case_for_test.h"

namespace signet::overlay {
namespace {

using membership::Standing;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

TEST(RuleExplain, ShowsThePlainRule) {
  const Lines lines = {
      "node node-a, epoch 42, at 2026-01-05T12:34:50.000Z",
      "standing: unknown",
      "last verdict: none yet",
      "report of suite poc-0.1: score 0.92, 10s old",
      "history: 0 samples",
      "seen by the broker: failed proofs 0, replays 0, lost leases 0",
      "parameters version 1: threshold 0.70, at most 120s old",
      "step age: 10s of 120s, suite poc-0.1",
      "step score: 0.92 of poc-0.1 0.92",
      "decision: ALLOWED, score 0.92 >= 0.70, fresh",
      "standing: unknown -> admitted",
  };
  EXPECT_EQ(explain(node_with(Score{920'000}), Standing::kUnknown, {}, kEpoch, kNow), lines);
}

TEST(RuleExplain, ShowsANodeThatNeverReported) {
  Node node;
  node.name = "node-b";
  RuleParameters parameters;
  parameters.weights = {{"net", 1}};
  const Lines lines = explain(node, Standing::kAdmitted, parameters, kEpoch, kNow);
  const Lines tail = {
      "reports: none",
      "history: 0 samples",
      "seen by the broker: failed proofs 0, replays 0, lost leases 0",
      "parameters version 1: threshold 0.70, at most 120s old",
      "  on: suite net weighs 1",
      "step: nothing to compare, no report of suite net",
      "decision: DENIED, no benchmark submitted [of suite net]",
      "standing: admitted -> quarantined",
  };
  EXPECT_EQ(Lines(lines.begin() + 3, lines.end()), tail);
}

Node of_long_standing() {
  Node node = node_with(Score{900'000});
  report(node, "net", Score{800'000}, 60s);
  report(node, "gpu", Score{100'000}, -1'500ms);
  node.trend.samples = 10;
  node.trend.counted = kNow - 70s;
  node.trend.last = node.trend.smoothed = Score{960'000};
  node.trend.reference_samples = 10;
  node.trend.reference_sum = 9'600'000;
  node.trend.drift = 90'000;
  node.trend.good_samples = 4;
  node.signals = {1, 2, 3};
  node.verdict = Verdict::kDenied;
  node.verdict_since = 20;
  node.first_epoch = 3;
  node.denied_by_rule = true;
  return node;
}

RuleParameters everything() {
  RuleParameters p;
  p.version = 9;
  p.smoothing_permille = 500;
  p.return_threshold = Score{750'000};
  p.dwell_epochs = 5;
  p.probation_epochs = 3;
  p.decay_permille = 100;
  p.weights = {{"net", 1}, {"poc-0.1", 3}};
  p.only_listed = true;
  p.listed = {"node-a", "node-b"};
  p.drift_samples = 10;
  p.per_failed_proof = Score{40'000};
  p.per_replay = Score{10'000};
  p.per_lost_lease = Score{5'000};
  return p;
}

TEST(RuleExplain, ShowsEveryOptionAndStep) {
  const std::string decision =
      "decision: ALLOWED, score 0.80 >= 0.75, fresh [weighted over 2 suites; smoothed from 0.88; "
      "decayed by 0.05; minus 0.08 for 1 failed proof, 2 replays, 3 lost leases; drift 0.16 of "
      "0.30; returning, 0.70 to stay; listed]";
  const Lines lines = {
      "node node-a, epoch 42, at 2026-01-05T12:34:50.000Z",
      "standing: quarantined, by the rule",
      "last verdict: DENIED since epoch 20, first judged in epoch 3",
      "report of suite gpu: score 0.10, 1.5s ahead",
      "report of suite net: score 0.80, 60s old",
      "report of suite poc-0.1: score 0.90, 10s old",
      "history: 10 samples, the last 0.96, smoothed 0.96, good on probation 4",
      "seen by the broker: failed proofs 1, replays 2, lost leases 3",
      "parameters version 9: threshold 0.70, at most 120s old",
      "  on: suite net weighs 1",
      "  on: suite poc-0.1 weighs 3",
      "  on: smoothing, the newest weighs 500 of 1000",
      "  on: decay, 100 of 1000 at 120s",
      "  on: a failed proof takes 0.04",
      "  on: a replay takes 0.01",
      "  on: a lost lease takes 0.005",
      "  on: drift, limit 0.30 and slack 0.02 below the first 10 samples",
      "  on: hysteresis, 0.75 to return",
      "  on: dwelling, 5 epochs",
      "  on: probation, 3 epochs",
      "  on: a list of 2 names",
      "step age: 60s of 120s, suite net",
      "step score: 0.875 of net 0.80, poc-0.1 0.90",
      "step smoothing: 0.875 -> 0.9175",
      "step decay: 0.9175 -> 0.871625",
      "step signals: 0.871625 -> 0.796625, 1 failed proof, 2 replays, 3 lost leases",
      "step drift: 0.155 below 0.96, limit 0.30",
      decision,
      "standing: quarantined -> admitted",
  };
  EXPECT_EQ(explain(of_long_standing(), Standing::kQuarantined, everything(), kEpoch, kNow), lines);
}

TEST(RuleExplain, SaysWhoSetAQuarantineAndWhatWasCountedBefore) {
  Node node = node_with(Score{920'000});
  apply(decide(node, Standing::kAdmitted, {}, kEpoch, kNow), kEpoch, node);
  const Lines lines = explain(node, Standing::kQuarantined, {}, kEpoch + 1, kNow);
  EXPECT_EQ(lines[1], "standing: quarantined, by an operator");
  EXPECT_EQ(lines[2], "last verdict: ALLOWED since epoch 42, first judged in epoch 42");
  EXPECT_EQ(lines[8], "step score: 0.92 of poc-0.1 0.92, counted before");
  EXPECT_EQ(lines.back(), "standing: quarantined -> quarantined");
}

TEST(RuleExplain, LetsNoTextOfANodeReachTheTerminal) {
  Node node;
  node.name = "node-a";
  report(node, "\x1b[2Jsuite\n\xe2\x80\xae\xff", Score{920'000}, 10s);
  for (const std::string& line : explain(node, Standing::kAdmitted, {}, kEpoch, kNow)) {
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << line;
  }
}

}  // namespace
}  // namespace signet::overlay
