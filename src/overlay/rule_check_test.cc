#include <gtest/gtest.h>

#include <limits>

#include "overlay/rule.h"

namespace signet::overlay {
namespace {

TEST(RuleCheck, NamesWhatIsWrong) {
  struct Row {
    const char* name;
    void (*change)(RuleParameters& p);
    const char* sentence;  // empty: nothing is wrong
  };
  using P = RuleParameters;
  // clang-format off
  const Row rows[] = {
      {"as they are", [](P&) {}, ""},
      {"version 0", [](P& p) { p.version = 0; }, "versions begin with 1"},
      {"threshold 0", [](P& p) { p.threshold = Score{0}; }, ""},
      {"threshold 1", [](P& p) { p.threshold = Score{1'000'000}; }, ""},
      {"threshold above", [](P& p) { p.threshold = Score{1'000'001}; }, "the threshold is 0 to 1"},
      {"threshold below", [](P& p) { p.threshold = Score{-1}; }, "the threshold is 0 to 1"},
      {"no age", [](P& p) { p.max_age = std::chrono::milliseconds{0}; },
       "the age is at least a millisecond and at most a day"},
      {"a day", [](P& p) { p.max_age = kMaxRuleAge; }, ""},
      {"more than a day", [](P& p) { p.max_age = kMaxRuleAge + std::chrono::milliseconds{1}; },
       "the age is at least a millisecond and at most a day"},
      {"the longest time", [](P& p) { p.max_age = std::chrono::milliseconds::max(); },
       "the age is at least a millisecond and at most a day"},
      {"smoothing 1000", [](P& p) { p.smoothing_permille = 1'000; }, ""},
      {"smoothing 1001", [](P& p) { p.smoothing_permille = 1'001; },
       "the smoothing is 0 to 1000 permille"},
      {"smoothing -1", [](P& p) { p.smoothing_permille = -1; }, "the smoothing is 0 to 1000 permille"},
      {"to return as to stay", [](P& p) { p.return_threshold = p.threshold; }, ""},
      {"to return less", [](P& p) { p.return_threshold = Score{699'999}; },
       "the threshold to return is at least the one to stay, and at most 1"},
      {"to return too much", [](P& p) { p.return_threshold = Score{1'000'001}; },
       "the threshold to return is at least the one to stay, and at most 1"},
      {"dwelling", [](P& p) { p.dwell_epochs = kMaxRuleEpochs; }, ""},
      {"dwelling too long", [](P& p) { p.dwell_epochs = kMaxRuleEpochs + 1; },
       "nobody dwells for more than 100000 epochs"},
      {"probation", [](P& p) { p.probation_epochs = kMaxRuleEpochs; }, ""},
      {"probation too long", [](P& p) { p.probation_epochs = kMaxRuleEpochs + 1; },
       "no probation takes more than 100000 epochs"},
      {"decay 1000", [](P& p) { p.decay_permille = 1'000; }, ""},
      {"decay 1001", [](P& p) { p.decay_permille = 1'001; }, "the decay is 0 to 1000 permille"},
      {"decay -1", [](P& p) { p.decay_permille = -1; }, "the decay is 0 to 1000 permille"},
      {"a weight", [](P& p) { p.weights = {{"poc-0.1", kMaxWeight}}; }, ""},
      {"a weight of nothing", [](P& p) { p.weights = {{"poc-0.1", 0}}; }, "a weight is 1 to 1000000"},
      {"a weight too much", [](P& p) { p.weights = {{"poc-0.1", kMaxWeight + 1}}; },
       "a weight is 1 to 1000000"},
      {"as many suites as there may be", [](P& p) { for (char c = 'a'; c < 'i'; ++c) p.weights[{c}] = 1; }, ""},
      {"one more", [](P& p) { for (char c = 'a'; c < 'j'; ++c) p.weights[{c}] = 1; },
       "a node has reports of 8 suites at most, so no more can have a weight"},
      {"a suite without a name", [](P& p) { p.weights = {{"", 1}}; },
       "a suite's name is 1 to 64 printable characters of ASCII"},
      {"a suite with a colour", [](P& p) { p.weights = {{"\x1b[31m", 1}}; },
       "a suite's name is 1 to 64 printable characters of ASCII"},
      {"a suite beyond ASCII", [](P& p) { p.weights = {{"\xe2\x80\xae", 1}}; },
       "a suite's name is 1 to 64 printable characters of ASCII"},
      {"a suite too long", [](P& p) { p.weights = {{std::string(65, 's'), 1}}; },
       "a suite's name is 1 to 64 printable characters of ASCII"},
      {"an empty list", [](P& p) { p.only_listed = true; }, ""},
      {"a list", [](P& p) { p.listed = {"node-a", "node-b"}; }, ""},
      {"a list of no names", [](P& p) { p.listed = {"node a"}; }, "what is listed are names of nodes"},
      {"drift", [](P& p) { p.drift_samples = kMaxDriftSamples; }, ""},
      {"drift of too many", [](P& p) { p.drift_samples = kMaxDriftSamples + 1; },
       "drift is measured from 10000 samples at most"},
      {"slack above", [](P& p) { p.drift_slack = Score{1'000'001}; }, "the drift's slack is 0 to 1"},
      {"drift without a limit", [](P& p) { p.drift_samples = 1; p.drift_limit = Score{0}; },
       "the drift's limit is more than 0 and at most 1"},
      {"no drift, no limit", [](P& p) { p.drift_limit = Score{0}; }, ""},
      {"limit above", [](P& p) { p.drift_limit = Score{1'000'001}; },
       "the drift's limit is more than 0 and at most 1"},
      {"a price above", [](P& p) { p.per_replay = Score{1'000'001}; },
       "what a signal takes from a score is 0 to 1"},
      {"a reward", [](P& p) { p.per_failed_proof = Score{-1}; },
       "what a signal takes from a score is 0 to 1"},
      {"another reward", [](P& p) { p.per_lost_lease = Score{std::numeric_limits<std::int32_t>::min()}; },
       "what a signal takes from a score is 0 to 1"},
  };
  // clang-format on
  for (const Row& row : rows) {
    RuleParameters parameters;
    row.change(parameters);
    const Status status = check(parameters);
    ASSERT_EQ(status.ok(), *row.sentence == '\0') << row.name;
    if (status.ok()) continue;
    EXPECT_EQ(status.error().code, ErrorCode::kMalformed) << row.name;
    EXPECT_EQ(status.error().detail, row.sentence) << row.name;
  }
}

}  // namespace
}  // namespace signet::overlay
