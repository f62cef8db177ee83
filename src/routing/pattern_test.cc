#include "routing/pattern.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::routing {
namespace {

std::string repeated(const std::string& segment, std::size_t times) {
  std::string text = segment;
  for (std::size_t i = 1; i < times; ++i) text += "." + segment;
  return text;
}

// "exact", "wildcard", or the rule that it breaks.
std::string reading(std::string_view text) {
  const auto pattern = Pattern::parse(text);
  if (!pattern.ok()) {
    EXPECT_EQ(pattern.error().code, ErrorCode::kMalformed);
    return pattern.error().detail;
  }
  EXPECT_EQ(pattern->text(), text);
  return pattern->is_exact() ? "exact" : "wildcard";
}

TEST(Pattern, HasOneReadingForEachText) {
  const std::string inside = "pattern has a wildcard inside a segment";
  const std::string before_end = "pattern has > before its end";
  const std::string empty_segment = "pattern has an empty segment";
  const std::string character = "pattern has a character that no topic has";
  struct Case {
    const char* name;
    std::string text;
    std::string reading;
  };
  // clang-format off
  const Case cases[] = {
      {"a topic", "mirror.intent", "exact"},
      {"all signs", "A_z-0:9/@.b", "exact"},
      {"a star", "*", "wildcard"},
      {"a star first", "*.a", "wildcard"},
      {"a star between", "a.*.b", "wildcard"},
      {"a star last", "a.*", "wildcard"},
      {"stars only", "*.*.*", "wildcard"},
      {"everything", ">", "wildcard"},
      {"all below", "a.>", "wildcard"},
      {"all below any", "*.>", "wildcard"},
      {"16 segments", repeated("a", 16), "exact"},
      {"16 stars", repeated("*", 16), "wildcard"},
      {"16 with the rest", repeated("a", 15) + ".>", "wildcard"},
      {"128 bytes", std::string(128, 't'), "exact"},
      {"nothing", "", "pattern is empty"},
      {"17 segments", repeated("a", 17), "pattern is too deep"},
      {"17 with the rest", repeated("a", 16) + ".>", "pattern is too deep"},
      {"129 bytes", std::string(129, 't'), "pattern is too long"},
      {"a dot", ".", empty_segment},
      {"a dot before", ".a", empty_segment},
      {"a dot after", "a.", empty_segment},
      {"two dots", "a..b", empty_segment},
      {"a dot behind the rest", "a.>.", before_end},
      {"something behind the rest", ">.a", before_end},
      {"the rest twice", ">.>", before_end},
      {"a star behind the rest", "a.>.*", before_end},
      {"a star after a letter", "a*", inside},
      {"a star before a letter", "*a", inside},
      {"two stars", "**", inside},
      {"the rest before a letter", "a.>b", inside},
      {"the rest after a letter", "a>", inside},
      {"the rest doubled", ">>", inside},
      {"a space", "a b", character},
      {"a space behind a star", "a.* ", inside},
      {"a hash sign", "a.#", character},
      {"a plus sign", "+", character},
      {"a NUL", std::string("a\0", 2), character},
      {"a line end", "a\n", character},
      {"an umlaut", "k\xc3\xb6ln", character},
  };
  // clang-format on
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(reading(row.text), row.reading);
  }
}

TEST(Pattern, MatchesWholeSegments) {
  struct Case {
    const char* pattern;
    std::string name;
    bool matches;
  };
  // clang-format off
  const Case cases[] = {
      {"a", "a", true},
      {"a", "A", false},
      {"a", "b", false},
      {"a", "a.b", false},
      {"a", "", false},
      {"a.b", "a.b", true},
      {"a.b", "a", false},
      {"a.b", "a.b.c", false},
      {"a.b", "a.bc", false},
      {"*", "a", true},
      {"*", "a.b", false},
      {"*", "", false},
      {"*.b", "a.b", true},
      {"*.b", "a.c", false},
      {"*.b", "b", false},
      {"a.*", "a.b", true},
      {"a.*", "a", false},
      {"a.*", "a.b.c", false},
      {"a.*.c", "a.b.c", true},
      {"a.*.c", "a.c", false},
      {"a.*.c", "a.b.b.c", false},
      {"*.*", "a.b", true},
      {"*.*", "a", false},
      {"*.*", "a.b.c", false},
      {">", "a", true},
      {">", "a.b.c", true},
      {">", repeated("a", 16), true},
      {">", "", false},
      {"a.>", "a.b", true},
      {"a.>", "a.b.c", true},
      {"a.>", "a", false},
      {"a.>", "b.c", false},
      {"a.>", "ab.c", false},
      {"*.>", "a", false},
      {"*.>", "a.b", true},
      {"a.*.>", "a.b", false},
      {"a.*.>", "a.b.c", true},
      // What is no topic: channels, whose names may have dots anywhere.
      {">", "a..b", true},
      {">", ".", true},
      {">", std::string(64, '.'), true},
      {"a.>", "a.", true},
      {"a.*", "a.", true},
      {"*.a", ".a", true},
      {"a.*.b", "a..b", true},
      {"a.b", "a..b", false},
      {"a", "a.", false},
      {"*", ".", false},
      {"*.*", ".", true},
      // Signs of patterns in a name are letters like others.
      {"a", "*", false},
      {"a.b", "a.*", false},
      {"a.b", "a.>", false},
      {"a.*", "a.>", true},
  };
  // clang-format on
  for (const Case& row : cases) {
    const auto pattern = Pattern::parse(row.pattern);
    ASSERT_TRUE(pattern.ok()) << row.pattern;
    EXPECT_EQ(pattern->matches(row.name), row.matches) << row.pattern << " and " << row.name;
  }
}

TEST(Pattern, LendsItsSegments) {
  const auto pattern = Pattern::parse("a.*.>");
  ASSERT_TRUE(pattern.ok());
  const Pattern copy = *pattern;
  ASSERT_EQ(copy.segments().size(), 3u);
  EXPECT_EQ(copy.segments()[0], "a");
  EXPECT_EQ(copy.segments()[1], "*");
  EXPECT_EQ(copy.segments()[2], ">");
  EXPECT_EQ(copy, *pattern);
}

}  // namespace
}  // namespace signet::routing
