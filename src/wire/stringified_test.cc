#include "wire/stringified.h"

#include <gtest/gtest.h>

#include <string_view>

namespace signet::wire {
namespace {

// tests/e2e/70_json_is_printed_as_ecmascript_does.test.mjs holds this against Node.

std::string stringified_text(std::string_view text) {
  JsonDocument document;
  const Status parsed = document.parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? stringified(document.root()) : "";
}

TEST(Stringified, PrintsAsEcmascriptDoes) {
  // clang-format off
  const struct { const char* name; std::string_view text; std::string_view printed; } rows[] = {
      {"null", " null ", "null"},
      {"true", "true", "true"},
      {"spaces of all kinds", "\t{ \"a\" :\n[ 1 ,\r2 ] }", R"({"a":[1,2]})"},
      {"empty ones", "[ { } , [ ] , \"\" ]", R"([{},[],""])"},
      {"zero", "0", "0"},
      {"zero below", "-0", "0"},
      {"zero with a point", "-0.0e9", "0"},
      {"an integer with a point", "1.0", "1"},
      {"an integer by a power", "1E+2", "100"},
      {"the last that is exact", "9007199254740991", "9007199254740991"},
      {"the first that is not", "9007199254740993", "9007199254740992"},
      {"fifteen digits", "-123456789012345", "-123456789012345"},
      {"twenty digits", "18446744073709551615", "18446744073709552000"},
      {"the last without a power", "123456789012345680000", "123456789012345680000"},
      {"the first with a power", "1000000000000000000000", "1e+21"},
      {"the last small without a power", "0.000001", "0.000001"},
      {"the first small with a power", "0.0000001", "1e-7"},
      {"the shortest digits", "0.1000000000000000055511151231257827", "0.1"},
      {"the largest", "1.7976931348623157e308", "1.7976931348623157e+308"},
      {"the smallest", "5e-324", "5e-324"},
      {"beyond the largest", "[1e400,-1e400]", "[null,null]"},
      {"below the smallest", "[1e-400,-1e-400]", "[0,0]"},
      {"escapes that need none", R"("\u0061\/\u00e9\ud83d\ude00")", "\"a/\xc3\xa9\xf0\x9f\x98\x80\""},
      {"escapes that have a letter", R"("\u0008\u0009\u000A\u000c\u000D\u0022\u005C")", R"("\b\t\n\f\r\"\\")"},
      {"escapes that have none", R"("\u0000\u001F")", R"("\u0000\u001f")"},
      {"separators and the last control", "\"\xe2\x80\xa8\xe2\x80\xa9\x7f\"", "\"\xe2\x80\xa8\xe2\x80\xa9\x7f\""},
      {"names as they came", R"({"b":1,"a":2,"":3,"__proto__":4})", R"({"b":1,"a":2,"":3,"__proto__":4})"},
      {"indices first and rising", R"({"b":1,"10":2,"9":3,"a":4,"0":5})", R"({"0":5,"9":3,"10":2,"b":1,"a":4})"},
      {"an index by escapes", R"({"a":1,"\u0031":2})", R"({"1":2,"a":1})"},
      {"an index behind a space", "{\"a\":1,\"1\" :2}", R"({"1":2,"a":1})"},
      {"the last index", R"({"a":1,"4294967295":2,"4294967294":3})", R"({"4294967294":3,"a":1,"4294967295":2})"},
      {"no indices", R"({"a":1,"01":2,"-1":3,"1.0":4,"1e3":5,"99999999999":6})", R"({"a":1,"01":2,"-1":3,"1.0":4,"1e3":5,"99999999999":6})"},
      {"indices inside", R"([{"x":{"2":0,"1":0}}])", R"([{"x":{"1":0,"2":0}}])"},
      {"an escape in a name", R"({"\u0062":"1","\n":1})", R"({"b":"1","\n":1})"},
      {"a text that begins as an index", R"({"a":"1","b":["2:","3"]})", R"({"a":"1","b":["2:","3"]})"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(stringified_text(row.text), row.printed);
    EXPECT_EQ(stringified_text(row.printed), row.printed) << "printed again";
  }
}

// A space makes the value be read and written instead of copied; it is no part of what is printed.
TEST(Stringified, CopiesOnlyWhatItWouldPrint) {
  for (const std::string_view text :
       {R"({"type":"click","payload":null,"ts":1700000000000})", R"(["a",-1,0,true,{"b":{}}])",
        R"("plain")", "123456789012345", "-7", R"({"a1":"1","b":"2"})", "[]", "{}", "false"}) {
    SCOPED_TRACE(text);
    EXPECT_EQ(stringified_text(text), text);
    EXPECT_EQ(stringified_text("[ " + std::string(text) + "]"), "[" + std::string(text) + "]");
  }
}

TEST(Stringified, OfAPartIsThatPart) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"payload":{ "b":1.0 },"absent":[1,2]})").ok());
  EXPECT_EQ(stringified(document.root()["payload"]), R"({"b":1})");
  EXPECT_EQ(stringified(document.root()["absent"][1]), "2");
}

}  // namespace
}  // namespace signet::wire
