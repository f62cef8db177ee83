#include "signet/bench/figures.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace signet::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

BenchPlan plan_to(BenchTo to, std::uint32_t peers = 3, std::uint32_t messages = 4) {
  BenchPlan plan;
  plan.peers = peers;
  plan.messages = messages;
  plan.to = to;
  plan.text_bytes = 256;
  plan.in_flight = 16;
  return plan;
}

TEST(BenchFigures, WhatIsNeitherRefusedNorDeliveredIsLost) {
  struct Row {
    const char* name;
    BenchTo to;
    std::uint64_t sent, refused, delivered;
    bool was_interrupted;
    std::uint64_t expected, lost;
    double percent;
    bool is_all;
  };
  // clang-format off
  const Row kRows[] = {
    {"all",                      BenchTo::kDirect,    12, 0, 12, false, 12, 0,  100,   true},
    {"all, to many",             BenchTo::kChannel,   12, 0, 24, false, 24, 0,  100,   true},
    {"one lost",                 BenchTo::kDirect,    12, 0, 11, false, 12, 1,  91.66, false},
    {"one of many lost",         BenchTo::kBroadcast, 12, 0, 23, false, 24, 1,  95.83, false},
    {"refused is not lost",      BenchTo::kDirect,    12, 3, 9,  false, 12, 0,  75,    false},
    {"refused and lost, many",   BenchTo::kChannel,   12, 1, 20, false, 24, 2,  83.33, false},
    {"cut short, all came",      BenchTo::kDirect,    5,  0, 5,  false, 5,  0,  100,   false},
    {"interrupted, all came",    BenchTo::kDirect,    5,  0, 5,  true,  5,  0,  100,   true},
    {"interrupted, one missing", BenchTo::kDirect,    5,  0, 4,  true,  5,  1,  80,    false},
    {"nothing was sent",         BenchTo::kDirect,    0,  0, 0,  false, 0,  0,  0,     false},
  };
  // clang-format on
  for (const Row& row : kRows) {
    const BenchPlan plan = plan_to(row.to);
    BenchFigures figures;
    figures.sent = row.sent;
    if (row.refused > 0) figures.refused["quota_exceeded"] = row.refused;
    figures.delivered = row.delivered;
    figures.was_interrupted = row.was_interrupted;
    EXPECT_EQ(expected_deliveries(plan, figures), row.expected) << row.name;
    EXPECT_EQ(lost_deliveries(plan, figures), row.lost) << row.name;
    EXPECT_DOUBLE_EQ(delivered_percent(plan, figures), row.percent) << row.name;
    EXPECT_EQ(is_all_delivered(plan, figures), row.is_all) << row.name;
  }
}

TEST(BenchFigures, OneLostOfAMillionIsNotAHundredPercent) {
  const BenchPlan plan = plan_to(BenchTo::kDirect, 100, 10'000);
  BenchFigures figures;
  figures.sent = 1'000'000;
  figures.delivered = 999'999;
  EXPECT_DOUBLE_EQ(delivered_percent(plan, figures), 99.99);
}

BenchFigures some_figures() {
  BenchFigures figures;
  figures.sent = 12;
  figures.acked = 11;
  figures.refused["quota_exceeded"] = 1;
  figures.rate_limited = 2;
  figures.delivered = 10;
  figures.out_of_order = 3;
  figures.duplicates = 4;
  figures.sending = seconds(2);
  figures.delivering = milliseconds(2'500);
  figures.own_cpu = milliseconds(1'250);
  for (int i = 1; i <= 10; ++i) figures.latency.add(milliseconds(i));
  figures.own_rss_bytes = 3 << 20;
  return figures;
}

TEST(BenchFigures, ProgramsGetOneDocument) {
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(figures_json(plan_to(BenchTo::kDirect), some_figures())).ok());
  const auto root = document.root();
  EXPECT_EQ(root["ok"].boolean(), false);
  EXPECT_EQ(root["error"].string(), "not_delivered");
  EXPECT_EQ(root["message"].string(), "2 of 12 deliveries did not happen");
  EXPECT_EQ(root["exit"].integer(), 1);
  EXPECT_EQ(root["to"].string(), "direct");
  EXPECT_EQ(root["sealed"].boolean(), true);
  EXPECT_EQ(root["expected"].integer(), 12);
  EXPECT_EQ(root["lost"].integer(), 1);
  EXPECT_EQ(root["refused"]["quota_exceeded"].integer(), 1);
  EXPECT_EQ(root["rateLimited"].integer(), 2);
  EXPECT_EQ(root["duplicates"].integer(), 4);
  EXPECT_EQ(root["outOfOrder"].integer(), 3);
  EXPECT_EQ(root["seconds"].number(), 2.5);
  EXPECT_EQ(root["ackedPerSecond"].integer(), 6) << "5.5 by the last acknowledgement";
  EXPECT_EQ(root["deliveredPerSecond"].integer(), 4);
  EXPECT_EQ(root["latencyUs"]["max"].integer(), 10'000);
  EXPECT_NEAR(static_cast<double>(root["latencyUs"]["p50"].integer().value_or(0)), 5'000, 80);
  EXPECT_TRUE(root["ackLatencyUs"].is(wire::JsonKind::kNull)) << "there was none";
  EXPECT_TRUE(root["brokerRssBytes"].is(wire::JsonKind::kNull)) << "not known";
  EXPECT_EQ(root["ownRssBytes"].integer(), 3 << 20);
  EXPECT_EQ(root["ownCpuSeconds"].number(), 1.25);
}

TEST(BenchFigures, ADocumentOfAWholeRunNamesNoError) {
  BenchFigures figures;
  figures.sent = figures.acked = figures.delivered = 12;
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(figures_json(plan_to(BenchTo::kDirect), figures)).ok());
  EXPECT_EQ(document.root()["ok"].boolean(), true);
  EXPECT_FALSE(document.root()["error"]);
  EXPECT_FALSE(document.root()["exit"]);
}

TEST(BenchFigures, PeopleGetLines) {
  BenchFigures figures = some_figures();
  figures.lost_connections = 1;
  figures.first_loss = "connection_lost: the broker closed";
  const std::string text = fields_text(figures_for_people(plan_to(BenchTo::kDirect), figures));
  for (const char* expected :
       {"3 peers × 4 messages, sealed, direct, 256 bytes, 16 in flight each", "10/12 (83.33 %)",
        "quota_exceeded 1", "6/s acknowledged, 4/s delivered", "most 10.00 ms", "not known",
        "1.25 s (50 % of one core), RSS 3.0 MiB", "1, first: connection_lost: the broker closed"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << " in\n" << text;
  }
}

TEST(BenchFigures, TheProgressIsOneLine) {
  const std::string text =
      progress_text(plan_to(BenchTo::kBroadcast, 100, 1'000), some_figures(), seconds(5));
  EXPECT_EQ(text, "10 of 9,900,000 delivered, 2/s, p99 10.00 ms, 5 s");
}

}  // namespace
}  // namespace signet::cli
