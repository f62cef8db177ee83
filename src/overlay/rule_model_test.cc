// The rule against the page's, written out slowly, and what must hold whatever the inputs are.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <tuple>

#include "overlay/rule_case_for_test.h"

namespace signet::overlay {
namespace {

using membership::Standing;
using namespace std::chrono_literals;
using Random = std::mt19937_64;

// protocol/overlay.md, line by line, for hundredths and whole seconds.
std::string pages_reason(std::optional<int> hundredths, int age_s) {
  char text[64];
  if (!hundredths) return "no benchmark submitted";
  if (age_s > 120) {
    std::snprintf(text, sizeof text, "benchmark too old (%ds > 120s)", age_s);
  } else if (*hundredths < 70) {
    std::snprintf(text, sizeof text, "score %.2f < threshold 0.70", *hundredths / 100.0);
  } else {
    std::snprintf(text, sizeof text, "score %.2f >= 0.70, fresh", *hundredths / 100.0);
  }
  return text;
}

TEST(RuleModel, WithNothingOnIsThePagesRule) {
  for (int hundredths = -1; hundredths <= 100; ++hundredths) {
    for (int age_s = 0; age_s <= 300; ++age_s) {
      Node node = node_with(Score{});
      node.trend.samples = 5;  // of no account
      node.trend.drift = 900'000;
      node.signals = {3, 3, 3};
      std::optional<int> score;
      if (hundredths >= 0) {
        score = hundredths;
        report(node, "poc-0.1", Score{hundredths * 10'000}, std::chrono::seconds(age_s));
      } else {
        node.reports.clear();
      }
      const std::string reason = pages_reason(score, age_s);
      const Decision decision = decide(node, Standing::kAdmitted, {}, kEpoch, kNow);
      ASSERT_EQ(decision.reason, reason);
      ASSERT_EQ(decision.verdict == Verdict::kAllowed, reason.find("fresh") != std::string::npos);
    }
  }
}

std::int64_t below(Random& random, std::int64_t end) {
  return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(end));
}
Score any_score(Random& random) {
  return Score{static_cast<std::int32_t>(below(random, Score::kOne + 1))};
}
bool coin(Random& random) { return random() % 2 == 0; }

constexpr const char* kSuites[] = {"a", "b", "c"};

// Checked parameters, each option on or off. Without `history` what the past does is off.
RuleParameters any_parameters(Random& random, bool history) {
  RuleParameters p;
  p.threshold = any_score(random);
  p.max_age = std::chrono::milliseconds(1 + below(random, 200'000));
  if (coin(random)) p.return_threshold = std::max(p.threshold, any_score(random));
  if (coin(random)) p.dwell_epochs = static_cast<std::uint32_t>(below(random, 5));
  if (coin(random)) p.decay_permille = static_cast<std::int32_t>(below(random, 1'001));
  for (const char* suite : kSuites) {
    if (coin(random)) p.weights[suite] = static_cast<std::uint32_t>(1 + below(random, kMaxWeight));
  }
  if (coin(random)) p.per_failed_proof = any_score(random);
  if (coin(random)) p.per_replay = Score{10'000};
  if (coin(random)) p.per_lost_lease = Score{1};
  p.only_listed = random() % 8 == 0;
  if (coin(random)) p.listed = {"node-a"};
  if (!history) return p;
  if (coin(random)) p.smoothing_permille = static_cast<std::int32_t>(below(random, 1'001));
  if (coin(random)) p.drift_samples = static_cast<std::uint32_t>(below(random, 4));
  p.drift_slack = any_score(random);
  p.drift_limit = std::max(Score{1}, any_score(random));
  if (coin(random)) p.probation_epochs = static_cast<std::uint32_t>(below(random, 4));
  return p;
}

Node any_node(Random& random) {
  Node node = node_with(any_score(random));
  node.reports.clear();
  for (const char* suite : kSuites) {
    if (random() % 4 == 0) continue;
    report(node, suite, any_score(random), std::chrono::milliseconds(below(random, 150'000)));
  }
  node.trend.samples = static_cast<std::uint32_t>(below(random, 4));
  node.trend.counted = kNow - std::chrono::milliseconds(below(random, 400'000));
  node.trend.last = any_score(random);
  node.trend.smoothed = any_score(random);
  node.trend.reference_samples = static_cast<std::uint32_t>(below(random, 4));
  node.trend.reference_sum = node.trend.reference_samples * below(random, Score::kOne + 1);
  node.trend.drift = below(random, Score::kOne + 1);
  node.trend.good_samples = static_cast<std::uint32_t>(below(random, 4));
  if (coin(random)) node.signals.failed_proofs = static_cast<std::uint32_t>(below(random, 3));
  if (coin(random)) node.signals.replays = static_cast<std::uint32_t>(below(random, 50));
  node.verdict = static_cast<Verdict>(below(random, 3));
  node.verdict_since = kEpoch - static_cast<std::uint64_t>(below(random, 6));
  node.denied_by_rule = coin(random);
  return node;
}

Standing any_standing(Random& random) { return static_cast<Standing>(below(random, 5)); }

auto parts(const Trend& t) {
  return std::tuple(t.samples, t.counted, t.last, t.smoothed, t.reference_samples, t.reference_sum,
                    t.drift, t.good_samples);
}
auto parts(const Decision& d) {
  return std::tuple(d.verdict, d.because, d.reason, d.score, d.standing, parts(d.trend));
}

// The inputs are made anew each time, so that nothing but their values is the same.
Decision decision_of(std::uint64_t seed) {
  Random random(seed);
  const RuleParameters parameters = any_parameters(random, true);
  EXPECT_TRUE(check(parameters).ok()) << "seed " << seed;
  const Node node = any_node(random);
  return decide(node, any_standing(random), parameters, kEpoch, kNow);
}

TEST(RuleModel, IsAFunctionOfItsInputsWithScoresInRange) {
  int allowed = 0;
  for (std::uint64_t seed = 0; seed < 10'000; ++seed) {
    const Decision decision = decision_of(seed);
    ASSERT_EQ(parts(decision_of(seed)), parts(decision)) << "seed " << seed;
    for (const Score score : {decision.score, decision.trend.smoothed}) {
      ASSERT_TRUE(score >= Score{0} && score <= Score{Score::kOne}) << "seed " << seed;
    }
    ASSERT_FALSE(decision.reason.empty()) << "seed " << seed;
    ASSERT_EQ(decision.verdict == Verdict::kAllowed, decision.because == Because::kGood);
    ASSERT_EQ(decision.verdict == Verdict::kAllowed, decision.standing == Standing::kAdmitted);
    allowed += decision.verdict == Verdict::kAllowed ? 1 : 0;
  }
  EXPECT_GT(allowed, 300);
}

TEST(RuleModel, NeverDeniesForAHigherScoreWhatItAllowedForALowerOne) {
  Random random(7);
  int rises = 0;
  for (int i = 0; i < 20'000; ++i) {
    const RuleParameters parameters = any_parameters(random, false);
    Node node = any_node(random);
    const Standing standing = any_standing(random);
    const Decision before = decide(node, standing, parameters, kEpoch, kNow);
    for (auto& [suite, of_suite] : node.reports) {
      if (coin(random)) of_suite.overall = std::max(of_suite.overall, any_score(random));
    }
    const Decision after = decide(node, standing, parameters, kEpoch, kNow);
    ASSERT_GE(after.score, before.score);
    if (before.verdict != Verdict::kAllowed) {
      rises += after.verdict == Verdict::kAllowed ? 1 : 0;
    } else {
      ASSERT_EQ(after.verdict, Verdict::kAllowed) << before.reason << ", then " << after.reason;
    }
  }
  EXPECT_GT(rises, 100);  // or it would hold, too, where nobody is ever allowed
}

TEST(RuleModel, NeverLiftsWhatAnOperatorSet) {
  Random random(8);
  for (int i = 0; i < 5'000; ++i) {
    Node node = any_node(random);
    const RuleParameters parameters = any_parameters(random, true);
    const Standing standing = coin(random) ? Standing::kRevoked : Standing::kQuarantined;
    if (standing == Standing::kQuarantined) node.denied_by_rule = false;
    for (std::uint64_t epoch = kEpoch; epoch < kEpoch + 3; ++epoch) {
      const Decision decision = decide(node, standing, parameters, epoch, kNow);
      apply(decision, epoch, node);
      ASSERT_EQ(decision.standing, standing);
      ASSERT_EQ(decision.verdict, Verdict::kDenied);
      ASSERT_FALSE(node.denied_by_rule);
    }
  }
}

TEST(RuleModel, DecidesAlikeAgainOnOneReportAndMovesNothingTwice) {
  Random random(9);
  for (int i = 0; i < 10'000; ++i) {
    const RuleParameters parameters = any_parameters(random, true);
    Node node = any_node(random);
    node.signals = Signals{};  // of one epoch alone
    const Decision first = decide(node, any_standing(random), parameters, kEpoch, kNow);
    apply(first, kEpoch, node);
    const Decision again = decide(node, first.standing, parameters, kEpoch, kNow);
    ASSERT_EQ(again.verdict, first.verdict) << first.reason << ", then " << again.reason;
    ASSERT_EQ(parts(again.trend), parts(first.trend)) << first.reason;
    ASSERT_EQ(again.standing, first.standing) << first.reason;
  }
}

TEST(RuleModel, TakesTheExtremesOfEveryNumber) {
  using I32 = std::numeric_limits<std::int32_t>;
  using I64 = std::numeric_limits<std::int64_t>;
  using U32 = std::numeric_limits<std::uint32_t>;
  using U64 = std::numeric_limits<std::uint64_t>;
  const std::int32_t scores[] = {I32::min(), -1, 0, 1, Score::kOne, Score::kOne + 1, I32::max()};
  const std::int64_t numbers[] = {I64::min(), -1, 0, 1, kNow.ms, I64::max()};
  const std::uint32_t counts[] = {0, 1, 2, U32::max()};
  const std::uint64_t epochs[] = {0, 1, kEpoch, U64::max()};
  Random random(10);
  const auto of = [&random](const auto& some) { return some[random() % std::size(some)]; };
  const auto score = [&] { return Score{of(scores)}; };
  for (int i = 0; i < 10'000; ++i) {
    Node node = any_node(random);
    for (auto& [suite, of_suite] : node.reports) of_suite = {suite, score(), WallTime{of(numbers)}};
    node.trend = {of(counts), WallTime{of(numbers)}, score(),     score(),
                  of(counts), of(numbers),           of(numbers), of(counts)};
    node.signals = {of(counts), of(counts), of(counts)};
    node.verdict_since = of(epochs);
    RuleParameters p = any_parameters(random, true);
    const bool unchecked = coin(random);
    if (unchecked) {
      p.threshold = score();
      p.return_threshold = score();
      p.max_age = std::chrono::milliseconds(of(numbers));
      p.smoothing_permille = of(scores);
      p.decay_permille = of(scores);
      p.dwell_epochs = of(counts);
      p.probation_epochs = of(counts);
      p.drift_samples = of(counts);
      p.drift_slack = score();
      p.drift_limit = score();
      p.per_failed_proof = p.per_replay = p.per_lost_lease = score();
      for (auto& [suite, weight] : p.weights) weight = of(counts);
    }
    const std::uint64_t epoch = of(epochs);
    const WallTime now{of(numbers)};
    const Standing standing = any_standing(random);
    const Decision decision = decide(node, standing, p, epoch, now);
    ASSERT_TRUE(decision.score >= Score{0} && decision.score <= Score{Score::kOne});
    ASSERT_LT(decision.reason.size(), 500u) << decision.reason;
    if (i % 16 == 0) {
      EXPECT_GT(explain(node, standing, p, epoch, now).size(), 5u);
    }
    apply(decision, epoch, node);
  }
}

int changes_in_noise(LifeForTest& life, std::int32_t noise, int most_per_ten) {
  Random random(11);
  std::vector<std::uint64_t> changed;
  Verdict verdict = Verdict::kAllowed;
  for (int i = 0; i < 10'000; ++i) {
    const auto off = static_cast<std::int32_t>(below(random, 2 * noise + 1)) - noise;
    const Verdict next = life.decides_on(Score{700'000 + off}).verdict;
    if (next != verdict) changed.push_back(life.epoch);
    verdict = next;
  }
  const auto most = static_cast<std::size_t>(most_per_ten);
  for (std::size_t i = most; i < changed.size(); ++i) {
    EXPECT_GE(changed[i] - changed[i - most], 10u) << "before epoch " << changed[i];
  }
  return static_cast<int>(changed.size());
}

TEST(RuleModel, KeepsABorderlineNodeFromFlapping) {
  LifeForTest plain;
  plain.standing = Standing::kAdmitted;
  EXPECT_GT(changes_in_noise(plain, 40'000, 10'000), 1'000) << "the page's rule flaps";

  LifeForTest quiet;
  quiet.standing = Standing::kAdmitted;
  quiet.parameters.return_threshold = Score{750'000};
  quiet.parameters.dwell_epochs = 10;
  EXPECT_EQ(changes_in_noise(quiet, 40'000, 1), 1) << "noise within the hysteresis";

  // Noise beyond the hysteresis brings it back now and then, and a bad score is obeyed at once; but
  // it is never back twice within ten epochs.
  LifeForTest loud;
  loud.standing = Standing::kAdmitted;
  loud.parameters = quiet.parameters;
  EXPECT_GT(changes_in_noise(loud, 100'000, 2), 10);
}

TEST(RuleModel, SmoothingAndDwellingHoldNoiseThatIsWiderThanTheHysteresis) {
  LifeForTest life;
  life.standing = Standing::kAdmitted;
  life.parameters.return_threshold = Score{750'000};
  life.parameters.dwell_epochs = 10;
  life.parameters.smoothing_permille = 50;
  EXPECT_EQ(changes_in_noise(life, 100'000, 1), 1);
}

}  // namespace
}  // namespace signet::overlay
