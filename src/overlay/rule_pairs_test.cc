// Every pair of options on one node, so that none hides or changes what another did.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <utility>

#include "overlay/rule_case_for_test.h"

namespace signet::overlay {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

// Each does something to a member that the rule denied two epochs ago. For the pairs with probation
// it is a new node, which neither dwells nor returns.
struct Option {
  const char* name;
  void (*turn_on)(RuleParameters& p);
};
const Option kOptions[] = {
    {"weights",
     [](RuleParameters& p) {
       p.weights = {{"net", 1}, {"poc-0.1", 1}};
     }},
    {"smoothing", [](RuleParameters& p) { p.smoothing_permille = 500; }},
    {"decay", [](RuleParameters& p) { p.decay_permille = 240; }},
    {"signals", [](RuleParameters& p) { p.per_replay = Score{70'000}; }},
    {"drift", [](RuleParameters& p) { p.drift_samples = 10; }},
    {"hysteresis", [](RuleParameters& p) { p.return_threshold = Score{860'000}; }},
    {"dwelling", [](RuleParameters& p) { p.dwell_epochs = 5; }},
    {"probation", [](RuleParameters& p) { p.probation_epochs = 5; }},
    {"list",
     [](RuleParameters& p) {
       p.only_listed = true;
       p.listed = {"node-a"};
     }},
};

Node the_node() {
  Node node = node_with(Score{900'000});  // 10 s old
  report(node, "net", Score{800'000}, 60s);
  node.trend.samples = 10;
  node.trend.counted = kNow - 70s;
  node.trend.last = Score{960'000};
  node.trend.smoothed = Score{960'000};
  node.trend.reference_samples = 10;
  node.trend.reference_sum = 9'600'000;
  node.trend.drift = 90'000;
  node.trend.good_samples = 1;
  node.signals.replays = 2;
  node.verdict = Verdict::kDenied;
  node.verdict_since = 40;
  node.denied_by_rule = true;
  return node;
}

std::string decided(const Option& one, const Option& other) {
  RuleParameters parameters;
  one.turn_on(parameters);
  other.turn_on(parameters);
  const bool is_new = parameters.probation_epochs > 0;
  const Standing standing = is_new ? Standing::kProbation : Standing::kQuarantined;
  return decide(the_node(), standing, parameters, kEpoch, kNow).reason;
}

TEST(RulePairs, ShowBothInOneReason) {
  struct Row {
    const char* one;
    const char* other;
    const char* reason;
  };
  // clang-format off
  const Row rows[] = {
      {"weights", "smoothing",
       "score 0.91 >= 0.70, fresh [weighted over 2 suites; smoothed from 0.85]"},
      {"weights", "decay", "score 0.75 >= 0.70, fresh [weighted over 2 suites; decayed by 0.10]"},
      {"weights", "signals",
       "score 0.71 >= 0.70, fresh [weighted over 2 suites; minus 0.14 for 2 replays]"},
      {"weights", "drift",
       "score 0.85 >= 0.70, fresh [weighted over 2 suites; drift 0.18 of 0.30]"},
      {"weights", "hysteresis",
       "score 0.85 < threshold 0.86 [weighted over 2 suites; returning, 0.70 to stay]"},
      {"weights", "dwelling", "dwelling: 3 of 5 epochs [weighted over 2 suites]"},
      {"weights", "probation", "on probation: 2 of 5 epochs [weighted over 2 suites]"},
      {"weights", "list", "score 0.85 >= 0.70, fresh [weighted over 2 suites; listed]"},
      {"smoothing", "decay", "score 0.91 >= 0.70, fresh [smoothed from 0.90; decayed by 0.02]"},
      {"smoothing", "signals",
       "score 0.79 >= 0.70, fresh [smoothed from 0.90; minus 0.14 for 2 replays]"},
      {"smoothing", "drift", "score 0.93 >= 0.70, fresh [smoothed from 0.90; drift 0.13 of 0.30]"},
      {"smoothing", "hysteresis",
       "score 0.93 >= 0.86, fresh [smoothed from 0.90; returning, 0.70 to stay]"},
      {"smoothing", "dwelling", "dwelling: 3 of 5 epochs [smoothed from 0.90]"},
      {"smoothing", "probation", "on probation: 2 of 5 epochs [smoothed from 0.90]"},
      {"smoothing", "list", "score 0.93 >= 0.70, fresh [smoothed from 0.90; listed]"},
      {"decay", "signals", "score 0.74 >= 0.70, fresh [decayed by 0.02; minus 0.14 for 2 replays]"},
      {"decay", "drift", "score 0.88 >= 0.70, fresh [decayed by 0.02; drift 0.13 of 0.30]"},
      {"decay", "hysteresis",
       "score 0.88 >= 0.86, fresh [decayed by 0.02; returning, 0.70 to stay]"},
      {"decay", "dwelling", "dwelling: 3 of 5 epochs [decayed by 0.02]"},
      {"decay", "probation", "on probation: 2 of 5 epochs [decayed by 0.02]"},
      {"decay", "list", "score 0.88 >= 0.70, fresh [decayed by 0.02; listed]"},
      {"signals", "drift",
       "score 0.76 >= 0.70, fresh [minus 0.14 for 2 replays; drift 0.13 of 0.30]"},
      {"signals", "hysteresis",
       "score 0.76 < threshold 0.86 [minus 0.14 for 2 replays; returning, 0.70 to stay]"},
      {"signals", "dwelling", "dwelling: 3 of 5 epochs [minus 0.14 for 2 replays]"},
      {"signals", "probation", "on probation: 2 of 5 epochs [minus 0.14 for 2 replays]"},
      {"signals", "list", "score 0.76 >= 0.70, fresh [minus 0.14 for 2 replays; listed]"},
      {"drift", "hysteresis",
       "score 0.90 >= 0.86, fresh [drift 0.13 of 0.30; returning, 0.70 to stay]"},
      {"drift", "dwelling", "dwelling: 3 of 5 epochs [drift 0.13 of 0.30]"},
      {"drift", "probation", "on probation: 2 of 5 epochs [drift 0.13 of 0.30]"},
      {"drift", "list", "score 0.90 >= 0.70, fresh [drift 0.13 of 0.30; listed]"},
      {"hysteresis", "dwelling", "dwelling: 3 of 5 epochs [returning, 0.70 to stay]"},
      {"hysteresis", "probation", "on probation: 2 of 5 epochs [0.86 to return]"},
      {"hysteresis", "list", "score 0.90 >= 0.86, fresh [returning, 0.70 to stay; listed]"},
      {"dwelling", "probation", "on probation: 2 of 5 epochs"},
      {"dwelling", "list", "dwelling: 3 of 5 epochs [listed]"},
      {"probation", "list", "on probation: 2 of 5 epochs [listed]"},
  };
  // clang-format on
  std::map<std::pair<std::string, std::string>, std::string> expected;
  for (const Row& row : rows) expected[{row.one, row.other}] = row.reason;
  for (const Option& one : kOptions) {
    for (const Option* other = &one + 1; other != std::end(kOptions); ++other) {
      EXPECT_EQ(decided(one, *other), (expected[{one.name, other->name}]))
          << one.name << " and " << other->name;
    }
  }
}

}  // namespace
}  // namespace signet::overlay
