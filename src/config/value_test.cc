#include "config/value.h"

#include <gtest/gtest.h>

#include "config/settings.h"

namespace signet::config {
namespace {

constexpr Setting make(Type type, std::int64_t min, std::int64_t max, std::string_view unit = "") {
  return {"s", "k", type, "", "", unit, min, max, Reload::kRestart, ""};
}

// clang-format off
TEST(ParseValue, ReadsWhatIsAllowedAndNothingElse) {
  constexpr auto kDuration = make(Type::kDuration, 0, 7 * kDay, "ms");
  constexpr auto kHours = make(Type::kDuration, 1 * kHour, 7 * kDay, "h");
  constexpr auto kMicros = make(Type::kDuration, 0, kSecond, "us");
  constexpr auto kBytes = make(Type::kBytes, 16, 1 * kTiB);
  constexpr auto kWhole = make(Type::kInteger, 0, 8);
  constexpr auto kBool = make(Type::kBool, 0, 0);
  constexpr auto kChoice = make(Type::kChoice, 0, 0, "debug|info");
  constexpr auto kText = make(Type::kText, 1, 4);
  struct Case {
    const char* name;
    Setting setting;
    std::string text;
    const char* printed;  // null: refused
  };
  const Case cases[] = {
      {"milliseconds", kDuration, "250ms", "250ms"},
      {"seconds", kDuration, "30s", "30s"},
      {"days", kDuration, "7d", "7d"},
      {"the largest exact unit is printed", kDuration, "3600s", "1h"},
      {"zero needs no unit", kDuration, "0", "0"},
      {"zero with a unit", kDuration, "0s", "0"},
      {"no unit", kDuration, "30", nullptr},
      {"unknown unit", kDuration, "30x", nullptr},
      {"unit in capitals", kDuration, "30S", nullptr},
      {"no number", kDuration, "s", nullptr},
      {"nothing", kDuration, "", nullptr},
      {"negative", kDuration, "-1s", nullptr},
      {"plus sign", kDuration, "+1s", nullptr},
      {"fraction", kDuration, "1.5s", nullptr},
      {"leading space", kDuration, " 1s", nullptr},
      {"space before the unit", kDuration, "1 s", nullptr},
      {"trailing space", kDuration, "1s ", nullptr},
      {"two units", kDuration, "1h30m", nullptr},
      {"at the bound", kDuration, "604800s", "7d"},
      {"over the bound", kDuration, "604801s", nullptr},
      {"product over 64 bits", kDuration, "9223372036854775807d", nullptr},
      {"number over 64 bits", kDuration, "9223372036854775808us", nullptr},
      {"finer than the step", kDuration, "1us", nullptr},
      {"finer unit, whole steps", kDuration, "1000us", "1ms"},
      {"hours only", kHours, "90m", nullptr},
      {"minutes that are hours", kHours, "120m", "2h"},
      {"below the bound", kHours, "0", nullptr},
      {"microseconds", kMicros, "50us", "50us"},

      {"plain bytes", kBytes, "65537", "65537"},
      {"bytes that are KiB", kBytes, "65536", "64KiB"},
      {"KiB", kBytes, "64KiB", "64KiB"},
      {"MiB", kBytes, "64MiB", "64MiB"},
      {"GiB", kBytes, "4GiB", "4GiB"},
      {"TiB at the bound", kBytes, "1TiB", "1TiB"},
      {"decimal unit", kBytes, "64MB", nullptr},
      {"unit B", kBytes, "64B", nullptr},
      {"size below the bound", kBytes, "15", nullptr},
      {"size over the bound", kBytes, "2TiB", nullptr},
      {"size over 64 bits", kBytes, "9999999999TiB", nullptr},
      {"a duration for a size", kBytes, "30s", nullptr},

      {"whole number", kWhole, "8", "8"},
      {"over the bound of a number", kWhole, "9", nullptr},
      {"number with a unit", kWhole, "8s", nullptr},
      {"hexadecimal", kWhole, "0x1", nullptr},
      {"no digits", kWhole, "", nullptr},

      {"true", kBool, "true", "true"},
      {"1", kBool, "1", "true"},
      {"false", kBool, "false", "false"},
      {"0", kBool, "0", "false"},
      {"yes", kBool, "yes", nullptr},
      {"TRUE", kBool, "TRUE", nullptr},
      {"2", kBool, "2", nullptr},

      {"first word", kChoice, "debug", "debug"},
      {"last word", kChoice, "info", "info"},
      {"part of a word", kChoice, "inf", nullptr},
      {"two words", kChoice, "debug|info", nullptr},
      {"no word", kChoice, "", nullptr},

      {"text", kText, "abc", "abc"},
      {"text too long", kText, "abcde", nullptr},
      {"text too short", kText, "", nullptr},
      {"line feed in a text", kText, "a\nb", nullptr},
      {"NUL in a text", kText, std::string("a\0b", 3), nullptr},
      {"DEL in a text", kText, "a\x7f", nullptr},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto value = parse_value(c.setting, c.text);
    ASSERT_EQ(value.ok(), c.printed != nullptr);
    if (value.ok()) {
      EXPECT_EQ(print_value(c.setting, *value), c.printed);
      EXPECT_EQ(*parse_value(c.setting, c.printed), *value);
    } else {
      EXPECT_EQ(value.error().code, ErrorCode::kMalformed);
      EXPECT_EQ(value.error().detail, "allowed is " + allowed(c.setting));
    }
  }
}

TEST(ParseValue, ReadsListsAndChecksEveryEntry) {
  constexpr auto kAddresses = make(Type::kAddresses, 1, 2);
  constexpr auto kList = make(Type::kList, 0, 2);
  struct Case {
    const char* name;
    Setting setting;
    std::string text;
    bool good;
  };
  const Case cases[] = {
      {"one address", kAddresses, "127.0.0.1:8088", true},
      {"two addresses", kAddresses, "127.0.0.1:0,[::1]:65535", true},
      {"a name", kAddresses, "localhost:80", true},
      {"three where two may be", kAddresses, "a:1,b:2,c:3", false},
      {"none where one must be", kAddresses, "", false},
      {"no port", kAddresses, "127.0.0.1", false},
      {"empty port", kAddresses, "127.0.0.1:", false},
      {"port too large", kAddresses, "127.0.0.1:65536", false},
      {"no host", kAddresses, ":80", false},
      {"IPv6 without brackets", kAddresses, "::1:80", false},
      {"empty brackets", kAddresses, "[]:80", false},
      {"a space", kAddresses, "a:1, b:2", false},
      {"an empty entry", kAddresses, "a:1,", false},
      {"no entry", kList, "", true},
      {"two entries", kList, "a,b", true},
      {"an empty one between", kList, "a,,b", false},
      {"a line feed", kList, "a\n,b", false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto value = parse_value(c.setting, c.text);
    ASSERT_EQ(value.ok(), c.good);
    if (value.ok()) {
      EXPECT_EQ(print_value(c.setting, *value), c.text);
    }
  }
  EXPECT_FALSE(parse_list(kList, {"a,b"}).ok()) << "an entry that would not print back";
}
// clang-format on

TEST(ParseValue, NeverKeepsASecret) {
  constexpr auto kSecret = make(Type::kSecret, 1, 99);
  const auto value = parse_value(kSecret, "hunter2");
  ASSERT_TRUE(value.ok());
  EXPECT_EQ(*value, Value{});
  EXPECT_EQ(print_value(kSecret, *value), "********");
}

TEST(Allowed, SaysTheBoundsInTheUnitsThatAreTyped) {
  EXPECT_EQ(allowed(make(Type::kDuration, kSecond, 10 * kMinute, "ms")),
            "a duration such as \"250ms\", \"30s\" or \"7d\", from 1s to 10m in steps of 1ms");
  EXPECT_EQ(allowed(make(Type::kInteger, 0, 8)), "a whole number from 0 to 8");
  EXPECT_EQ(allowed(make(Type::kChoice, 0, 0, "a|b|c")), "one of a, b, c");
}

}  // namespace
}  // namespace signet::config
