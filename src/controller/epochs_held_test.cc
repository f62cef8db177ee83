// Stories of many denials at once: whose wait for the operators, and whose do not.
#include "controller/epochs_story_for_test.h"

namespace signet::controller {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

class HeldDenialsTest : public EpochsStory {
 protected:
  // Members of the mesh by their key, each a node that is allowed: "n0", "n1", …
  void begin_with(int members) {
    for (int i = 0; i < members; ++i) {
      const std::string name = "n" + std::to_string(i);
      store_.at_start.emplace_back(
          membership::MemberAdded{membership::member_named(100 + i, 1, name), {}});
      signed_.push_back(name);
    }
    begin();
    for (const std::string& name : signed_) ASSERT_EQ(join(node_of(name)), "ok");
  }
  // All of them, and as many that nobody vouches for: "o0", "o1", …
  void report(const std::map<std::string, double>& scores, int unsigned_ones = 0,
              double theirs = 0.9) {
    for (const std::string& name : signed_) {
      const auto found = scores.find(name);
      ASSERT_EQ(submit(name, found == scores.end() ? 0.9 : found->second), "ok") << name;
    }
    for (int i = 0; i < unsigned_ones; ++i) {
      auto made = submission("o" + std::to_string(i), theirs);
      made.signature.reset();
      made.sequence.reset();
      ASSERT_EQ(submit(made), "ok") << made.node;
    }
  }
  void decide_now() {
    on_control([&] { epochs_->decide_now([](const Status&) {}); });
    quiet();
  }
  std::string fate(const std::string& name) { return verdict(name).substr(0, 7); }

  std::vector<std::string> signed_;
};

TEST_F(HeldDenialsTest, ACrowdThatFallsKeepsNoBadNodeIn) {
  overlay_.submissions.allow_unsigned = true;
  begin_with(7);
  report({}, 6);
  pass(1min);
  ASSERT_EQ(fate("o5"), "ALLOWED");
  report({{"n0", 0.05}}, 6, 0.1);
  pass(1min);
  EXPECT_EQ(fate("n0"), "DENIED ") << "six names that anybody could make up change nothing";
  EXPECT_EQ(standing("n0"), Standing::kQuarantined);
  EXPECT_EQ(fate("n1"), "ALLOWED");
  EXPECT_EQ(epochs_->held_denials().size(), 6U);
  EXPECT_EQ(verdict("o0"), "ALLOWED score 0.10 < threshold 0.70 [denial held for operators]");
  on_control([&] { epochs_->allow_mass_denial(); });
  decide_now();
  EXPECT_TRUE(epochs_->held_denials().empty());
  EXPECT_EQ(fate("o0"), "DENIED ");
}

TEST_F(HeldDenialsTest, WhereAllFallTogetherAllWait) {
  overlay_.submissions.allow_unsigned = true;
  begin_with(4);
  report({}, 4);
  pass(1min);
  report({{"n0", 0.1}, {"n1", 0.1}, {"n2", 0.1}, {"n3", 0.1}}, 4, 0.1);
  pass(1min);
  EXPECT_EQ(epochs_->held_denials().size(), 8U);
}

// 30 of a hundred at the boundary, and as many of those that are left just behind it.
TEST_F(HeldDenialsTest, WhatWentAtTheBoundaryCountsUntilTheNext) {
  begin_with(10);
  report({});
  pass(1min);
  std::map<std::string, double> bad{{"n0", 0.1}, {"n1", 0.1}, {"n2", 0.1}};
  report(bad);
  pass(1min);
  EXPECT_EQ(fate("n2"), "DENIED ") << "three of ten may go";
  on_control([&] { clock_.advance(1s); });
  bad["n3"] = bad["n4"] = 0.1;
  report(bad);
  decide_now();
  EXPECT_EQ(epochs_->held_denials(), (std::vector<std::string>{"node-n3", "node-n4"}));
  EXPECT_EQ(fate("n3"), "ALLOWED");
  report(bad);
  pass(1min);
  EXPECT_TRUE(epochs_->held_denials().empty()) << "the next boundary is another step";
  EXPECT_EQ(fate("n3"), "DENIED ");
}

}  // namespace
}  // namespace signet::controller
