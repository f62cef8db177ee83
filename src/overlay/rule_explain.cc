#include <algorithm>
#include <string_view>

#include "base/characters.h"
#include "membership/standing.h"
#include "overlay/rule.h"
#include "overlay/rule_steps.h"

namespace signet::overlay {
namespace {

using membership::Standing;
using Lines = std::vector<std::string>;

// A node chose the text; a terminal is not to obey it.
std::string shown(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (!c.broken && is_printable(c.code)) {
      out += text.substr(0, c.size);
    } else {
      append_escaped(out, c.code);
    }
    text.remove_prefix(c.size);
  }
  return out;
}

// All of its decimals, two at least: who asks why wants no rounded numbers.
std::string exact(Score score) {
  const std::int32_t millionths = std::max(score.millionths, 0);
  std::string decimals = std::to_string(Score::kOne + millionths % Score::kOne).substr(1);
  while (decimals.size() > 2 && decimals.back() == '0') decimals.pop_back();
  return std::to_string(millionths / Score::kOne) + "." + decimals;
}

std::string number(std::uint64_t value) { return std::to_string(value); }

std::string age_text(WallTime timestamp, WallTime now) {
  std::int64_t ms = 0;
  if (__builtin_sub_overflow(now.ms, timestamp.ms, &ms)) return "at a time that is none";
  if (ms >= 0) return seconds_text(std::chrono::milliseconds{ms}) + " old";
  if (__builtin_sub_overflow(timestamp.ms, now.ms, &ms)) return "at a time that is none";
  return seconds_text(std::chrono::milliseconds{ms}) + " ahead";
}

void add_node(const Node& node, Standing standing, std::uint64_t epoch, WallTime now, Lines& out) {
  out.push_back("node " + shown(node.name) + ", epoch " + number(epoch) + ", at " + iso8601(now));
  std::string line = "standing: " + std::string(name_of(standing));
  if (standing == Standing::kQuarantined) {
    line += node.denied_by_rule ? ", by the rule" : ", by an operator";
  }
  out.push_back(std::move(line));
  out.push_back(node.first_epoch == 0 ? std::string("last verdict: none yet")
                                      : "last verdict: " + std::string(name_of(node.verdict)) +
                                            " since epoch " + number(node.verdict_since) +
                                            ", first judged in epoch " + number(node.first_epoch));
}

void add_reports(const Node& node, WallTime now, Lines& out) {
  if (node.reports.empty()) out.emplace_back("reports: none");
  for (const auto& [suite, report] : node.reports) {
    out.push_back("report of suite " + shown(suite) + ": score " + exact(report.overall) + ", " +
                  age_text(report.timestamp, now));
  }
}

void add_history(const Node& node, Lines& out) {
  const Trend& trend = node.trend;
  std::string line = "history: " + number(trend.samples) + " samples";
  if (trend.samples > 0) {
    line += ", the last " + exact(trend.last) + ", smoothed " + exact(trend.smoothed);
  }
  if (trend.good_samples > 0) line += ", good on probation " + number(trend.good_samples);
  out.push_back(std::move(line));
  const Signals& signals = node.signals;
  out.push_back("seen by the broker: failed proofs " + number(signals.failed_proofs) +
                ", replays " + number(signals.replays) + ", lost leases " +
                number(signals.lost_leases));
}

void add_prices(const RuleParameters& p, Lines& out) {
  if (p.per_failed_proof > Score{0}) {
    out.push_back("  on: a failed proof takes " + exact(p.per_failed_proof));
  }
  if (p.per_replay > Score{0}) out.push_back("  on: a replay takes " + exact(p.per_replay));
  if (p.per_lost_lease > Score{0}) {
    out.push_back("  on: a lost lease takes " + exact(p.per_lost_lease));
  }
}

void add_parameters(const RuleParameters& p, Lines& out) {
  out.push_back("parameters version " + number(p.version) + ": threshold " + exact(p.threshold) +
                ", at most " + seconds_text(p.max_age) + " old");
  for (const auto& [suite, weight] : p.weights) {
    out.push_back("  on: suite " + shown(suite) + " weighs " + number(weight));
  }
  if (p.smoothing_permille > 0) {
    out.push_back("  on: smoothing, the newest weighs " + std::to_string(p.smoothing_permille) +
                  " of 1000");
  }
  if (p.decay_permille > 0) {
    out.push_back("  on: decay, " + std::to_string(p.decay_permille) + " of 1000 at " +
                  seconds_text(p.max_age));
  }
  add_prices(p, out);
  if (p.drift_samples > 0) {
    out.push_back("  on: drift, limit " + exact(p.drift_limit) + " and slack " +
                  exact(p.drift_slack) + " below the first " + number(p.drift_samples) +
                  " samples");
  }
  if (p.return_threshold > Score{0}) {
    out.push_back("  on: hysteresis, " + exact(p.return_threshold) + " to return");
  }
  if (p.dwell_epochs > 0) out.push_back("  on: dwelling, " + number(p.dwell_epochs) + " epochs");
  if (p.probation_epochs > 0) {
    out.push_back("  on: probation, " + number(p.probation_epochs) + " epochs");
  }
  if (p.only_listed) out.push_back("  on: a list of " + number(p.listed.size()) + " names");
}

void add_drift(const RuleParameters& p, const Steps& steps, Lines& out) {
  const TrendRules rules = trend_rules(p);
  if (const std::optional<Score> reference = reference_of(steps.trend, rules)) {
    out.push_back("step drift: " + exact(drift_of(steps.trend)) + " below " + exact(*reference) +
                  ", limit " + exact(p.drift_limit));
  } else {
    out.push_back("step drift: " + number(steps.trend.reference_samples) + " of " +
                  number(p.drift_samples) + " samples for a reference");
  }
}

void add_steps(const Node& node, const RuleParameters& p, const Steps& steps, Lines& out) {
  if (!steps.reported()) {
    out.push_back("step: nothing to compare" +
                  (steps.missing.empty() ? "" : ", no report of suite " + shown(steps.missing)));
    return;
  }
  std::string suites;
  for (const Report& report : steps.counting) {
    suites += (suites.empty() ? "" : ", ") + shown(report.suite) + " " + exact(report.overall);
  }
  out.push_back("step age: " + seconds_text(steps.age) + " of " + seconds_text(p.max_age) +
                ", suite " + shown(steps.oldest));
  out.push_back("step score: " + exact(steps.weighted) + " of " + suites +
                (steps.is_new ? "" : ", counted before"));
  if (p.smoothing_permille > 0) {
    out.push_back("step smoothing: " + exact(steps.weighted) + " -> " + exact(steps.smoothed));
  }
  if (p.decay_permille > 0) {
    out.push_back("step decay: " + exact(steps.smoothed) + " -> " + exact(steps.decayed));
  }
  if (steps.minus > 0) {
    out.push_back("step signals: " + exact(steps.decayed) + " -> " + exact(steps.score) + ", " +
                  signals_text(node.signals, p));
  }
  if (p.drift_samples > 0) add_drift(p, steps, out);
}

}  // namespace

Lines explain(const Node& node, Standing standing, const RuleParameters& parameters,
              std::uint64_t epoch, WallTime now) {
  Lines out;
  add_node(node, standing, epoch, now, out);
  add_reports(node, now, out);
  add_history(node, out);
  add_parameters(parameters, out);
  add_steps(node, parameters, steps_of(node, parameters, now), out);
  const Decision decision = decide(node, standing, parameters, epoch, now);
  out.push_back("decision: " + std::string(name_of(decision.verdict)) + ", " + decision.reason);
  out.push_back("standing: " + std::string(name_of(standing)) + " -> " +
                std::string(name_of(decision.standing)));
  return out;
}

}  // namespace signet::overlay
