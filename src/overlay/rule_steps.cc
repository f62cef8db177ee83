#include "overlay/rule_steps.h"

#include <algorithm>
#include <limits>

namespace signet::overlay {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kPermille = 1'000;
constexpr std::int64_t kMsPerSecond = 1'000;

milliseconds age_of(const Report& report, WallTime now) {
  std::int64_t age = 0;
  if (__builtin_sub_overflow(now.ms, report.timestamp.ms, &age)) {
    age = now.ms > report.timestamp.ms ? std::numeric_limits<std::int64_t>::max() : 0;
  }
  return milliseconds{std::max<std::int64_t>(age, 0)};
}

// Of two with one time the lower one counts: which suite's name comes first says nothing.
bool counts_before(const Report& a, const Report& b) {
  return a.timestamp != b.timestamp ? a.timestamp > b.timestamp : a.overall < b.overall;
}

void choose_newest(const Node& node, Steps& steps) {
  const Report* newest = nullptr;
  for (const auto& [suite, report] : node.reports) {
    if (newest == nullptr || counts_before(report, *newest)) newest = &report;
  }
  if (newest != nullptr) steps.counting.push_back(*newest);
}

void choose_weighted(const Node& node, const RuleParameters& parameters, Steps& steps) {
  for (const auto& [suite, weight] : parameters.weights) {
    const auto found = node.reports.find(suite);
    if (found != node.reports.end()) {
      steps.counting.push_back(found->second);
      steps.counting.back().suite = suite;
    } else if (steps.missing.empty()) {
      steps.missing = suite;
    }
  }
}

std::int64_t weight_of(const Report& report, const RuleParameters& parameters) {
  const auto found = parameters.weights.find(report.suite);
  return found == parameters.weights.end() ? 1 : std::max<std::int64_t>(found->second, 1);
}

// REQUIRES: something counts.
Score weigh(const Steps& steps, const RuleParameters& parameters) {
  std::int64_t sum = 0;
  std::int64_t weights = 0;
  for (const Report& report : steps.counting) {
    const std::int64_t weight = weight_of(report, parameters);
    sum += weight * in_range(report.overall.millionths).millionths;
    weights += weight;
  }
  const std::int64_t all = std::max<std::int64_t>(weights, 1);
  return in_range((sum + all / 2) / all);
}

// REQUIRES: fresh. What is lost is cut to whole millionths, so age never adds to a score.
Score decay(Score score, milliseconds age, const RuleParameters& parameters) {
  const std::int64_t most =
      std::clamp<std::int64_t>(parameters.max_age.count(), 1, kMaxRuleAge.count());
  const std::int64_t permille = std::clamp<std::int64_t>(parameters.decay_permille, 0, kPermille);
  const std::int64_t at_most_age = std::int64_t{score.millionths} * permille / kPermille;
  return in_range(score.millionths - at_most_age * std::min(age.count(), most) / most);
}

struct Signal {
  std::uint32_t Signals::*count;
  Score RuleParameters::*price;
  const char* one;
  const char* many;
};
constexpr Signal kSignals[] = {
    {&Signals::failed_proofs, &RuleParameters::per_failed_proof, "failed proof", "failed proofs"},
    {&Signals::replays, &RuleParameters::per_replay, "replay", "replays"},
    {&Signals::lost_leases, &RuleParameters::per_lost_lease, "lost lease", "lost leases"},
};

std::int64_t price_of(const Signals& signals, const RuleParameters& parameters) {
  std::int64_t sum = 0;
  for (const Signal& signal : kSignals) {
    sum += std::int64_t{signals.*signal.count} *
           in_range((parameters.*signal.price).millionths).millionths;
  }
  return sum;
}

void find_oldest(WallTime now, Steps& steps) {
  const Report* oldest = nullptr;
  for (const Report& report : steps.counting) {
    if (oldest == nullptr || age_of(report, now) > steps.age) oldest = &report;
    steps.age = age_of(*oldest, now);
  }
  if (oldest != nullptr) steps.oldest = oldest->suite;
}

WallTime newest_time(const Steps& steps) {
  WallTime newest = steps.counting.front().timestamp;
  for (const Report& report : steps.counting) newest = std::max(newest, report.timestamp);
  return newest;
}

// `units` of a second, where `per_second` of them are one.
std::string decimal_seconds(std::int64_t units, int digits, std::int64_t per_second) {
  std::string text = std::to_string(units / per_second);
  if (digits > 0) {
    const std::string rest = std::to_string(units % per_second);
    text += "." + std::string(static_cast<std::size_t>(digits) - rest.size(), '0') + rest;
  }
  return text + "s";
}

}  // namespace

TrendRules trend_rules(const RuleParameters& parameters) {
  return {parameters.smoothing_permille, parameters.drift_samples, parameters.drift_slack,
          parameters.drift_limit};
}

Steps steps_of(const Node& node, const RuleParameters& parameters, WallTime now) {
  Steps steps;
  steps.trend = node.trend;
  if (parameters.weights.empty()) {
    choose_newest(node, steps);
  } else {
    choose_weighted(node, parameters, steps);
  }
  find_oldest(now, steps);
  if (!steps.reported()) return steps;

  steps.weighted = weigh(steps, parameters);
  const WallTime newest = newest_time(steps);
  steps.is_new = is_new(node.trend, steps.weighted, newest);
  if (steps.is_new) {
    steps.trend = counted(node.trend, steps.weighted, newest, trend_rules(parameters));
  }
  const bool smoothing = parameters.smoothing_permille > 0;
  steps.smoothed = smoothing ? in_range(steps.trend.smoothed.millionths) : steps.weighted;
  steps.decayed = decay(steps.smoothed, steps.age, parameters);
  steps.minus = price_of(node.signals, parameters);
  steps.score = in_range(steps.decayed.millionths - steps.minus);
  return steps;
}

std::string seconds_text(milliseconds time) {
  std::string text = decimal_seconds(std::max<std::int64_t>(time.count(), 0), 3, kMsPerSecond);
  text.pop_back();
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text + "s";
}

std::string seconds_text(milliseconds age, milliseconds limit) {
  std::int64_t per_second = 1;
  for (int digits = 0; digits < 3; ++digits, per_second *= 10) {
    const std::int64_t ms_per_unit = kMsPerSecond / per_second;
    const std::int64_t units = age.count() / ms_per_unit;
    if (units * ms_per_unit > limit.count()) return decimal_seconds(units, digits, per_second);
  }
  return decimal_seconds(age.count(), 3, kMsPerSecond);
}

std::string signals_text(const Signals& signals, const RuleParameters& parameters) {
  std::string text;
  for (const Signal& signal : kSignals) {
    const std::uint32_t count = signals.*signal.count;
    if (count == 0 || (parameters.*signal.price).millionths <= 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(count) + " " + (count == 1 ? signal.one : signal.many);
  }
  return text;
}

}  // namespace signet::overlay
