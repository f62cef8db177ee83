// The rule: who is a member of the overlay in an epoch, and because of what. Pure and in whole
// numbers: the same inputs and parameters give the same decision on every machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "membership/model.h"
#include "overlay/node.h"
#include "signet/result.h"

namespace signet::overlay {

// Bounds of the parameters: what is beyond them is a slip of the finger, and none of the sums with
// what is within them overflows.
inline constexpr std::chrono::milliseconds kMaxRuleAge{24LL * 60 * 60 * 1'000};
inline constexpr std::uint32_t kMaxRuleEpochs =
    100'000;  // dwelling, probation: 69 days of a minute
inline constexpr std::uint32_t kMaxDriftSamples = 10'000;  // a week of a minute
inline constexpr std::uint32_t kMaxWeight = 1'000'000;
inline constexpr std::size_t kMaxListed = 100'000;

// Kept with each epoch. All that goes beyond the format's page is off as it is.
struct RuleParameters {
  std::uint32_t version = 1;  // rises with every change of the others
  Score threshold{700'000};
  std::chrono::milliseconds max_age{120'000};

  std::int32_t smoothing_permille = 0;  // weight of the newest score in the EWMA; 0: off
  Score return_threshold{0};           // hysteresis: a member that was denied needs so much; 0: off
  std::uint32_t dwell_epochs = 0;      // a member that was denied stays so for as many; 0: off
  std::uint32_t probation_epochs = 0;  // a new node is good first, each with a new report; 0: off
  std::int32_t decay_permille = 0;     // lost at max_age, linear in the age; 0: off
  // By suite: each is required, none may be too old, and the oldest one's age is what decays.
  std::map<std::string, std::uint32_t, std::less<>> weights;  // empty: the newest report counts
  bool only_listed = false;                                   // a list of names
  std::set<std::string, std::less<>> listed;

  // Drift (CUSUM, Page 1954): reports below the mean of the first `drift_samples` by more than
  // `drift_slack` add up; beyond `drift_limit` the node is denied. 0 samples: off.
  std::uint32_t drift_samples = 0;
  Score drift_slack{20'000};
  Score drift_limit{300'000};

  // What each takes from the score of an epoch; 0: off.
  Score per_failed_proof{0};
  Score per_replay{0};
  Score per_lost_lease{0};
  bool operator==(const RuleParameters&) const = default;
};
// Fails kMalformed, with a sentence; Done when nothing is wrong with them.
Status check(const RuleParameters& parameters);

enum class Because : std::uint8_t {
  kRevoked,      // standing
  kQuarantined,  // standing, by an operator
  kNotListed,
  kNoBenchmark,
  kTooOld,
  kBelow,
  kDrifted,
  kProbation,
  kDwelling,
  kGood,
};

struct Decision {
  Verdict verdict = Verdict::kDenied;
  Because because = Because::kNoBenchmark;
  std::string reason;  // the page's words, and what was added to the rule in brackets behind them
  std::string kept_because;  // why it stays allowed against the rule (judgement.h); empty: it holds
  Score score;               // what was compared; 0 where nothing was
  Trend trend;               // as it is from now on
  // The standing that follows. A quarantine that an operator set is not lifted, nor a revocation.
  membership::Standing standing = membership::Standing::kUnknown;
};

// `standing`: of the node's member now. `epoch`: the one that is decided; it rises. Decided again
// on the same report, history and probation stay where they are. REQUIRES: check(parameters); what
// does not hold there gives a decision that nobody asked for, and nothing worse.
Decision decide(const Node& node, membership::Standing standing, const RuleParameters& parameters,
                std::uint64_t epoch, WallTime now);

// The node as it is behind the decision: verdict, since, trend, signals at zero. An operator who
// quarantines a node afterwards sets denied_by_rule to false, or the rule lifts it again.
void apply(const Decision& decision, std::uint64_t epoch, Node& node);

// The inputs, the rule and the steps to the decision, line by line, for `signet node explain`.
std::vector<std::string> explain(const Node& node, membership::Standing standing,
                                 const RuleParameters& parameters, std::uint64_t epoch,
                                 WallTime now);

}  // namespace signet::overlay
