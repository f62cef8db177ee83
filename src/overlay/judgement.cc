#include "overlay/judgement.h"

#include <tuple>

#include "membership/standing.h"

namespace signet::overlay {

using membership::Standing;

std::string_view name_of(Because because) {
  switch (because) {
    case Because::kRevoked:
      return "revoked";
    case Because::kQuarantined:
      return "quarantined";
    case Because::kNotListed:
      return "not_listed";
    case Because::kNoBenchmark:
      return "no_benchmark";
    case Because::kTooOld:
      return "too_old";
    case Because::kBelow:
      return "below";
    case Because::kDrifted:
      return "drifted";
    case Because::kProbation:
      return "probation";
    case Because::kDwelling:
      return "dwelling";
    case Because::kGood:
      break;
  }
  return "good";
}

void keep_allowed(Standing standing, std::string_view because, Decision& decision) {
  decision.verdict = Verdict::kAllowed;
  decision.standing = standing;
  decision.kept_because = because;
  decision.reason += " [" + decision.kept_because + "]";
}

void spare_newcomer(const Node& node, Standing standing, Decision& decision) {
  const bool newcomer = node.verdict != Verdict::kAllowed && !node.denied_by_rule;
  if (newcomer && decision.standing == Standing::kQuarantined) decision.standing = standing;
}

void conclude(const Decision& decision, Judgement& judgement) {
  judgement.kept_because = decision.kept_because;
  judgement.verdict = decision.verdict;
  judgement.because = decision.because;
  judgement.reason = decision.reason;
  judgement.score = decision.score;
  judgement.standing_after = decision.standing;
}

Judgement judge_again(const Judgement& judgement, const RuleParameters& rule) {
  const Standing standing = judgement.standing;
  Decision decision = decide(judgement.node, standing, rule, judgement.epoch, judgement.at);
  if (!judgement.kept_because.empty()) keep_allowed(standing, judgement.kept_because, decision);
  spare_newcomer(judgement.node, standing, decision);
  Judgement again = judgement;
  conclude(decision, again);
  return again;
}

std::vector<std::string> explain(const Judgement& judgement, const RuleParameters& rule) {
  const Standing standing = judgement.standing;
  const auto& [node, epoch, at] = std::tie(judgement.node, judgement.epoch, judgement.at);
  std::vector<std::string> lines = explain(node, standing, rule, epoch, at);
  const Standing of_rule = decide(node, standing, rule, epoch, at).standing;
  const Judgement again = judge_again(judgement, rule);
  lines.resize(lines.size() - 2);  // what the rule alone comes to
  if (!again.kept_because.empty()) {
    lines.push_back("beside the rule: it stays, " + again.kept_because);
  } else if (again.standing_after != of_rule) {
    lines.emplace_back("beside the rule: it was no member yet, so its sockets stay");
  }
  lines.push_back("decision: " + std::string(name_of(again.verdict)) + ", " + again.reason);
  lines.push_back("standing: " + std::string(name_of(standing)) + " -> " +
                  std::string(name_of(again.standing_after)));
  return lines;
}

}  // namespace signet::overlay
