// What a node's history comes to, in whole numbers: a smoothed score (EWMA, Roberts 1959) and how
// far it drifted below where it began (CUSUM, Page 1954). Pure; the bounds hold whatever a Trend
// from a disk says.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "overlay/node.h"

namespace signet::overlay {

// How a history counts; RuleParameters has the same of a mesh.
struct TrendRules {
  std::int32_t smoothing_permille = 0;  // 0: the newest score is the smoothed one
  std::uint32_t drift_samples = 0;      // 0: off, and what was seen so far is forgotten
  Score drift_slack{0};
  Score drift_limit{0};
};

// What drift may come to, in limits. Without such a bound a node that was bad for a day would have
// to be good for as long; with it, for as long as it takes to make up for one limit.
inline constexpr std::int64_t kMostDriftInLimits = 2;

// The score lies in the range, or at the end of it that is nearer.
Score in_range(std::int64_t millionths);

// The next EWMA: between the two, at the nearest millionth.
Score smooth(Score before, Score newest, std::int32_t permille);

// The next CUSUM: what the score lacks to `reference`, less the slack, is added; never below 0.
std::int64_t add_drift(std::int64_t drift, Score reference, Score newest, const TrendRules& rules);

// The mean of the first samples; nullopt before there are enough.
std::optional<Score> reference_of(const Trend& trend, const TrendRules& rules);

// What has added up, as a score is printed; unlike one it may be more than 1.
Score drift_of(const Trend& trend);

// Drift is on, known, and beyond its limit.
bool is_drifted(const Trend& trend, const TrendRules& rules);

// A report of this time and score is no part of the history yet.
bool is_new(const Trend& trend, Score measured, WallTime newest);

// The history with one more sample. good_samples stays as it is: that is the decision's.
Trend counted(const Trend& trend, Score measured, WallTime newest, const TrendRules& rules);

// One block of eight heights a score, oldest first, in UTF-8. From the lowest to the highest of
// them, but over a tenth at least, so that a node's noise looks like noise.
std::string sparkline(std::span<const Score> scores);

}  // namespace signet::overlay
