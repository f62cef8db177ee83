#include "overlay/node.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::overlay {
namespace {

TEST(NodeName, IsSafeInAPathALogLineAndAFilesName) {
  struct Row {
    const char* name;
    std::string text;
    bool is_one;
  };
  const Row rows[] = {
      {"a word", "node-a", true},
      {"one character", "x", true},
      {"all kinds", "Ab9._-", true},
      {"a dot inside", "rack1.node2", true},
      {"the longest", std::string(kMaxNodeName, 'n'), true},
      {"empty", "", false},
      {"too long", std::string(kMaxNodeName + 1, 'n'), false},
      {"a dot first", ".node", false},
      {"this folder", ".", false},
      {"the folder above", "..", false},
      {"a slash", "a/b", false},
      {"a backslash", "a\\b", false},
      {"a newline", "a\nb", false},
      {"a newline last", "a\n", false},
      {"a carriage return", "a\rb", false},
      {"a space", "a b", false},
      {"a NUL", std::string("a\0b", 3), false},
      {"a semicolon", "a;reboot", false},
      {"a dollar", "$HOME", false},
      {"a backquote", "`id`", false},
      {"a quote", "a'b", false},
      {"a percent sign", "a%2fb", false},
      {"a section", "[Peer]", false},
      {"an assignment", "PostUp=x", false},
      {"a number sign", "#a", false},
      {"a letter beyond ASCII",
       "n\xc3\xb6"
       "de",
       false},
      {"a byte above 127", "a\xff", false},
      {"DEL", "a\x7f", false},
  };
  for (const Row& row : rows) EXPECT_EQ(is_node_name(row.text), row.is_one) << row.name;
}

TEST(Submission, SaysWhatItIsOverall) {
  Submission submission;
  submission.scores = {{"honesty", Score{900'000}}, {"overall", Score{920'000}}};
  EXPECT_EQ(submission.overall(), Score{920'000});
}

TEST(SubmissionDeathTest, EndsTheProcessWhereNobodyReadIt) {
  const Submission submission;
  EXPECT_DEATH((void)submission.overall(), "");
}

TEST(Verdict, HasThePagesNames) {
  EXPECT_EQ(name_of(Verdict::kUnknown), "UNKNOWN");
  EXPECT_EQ(name_of(Verdict::kAllowed), "ALLOWED");
  EXPECT_EQ(name_of(Verdict::kDenied), "DENIED");
}

TEST(Node, ForgetsReportsAndWithTheLastOneWhatTheyCameTo) {
  Node node;
  node.sequence = 7;
  node.newest = WallTime{200};
  node.reports["a"] = Report{"a", Score{900'000}, WallTime{100}};
  node.reports["b"] = Report{"b", Score{800'000}, WallTime{200}};
  node.trend.samples = 2;
  forget_reports(node, WallTime{200});
  EXPECT_EQ(node.reports.size(), 1U);
  EXPECT_EQ(node.trend.samples, 2U);
  forget_reports(node, WallTime{201});
  EXPECT_TRUE(node.reports.empty());
  EXPECT_EQ(node.trend, Trend{});
  EXPECT_EQ(node.sequence, 7U);
  EXPECT_EQ(node.newest, WallTime{200});
}

}  // namespace
}  // namespace signet::overlay
