#include "signet/terminal/text.h"

#include <gtest/gtest.h>

namespace signet::cli {
namespace {

struct Row {
  const char* name;
  std::string_view in, line;
  std::size_t width;
};

// clang-format off
const Row kRows[] = {
  {"plain",                   "ada",                          "ada", 3},
  {"umlaut",                  "Zo\xc3\xab",                   "Zo\xc3\xab", 3},
  {"wide",                    "\xe6\x97\xa5\xe6\x9c\xac",     "\xe6\x97\xa5\xe6\x9c\xac", 4},
  {"picture",                 "\xf0\x9f\x90\x8d",             "\xf0\x9f\x90\x8d", 2},
  {"combining",               "e\xcc\x81",                    "e\xcc\x81", 1},
  {"escape code",             "\x1b[31mred",                  "\\u001b[31mred", 13},
  {"carriage return",         "a\rb",                         "a\\u000db", 8},
  {"line end",                "a\nb",                         "a\\nb", 4},
  {"tab",                     "a\tb",                         "a    b", 6},
  {"NUL",                     {"a\0b", 3},                    "a\\u0000b", 8},
  {"DEL",                     "\x7f",                         "\\u007f", 6},
  {"C1 control sequence",     "\xc2\x9b" "31m",               "\\u009b31m", 9},
  {"right-to-left override",  "\xe2\x80\xaegpj.exe",          "\\u202egpj.exe", 13},
  {"zero width space",        "a\xe2\x80\x8b" "b",            "a\\u200bb", 8},
  {"byte order mark",         "\xef\xbb\xbf" "a",             "\\ufeffa", 7},
  {"tag beyond 16 bits",      "\xf3\xa0\x80\x81",             "\\udb40\\udc01", 12},
  {"joiner in a name",        "ad\xe2\x80\x8d" "a",         "ad\\u200da", 9},
  {"selector in a name",      "ada\xef\xb8\x8f",            "ada\\ufe0f", 9},
  {"Hangul filler",           "\xe3\x85\xa4",               "\\u3164", 6},
  {"broken byte",             "a\xff" "b",                    "a\xef\xbf\xbd" "b", 3},
  {"overlong escape",         "\xc0\x9b",                     "\xef\xbf\xbd\xef\xbf\xbd", 2},
  {"cut character",           "\xe6\x97",                     "\xef\xbf\xbd\xef\xbf\xbd", 2},
};
// clang-format on

TEST(Text, WhatATerminalObeysBecomesVisible) {
  for (const Row& row : kRows) {
    EXPECT_EQ(printable_line(row.in), row.line) << row.name;
    EXPECT_EQ(width_of(row.line), row.width) << row.name;
  }
}

TEST(Text, NoLineOfATextLooksLikeTheStartOfAnother) {
  EXPECT_EQ(printable_text("one\ntwo\n\x1b[2Jthree", "    "), "one\n    two\n    \\u001b[2Jthree");
}

TEST(Text, OfSeveralLinesKeepsJoinedPictures) {
  const std::string_view family =
      "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 \xe2\x9d\xa4\xef\xb8\x8f";
  EXPECT_EQ(printable_text(family, ""), family);
}

TEST(Text, JsonStaysJsonAndHasNoControls) {
  EXPECT_EQ(printable_json("{\"a\":\"\xc2\x9b\x7f\"}\n"), "{\"a\":\"\\u009b\\u007f\"}\n");
}

}  // namespace
}  // namespace signet::cli
