// Truth tables: every rule with its reason, each option, every pair of options, standings.
#include "overlay/rule.h"

#include <gtest/gtest.h>

#include <functional>

#include "overlay/rule_case_for_test.h"
#include "overlay/rule_steps.h"

namespace signet::overlay {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

struct Row {
  const char* name;
  std::function<void(Node&, RuleParameters&)> arrange;
  Standing standing;
  Because because;
  const char* reason;
};

void expect(const Row& row) {
  Node node = node_with(Score{920'000});
  RuleParameters parameters;
  if (row.arrange) row.arrange(node, parameters);
  ASSERT_TRUE(check(parameters).ok()) << row.name;
  const Decision decision = decide(node, row.standing, parameters, kEpoch, kNow);
  EXPECT_EQ(decision.because, row.because) << row.name;
  EXPECT_EQ(decision.reason, row.reason) << row.name;
  EXPECT_EQ(decision.verdict == Verdict::kAllowed, row.because == Because::kGood) << row.name;
  EXPECT_NE(decision.verdict, Verdict::kUnknown) << row.name;
}

void set(Node& node, std::int32_t millionths, std::chrono::milliseconds age) {
  report(node, "poc-0.1", Score{millionths}, age);
}

// A member that the rule denied in epoch 40.
void left(Node& node) {
  node.verdict = Verdict::kDenied;
  node.verdict_since = 40;
  node.first_epoch = 7;
  node.denied_by_rule = true;
}

TEST(Rule, DecidesInThePagesOrderAndWords) {
  using N = Node;
  using P = RuleParameters;
  constexpr Standing kIn = Standing::kAdmitted;
  // clang-format off
  const Row rows[] = {
      {"good", nullptr, kIn, Because::kGood, "score 0.92 >= 0.70, fresh"},
      {"nothing submitted", [](N& n, P&) { n.reports.clear(); }, kIn, Because::kNoBenchmark,
       "no benchmark submitted"},
      {"too old", [](N& n, P&) { set(n, 920'000, 130s); }, kIn, Because::kTooOld,
       "benchmark too old (130s > 120s)"},
      {"as old as may be", [](N& n, P&) { set(n, 920'000, 120s); }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"a millisecond older", [](N& n, P&) { set(n, 920'000, 120'001ms); }, kIn, Because::kTooOld,
       "benchmark too old (120.001s > 120s)"},
      {"less than a second older", [](N& n, P&) { set(n, 920'000, 120'400ms); }, kIn,
       Because::kTooOld, "benchmark too old (120.4s > 120s)"},
      {"seconds that are not over do not count", [](N& n, P&) { set(n, 920'000, 130'999ms); }, kIn,
       Because::kTooOld, "benchmark too old (130s > 120s)"},
      {"an age that is no whole second", [](N& n, P& p) { set(n, 920'000, 2s); p.max_age = 1'500ms; },
       kIn, Because::kTooOld, "benchmark too old (2s > 1.5s)"},
      {"a time ahead is fresh", [](N& n, P&) { set(n, 920'000, -30s); }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"below", [](N& n, P&) { set(n, 650'000, 0s); }, kIn, Because::kBelow,
       "score 0.65 < threshold 0.70"},
      {"as much as it takes", [](N& n, P&) { set(n, 700'000, 0s); }, kIn, Because::kGood,
       "score 0.70 >= 0.70, fresh"},
      {"a millionth less", [](N& n, P&) { set(n, 699'999, 0s); }, kIn, Because::kBelow,
       "score 0.699999 < threshold 0.700000"},
      {"a millionth more", [](N& n, P&) { set(n, 700'001, 0s); }, kIn, Because::kGood,
       "score 0.700001 >= 0.700000, fresh"},
      {"nothing at all", [](N& n, P&) { set(n, 0, 0s); }, kIn, Because::kBelow,
       "score 0.00 < threshold 0.70"},
      {"all there is", [](N& n, P&) { set(n, 1'000'000, 0s); }, kIn, Because::kGood,
       "score 1.00 >= 0.70, fresh"},
      {"a threshold of nothing", [](N& n, P& p) { set(n, 0, 0s); p.threshold = Score{0}; }, kIn,
       Because::kGood, "score 0.00 >= 0.00, fresh"},
      {"age comes before the score", [](N& n, P&) { set(n, 100'000, 121s); }, kIn, Because::kTooOld,
       "benchmark too old (121s > 120s)"},
      {"the newest of several counts", [](N& n, P&) { report(n, "a", Score{100'000}, 20s); }, kIn,
       Because::kGood, "score 0.92 >= 0.70, fresh"},
      {"be it the worse one", [](N& n, P&) { report(n, "z", Score{100'000}, 5s); }, kIn,
       Because::kBelow, "score 0.10 < threshold 0.70"},
      {"of one time the lower one", [](N& n, P&) { report(n, "a", Score{100'000}, 10s); }, kIn,
       Because::kBelow, "score 0.10 < threshold 0.70"},
      {"of one time the lower one, by whatever name",
       [](N& n, P&) { report(n, "z", Score{100'000}, 10s); }, kIn, Because::kBelow,
       "score 0.10 < threshold 0.70"},
      {"a new node that is good", nullptr, Standing::kUnknown, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"quarantined by the rule and good again", [](N& n, P&) { left(n); }, Standing::kQuarantined,
       Because::kGood, "score 0.92 >= 0.70, fresh"},
      {"quarantined by an operator", nullptr, Standing::kQuarantined, Because::kQuarantined,
       "quarantined by an operator"},
      {"by an operator comes before no report", [](N& n, P&) { n.reports.clear(); },
       Standing::kQuarantined, Because::kQuarantined, "quarantined by an operator"},
      {"revoked", nullptr, Standing::kRevoked, Because::kRevoked, "revoked"},
      {"revoked, whatever the rule once did", [](N& n, P&) { left(n); }, Standing::kRevoked,
       Because::kRevoked, "revoked"},
      {"an operator comes before the list", [](N&, P& p) { p.only_listed = true; },
       Standing::kQuarantined, Because::kQuarantined, "quarantined by an operator"},
      {"not listed", [](N&, P& p) { p.only_listed = true; p.listed = {"node-b"}; }, kIn,
       Because::kNotListed, "not on the list"},
      {"the list comes before no report", [](N& n, P& p) { n.reports.clear(); p.only_listed = true; },
       kIn, Because::kNotListed, "not on the list"},
      {"listed", [](N&, P& p) { p.only_listed = true; p.listed = {"node-a"}; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh [listed]"},
      {"a list that is not on", [](N&, P& p) { p.listed = {"node-b"}; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
  };
  // clang-format on
  for (const Row& row : rows) expect(row);
}

// A member with a history of ten, all 0.90, whose last report is counted unless it changes.
void with_history(Node& node) {
  node.trend.samples = 10;
  node.trend.smoothed = node.trend.last = Score{900'000};
  node.trend.counted = kNow - 70s;
  node.trend.reference_samples = 10;
  node.trend.reference_sum = 9'000'000;
}

TEST(Rule, ShowsWhatEachOptionDid) {
  using N = Node;
  using P = RuleParameters;
  constexpr Standing kIn = Standing::kAdmitted;
  constexpr Standing kOut = Standing::kQuarantined;
  constexpr Standing kNew = Standing::kUnknown;
  // clang-format off
  const Row rows[] = {
      {"weights", [](N& n, P& p) { report(n, "net", Score{720'000}, 5s);
                                   p.weights = {{"net", 1}, {"poc-0.1", 3}}; },
       kIn, Because::kGood, "score 0.87 >= 0.70, fresh [weighted over 2 suites]"},
      {"one weight", [](N& n, P& p) { report(n, "net", Score{720'000}, 5s); p.weights = {{"net", 9}}; },
       kIn, Because::kGood, "score 0.72 >= 0.70, fresh [weighted over 1 suite]"},
      {"a suite with a weight and no report",
       [](N&, P& p) { p.weights = {{"net", 1}, {"poc-0.1", 3}}; }, kIn, Because::kNoBenchmark,
       "no benchmark submitted [of suite net]"},
      {"a suite with a weight that is too old", [](N& n, P& p) { report(n, "net", Score{720'000}, 125s);
                                                p.weights = {{"net", 1}, {"poc-0.1", 3}}; },
       kIn, Because::kTooOld, "benchmark too old (125s > 120s) [of suite net]"},
      {"an old report without a weight", [](N& n, P& p) { report(n, "net", Score{720'000}, 125s);
                                                           p.weights = {{"poc-0.1", 3}}; },
       kIn, Because::kGood, "score 0.92 >= 0.70, fresh [weighted over 1 suite]"},

      {"smoothing holds a drop", [](N& n, P& p) { with_history(n); set(n, 300'000, 10s);
                                                  p.smoothing_permille = 300; },
       kIn, Because::kGood, "score 0.72 >= 0.70, fresh [smoothed from 0.30]"},
      {"smoothing holds a rise", [](N& n, P& p) { with_history(n); n.trend.smoothed = Score{400'000};
                                                  p.smoothing_permille = 300; },
       kIn, Because::kBelow, "score 0.56 < threshold 0.70 [smoothed from 0.92]"},
      {"smoothing of the first", [](N&, P& p) { p.smoothing_permille = 300; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh [smoothed from 0.92]"},
      {"smoothing of one that is counted", [](N& n, P& p) { with_history(n); set(n, 900'000, 70s);
                                     n.trend.smoothed = Score{800'000}; p.smoothing_permille = 300; },
       kIn, Because::kGood, "score 0.80 >= 0.70, fresh [smoothed from 0.90]"},

      {"decay of a young one", [](N&, P& p) { p.decay_permille = 300; }, kIn, Because::kGood,
       "score 0.90 >= 0.70, fresh [decayed by 0.02]"},
      {"decay at the most age", [](N& n, P& p) { set(n, 920'000, 120s); p.decay_permille = 300; }, kIn,
       Because::kBelow, "score 0.64 < threshold 0.70 [decayed by 0.28]"},
      {"decay ahead of time", [](N& n, P& p) { set(n, 920'000, -5s); p.decay_permille = 300; }, kIn,
       Because::kGood, "score 0.92 >= 0.70, fresh [decayed by 0.00]"},
      {"all is lost at the most age", [](N& n, P& p) { set(n, 920'000, 120s); p.decay_permille = 1'000; },
       kIn, Because::kBelow, "score 0.00 < threshold 0.70 [decayed by 0.92]"},

      {"a failed proof", [](N& n, P& p) { n.signals.failed_proofs = 1; p.per_failed_proof = Score{300'000}; },
       kIn, Because::kBelow, "score 0.62 < threshold 0.70 [minus 0.30 for 1 failed proof]"},
      {"replays", [](N& n, P& p) { n.signals.replays = 2; p.per_replay = Score{50'000}; }, kIn,
       Because::kGood, "score 0.82 >= 0.70, fresh [minus 0.10 for 2 replays]"},
      {"lost leases", [](N& n, P& p) { n.signals.lost_leases = 3; p.per_lost_lease = Score{10'000}; }, kIn,
       Because::kGood, "score 0.89 >= 0.70, fresh [minus 0.03 for 3 lost leases]"},
      {"all signals", [](N& n, P& p) { n.signals = {2, 1, 1}; p.per_failed_proof = Score{100'000};
                       p.per_replay = Score{50'000}; p.per_lost_lease = Score{50'000}; }, kIn,
       Because::kBelow, "score 0.62 < threshold 0.70 [minus 0.30 for 2 failed proofs, 1 replay, 1 lost lease]"},
      {"signals that cost nothing", [](N& n, P&) { n.signals = {9, 9, 9}; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"no signals", [](N&, P& p) { p.per_replay = Score{50'000}; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"more signals than score", [](N& n, P& p) { n.signals.replays = 4'000'000'000;
                                                   p.per_replay = Score{1'000'000}; }, kIn,
       Because::kBelow, "score 0.00 < threshold 0.70 [minus 1.00 for 4000000000 replays]"},

      {"drift before there is a reference", [](N&, P& p) { p.drift_samples = 5; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh [drift after 1 of 5 samples]"},
      {"drift within its limit", [](N& n, P& p) { with_history(n); set(n, 750'000, 10s); p.drift_samples = 10; },
       kIn, Because::kGood, "score 0.75 >= 0.70, fresh [drift 0.13 of 0.30]"},
      {"drift beyond", [](N& n, P& p) { with_history(n); n.trend.drift = 200'000; set(n, 750'000, 10s);
                                        p.drift_samples = 10; },
       kIn, Because::kDrifted, "drifted by 0.33 > 0.30 below 0.90"},
      {"drift of one that is counted", [](N& n, P& p) { with_history(n); n.trend.drift = 200'000;
                         set(n, 750'000, 70s); n.trend.last = Score{750'000}; p.drift_samples = 10; },
       kIn, Because::kGood, "score 0.75 >= 0.70, fresh [drift 0.20 of 0.30]"},
      {"a low score comes before drift", [](N& n, P& p) { with_history(n); n.trend.drift = 200'000;
                                        set(n, 600'000, 10s); p.drift_samples = 10; },
       kIn, Because::kBelow, "score 0.60 < threshold 0.70 [drift 0.48 of 0.30]"},
      {"drift once, and off by now", [](N& n, P&) { with_history(n); n.trend.drift = 400'000; }, kIn,
       Because::kGood, "score 0.92 >= 0.70, fresh"},

      {"hysteresis: back only above more", [](N& n, P& p) { left(n); set(n, 720'000, 10s);
                                                            p.return_threshold = Score{750'000}; },
       kOut, Because::kBelow, "score 0.72 < threshold 0.75 [returning, 0.70 to stay]"},
      {"hysteresis: back", [](N& n, P& p) { left(n); set(n, 750'000, 10s);
                                            p.return_threshold = Score{750'000}; },
       kOut, Because::kGood, "score 0.75 >= 0.75, fresh [returning, 0.70 to stay]"},
      {"hysteresis: far below", [](N& n, P& p) { left(n); set(n, 500'000, 10s);
                                                 p.return_threshold = Score{750'000}; },
       kOut, Because::kBelow, "score 0.50 < threshold 0.75 [returning, 0.70 to stay]"},
      {"hysteresis: who is in stays", [](N& n, P& p) { set(n, 720'000, 10s);
                                                       p.return_threshold = Score{750'000}; },
       kIn, Because::kGood, "score 0.72 >= 0.70, fresh [0.75 to return]"},
      {"hysteresis: who leaves is told", [](N& n, P& p) { set(n, 690'000, 10s);
                                                          p.return_threshold = Score{750'000}; },
       kIn, Because::kBelow, "score 0.69 < threshold 0.70 [0.75 to return]"},
      {"hysteresis: a new node was never in", [](N& n, P& p) { left(n); set(n, 720'000, 10s);
                                                               p.return_threshold = Score{750'000}; },
       kNew, Because::kGood, "score 0.72 >= 0.70, fresh [0.75 to return]"},
      {"no hysteresis: back above the same", [](N& n, P&) { left(n); set(n, 720'000, 10s); }, kOut,
       Because::kGood, "score 0.72 >= 0.70, fresh"},

      {"dwelling", [](N& n, P& p) { left(n); p.dwell_epochs = 5; }, kOut, Because::kDwelling,
       "dwelling: 3 of 5 epochs"},
      {"its last epoch", [](N& n, P& p) { left(n); n.verdict_since = 38; p.dwell_epochs = 5; }, kOut,
       Because::kDwelling, "dwelling: 5 of 5 epochs"},
      {"the one behind it", [](N& n, P& p) { left(n); n.verdict_since = 37; p.dwell_epochs = 5; }, kOut,
       Because::kGood, "score 0.92 >= 0.70, fresh"},
      {"of an epoch that is to come", [](N& n, P& p) { left(n); n.verdict_since = 99; p.dwell_epochs = 5; },
       kOut, Because::kDwelling, "dwelling: 1 of 5 epochs"},
      {"a low score comes before dwelling", [](N& n, P& p) { left(n); set(n, 650'000, 0s);
                                                             p.dwell_epochs = 5; },
       kOut, Because::kBelow, "score 0.65 < threshold 0.70"},
      {"who is in does not dwell", [](N&, P& p) { p.dwell_epochs = 5; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"nor does a new node", [](N& n, P& p) { left(n); p.dwell_epochs = 5; }, kNew, Because::kGood,
       "score 0.92 >= 0.70, fresh"},

      {"probation begins", [](N&, P& p) { p.probation_epochs = 5; }, kNew, Because::kProbation,
       "on probation: 1 of 5 epochs"},
      {"probation goes on", [](N& n, P& p) { n.trend.good_samples = 1; p.probation_epochs = 5; },
       Standing::kProbation, Because::kProbation, "on probation: 2 of 5 epochs"},
      {"its last epoch", [](N& n, P& p) { n.trend.good_samples = 4; p.probation_epochs = 5; },
       Standing::kProbation, Because::kProbation, "on probation: 5 of 5 epochs"},
      {"and over", [](N& n, P& p) { n.trend.good_samples = 5; p.probation_epochs = 5; },
       Standing::kProbation, Because::kGood, "score 0.92 >= 0.70, fresh"},
      {"no epoch without a new report", [](N& n, P& p) { with_history(n); set(n, 900'000, 70s);
                                      n.trend.good_samples = 5; p.probation_epochs = 5; },
       Standing::kProbation, Because::kProbation, "on probation: 5 of 5 epochs"},
      {"a low score comes before probation", [](N& n, P& p) { set(n, 650'000, 0s); p.probation_epochs = 5; },
       Standing::kProbation, Because::kBelow, "score 0.65 < threshold 0.70"},
      {"who is in is not on probation", [](N&, P& p) { p.probation_epochs = 5; }, kIn, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
      {"nor who returns", [](N& n, P& p) { left(n); p.probation_epochs = 5; }, kOut, Because::kGood,
       "score 0.92 >= 0.70, fresh"},
  };
  // clang-format on
  for (const Row& row : rows) expect(row);
}

TEST(Rule, TakesTheStepsInTheirOrder) {
  Node node = node_with(Score{900'000});
  report(node, "net", Score{500'000}, 60s);
  node.trend.samples = 3;
  node.trend.smoothed = Score{1'000'000};
  node.signals.replays = 1;
  RuleParameters parameters;
  parameters.weights = {{"net", 1}, {"poc-0.1", 1}};
  parameters.smoothing_permille = 500;
  parameters.decay_permille = 400;
  parameters.per_replay = Score{80'000};
  const Steps steps = steps_of(node, parameters, kNow);
  EXPECT_EQ(steps.weighted, Score{700'000});
  EXPECT_EQ(steps.smoothed, Score{850'000});
  EXPECT_EQ(steps.age, 60s) << "the oldest's";
  EXPECT_EQ(steps.decayed, Score{680'000}) << "a fifth is lost at half of the age";
  EXPECT_EQ(steps.score, Score{600'000});
  EXPECT_EQ(steps.trend.smoothed, Score{850'000}) << "age and signals are no part of the history";
  EXPECT_EQ(decide(node, Standing::kAdmitted, parameters, kEpoch, kNow).reason,
            "score 0.60 < threshold 0.70 [weighted over 2 suites; smoothed from 0.70; decayed by "
            "0.17; minus 0.08 for 1 replay]");
}

TEST(Rule, FollowsWithTheStandingAndKeepsWhatIsNotItsOwn) {
  struct Case {
    const char* name;
    Standing standing;
    bool by_rule;
    bool is_good;
    std::uint32_t probation;
    Standing next;
    bool next_by_rule;
  };
  using enum Standing;
  // clang-format off
  const Case cases[] = {
      {"new and good", kUnknown, false, true, 0, kAdmitted, false},
      {"new and not good", kUnknown, false, false, 0, kUnknown, false},
      {"new, good, with probation", kUnknown, false, true, 2, kProbation, false},
      {"new, not good, with probation", kUnknown, false, false, 2, kUnknown, false},
      {"on probation and good", kProbation, false, true, 2, kProbation, false},
      {"on probation and not good", kProbation, false, false, 2, kProbation, false},
      {"on probation, which is off by now", kProbation, false, true, 0, kAdmitted, false},
      {"on probation that is off, not good", kProbation, false, false, 0, kProbation, false},
      {"in and good", kAdmitted, false, true, 0, kAdmitted, false},
      {"in and not good", kAdmitted, false, false, 0, kQuarantined, true},
      {"in and good, whatever was", kAdmitted, true, true, 2, kAdmitted, false},
      {"in and not good, with probation", kAdmitted, false, false, 2, kQuarantined, true},
      {"out by the rule and good", kQuarantined, true, true, 0, kAdmitted, false},
      {"out by the rule and good, with probation", kQuarantined, true, true, 2, kAdmitted, false},
      {"out by the rule and not good", kQuarantined, true, false, 0, kQuarantined, true},
      {"out by an operator and good", kQuarantined, false, true, 0, kQuarantined, false},
      {"out by an operator and not good", kQuarantined, false, false, 0, kQuarantined, false},
      {"revoked and good", kRevoked, false, true, 0, kRevoked, false},
      {"revoked and not good", kRevoked, false, false, 0, kRevoked, false},
      {"revoked while out by the rule", kRevoked, true, true, 2, kRevoked, false},
  };
  // clang-format on
  for (const Case& c : cases) {
    Node node = node_with(Score{c.is_good ? 900'000 : 100'000});
    node.denied_by_rule = c.by_rule;
    RuleParameters parameters;
    parameters.probation_epochs = c.probation;
    const Decision decision = decide(node, c.standing, parameters, kEpoch, kNow);
    apply(decision, kEpoch, node);
    EXPECT_EQ(decision.standing, c.next) << c.name;
    EXPECT_EQ(node.denied_by_rule, c.next_by_rule) << c.name;
  }
}

TEST(Rule, QuarantinesAMemberForEachDenialOfItsOwn) {
  struct Case {
    Because because;
    std::function<void(Node&, RuleParameters&)> arrange;
  };
  const Case cases[] = {
      {Because::kNotListed, [](Node&, RuleParameters& p) { p.only_listed = true; }},
      {Because::kNoBenchmark, [](Node& n, RuleParameters&) { n.reports.clear(); }},
      {Because::kTooOld, [](Node& n, RuleParameters&) { set(n, 920'000, 121s); }},
      {Because::kBelow, [](Node& n, RuleParameters&) { set(n, 600'000, 0s); }},
      {Because::kDrifted,
       [](Node& n, RuleParameters& p) {
         with_history(n);
         n.trend.drift = 500'000;
         p.drift_samples = 10;
       }},
  };
  for (const Case& c : cases) {
    Node node = node_with(Score{920'000});
    RuleParameters parameters;
    c.arrange(node, parameters);
    const Decision decision = decide(node, Standing::kAdmitted, parameters, kEpoch, kNow);
    EXPECT_EQ(decision.because, c.because);
    EXPECT_EQ(decision.standing, Standing::kQuarantined) << decision.reason;
    apply(decision, kEpoch, node);
    EXPECT_TRUE(node.denied_by_rule) << decision.reason;
  }
}

TEST(Rule, MovesTheHistoryByScoresThatWereComparedAlone) {
  RuleParameters parameters;
  Node node = node_with(Score{800'000});
  EXPECT_EQ(decide(node, Standing::kAdmitted, parameters, kEpoch, kNow).trend.samples, 1u);
  EXPECT_EQ(decide(node, Standing::kAdmitted, parameters, kEpoch, kNow).score, Score{800'000});
  for (const Standing standing : {Standing::kQuarantined, Standing::kRevoked}) {
    EXPECT_EQ(decide(node, standing, parameters, kEpoch, kNow).trend.samples, 0u);
    EXPECT_EQ(decide(node, standing, parameters, kEpoch, kNow).score, Score{0});
  }
  EXPECT_EQ(decide(node, Standing::kAdmitted, parameters, kEpoch, kNow + 10min).trend.samples, 0u);
  node.trend.good_samples = 3;
  EXPECT_EQ(decide(node, Standing::kProbation, parameters, kEpoch, kNow + 10min).trend.good_samples,
            0u)
      << "who is silent begins again";
}

TEST(Rule, IsAppliedToTheNode) {
  Node node = node_with(Score{800'000});
  node.signals = {1, 2, 3};
  Decision decision = decide(node, Standing::kUnknown, {}, 7, kNow);
  apply(decision, 7, node);
  EXPECT_EQ(node.verdict, Verdict::kAllowed);
  EXPECT_EQ(node.reason, "score 0.80 >= 0.70, fresh");
  EXPECT_EQ(node.verdict_since, 7u);
  EXPECT_EQ(node.first_epoch, 7u);
  EXPECT_EQ(node.trend.last, Score{800'000});
  EXPECT_EQ(node.signals.failed_proofs + node.signals.replays + node.signals.lost_leases, 0u);

  apply(decide(node, Standing::kAdmitted, {}, 8, kNow), 8, node);
  EXPECT_EQ(node.verdict_since, 7u) << "as before";
  decision = decide(node, Standing::kAdmitted, {}, 9, kNow + 10min);
  apply(decision, 9, node);
  EXPECT_EQ(node.verdict, Verdict::kDenied);
  EXPECT_EQ(node.verdict_since, 9u);
  EXPECT_EQ(node.first_epoch, 7u);
}

TEST(Rule, LeadsANewNodeThroughProbationDroppingAndReturning) {
  LifeForTest life;
  life.parameters.probation_epochs = 2;
  life.parameters.dwell_epochs = 3;
  life.parameters.return_threshold = Score{750'000};
  struct Epoch {
    const char* reason;
    std::int32_t score;  // 0: none
    Standing standing;
  };
  using enum Standing;
  // clang-format off
  const Epoch epochs[] = {
      {"no benchmark submitted", 0, kUnknown},
      {"score 0.65 < threshold 0.70 [0.75 to return]", 650'000, kUnknown},
      {"on probation: 1 of 2 epochs [0.75 to return]", 720'000, kProbation},
      {"score 0.65 < threshold 0.70 [0.75 to return]", 650'000, kProbation},
      {"on probation: 1 of 2 epochs [0.75 to return]", 720'000, kProbation},
      {"on probation: 1 of 2 epochs [0.75 to return]", 0, kProbation},
      {"on probation: 2 of 2 epochs [0.75 to return]", 720'000, kProbation},
      {"score 0.72 >= 0.70, fresh [0.75 to return]", 720'000, kAdmitted},
      {"score 0.69 < threshold 0.70 [0.75 to return]", 690'000, kQuarantined},
      {"dwelling: 2 of 3 epochs [returning, 0.70 to stay]", 800'000, kQuarantined},
      {"dwelling: 3 of 3 epochs [returning, 0.70 to stay]", 800'000, kQuarantined},
      {"score 0.72 < threshold 0.75 [returning, 0.70 to stay]", 720'000, kQuarantined},
      {"score 0.76 >= 0.75, fresh [returning, 0.70 to stay]", 760'000, kAdmitted},
      {"score 0.72 >= 0.70, fresh [0.75 to return]", 720'000, kAdmitted},
      {"score 0.72 >= 0.70, fresh [0.75 to return]", 0, kAdmitted},
      {"score 0.72 >= 0.70, fresh [0.75 to return]", 0, kAdmitted},
      {"benchmark too old (180s > 120s)", 0, kQuarantined},
  };
  // clang-format on
  for (const Epoch& epoch : epochs) {
    const std::string at = "epoch " + std::to_string(life.epoch + 1);
    const Decision decision =
        epoch.score == 0 ? life.decides() : life.decides_on(Score{epoch.score});
    EXPECT_EQ(decision.reason, epoch.reason) << at;
    EXPECT_EQ(decision.standing, epoch.standing) << at;
  }
}

TEST(SecondsText, NeverSaysThatAnAgeIsNotBeyondItsLimit) {
  struct Case {
    std::chrono::milliseconds age;
    std::chrono::milliseconds limit;
    const char* age_text;
    const char* limit_text;
  };
  const Case cases[] = {
      {130s, 120s, "130s", "120s"},         {121s, 120s, "121s", "120s"},
      {120'900ms, 120s, "120.9s", "120s"},  {120'990ms, 120s, "120.9s", "120s"},
      {120'099ms, 120s, "120.09s", "120s"}, {120'009ms, 120s, "120.009s", "120s"},
      {1'501ms, 1'500ms, "1.501s", "1.5s"}, {1'600ms, 1'550ms, "1.6s", "1.55s"},
      {2ms, 1ms, "0.002s", "0.001s"},       {100h, 24h, "360000s", "86400s"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(seconds_text(c.age, c.limit), c.age_text);
    EXPECT_EQ(seconds_text(c.limit), c.limit_text);
  }
}

}  // namespace
}  // namespace signet::overlay
