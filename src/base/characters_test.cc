#include "base/characters.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

TEST(FirstCharacter, TakesWhatUtf8HasAndNothingElse) {
  const struct {
    const char* name;
    std::string_view text;
    char32_t code;
    std::size_t size;
    bool broken;
  } rows[] = {
      {"a letter", "az", U'a', 1, false},
      {"two bytes", "\xc3\xa9x", 0xE9, 2, false},
      {"three bytes", "\xe2\x82\xac", 0x20AC, 3, false},
      {"four bytes", "\xf0\x9f\x98\x80", 0x1F600, 4, false},
      {"a continuation alone", "\x80", 0xFFFD, 1, true},
      {"cut", "\xe2\x82", 0xFFFD, 1, true},
      {"overlong", "\xc0\xaf", 0xFFFD, 1, true},
      {"a surrogate", "\xed\xa0\x80", 0xFFFD, 1, true},
      {"past the last", "\xf4\x90\x80\x80", 0xFFFD, 1, true},
  };
  for (const auto& row : rows) {
    const Character c = first_character(row.text);
    EXPECT_EQ(c.code, row.code) << row.name;
    EXPECT_EQ(c.size, row.size) << row.name;
    EXPECT_EQ(c.broken, row.broken) << row.name;
  }
}

TEST(IsPrintable, HidesWhatAViewerObeys) {
  for (const char32_t shown : {U' ', U'~', char32_t{0xE9}, char32_t{0x20AC}, char32_t{0x1F600}}) {
    EXPECT_TRUE(is_printable(shown)) << static_cast<unsigned>(shown);
  }
  for (const unsigned hidden : {0x00U,   0x0AU,   0x1BU,   0x7FU,   0x9BU,    0xADU,   0x200BU,
                                0x202EU, 0x2066U, 0xFEFFU, 0xFFFFU, 0xE0041U, 0x034FU, 0x115FU,
                                0x1160U, 0x2800U, 0x3164U, 0xFE00U, 0xFE0FU,  0xFFA0U}) {
    EXPECT_FALSE(is_printable(hidden)) << hidden;
  }
}

TEST(AppendEscaped, WritesUnitsOfUtf16) {
  std::string out;
  append_escaped(out, 0x1B);
  append_escaped(out, 0x1F600);
  EXPECT_EQ(out, "\\u001b\\ud83d\\ude00");
}

}  // namespace
}  // namespace signet
