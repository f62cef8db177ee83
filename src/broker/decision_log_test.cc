#include "broker/decision_log.h"

#include <gtest/gtest.h>

namespace signet::broker {
namespace {

RefusedDecision refused(std::size_t number) {
  RefusedDecision decision;
  decision.id = "r" + std::to_string(number);
  decision.on = "topic " + std::to_string(number);
  return decision;
}

TEST(DecisionLog, FindsARefusalByItsReference) {
  DecisionLog log;
  EXPECT_EQ(log.find("r0"), nullptr);
  log.add(refused(0));
  log.add(refused(1));
  ASSERT_NE(log.find("r0"), nullptr);
  EXPECT_EQ(log.find("r0")->on, "topic 0");
  EXPECT_EQ(log.find("r1")->on, "topic 1");
  EXPECT_EQ(log.find("r"), nullptr) << "no part of one";
  EXPECT_EQ(log.find(""), nullptr);
}

TEST(DecisionLog, TellsTheNewestFirst) {
  DecisionLog log;
  EXPECT_TRUE(log.latest(10).empty());
  for (std::size_t i = 0; i < 5; ++i) log.add(refused(i));
  const auto latest = log.latest(3);
  ASSERT_EQ(latest.size(), 3U);
  EXPECT_EQ(latest[0]->id, "r4");
  EXPECT_EQ(latest[2]->id, "r2");
  EXPECT_EQ(log.latest(10).size(), 5U);
  EXPECT_TRUE(log.latest(0).empty());
}

TEST(DecisionLog, ForgetsTheOldestWhenItIsFull) {
  DecisionLog log;
  for (std::size_t i = 0; i < DecisionLog::kKept + 2; ++i) log.add(refused(i));
  EXPECT_EQ(log.find("r0"), nullptr);
  EXPECT_EQ(log.find("r1"), nullptr);
  EXPECT_NE(log.find("r2"), nullptr);
  EXPECT_EQ(log.latest(DecisionLog::kKept * 2).size(), DecisionLog::kKept);
}

}  // namespace
}  // namespace signet::broker
