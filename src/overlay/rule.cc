#include "overlay/rule.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "overlay/rule_steps.h"

namespace signet::overlay {
namespace {

using membership::Standing;

// All that a rule looks at.
struct Case {
  const Node& node;
  Standing standing;
  const RuleParameters& parameters;
  std::uint64_t epoch;
  Steps steps;
};

struct Finding {
  Because because;
  std::string words;
};
using Found = std::optional<Finding>;

// It was a member and the rule denied it since: it is to return, which may take more than to stay.
// A new node has nowhere to return to; probation is for that.
bool is_returning(const Case& c) {
  return c.standing == Standing::kQuarantined && c.node.verdict == Verdict::kDenied;
}

Score threshold_of(const Case& c) {
  const bool more = is_returning(c) && c.parameters.return_threshold > c.parameters.threshold;
  return more ? c.parameters.return_threshold : c.parameters.threshold;
}

std::string k_of_n(std::string_view words, std::uint64_t k, std::uint32_t n) {
  return std::string(words) + ": " + std::to_string(k) + " of " + std::to_string(n) + " epochs";
}

std::string below(Score score, Score threshold) {
  return "score " + score.text(threshold) + " < threshold " + threshold.text(score);
}

std::uint32_t good_samples(const Case& c) {
  const std::uint32_t before = c.node.trend.good_samples;
  const bool more = c.steps.is_new && before < std::numeric_limits<std::uint32_t>::max();
  return before + (more ? 1 : 0);
}

Found revoked(const Case& c) {
  if (c.standing != Standing::kRevoked) return std::nullopt;
  return Finding{Because::kRevoked, "revoked"};
}

Found quarantined(const Case& c) {
  if (c.standing != Standing::kQuarantined || c.node.denied_by_rule) return std::nullopt;
  return Finding{Because::kQuarantined, "quarantined by an operator"};
}

Found not_listed(const Case& c) {
  if (!c.parameters.only_listed || c.parameters.listed.count(c.node.name) > 0) return std::nullopt;
  return Finding{Because::kNotListed, "not on the list"};
}

Found no_benchmark(const Case& c) {
  if (c.steps.reported()) return std::nullopt;
  std::string words = "no benchmark submitted";
  if (!c.steps.missing.empty()) words += " [of suite " + c.steps.missing + "]";
  return Finding{Because::kNoBenchmark, std::move(words)};
}

Found too_old(const Case& c) {
  const auto limit = c.parameters.max_age;
  if (c.steps.age <= limit) return std::nullopt;
  std::string words =
      "benchmark too old (" + seconds_text(c.steps.age, limit) + " > " + seconds_text(limit) + ")";
  if (!c.parameters.weights.empty()) words += " [of suite " + c.steps.oldest + "]";
  return Finding{Because::kTooOld, std::move(words)};
}

Found too_low(const Case& c) {
  if (c.steps.score >= c.parameters.threshold) return std::nullopt;
  return Finding{Because::kBelow, below(c.steps.score, threshold_of(c))};
}

Found drifted(const Case& c) {
  const TrendRules rules = trend_rules(c.parameters);
  if (!is_drifted(c.steps.trend, rules)) return std::nullopt;
  const Score drift = drift_of(c.steps.trend);
  const Score reference = reference_of(c.steps.trend, rules).value_or(Score{});
  return Finding{Because::kDrifted, "drifted by " + drift.text(rules.drift_limit) + " > " +
                                        rules.drift_limit.text(drift) + " below " +
                                        reference.text()};
}

Found dwelling(const Case& c) {
  if (!is_returning(c)) return std::nullopt;
  const std::uint64_t since = std::min(c.node.verdict_since, c.epoch);
  const std::uint64_t over = c.epoch - since;
  if (over >= c.parameters.dwell_epochs) return std::nullopt;
  return Finding{Because::kDwelling, k_of_n("dwelling", over + 1, c.parameters.dwell_epochs)};
}

Found not_back(const Case& c) {
  const Score threshold = threshold_of(c);
  if (c.steps.score >= threshold) return std::nullopt;
  return Finding{Because::kBelow, below(c.steps.score, threshold)};
}

Found on_probation(const Case& c) {
  const bool is_new = c.standing == Standing::kUnknown || c.standing == Standing::kProbation;
  const std::uint32_t epochs = c.parameters.probation_epochs;
  if (!is_new || good_samples(c) > epochs || epochs == 0) return std::nullopt;
  return Finding{Because::kProbation, k_of_n("on probation", good_samples(c), epochs)};
}

Found good(const Case& c) {
  const Score threshold = threshold_of(c);
  return Finding{Because::kGood, "score " + c.steps.score.text(threshold) +
                                     " >= " + threshold.text(c.steps.score) + ", fresh"};
}

// The order is the rule's: the first that finds something decides, and the last always does.
constexpr Found (*kRules[])(const Case&) = {
    revoked, quarantined, not_listed, no_benchmark, too_old, too_low,
    drifted, dwelling,    not_back,   on_probation, good,
};

bool is_compared(Because because) {
  switch (because) {
    case Because::kRevoked:
    case Because::kQuarantined:
    case Because::kNotListed:
    case Because::kNoBenchmark:
    case Because::kTooOld:
      return false;
    case Because::kBelow:
    case Because::kDrifted:
    case Because::kProbation:
    case Because::kDwelling:
    case Because::kGood:
      return true;
  }
  return false;
}

std::string drift_so_far(const Case& c) {
  const TrendRules rules = trend_rules(c.parameters);
  const Trend& trend = c.steps.trend;
  if (!reference_of(trend, rules)) {
    return "drift after " + std::to_string(trend.reference_samples) + " of " +
           std::to_string(rules.drift_samples) + " samples";
  }
  const Score drift = drift_of(trend);
  return "drift " + drift.text(rules.drift_limit) + " of " + rules.drift_limit.text(drift);
}

std::string hysteresis(const Case& c) {
  const RuleParameters& p = c.parameters;
  return is_returning(c) ? "returning, " + p.threshold.text(p.return_threshold) + " to stay"
                         : p.return_threshold.text(p.threshold) + " to return";
}

// What each addition that is on did to a score that was compared, in the order of the steps.
std::vector<std::string> additions(const Case& c, Because because) {
  const RuleParameters& p = c.parameters;
  const Steps& s = c.steps;
  std::vector<std::string> all;
  if (!p.weights.empty()) {
    all.push_back("weighted over " + std::to_string(p.weights.size()) +
                  (p.weights.size() == 1 ? " suite" : " suites"));
  }
  if (p.smoothing_permille > 0) all.push_back("smoothed from " + s.weighted.text(s.smoothed));
  if (p.decay_permille > 0) {
    all.push_back("decayed by " + Score{s.smoothed.millionths - s.decayed.millionths}.text());
  }
  if (s.minus > 0) {
    all.push_back("minus " + in_range(s.minus).text() + " for " + signals_text(c.node.signals, p));
  }
  if (p.drift_samples > 0 && because != Because::kDrifted) all.push_back(drift_so_far(c));
  if (p.return_threshold > Score{0}) all.push_back(hysteresis(c));
  if (p.only_listed) all.emplace_back("listed");
  return all;
}

std::string with_additions(std::string words, const std::vector<std::string>& additions) {
  if (additions.empty()) return words;
  words += " [";
  for (std::size_t i = 0; i < additions.size(); ++i) {
    if (i > 0) words += "; ";
    words += additions[i];
  }
  return words + "]";
}

Standing following(Standing standing, Because because) {
  if (standing == Standing::kRevoked) return standing;
  if (because == Because::kGood) return Standing::kAdmitted;
  if (because == Because::kProbation) return Standing::kProbation;
  return standing == Standing::kAdmitted ? Standing::kQuarantined : standing;
}

Finding first_finding(const Case& c) {
  for (const auto rule : kRules) {
    if (Found found = rule(c)) return *std::move(found);
  }
  return {Because::kNoBenchmark, {}};
}

}  // namespace

Decision decide(const Node& node, Standing standing, const RuleParameters& parameters,
                std::uint64_t epoch, WallTime now) {
  const Case c{node, standing, parameters, epoch, steps_of(node, parameters, now)};
  Finding finding = first_finding(c);
  const bool compared = is_compared(finding.because);
  Decision decision;
  decision.because = finding.because;
  decision.verdict = finding.because == Because::kGood ? Verdict::kAllowed : Verdict::kDenied;
  decision.trend = compared ? c.steps.trend : node.trend;
  decision.trend.good_samples = finding.because == Because::kProbation ? good_samples(c) : 0;
  decision.standing = following(standing, finding.because);
  if (compared) {
    decision.score = c.steps.score;
    finding.words = with_additions(std::move(finding.words), additions(c, finding.because));
  }
  decision.reason = std::move(finding.words);
  return decision;
}

void apply(const Decision& decision, std::uint64_t epoch, Node& node) {
  if (node.verdict != decision.verdict) node.verdict_since = epoch;
  if (node.first_epoch == 0) node.first_epoch = epoch;
  node.verdict = decision.verdict;
  node.reason = decision.reason;
  node.trend = decision.trend;
  node.signals = Signals{};
  node.denied_by_rule =
      decision.standing == Standing::kQuarantined && decision.because != Because::kQuarantined;
}

}  // namespace signet::overlay
