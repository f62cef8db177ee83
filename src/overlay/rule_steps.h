// The numbers between a node's reports and its decision, in the order in which they come about:
//
//   weighted   over the suites that count; without weights the newest report is all
//   smoothed   with the history. It is made of what was measured, so it comes before what follows
//   decayed    by the age at this moment. Behind the smoothing: a report must lose while no new one
//              comes, and its age must not stay in the history when one did
//   minus      what the broker saw since the last decision, at its full price
//
// Drift is measured on the weighted score: smoothing would hide for a while what it is to find.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "overlay/node.h"
#include "overlay/rule.h"
#include "overlay/trend.h"

namespace signet::overlay {

struct Steps {
  std::vector<Report> counting;      // the newest alone, or one of each suite with a weight
  std::string missing;               // with weights: the first suite that has no report
  std::chrono::milliseconds age{0};  // of the oldest that counts; a time ahead is age 0
  std::string oldest;                // its suite

  // 0 where nothing is reported.
  Score weighted;
  Score smoothed;
  Score decayed;
  std::int64_t minus = 0;  // millionths; may be more than there is
  Score score;             // what is compared

  bool is_new = false;  // the weighted score is no part of the history so far
  Trend trend;          // the history with it

  bool reported() const { return !counting.empty() && missing.empty(); }
};

Steps steps_of(const Node& node, const RuleParameters& parameters, WallTime now);

TrendRules trend_rules(const RuleParameters& parameters);

// "120s", "1.5s", "0.001s": exactly.
std::string seconds_text(std::chrono::milliseconds time);
// An age beyond `limit`, in whole seconds that are over ("130s"), with as many decimals as it takes
// to be more than the limit ("120.4s"). REQUIRES: it is more.
std::string seconds_text(std::chrono::milliseconds age, std::chrono::milliseconds limit);

// "1 failed proof, 2 replays, 1 lost lease": those that cost something; empty for none.
std::string signals_text(const Signals& signals, const RuleParameters& parameters);

}  // namespace signet::overlay
