#include "base/encoding.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <string>
#include <vector>

namespace signet {
namespace {

using namespace std::string_literals;

TEST(Hex, RoundTripsEveryByte) {
  for (unsigned value = 0; value < 256; ++value) {
    const std::array<unsigned char, 1> byte{static_cast<unsigned char>(value)};
    std::array<unsigned char, 1> back{};
    ASSERT_TRUE(from_hex(to_hex(byte), back)) << value;
    EXPECT_EQ(back, byte);
  }
}

TEST(Hex, AcceptsEitherCaseAndNothingElse) {
  struct Case {
    const char* name;
    std::string text;
    bool accepted;
  };
  const Case cases[] = {
      {"lower case", "0a1f", true},
      {"upper case", "0A1F", true},
      {"mixed", "0a1F", true},
      {"empty", "", false},
      {"one digit short", "0a1", false},
      {"one byte short", "0a", false},
      {"one byte long", "0a1f00", false},
      {"not a digit", "0a1g", false},
      {"between 9 and A", "0a1:", false},
      {"below 0", "0a1/", false},
      {"after f", "0a1`", false},
      {"white space", " a1f", false},
      {"sign", "+a1f", false},
      {"prefix", "0x1f", false},
      {"zero byte", "0a1\0"s, false},
      {"above ASCII", "0a1\xe1"s, false},
      {"full-width digit", "0\xef\xbc\x91"s, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::array<unsigned char, 2> out{};
    EXPECT_EQ(from_hex(c.text, out), c.accepted);
    if (c.accepted) {
      EXPECT_EQ(out, (std::array<unsigned char, 2>{0x0A, 0x1F}));
    }
  }
}

TEST(Base64, WritesTheVectorsOfRfc4648) {
  struct Case {
    const char* plain;
    const char* padded;
    const char* url;
  };
  const Case cases[] = {
      {"", "", ""},
      {"f", "Zg==", "Zg"},
      {"fo", "Zm8=", "Zm8"},
      {"foo", "Zm9v", "Zm9v"},
      {"foob", "Zm9vYg==", "Zm9vYg"},
      {"fooba", "Zm9vYmE=", "Zm9vYmE"},
      {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
      {"\xfb\xff\xbf", "+/+/", "-_-_"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.plain);
    EXPECT_EQ(to_base64(bytes_of(c.plain)), c.padded);
    EXPECT_EQ(to_base64url(bytes_of(c.plain)), c.url);
    EXPECT_EQ(from_base64(c.padded), c.plain);
    EXPECT_EQ(from_base64url(c.url), c.plain);
  }
}

TEST(Base64, RefusesEverySecondSpelling) {
  struct Case {
    const char* name;
    std::string text;
  };
  const Case padded[] = {
      {"no padding", "Zg"},
      {"half the padding", "Zg="},
      {"too much padding", "Zg==="},
      {"a group of padding", "Zm9v===="},
      {"padding alone", "===="},
      {"one digit", "Z==="},
      {"stray bits of one", "Zh=="},
      {"stray bits of two", "Zm9="},
      {"padding inside", "Zg==Zg=="},
      {"URL alphabet", "-_-_"},
      {"line break", "Zm9v\n"},
      {"line break in a group", "Zm9\n"},
      {"space", "Zm 9"},
      {"zero byte", "Zm9\0"s},
      {"above ASCII", "Zm9\xc3"s},
  };
  for (const Case& c : padded) EXPECT_EQ(from_base64(c.text), std::nullopt) << c.name;
  const Case url[] = {
      {"padding", "Zg=="},
      {"one digit", "Z"},
      {"five digits", "Zm9vY"},
      {"stray bits", "Zh"},
      {"stray bits of two", "Zm9vYmF"},
      {"standard alphabet", "+/+/"},
      {"line break", "Zm9\n"},
      {"zero byte", "Zm9\0"s},
  };
  for (const Case& c : url) EXPECT_EQ(from_base64url(c.text), std::nullopt) << c.name;
}

TEST(Base64, RoundTripsEveryLength) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    EXPECT_EQ(from_base64(to_base64(bytes_of(bytes))), bytes);
    EXPECT_EQ(from_base64url(to_base64url(bytes_of(bytes))), bytes);
  }
}

// One value has one text: what is decoded is what would have been written.
TEST(Base64, AcceptsOnlyWhatItWouldWrite) {
  std::mt19937 random(2);
  constexpr std::string_view kLetters = "AZaz09+/-_= QgwB";
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 9, '\0');
    for (char& c : text) c = kLetters[random() % kLetters.size()];
    if (const auto bytes = from_base64(text)) {
      ++accepted;
      ASSERT_EQ(to_base64(bytes_of(*bytes)), text);
    }
    if (const auto bytes = from_base64url(text)) {
      ++accepted;
      ASSERT_EQ(to_base64url(bytes_of(*bytes)), text);
    }
  }
  EXPECT_GT(accepted, 1'000);
}

TEST(Base64, TakesEitherAlphabetWithOrWithoutPaddingWhereAFormatDoes) {
  // clang-format off
  const struct { const char* name; std::string text; std::optional<std::string> bytes; } rows[] = {
      {"empty", "", ""},
      {"standard, padded", "+/+/+w==", "\xfb\xff\xbf\xfb"},
      {"standard, not padded", "+/+/+w", "\xfb\xff\xbf\xfb"},
      {"URL, padded", "-_-_-w==", "\xfb\xff\xbf\xfb"},
      {"URL, not padded", "-_-_-w", "\xfb\xff\xbf\xfb"},
      {"neither alphabet's own letters", "Zm9v", "foo"},
      {"one padding", "Zm8=", "fo"},
      {"mixed alphabets", "+_+_", std::nullopt},
      {"half the padding", "+/+/+w=", std::nullopt},
      {"padding too many", "Zm9v=", std::nullopt},
      {"a whole group of padding", "Zm9v====", std::nullopt},
      {"padding inside", "Zg==Zg==", std::nullopt},
      {"stray bits", "Zm9", std::nullopt},
      {"one letter over", "Zm9vY", std::nullopt},
      {"white space", "Zm9v ", std::nullopt},
      {"line feed", "Zm9v\n", std::nullopt},
      {"zero byte", "Zm9v\0\0\0\0"s, std::nullopt},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(from_any_base64(row.text), row.bytes);
  }
}

}  // namespace
}  // namespace signet
