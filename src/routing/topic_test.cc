#include "routing/topic.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signet::routing {
namespace {

std::string deep(std::size_t segments) {
  std::string text = "a";
  for (std::size_t i = 1; i < segments; ++i) text += ".a";
  return text;
}

TEST(Topic, KeepsItsGrammar) {
  struct Case {
    const char* name;
    std::string text;
    bool is_one;
  };
  // clang-format off
  const Case cases[] = {
      {"one segment", "mirror", true},
      {"two segments", "mirror.intent", true},
      {"one letter", "a", true},
      {"all signs", "A_z-0:9/@.b", true},
      {"a number", "1.2.3", true},
      {"16 segments", deep(16), true},
      {"17 segments", deep(17), false},
      {"128 bytes", std::string(128, 't'), true},
      {"129 bytes", std::string(129, 't'), false},
      {"nothing", "", false},
      {"a dot", ".", false},
      {"a dot before", ".a", false},
      {"a dot after", "a.", false},
      {"two dots", "a..b", false},
      {"a star", "*", false},
      {"a star as a segment", "a.*", false},
      {"a star inside", "a*b", false},
      {"a greater-than", ">", false},
      {"a greater-than as a segment", "a.>", false},
      {"a space", "a b", false},
      {"a line end", "a\n", false},
      {"a NUL", std::string("a\0b", 3), false},
      {"an umlaut", "k\xc3\xb6ln", false},
      {"a percent sign", "a%2eb", false},
      {"a hash sign", "#a", false},
  };
  // clang-format on
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(is_topic(row.text), row.is_one);
  }
}

TEST(Topic, IsMadeOfItsSignsOnly) {
  const std::string allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-:/@";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    EXPECT_EQ(is_topic(text), allowed.find(text) != std::string::npos) << byte;
    EXPECT_EQ(is_topic_character(text[0]), allowed.find(text) != std::string::npos) << byte;
  }
}

TEST(SegmentCursor, ReadsWhatStandsBetweenDots) {
  struct Case {
    const char* text;
    std::vector<std::string> segments;
  };
  const Case cases[] = {
      {"", {""}},        {"a", {"a"}},      {"a.b", {"a", "b"}},  {".", {"", ""}},
      {"a.", {"a", ""}}, {".a", {"", "a"}}, {"..", {"", "", ""}}, {"a..b", {"a", "", "b"}}};
  for (const Case& row : cases) {
    std::vector<std::string> segments;
    for (SegmentCursor cursor(row.text); !cursor.at_end();) segments.emplace_back(cursor.next());
    EXPECT_EQ(segments, row.segments) << row.text;
    const Segments side_by_side(row.text);
    EXPECT_EQ(std::vector<std::string>(side_by_side.begin(), side_by_side.end()), row.segments);
  }
}

TEST(Segments, EndWithTheSixteenth) {
  EXPECT_EQ(Segments(deep(16)).size(), 16u);
  EXPECT_EQ(Segments(deep(40)).size(), 16u);
}

}  // namespace
}  // namespace signet::routing
