#include <algorithm>

#include "overlay/rule.h"

namespace signet::overlay {
namespace {

constexpr std::int32_t kPermille = 1'000;

bool is_score(Score score) { return score.millionths >= 0 && score.millionths <= Score::kOne; }
bool is_permille(std::int32_t value) { return value >= 0 && value <= kPermille; }

// Such names stand in reasons, which terminals show.
bool is_suite_name(const std::string& name) {
  return !name.empty() && name.size() <= kMaxSuiteName &&
         std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

struct Demand {
  bool (*holds)(const RuleParameters& p);
  const char* sentence;
};
constexpr Demand kDemands[] = {
    {[](const RuleParameters& p) { return p.version > 0; }, "versions begin with 1"},
    {[](const RuleParameters& p) { return is_score(p.threshold); }, "the threshold is 0 to 1"},
    {[](const RuleParameters& p) { return p.max_age.count() > 0 && p.max_age <= kMaxRuleAge; },
     "the age is at least a millisecond and at most a day"},
    {[](const RuleParameters& p) { return is_permille(p.smoothing_permille); },
     "the smoothing is 0 to 1000 permille"},
    {[](const RuleParameters& p) {
       return p.return_threshold == Score{0} ||
              (is_score(p.return_threshold) && p.return_threshold >= p.threshold);
     },
     "the threshold to return is at least the one to stay, and at most 1"},
    {[](const RuleParameters& p) { return p.dwell_epochs <= kMaxRuleEpochs; },
     "nobody dwells for more than 100000 epochs"},
    {[](const RuleParameters& p) { return p.probation_epochs <= kMaxRuleEpochs; },
     "no probation takes more than 100000 epochs"},
    {[](const RuleParameters& p) { return is_permille(p.decay_permille); },
     "the decay is 0 to 1000 permille"},
    {[](const RuleParameters& p) { return p.weights.size() <= kMaxSuites; },
     "a node has reports of 8 suites at most, so no more can have a weight"},
    {[](const RuleParameters& p) {
       return std::all_of(p.weights.begin(), p.weights.end(), [](const auto& of_suite) {
         return of_suite.second > 0 && of_suite.second <= kMaxWeight;
       });
     },
     "a weight is 1 to 1000000"},
    {[](const RuleParameters& p) {
       return std::all_of(p.weights.begin(), p.weights.end(),
                          [](const auto& of_suite) { return is_suite_name(of_suite.first); });
     },
     "a suite's name is 1 to 64 printable characters of ASCII"},
    {[](const RuleParameters& p) { return p.listed.size() <= kMaxListed; },
     "the list has 100000 names at most"},
    {[](const RuleParameters& p) {
       return std::all_of(p.listed.begin(), p.listed.end(),
                          [](const std::string& name) { return is_node_name(name); });
     },
     "what is listed are names of nodes"},
    {[](const RuleParameters& p) { return p.drift_samples <= kMaxDriftSamples; },
     "drift is measured from 10000 samples at most"},
    {[](const RuleParameters& p) { return is_score(p.drift_slack); },
     "the drift's slack is 0 to 1"},
    {[](const RuleParameters& p) {
       return is_score(p.drift_limit) && (p.drift_samples == 0 || p.drift_limit > Score{0});
     },
     "the drift's limit is more than 0 and at most 1"},
    {[](const RuleParameters& p) {
       return is_score(p.per_failed_proof) && is_score(p.per_replay) && is_score(p.per_lost_lease);
     },
     "what a signal takes from a score is 0 to 1"},
};

}  // namespace

Status check(const RuleParameters& parameters) {
  for (const Demand& demand : kDemands) {
    if (!demand.holds(parameters)) return Error{ErrorCode::kMalformed, demand.sentence};
  }
  return Done{};
}

}  // namespace signet::overlay
