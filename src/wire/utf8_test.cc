#include "wire/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::wire {
namespace {

std::string encoded(char32_t code) {
  const auto byte = [](char32_t value) { return static_cast<char>(value); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xc0 | code >> 6), byte(0x80 | (code & 63))};
  if (code < 0x10000) {
    return {byte(0xe0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63))};
  }
  return {byte(0xf0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)),
          byte(0x80 | (code & 63))};
}

TEST(Utf8, TakesEveryCharacterAndNoSurrogate) {
  for (char32_t code = 0; code < 0x120000; ++code) {
    const bool valid = code < 0x110000 && (code < 0xd800 || code > 0xdfff);
    ASSERT_EQ(is_utf8(encoded(code)), valid) << std::hex << static_cast<std::uint32_t>(code);
  }
}

// Three bytes that begin with a start byte cover every rule: what may start, follow, and fall
// short.
TEST(Utf8, TakesAsManyThreeByteTextsAsThereAre) {
  std::size_t valid = 0;
  for (unsigned value = 0xc0U << 16; value < 1U << 24; ++value) {
    const char text[] = {static_cast<char>(value >> 16), static_cast<char>(value >> 8),
                         static_cast<char>(value)};
    valid += is_utf8({text, sizeof text}) ? 1 : 0;
  }
  const std::size_t two_and_ascii = (0x800 - 0x80) * 128;
  const std::size_t three = 0x10000 - 0x800 - 0x800;  // without the surrogates
  EXPECT_EQ(valid, two_and_ascii + three);
}

TEST(Utf8, PrefixEndsBehindTheLastWholeCharacter) {
  // clang-format off
  const struct { const char* name; std::string text; std::size_t prefix; } rows[] = {
      {"empty", "", 0},
      {"ASCII", "abc", 3},
      {"whole characters", "a\xc3\xa9", 3},
      {"unfinished", "ab\xe2\x82", 2},
      {"bad byte", "ab\xff" "cd", 2},
      {"bad byte behind a long start", std::string(40, 'a') + "\x80", 40},
      {"overlong", "a\xc0\x80", 1},
      {"interrupted", "\xc3\xa9\xe2\x82" "a", 2},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(valid_utf8_prefix(row.text), row.prefix) << row.name;
}

TEST(Utf8, FailsAtTheFirstByteThatNothingMends) {
  Utf8Checker checker;
  EXPECT_TRUE(checker.feed("\xed"));
  EXPECT_FALSE(checker.complete());
  EXPECT_FALSE(checker.feed("\xa0"));
}

}  // namespace
}  // namespace signet::wire
