// What was decided is decided again from what is kept of it, over random nodes, rules and lives.
#include "overlay/judgement.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "overlay/record.h"
#include "overlay/rule_case_for_test.h"

namespace signet::overlay {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

class JudgedLife {
 public:
  explicit JudgedLife(std::uint64_t seed) : random_(seed) {
    rule_.version = number<std::uint32_t>(100) + 1;
    rule_.threshold = score();
    if (coin()) rule_.smoothing_permille = number<std::int32_t>(1'001);
    if (coin()) rule_.return_threshold = std::max(rule_.threshold, score());
    if (coin()) rule_.dwell_epochs = number<std::uint32_t>(5);
    if (coin()) rule_.probation_epochs = number<std::uint32_t>(4);
    if (coin()) rule_.decay_permille = number<std::int32_t>(1'001);
    if (coin()) rule_.drift_samples = number<std::uint32_t>(4);
    if (coin()) rule_.per_failed_proof = score();
    if (coin()) rule_.per_replay = score();
    if (coin()) rule_.weights = {{"a", 1 + number<std::uint32_t>(9)}, {"b", 2}};
    rule_.only_listed = number<int>(8) == 0;
    node_.name = coin() ? "node-a" : "node-b";
    if (coin()) rule_.listed = {"node-a"};
  }

  // The next epoch, as the controller decides it, and what is kept of it.
  Judgement decides() {
    ++epoch_;
    for (const char* suite : {"a", "b"}) {
      if (number<int>(3) == 0) continue;
      const WallTime at = now() - std::chrono::milliseconds(number<std::int64_t>(200'000));
      node_.reports[suite] = Report{suite, score(), at};
    }
    Judgement judged;
    judged.node = node_;
    judged.node.signals = {number<std::uint32_t>(3), number<std::uint32_t>(3), 0};
    judged.epoch = epoch_;
    judged.at = now();
    judged.rule = rule_.version;
    judged.standing = standing_;
    Decision decision = decide(judged.node, standing_, rule_, epoch_, now());
    const bool would_go = node_.verdict == Verdict::kAllowed && may_connect(standing_) &&
                          decision.verdict != Verdict::kAllowed;
    if (would_go && coin()) keep_allowed(standing_, "denial held for operators", decision);
    spare_newcomer(judged.node, standing_, decision);
    conclude(decision, judged);
    apply(decision, epoch_, node_);
    standing_ = number<int>(10) == 0 ? static_cast<Standing>(number<int>(5)) : decision.standing;
    return judged;
  }
  const RuleParameters& rule() const { return rule_; }

 private:
  template <class T>
  T number(std::int64_t end) {
    return static_cast<T>(random_() % static_cast<std::uint64_t>(end));
  }
  bool coin() { return random_() % 2 == 0; }
  Score score() { return Score{number<std::int32_t>(Score::kOne + 1)}; }
  WallTime now() const { return kNow + std::chrono::minutes(epoch_); }

  std::mt19937_64 random_;
  RuleParameters rule_;
  Node node_;
  Standing standing_ = Standing::kAdmitted;
  std::uint64_t epoch_ = 0;
};

TEST(Judgement, ComesToTheSameFromWhatIsKept) {
  std::set<Because> seen;
  std::size_t kept = 0, judged_nodes = 0;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    JudgedLife life(seed);
    for (int epoch = 0; epoch < 10; ++epoch) {
      const Judgement judged = life.decides();
      const auto rule = decode_rule(encode(life.rule()));
      const auto read = decode_judgement(encode(judged));
      ASSERT_TRUE(rule && read) << "seed " << seed;
      ASSERT_EQ(*read, judged) << "seed " << seed;
      ASSERT_EQ(judge_again(*read, *rule), judged)
          << "seed " << seed << ", epoch " << epoch << ": " << judged.reason << " became "
          << judge_again(*read, *rule).reason;
      seen.insert(judged.because);
      kept += judged.kept_because.empty() ? 0 : 1;
      ++judged_nodes;
    }
  }
  EXPECT_EQ(judged_nodes, 10'000U);
  EXPECT_EQ(seen.size(), 10U) << "each step of the rule decided somewhere";
  EXPECT_GT(kept, 50U);
}

// Or the equality above would say nothing.
TEST(Judgement, DiffersUnderAnotherRuleOrOtherInputs) {
  Judgement judged;
  judged.node = node_with(Score{800'000});
  judged.at = kNow;
  judged.epoch = kEpoch;
  judged.standing = Standing::kAdmitted;
  RuleParameters rule;
  const Judgement good = judge_again(judged, rule);
  EXPECT_EQ(good.verdict, Verdict::kAllowed);
  EXPECT_EQ(good.score, Score{800'000});
  rule.threshold = Score{810'000};
  EXPECT_EQ(judge_again(good, rule).reason, "score 0.80 < threshold 0.81");
  EXPECT_NE(judge_again(good, rule), good);
  Judgement later = good;
  later.at = kNow + 10min;
  EXPECT_NE(judge_again(later, {}), later);
  Judgement changed = good;
  changed.reason = "score 0.81 >= 0.70, fresh";
  EXPECT_NE(judge_again(changed, {}), changed) << "what it came to is no input";
}

TEST(Judgement, WhoIsKeptStaysWithTheReasonAndTheWordsBehindIt) {
  Judgement judged;
  judged.node = node_with(Score{100'000});
  judged.node.verdict = Verdict::kAllowed;
  judged.at = kNow;
  judged.standing = Standing::kAdmitted;
  judged.kept_because = "the controller was away";
  const Judgement kept = judge_again(judged, {});
  EXPECT_EQ(kept.verdict, Verdict::kAllowed);
  EXPECT_EQ(kept.because, Because::kBelow);
  EXPECT_EQ(kept.reason, "score 0.10 < threshold 0.70 [the controller was away]");
  EXPECT_EQ(kept.standing_after, Standing::kAdmitted);
  const std::vector<std::string> lines = explain(judged, {});
  ASSERT_GT(lines.size(), 3U);
  EXPECT_EQ(lines[lines.size() - 3], "beside the rule: it stays, the controller was away");
  EXPECT_EQ(lines[lines.size() - 2], "decision: ALLOWED, " + kept.reason);
  EXPECT_EQ(lines.back(), "standing: admitted -> admitted");
}

TEST(Judgement, ANewcomerKeepsItsSocketsAndAMemberDoesNot) {
  Judgement judged;
  judged.node = node_with(Score{100'000});
  judged.at = kNow;
  judged.standing = Standing::kAdmitted;
  EXPECT_EQ(judge_again(judged, {}).standing_after, Standing::kAdmitted);
  const std::vector<std::string> lines = explain(judged, {});
  EXPECT_EQ(lines[lines.size() - 3], "beside the rule: it was no member yet, so its sockets stay");
  EXPECT_EQ(lines.back(), "standing: admitted -> admitted");
  judged.node.verdict = Verdict::kAllowed;
  EXPECT_EQ(explain(judged, {}).back(), "standing: admitted -> quarantined");
  EXPECT_EQ(judge_again(judged, {}).standing_after, Standing::kQuarantined);
}

TEST(Judgement, ARecordThatSaysSomethingElseIsNone) {
  Judgement judged;
  judged.node = node_with(Score{100'000});
  const std::string bytes = encode(judged);
  ASSERT_TRUE(decode_judgement(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ASSERT_FALSE(decode_judgement(std::string_view(bytes).substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_judgement(bytes + '\0'));
  judged.node.name = "../x";
  EXPECT_FALSE(decode_judgement(encode(judged)));
}

TEST(NameOf, EachStepOfTheRuleHasAWordOfItsOwn) {
  std::set<std::string_view> names;
  for (int step = 0; step <= static_cast<int>(Because::kGood); ++step) {
    names.insert(name_of(static_cast<Because>(step)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(Because::kGood) + 1);
}

}  // namespace
}  // namespace signet::overlay
