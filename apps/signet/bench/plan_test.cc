#include "signet/bench/plan.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <utility>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

BenchPlan plan(const BenchOptions& options) {
  const auto made = plan_of(options);
  EXPECT_TRUE(made.ok());
  return made.ok() ? *made : BenchPlan();
}

TEST(BenchPlan, OptionsSayHowFast) {
  struct Row {
    const char* name;
    BenchOptions options;
    std::uint64_t all_messages;
    bool is_all_at_once;
    double per_second;
    bool is_windowed;
  };
  // clang-format off
  const Row kRows[] = {
    {"as it comes",         {},                                              10'000,  false, 0,  true},
    {"a rate",              {.peers = 2, .messages = 5, .rate = 9},          10,      false, 9,  false},
    {"as fast as possible", {.peers = 2, .as_fast_as_possible = true},       2'000,   true,  0,  false},
    {"as claudemesh does",  {.peers = 2, .messages = 5, .shape = "claudemesh"}, 100'000, true, 0, false},
  };
  // clang-format on
  for (const Row& row : kRows) {
    const BenchPlan made = plan(row.options);
    EXPECT_EQ(made.all_messages(), row.all_messages) << row.name;
    EXPECT_EQ(made.is_all_at_once, row.is_all_at_once) << row.name;
    EXPECT_EQ(made.per_second, row.per_second) << row.name;
    EXPECT_EQ(made.in_flight == row.options.in_flight, row.is_windowed) << row.name;
  }
}

TEST(BenchPlan, WhatMakesNoSenseIsRefused) {
  for (const BenchOptions& options :
       {BenchOptions{.rate = 1, .as_fast_as_possible = true},
        BenchOptions{.rate = 1, .shape = "claudemesh"}, BenchOptions{.timeout = 0.1}}) {
    const auto refused = plan_of(options);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(tell(refused.error()).exit, kExitUsage);
  }
}

TEST(BenchPlan, OnlyDirectMessagesHaveOneReceiver) {
  for (const auto& [to, receivers] :
       {std::pair{"direct", 1u}, {"channel", 6u}, {"broadcast", 6u}}) {
    const BenchPlan made = plan({.peers = 7, .to = to});
    EXPECT_EQ(made.receivers(), receivers) << to;
    EXPECT_EQ(word_of(made.to), to);
  }
}

// Every receiver sees 0, 1, 2, … from every sender that writes to it, and nobody writes to itself.
TEST(BenchPlan, DirectMessagesAreNumberedWithoutGapsAtEachReceiver) {
  for (const std::int64_t peers : {2, 3, 10, 33, 34, 100}) {
    const BenchPlan made = plan({.peers = peers, .messages = 200});
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> next;
    std::set<std::uint32_t> receivers;
    for (std::uint32_t sender = 0; sender < made.peers; ++sender) {
      for (std::uint32_t number = 0; number < made.messages; ++number) {
        const std::uint32_t receiver = made.receiver_of(sender, number);
        ASSERT_LT(receiver, made.peers);
        ASSERT_NE(receiver, sender);
        ASSERT_EQ(made.place_of(number), (next[{sender, receiver}]++)) << peers;
        receivers.insert(receiver);
      }
    }
    EXPECT_EQ(receivers.size(), made.peers) << "somebody gets nothing";
  }
}

TEST(BenchPlan, ARateIsOneScheduleOfAllPeers) {
  const BenchPlan made = plan({.peers = 4, .rate = 8});
  const auto after = [&](std::uint32_t sender, std::uint32_t number) {
    return made.due_after(sender, number).value_or(std::chrono::nanoseconds(-1)).count();
  };
  EXPECT_EQ(after(0, 0), 0);
  EXPECT_EQ(after(1, 0), 125'000'000);
  EXPECT_EQ(after(3, 0), 375'000'000);
  EXPECT_EQ(after(0, 1), 500'000'000);
  EXPECT_EQ(plan({.as_fast_as_possible = true}).due_after(3, 9)->count(), 0);
  EXPECT_EQ(plan({}).due_after(3, 9), std::nullopt) << "when there is room";
}

TEST(BenchPlan, MessagesToManyAreNumberedAsTheyAreSent) {
  const BenchPlan made = plan({.to = "channel"});
  for (const std::uint32_t number : {0u, 1u, 999u}) EXPECT_EQ(made.place_of(number), number);
}

}  // namespace
}  // namespace signet::cli
