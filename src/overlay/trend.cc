#include "overlay/trend.h"

#include <algorithm>
#include <limits>
#include <string_view>

namespace signet::overlay {
namespace {

constexpr std::int64_t kPermille = 1'000;
constexpr std::int64_t kNarrowest = Score::kOne / 10;  // of a sparkline
constexpr std::string_view kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::int64_t kHeights = std::size(kBlocks);

std::uint32_t one_more(std::uint32_t count) {
  return count == std::numeric_limits<std::uint32_t>::max() ? count : count + 1;
}

std::int64_t most_drift(const TrendRules& rules) {
  return kMostDriftInLimits * in_range(rules.drift_limit.millionths).millionths;
}

std::int64_t sum_in_range(const Trend& trend) {
  return std::clamp<std::int64_t>(trend.reference_sum, 0,
                                  std::int64_t{trend.reference_samples} * Score::kOne);
}

void count_drift(Trend& trend, Score measured, const TrendRules& rules) {
  if (rules.drift_samples == 0) {
    trend.reference_samples = 0;
    trend.reference_sum = 0;
    trend.drift = 0;
  } else if (const std::optional<Score> reference = reference_of(trend, rules)) {
    trend.drift = add_drift(trend.drift, *reference, measured, rules);
  } else {
    trend.reference_sum = sum_in_range(trend) + measured.millionths;
    trend.reference_samples = one_more(trend.reference_samples);
  }
}

}  // namespace

Score in_range(std::int64_t millionths) {
  return Score{static_cast<std::int32_t>(std::clamp<std::int64_t>(millionths, 0, Score::kOne))};
}

Score smooth(Score before, Score newest, std::int32_t permille) {
  const std::int64_t weight = std::clamp<std::int64_t>(permille, 0, kPermille);
  const std::int64_t sum = weight * in_range(newest.millionths).millionths +
                           (kPermille - weight) * in_range(before.millionths).millionths;
  return in_range((sum + kPermille / 2) / kPermille);
}

std::int64_t add_drift(std::int64_t drift, Score reference, Score newest, const TrendRules& rules) {
  const std::int64_t lacks = std::int64_t{in_range(reference.millionths).millionths} -
                             in_range(newest.millionths).millionths -
                             in_range(rules.drift_slack.millionths).millionths;
  const std::int64_t most = most_drift(rules);
  return std::clamp<std::int64_t>(std::clamp<std::int64_t>(drift, 0, most) + lacks, 0, most);
}

std::optional<Score> reference_of(const Trend& trend, const TrendRules& rules) {
  if (rules.drift_samples == 0 || trend.reference_samples < rules.drift_samples) {
    return std::nullopt;
  }
  return in_range(sum_in_range(trend) / trend.reference_samples);
}

Score drift_of(const Trend& trend) {
  return Score{static_cast<std::int32_t>(
      std::clamp<std::int64_t>(trend.drift, 0, kMostDriftInLimits * Score::kOne))};
}

bool is_drifted(const Trend& trend, const TrendRules& rules) {
  return reference_of(trend, rules) &&
         trend.drift > in_range(rules.drift_limit.millionths).millionths;
}

bool is_new(const Trend& trend, Score measured, WallTime newest) {
  return trend.samples == 0 || trend.counted != newest || trend.last != measured;
}

Trend counted(const Trend& trend, Score measured, WallTime newest, const TrendRules& rules) {
  const bool smoothing = rules.smoothing_permille > 0 && trend.samples > 0;
  Trend next = trend;
  next.smoothed = smoothing ? smooth(trend.smoothed, measured, rules.smoothing_permille) : measured;
  next.samples = one_more(trend.samples);
  next.counted = newest;
  next.last = measured;
  count_drift(next, measured, rules);
  return next;
}

std::string sparkline(std::span<const Score> scores) {
  if (scores.empty()) return {};
  const auto [low, high] = std::minmax_element(scores.begin(), scores.end());
  const std::int64_t bottom = in_range(low->millionths).millionths;
  const std::int64_t top = in_range(high->millionths).millionths;
  const std::int64_t range = std::max(top - bottom, kNarrowest);
  const std::int64_t base =
      std::clamp<std::int64_t>((bottom + top - range) / 2, 0, Score::kOne - range);
  std::string line;
  for (const Score& score : scores) {
    const std::int64_t above = in_range(score.millionths).millionths - base;
    const std::int64_t height = std::clamp<std::int64_t>(above * kHeights / range, 0, kHeights - 1);
    line += kBlocks[static_cast<std::size_t>(height)];
  }
  return line;
}

}  // namespace signet::overlay
