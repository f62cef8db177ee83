#include "overlay/trend.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>
#include <vector>

namespace signet::overlay {
namespace {

constexpr std::int64_t kMost64 = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast64 = std::numeric_limits<std::int64_t>::min();

TEST(Smooth, GivesTheNewestScoreItsWeight) {
  struct Row {
    const char* name;
    Score before;
    Score newest;
    std::int32_t permille;
    Score after;
  };
  // clang-format off
  const Row rows[] = {
      {"a tenth, down", Score{900'000}, Score{400'000}, 100, Score{850'000}},
      {"a tenth, up", Score{400'000}, Score{900'000}, 100, Score{450'000}},
      {"half", Score{900'000}, Score{400'000}, 500, Score{650'000}},
      {"all: no memory", Score{900'000}, Score{400'000}, 1'000, Score{400'000}},
      {"nothing: no change", Score{900'000}, Score{400'000}, 0, Score{900'000}},
      {"to the nearest millionth, down", Score{1}, Score{0}, 501, Score{0}},
      {"to the nearest millionth, up", Score{1}, Score{0}, 500, Score{1}},
      {"of equals", Score{123'457}, Score{123'457}, 333, Score{123'457}},
      {"a weight above all", Score{900'000}, Score{400'000}, 2'000, Score{400'000}},
      {"a weight below nothing", Score{900'000}, Score{400'000}, -1, Score{900'000}},
      {"of what no score is", Score{std::numeric_limits<std::int32_t>::min()},
       Score{std::numeric_limits<std::int32_t>::max()}, 500, Score{500'000}},
  };
  // clang-format on
  for (const Row& row : rows) {
    EXPECT_EQ(smooth(row.before, row.newest, row.permille), row.after) << row.name;
  }
}

TEST(Smooth, StaysBetweenTheTwo) {
  std::mt19937_64 random(3);
  std::uniform_int_distribution<std::int32_t> any(0, Score::kOne);
  std::uniform_int_distribution<std::int32_t> permille(0, 1'000);
  for (int i = 0; i < 50'000; ++i) {
    const Score before{any(random)};
    const Score newest{any(random)};
    const Score after = smooth(before, newest, permille(random));
    EXPECT_GE(after, std::min(before, newest));
    EXPECT_LE(after, std::max(before, newest));
  }
}

TEST(AddDrift, AddsWhatIsLackingBeyondTheSlack) {
  const TrendRules rules{0, 5, Score{20'000}, Score{300'000}};
  const Score reference{900'000};
  struct Row {
    const char* name;
    std::int64_t drift;
    Score newest;
    std::int64_t after;
  };
  // clang-format off
  const Row rows[] = {
      {"as it was", 0, Score{900'000}, 0},
      {"within the slack", 0, Score{885'000}, 0},
      {"at the slack", 0, Score{880'000}, 0},
      {"a millionth beyond", 0, Score{879'999}, 1},
      {"far beyond", 0, Score{700'000}, 180'000},
      {"on top", 180'000, Score{800'000}, 260'000},
      {"goes back by the slack when all is well", 100'000, Score{900'000}, 80'000},
      {"and faster when it is better", 100'000, Score{950'000}, 30'000},
      {"never below nothing", 10'000, Score{1'000'000}, 0},
      {"never beyond two limits", 590'000, Score{100'000}, 600'000},
      {"nor from beyond", kMost64, Score{900'000}, 580'000},
      {"nor from below", kLeast64, Score{700'000}, 180'000},
  };
  // clang-format on
  for (const Row& row : rows) {
    EXPECT_EQ(add_drift(row.drift, reference, row.newest, rules), row.after) << row.name;
  }
}

// Ten at the first score, then as many of the second as given.
Trend history(const TrendRules& rules, Score first, Score second, int count) {
  Trend trend;
  for (int i = 0; i < 10 + count; ++i) {
    trend = counted(trend, i < 10 ? first : second, WallTime{i}, rules);
  }
  return trend;
}

TEST(Trend, FindsASmallDropThatLastsAndNoNoise) {
  const TrendRules rules{0, 10, Score{20'000}, Score{300'000}};
  EXPECT_FALSE(is_drifted(history(rules, Score{900'000}, Score{840'000}, 7), rules));
  EXPECT_TRUE(is_drifted(history(rules, Score{900'000}, Score{840'000}, 8), rules));
  EXPECT_FALSE(is_drifted(history(rules, Score{900'000}, Score{880'000}, 1'000), rules));
  std::mt19937_64 random(4);
  std::uniform_int_distribution<std::int32_t> noise(-30'000, 30'000);
  Trend trend;
  for (int i = 0; i < 10'000; ++i) {
    trend = counted(trend, Score{900'000 + noise(random)}, WallTime{i}, rules);
    ASSERT_FALSE(is_drifted(trend, rules)) << i;
  }
}

TEST(Trend, IsMadeUpForInABoundedTimeHoweverLongItWasBad) {
  const TrendRules rules{0, 10, Score{20'000}, Score{300'000}};
  Trend trend = history(rules, Score{900'000}, Score{100'000}, 10'000);
  int samples = 0;
  for (; is_drifted(trend, rules); ++samples) {
    trend = counted(trend, Score{900'000}, WallTime{20'000 + samples}, rules);
  }
  EXPECT_EQ(samples, 15);  // one limit, at a slack each
}

TEST(Trend, HasNoReferenceBeforeThereAreEnoughSamples) {
  const TrendRules rules{0, 3, Score{0}, Score{100'000}};
  Trend trend;
  const Score scores[] = {Score{800'000}, Score{900'000}, Score{100'000}};
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(reference_of(trend, rules)) << i;
    trend = counted(trend, scores[i], WallTime{i}, rules);
  }
  EXPECT_EQ(reference_of(trend, rules), Score{600'000});
  EXPECT_EQ(trend.drift, 0);
  trend = counted(trend, Score{500'000}, WallTime{9}, rules);
  EXPECT_EQ(reference_of(trend, rules), Score{600'000}) << "later samples do not move it";
  EXPECT_EQ(trend.drift, 100'000);
  EXPECT_FALSE(is_drifted(trend, rules)) << "at the limit";
}

TEST(Trend, LivesThroughAChangeOfItsRules) {
  const TrendRules three{500, 3, Score{0}, Score{100'000}};
  Trend trend = history(three, Score{800'000}, Score{750'000}, 1);
  ASSERT_EQ(trend.drift, 50'000);
  const TrendRules five{500, 5, Score{0}, Score{100'000}};
  EXPECT_FALSE(reference_of(trend, five)) << "two more are to come";
  trend = counted(trend, Score{300'000}, WallTime{90}, five);
  trend = counted(trend, Score{300'000}, WallTime{91}, five);
  EXPECT_EQ(reference_of(trend, five), Score{600'000});
  EXPECT_EQ(reference_of(trend, three), Score{600'000}) << "fewer are enough";

  const TrendRules off;
  trend = counted(trend, Score{640'000}, WallTime{92}, off);
  EXPECT_EQ(trend.smoothed, Score{640'000});
  EXPECT_EQ(trend.reference_samples, 0u);
  EXPECT_EQ(trend.drift, 0);
  EXPECT_FALSE(is_drifted(trend, off));
  EXPECT_EQ(counted(trend, Score{840'000}, WallTime{93}, three).smoothed, Score{740'000})
      << "smoothing begins at what was seen last";
}

TEST(Trend, KnowsWhatItHasCounted) {
  const TrendRules rules{500, 0, Score{0}, Score{0}};
  const Trend none;
  EXPECT_TRUE(is_new(none, Score{0}, WallTime{0}));
  const Trend one = counted(none, Score{800'000}, WallTime{5}, rules);
  EXPECT_EQ(one.smoothed, Score{800'000}) << "the first is its own history";
  EXPECT_EQ(one.samples, 1u);
  EXPECT_FALSE(is_new(one, Score{800'000}, WallTime{5}));
  EXPECT_TRUE(is_new(one, Score{800'000}, WallTime{6}));
  EXPECT_TRUE(is_new(one, Score{300'000}, WallTime{5})) << "another score under the same time";
  EXPECT_TRUE(is_new(one, Score{800'000}, WallTime{4})) << "times need not rise";
  const Trend two = counted(one, Score{600'000}, WallTime{6}, rules);
  EXPECT_EQ(two.smoothed, Score{700'000});
  EXPECT_EQ(two.samples, 2u);
}

TEST(Trend, KeepsItsBoundsWhateverADiskSays) {
  std::mt19937_64 random(5);
  const std::int64_t numbers[] = {0, 1, -1, Score::kOne, kMost64, kLeast64, 1'234'567};
  const std::uint32_t counts[] = {0, 1, 7, std::numeric_limits<std::uint32_t>::max()};
  const auto one_of = [&random](const auto& some) { return some[random() % std::size(some)]; };
  for (int i = 0; i < 20'000; ++i) {
    Trend trend;
    trend.samples = one_of(counts);
    trend.last = trend.smoothed = Score{static_cast<std::int32_t>(one_of(numbers))};
    trend.reference_samples = one_of(counts);
    trend.reference_sum = one_of(numbers);
    trend.drift = one_of(numbers);
    const TrendRules rules{static_cast<std::int32_t>(one_of(numbers)), one_of(counts),
                           Score{static_cast<std::int32_t>(one_of(numbers))},
                           Score{static_cast<std::int32_t>(one_of(numbers))}};
    const Score measured{static_cast<std::int32_t>(random() % (Score::kOne + 1))};
    const Trend next = counted(trend, measured, WallTime{one_of(numbers)}, rules);
    EXPECT_EQ(next.smoothed, in_range(next.smoothed.millionths));
    if (const std::optional<Score> reference = reference_of(next, rules)) {
      EXPECT_EQ(*reference, in_range(reference->millionths));
    }
    if (reference_of(trend, rules)) {
      EXPECT_TRUE(next.drift >= 0 && next.drift <= 2 * Score::kOne) << next.drift;
    }
    (void)is_drifted(next, rules);
  }
}

TEST(Trend, SaysItsDriftEvenBeyondOne) {
  Trend trend;
  const std::pair<std::int64_t, std::int32_t> drifts[] = {
      {0, 0}, {130'000, 130'000}, {1'500'000, 1'500'000}, {kMost64, 2'000'000}, {kLeast64, 0}};
  for (const auto& [drift, said] : drifts) {
    trend.drift = drift;
    EXPECT_EQ(drift_of(trend), Score{said});
  }
}

TEST(Sparkline, DrawsAHistoryWithTheEightBlocks) {
  struct Row {
    const char* name;
    std::vector<Score> scores;
    const char* line;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", {}, ""},
      {"one lies in the middle", {Score{500'000}}, "▅"},
      {"nothing at all", {Score{0}, Score{0}}, "▁▁"},
      {"the most there is", {Score{1'000'000}}, "█"},
      {"from end to end",
       {Score{0}, Score{143'000}, Score{286'000}, Score{429'000}, Score{572'000}, Score{715'000},
        Score{858'000}, Score{1'000'000}}, "▁▂▃▄▅▆▇█"},
      {"a fall is drawn over all heights",
       {Score{900'000}, Score{800'000}, Score{700'000}}, "█▅▁"},
      {"noise of a hundredth is flat",
       {Score{900'000}, Score{905'000}, Score{895'000}, Score{900'000}}, "▅▅▄▅"},
      {"what no score is", {Score{-7}, Score{2'000'000}}, "▁█"},
  };
  // clang-format on
  for (const Row& row : rows) EXPECT_EQ(sparkline(row.scores), row.line) << row.name;
}

}  // namespace
}  // namespace signet::overlay
