#include "wire/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <iostream>
#include <limits>
#include <random>

namespace signet::wire {
namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

// "" where the text is accepted, else the broken rule.
std::string broken_rule(std::string_view text, const JsonLimits& limits = {}) {
  JsonDocument document;
  const Status parsed = document.parse(text, limits);
  return parsed.ok() ? "" : parsed.error().detail;
}

TEST(Json, AcceptsWhatHasOneReading) {
  // clang-format off
  const struct { const char* name; std::string text; } rows[] = {
      {"empty object", "{}"}, {"empty array", "[]"}, {"space inside", " { } "},
      {"all kinds of space", "\t\r\n [\t1\r,\n2 ] \t\r\n"},
      {"root string", "\"a\""}, {"root number", "-1.5e+3"}, {"root true", "true"},
      {"root false", " false "}, {"root null", "null\n"},
      {"empty string", "\"\""}, {"empty key", "{\"\":1}"},
      {"every short escape", R"("\"\\\/\b\f\n\r\t")"},
      {"escaped NUL", R"("\u0000")"}, {"NUL in a key", R"({"a\u0000b":1,"a":2})"},
      {"surrogate pair", R"("\ud83d\ude00")"}, {"upper hex", R"("\uD83D\uDE00")"},
      {"noncharacter", R"("\uffff")"}, {"DEL", "\"\x7f\""}, {"two-byte text", "\"\xc3\xa9\""},
      {"last character", "\"\xf4\x8f\xbf\xbf\""}, {"mark inside a string", "\"\xef\xbb\xbf\""},
      {"keys that differ in case", R"({"a":1,"A":2})"},
      {"keys that differ by an accent's form", "{\"\xc3\xa9\":1,\"e\xcc\x81\":2}"},
      {"the same key at two depths", R"({"a":{"a":{"a":1}}})"},
      {"the same key side by side", R"([{"a":1},{"a":1}])"},
      {"prototype names", R"({"__proto__":1,"constructor":2})"},
      {"deepest arrays", repeated("[", 32) + repeated("]", 32)},
      {"deepest objects", repeated("{\"a\":", 31) + "{}" + repeated("}", 31)},
      {"brackets in a string", R"(["]","}","[{"])"}, {"escaped quote last", R"(["\""])"},
      {"backslashes last", R"(["\\","\\\\"])"}, {"a comment in a string", R"("/* no */")"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(broken_rule(row.text), "") << row.name;
  std::cout << "accepted: " << std::size(rows) << " texts\n";
}

TEST(Json, RefusesWhatTwoReadersCouldReadInTwoWays) {
  // clang-format off
  const struct { const char* name; std::string text; const char* rule; } rows[] = {
      {"nothing", "", "empty"}, {"only space", " \n\t", "empty"},
      {"byte order mark", "\xef\xbb\xbf{}", "byte order mark"},
      {"byte order mark alone", "\xef\xbb\xbf", "byte order mark"},
      {"UTF-16", std::string("\xff\xfe{\0}\0", 6), "utf-8"},
      {"NUL behind", std::string("{}\0", 3), "trailing bytes"},
      {"NUL alone", std::string("\0", 1), "syntax"},
      {"form feed for space", "[\f1]", "syntax"}, {"no-break space", "[\xc2\xa0" "1]", "syntax"},
      {"vertical tab behind", "{}\v", "trailing bytes"},
      {"two values", "1 2", "trailing bytes"}, {"two objects", "{}{}", "trailing bytes"},
      {"object and comma", "{},", "trailing bytes"}, {"word behind", "[] x", "trailing bytes"},
      {"bracket behind", "[]]", "trailing bytes"}, {"brace behind", "{}}", "trailing bytes"},
      {"string and word", "\"a\"b", "trailing bytes"}, {"words", "true false", "trailing bytes"},
      {"open array", "[", "syntax"}, {"open object", "{", "syntax"}, {"open both", "[{", "syntax"},
      {"half open", "[[]", "syntax"}, {"crossed", "[{]}", "syntax"},
      {"closed by the other", "[1}", "syntax"}, {"object closed by the other", "{\"a\":1]", "syntax"},
      {"closing only", "]", "syntax"}, {"comma only", ",", "syntax"}, {"colon only", ":", "syntax"},
      {"comma last", "[1,]", "syntax"}, {"comma first", "[,1]", "syntax"},
      {"two commas", "[1,,2]", "syntax"}, {"no comma", "[1 2]", "syntax"},
      {"no comma between strings", "[\"a\" \"b\"]", "syntax"},
      {"no comma between containers", "[[][]]", "syntax"},
      {"colon for a comma", "[1:2]", "syntax"}, {"member in an array", "[\"a\":1]", "syntax"},
      {"member behind a string in an array", "[\"b\",\"a\":1]", "syntax"},
      {"comma last in an object", "{\"a\":1,}", "syntax"}, {"comma only in an object", "{,}", "syntax"},
      {"no colon", "{\"a\" 1}", "syntax"}, {"comma for a colon", "{\"a\",1}", "syntax"},
      {"two colons", "{\"a\"::1}", "syntax"}, {"no value", "{\"a\":}", "syntax"},
      {"no value and a comma", "{\"a\":,\"b\":1}", "syntax"}, {"key only", "{\"a\"}", "syntax"},
      {"no comma between members", "{\"a\":1 \"b\":2}", "syntax"},
      {"number for a key", "{1:1}", "syntax"}, {"word for a key", "{a:1}", "syntax"},
      {"null for a key", "{null:1}", "syntax"}, {"object for a key", "{{}:1}", "syntax"},
      {"single quotes", "{'a':1}", "syntax"}, {"comment", "[1/*a*/]", "number"},
      {"line comment", "[1]//a", "trailing bytes"}, {"hash comment", "#a\n[1]", "syntax"},
      {"True", "True", "syntax"}, {"tru", "tru", "syntax"}, {"truer", "[truer]", "syntax"},
      {"nul", "nul", "syntax"}, {"undefined", "[undefined]", "syntax"}, {"word and string", "[true\"a\"]", "syntax"},
      {"NaN", "[NaN]", "syntax"}, {"Infinity", "[Infinity]", "syntax"}, {"-Infinity", "[-Infinity]", "number"},
      {"leading zero", "[01]", "number"}, {"leading zeros", "00", "number"}, {"minus leading zero", "[-01]", "number"},
      {"plus", "[+1]", "syntax"}, {"minus alone", "[-]", "number"}, {"two minuses", "[--1]", "number"},
      {"point first", "[.5]", "syntax"}, {"point last", "[5.]", "number"}, {"minus point", "[-.5]", "number"},
      {"point and exponent", "[5.e3]", "number"}, {"exponent without digits", "[1e]", "number"},
      {"exponent with a sign only", "[1e+]", "number"}, {"exponent with a point", "[1e1.5]", "number"},
      {"hexadecimal", "[0x10]", "number"}, {"underscore", "[1_000]", "number"}, {"suffix", "[1n]", "number"},
      {"space in a number", "[1 .5]", "syntax"}, {"full-width digit", "[\xef\xbc\x91]", "syntax"},
      {"unclosed string", "\"abc", "unclosed string"}, {"unclosed key", "{\"a", "unclosed string"},
      {"string that ends in an escape", "[\"a\\\"]", "unclosed string"},
      {"line end in a string", "\"a\nb\"", "control character"}, {"tab in a string", "[\"\t\"]", "control character"},
      {"NUL in a string", std::string("\"a\0b\"", 5), "control character"},
      {"control in a key", "{\"a\x01\":1}", "control character"},
      {"unknown escape", R"("\a")", "escape"}, {"hex escape", R"("\x41")", "escape"},
      {"escaped quote of another kind", R"("\'")", "escape"}, {"upper U", R"("\U0041")", "escape"},
      {"short hex", R"("\u41")", "escape"}, {"no hex", R"("\u00zz")", "escape"}, {"unknown escape in a key", R"({"\a":1})", "escape"},
      {"lone high surrogate", R"("\ud800")", "escape"}, {"lone low surrogate", R"("\udc00")", "escape"},
      {"high and character", R"("\ud800\u0041")", "escape"}, {"high and text", R"("\ud800x")", "escape"},
      {"two highs", R"("\ud800\ud800")", "escape"}, {"low and high", R"("\udc00\ud800")", "escape"},
      {"high and short escape", R"("\ud800\n")", "escape"}, {"last high alone", R"("\udbff")", "escape"},
      {"last low alone", R"("\udfff")", "escape"}, {"lone surrogate in a key", R"({"\ud800":1})", "escape"},
      {"lone continuation", "\"\x80\"", "utf-8"}, {"overlong slash", "\"\xc0\xaf\"", "utf-8"},
      {"surrogate in UTF-8", "\"\xed\xa0\x80\"", "utf-8"}, {"above the last", "\"\xf4\x90\x80\x80\"", "utf-8"},
      {"cut character", "\"\xe2\x82\"", "utf-8"}, {"bad byte in a key", "{\"\xff\":1}", "utf-8"},
      {"bad byte outside", "[1]\xff", "utf-8"},
      {"duplicate key", R"({"a":1,"a":2})", "duplicate key"},
      {"duplicate with equal values", R"({"a":1,"a":1})", "duplicate key"},
      {"duplicate through an escape", R"({"ab":1,"\u0061b":2})", "duplicate key"},
      {"duplicate through two escapes", R"({"\u0061":1,"\u0061":2})", "duplicate key"},
      {"duplicate through a slash", R"({"a/b":1,"a\/b":2})", "duplicate key"},
      {"duplicate through a pair", "{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude00\":2}", "duplicate key"},
      {"duplicate of the empty key", R"({"":1,"":2})", "duplicate key"},
      {"duplicate deep inside", R"([[{"x":{"a":1,"b":2,"a":3}}]])", "duplicate key"},
      {"duplicate far apart", R"({"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"a":2})", "duplicate key"},
      {"one level too deep", repeated("[", 33) + repeated("]", 33), "depth"},
      {"one object too deep", repeated("{\"a\":", 32) + "{}" + repeated("}", 32), "depth"},
      {"very deep", repeated("[", 10'000) + repeated("]", 10'000), "depth"},
      {"very deep and open", repeated("[", 10'000), "depth"},
      {"very deep and mixed", repeated("[{\"a\":", 5'000) + "1" + repeated("}]", 5'000), "depth"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(broken_rule(row.text), row.rule) << row.name;
  std::cout << "refused: " << std::size(rows) << " texts\n";
}

TEST(Json, LimitsCountAsTheyAreGiven) {
  // clang-format off
  const struct { const char* name; std::string text; JsonLimits limits; const char* rule; } rows[] = {
      {"depth 1 allows a flat array", "[1,2]", {1, 100}, ""},
      {"depth 1 refuses a nested one", "[[]]", {1, 100}, "depth"},
      {"depth 0 allows a scalar", "1", {0, 100}, ""},
      {"depth 0 refuses an array", "[]", {0, 100}, "depth"},
      {"as many values as allowed", "[1,2]", {32, 3}, ""},
      {"a value too many", "[1,2,3]", {32, 3}, "too many values"},
      {"members count", "{\"a\":1,\"b\":2,\"c\":3}", {32, 3}, "too many values"},
      {"containers count", "[[],[],[]]", {32, 3}, "too many values"},
      {"the default bounds a flood", "[" + repeated("[],", 70'000) + "[]]", {}, "too many values"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(broken_rule(row.text, row.limits), row.rule) << row.name;
}

TEST(Json, NumbersKeepTheirTextAndSayWhatFits) {
  using Integer = std::optional<std::int64_t>;
  using Double = std::optional<double>;
  constexpr double kLargest = std::numeric_limits<double>::max();
  // clang-format off
  const struct { std::string text; Integer integer; Double number; } rows[] = {
      {"0", 0, 0.0}, {"-0", 0, -0.0}, {"-0.0", {}, -0.0}, {"1", 1, 1.0}, {"-1", -1, -1.0},
      {"1.0", {}, 1.0}, {"1e2", {}, 100.0}, {"1E2", {}, 100.0}, {"1e+2", {}, 100.0}, {"1e-2", {}, 0.01},
      {"0.1", {}, 0.1}, {"123.456e-1", {}, 12.3456}, {"0e0", {}, 0.0}, {"0e999999", {}, 0.0},
      {"9007199254740991", 9007199254740991, 9007199254740991.0},
      {"9007199254740993", 9007199254740993, 9007199254740992.0},
      {"9223372036854775807", std::numeric_limits<std::int64_t>::max(), 9223372036854775808.0},
      {"9223372036854775808", {}, 9223372036854775808.0},
      {"-9223372036854775808", std::numeric_limits<std::int64_t>::min(), -9223372036854775808.0},
      {"-9223372036854775809", {}, -9223372036854775808.0},
      {"18446744073709551615", {}, 18446744073709551616.0},
      {"18446744073709551616", {}, 18446744073709551616.0},
      {"123456789012345678901234567890", {}, 123456789012345678901234567890.0},
      {"1.7976931348623157e308", {}, kLargest}, {"1.7976931348623159e308", {}, {}},
      {"1e999", {}, {}}, {"-1e999", {}, {}}, {"1e99999999999999999999", {}, {}},
      {"5e-324", {}, 5e-324}, {"1e-999", {}, 0.0}, {"-1e-999", {}, -0.0}, {"1e-99999999999999999999", {}, 0.0},
      {"0.00000000000000000001e-999", {}, 0.0}, {"12345678901234567890e-999", {}, 0.0},
      {repeated("9", 400), {}, {}}, {"0." + repeated("0", 400) + "1", {}, 0.0},
      {repeated("9", 400) + "e-390", {}, 1e10},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    JsonDocument document;
    ASSERT_TRUE(document.parse("[ " + row.text + " ]").ok());
    const JsonValue value = document.root()[0];
    EXPECT_TRUE(value.is(JsonKind::kNumber));
    EXPECT_EQ(value.raw(), row.text);
    EXPECT_EQ(value.integer(), row.integer);
    EXPECT_EQ(value.number(), row.number);
    EXPECT_EQ(std::signbit(value.number().value_or(0)), std::signbit(row.number.value_or(0)));
  }
}

TEST(Json, StringsAreUnescaped) {
  // clang-format off
  const struct { std::string text, value; } rows[] = {
      {R"("")", ""}, {R"("abc")", "abc"}, {R"("\"\\\/\b\f\n\r\t")", "\"\\/\b\f\n\r\t"},
      {R"("caf\u00e9")", "caf\xc3\xa9"}, {R"("\ud83d\ude00")", "\xf0\x9f\x98\x80"},
      {R"("\u0000")", std::string(1, '\0')}, {R"("\uD7FF\uE000")", "\xed\x9f\xbf\xee\x80\x80"},
      {R"("a\\u0041")", "a\\u0041"}, {R"("\\")", "\\"}, {R"("\\\"")", "\\\""},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.text);
    JsonDocument document;
    ASSERT_TRUE(document.parse(row.text).ok());
    EXPECT_EQ(document.root().string(), row.value);
    EXPECT_EQ(document.root().raw(), row.text);
    ASSERT_TRUE(document.parse("{" + row.text + " : 1}").ok());
    EXPECT_EQ(document.root().key(0), row.value);
    EXPECT_EQ(document.root()[row.value].integer(), 1);
  }
}

TEST(Json, RawIsTheTextOfTheValueAndNoMore) {
  JsonDocument document;
  const std::string text =
      " { \"a\" : [ 1 , { } , [ ] ] ,\n\"b\\u0063\": {\"x\": \"}\\\"\"}\t, \"d\" : -1.50 , "
      "\"e\":null} ";
  ASSERT_TRUE(document.parse(text).ok());
  const JsonValue root = document.root();
  EXPECT_EQ(root.raw(), text.substr(1, text.size() - 2));
  EXPECT_EQ(root["a"].raw(), "[ 1 , { } , [ ] ]");
  EXPECT_EQ(root["a"][1].raw(), "{ }");
  EXPECT_EQ(root["a"][2].raw(), "[ ]");
  EXPECT_EQ(root["bc"].raw(), "{\"x\": \"}\\\"\"}");
  EXPECT_EQ(root["bc"]["x"].raw(), "\"}\\\"\"");
  EXPECT_EQ(root["d"].raw(), "-1.50");
  EXPECT_EQ(root["e"].raw(), "null");
}

TEST(Json, MembersAndItemsComeInTheOrderSent) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"z":1,"a":[3,[4],5],"m":{}})").ok());
  const JsonValue root = document.root();
  ASSERT_EQ(root.size(), 3u);
  EXPECT_EQ(root.key(0), "z");
  EXPECT_EQ(root.key(1), "a");
  EXPECT_EQ(root.key(2), "m");
  EXPECT_EQ(root[0].integer(), 1);
  EXPECT_EQ(root[1].size(), 3u);
  EXPECT_EQ(root[1][1][0].integer(), 4);
  EXPECT_EQ(root[1][2].integer(), 5);
  EXPECT_EQ(root[2].size(), 0u);
}

TEST(Json, WhatIsNotThereAnswersNothing) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"s":"x","n":1,"b":true,"a":[1]})").ok());
  const JsonValue root = document.root();
  const JsonValue nothing = root["absent"];
  EXPECT_FALSE(nothing);
  EXPECT_EQ(nothing.kind(), std::nullopt);
  EXPECT_EQ(nothing.string(), std::nullopt);
  EXPECT_EQ(nothing.integer(), std::nullopt);
  EXPECT_EQ(nothing.number(), std::nullopt);
  EXPECT_EQ(nothing.boolean(), std::nullopt);
  EXPECT_EQ(nothing.raw(), "");
  EXPECT_EQ(nothing.size(), 0u);
  EXPECT_FALSE(nothing["a"]);
  EXPECT_FALSE(nothing[0]);
  EXPECT_EQ(nothing.key(0), "");
  EXPECT_FALSE(root[4]);
  EXPECT_FALSE(root["a"][1]);
  EXPECT_FALSE(root["a"]["x"]);
  EXPECT_FALSE(root["s"][0]);
  EXPECT_EQ(root["s"].integer(), std::nullopt);
  EXPECT_EQ(root["n"].string(), std::nullopt);
  EXPECT_EQ(root["n"].boolean(), std::nullopt);
  EXPECT_EQ(root["b"].boolean(), true);
  EXPECT_EQ(root["a"].key(0), "");
}

TEST(Json, AReusedDocumentForgetsTheLastText) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"a":[1,2,3],"b":"\n"})").ok());
  ASSERT_FALSE(document.parse("[1,").ok());
  ASSERT_TRUE(document.parse("[7]").ok());
  EXPECT_EQ(document.root().raw(), "[7]");
  EXPECT_EQ(document.root().size(), 1u);
  JsonDocument moved(std::move(document));
  EXPECT_EQ(moved.root()[0].integer(), 7);
  ASSERT_TRUE(document.parse("{}").ok());  // a moved-from document starts anew
  EXPECT_EQ(document.root().raw(), "{}");
}

TEST(Json, TheTextMayGoAfterParsing) {
  JsonDocument document;
  {
    const std::string text = R"({"key":"value","e":"\u00e9"})";
    ASSERT_TRUE(document.parse(text).ok());
  }
  EXPECT_EQ(document.root()["key"].string(), "value");
  EXPECT_EQ(document.root()["e"].string(), "\xc3\xa9");
}

TEST(Json, ManyKeysOfAnyChoiceStayFast) {
  std::string text = "{";
  for (int i = 0; i < 30'000; ++i) {
    text += (i == 0 ? "\"" : ",\"") + repeated("k", 20) + std::to_string(i) + "\":0";
  }
  EXPECT_EQ(broken_rule(text + "}"), "");
  EXPECT_EQ(broken_rule(text + ",\"" + repeated("k", 20) + "17\":0}"), "duplicate key");
}

// The grammar of RFC 8259, slowly: which random texts are JSON at all?
class SlowJson {
 public:
  explicit SlowJson(std::string_view text) : text_(text) {}
  bool accepts() {
    space();
    if (!value()) return false;
    space();
    return at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool eat(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  void space() {
    while (at_ < text_.size() && std::string_view(" \t\r\n").find(peek()) != std::string::npos) {
      ++at_;
    }
  }
  bool digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }
  bool number() {
    eat("-");
    if (!eat("0") && !digits()) return false;
    if (eat(".") && !digits()) return false;
    if (eat("e") || eat("E")) {
      if (!eat("+")) eat("-");
      return digits();
    }
    return true;
  }
  bool string() {  // the generator below makes no \u and no bytes that are not ASCII
    if (!eat("\"")) return false;
    while (at_ < text_.size() && peek() != '"') {
      if (static_cast<unsigned char>(peek()) < 0x20) return false;
      if (text_[at_++] == '\\') {
        if (std::string_view("\"\\/bfnrt").find(peek()) == std::string::npos) return false;
        ++at_;
      }
    }
    return eat("\"");
  }
  bool members(std::string_view end, bool keyed) {
    space();
    if (eat(end)) return true;
    while (true) {
      space();
      if (keyed) {
        if (!string()) return false;
        space();
        if (!eat(":")) return false;
        space();
      }
      if (!value()) return false;
      space();
      if (eat(end)) return true;
      if (!eat(",")) return false;
    }
  }
  bool value() {
    if (eat("true") || eat("false") || eat("null")) return true;
    if (eat("[")) return members("]", false);
    if (eat("{")) return members("}", true);
    return peek() == '"' ? string() : number();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

TEST(Json, AgreesWithTheGrammarOnRandomTexts) {
  static constexpr std::string_view kPieces[] = {
      "[",   "]",   "{",    "}",    ",", ":",  "\"a\"", "\"b\"", "\"\\\\\"", "1",  "-0",
      "1.5", "2e3", "true", "null", " ", "\"", "\\",    "e",     "0",        "\t", "x"};
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  JsonDocument document;
  int accepted = 0;
  for (int round = 0; round < 60'000; ++round) {
    std::string text = round % 2 == 0 ? "[" : "{\"k\":";
    for (std::size_t n = random() % 7; n > 0; --n) text += kPieces[random() % std::size(kPieces)];
    if (random() % 8 != 0) text += round % 2 == 0 ? "]" : "}";
    const Status parsed = document.parse(text);
    const bool expected = SlowJson(text).accepts();
    if (!parsed.ok() && parsed.error().detail == "duplicate key") continue;
    ASSERT_EQ(parsed.ok(), expected) << "seed " << seed << " text " << text;
    accepted += expected ? 1 : 0;
  }
  EXPECT_GT(accepted, 1'000);
}

// Writing.

TEST(JsonWriter, WritesCommasAndQuotes) {
  JsonWriter writer;
  writer.object().key("type").value("ack").key("n").value(3).key("list").array().value(true);
  writer.null().object().end().array().end().end().key("raw").raw("[1]").key("z").value(false);
  writer.end();
  EXPECT_EQ(writer.text(), R"({"type":"ack","n":3,"list":[true,null,{},[]],"raw":[1],"z":false})");
}

TEST(JsonWriter, WritesNumbersThatReadBack) {
  // clang-format off
  const struct { double number; const char* text; } rows[] = {
      {0.0, "0"}, {-0.0, "-0"}, {1.5, "1.5"}, {0.1, "0.1"}, {1e300, "1e+300"}, {5e-324, "5e-324"},
      {std::nan(""), "null"}, {std::numeric_limits<double>::infinity(), "null"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(JsonWriter().value(row.number).text(), row.text);
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<std::int64_t>::min()).text(),
            "-9223372036854775808");
  EXPECT_EQ(JsonWriter().value(std::numeric_limits<std::uint64_t>::max()).text(),
            "18446744073709551615");
}

TEST(JsonWriter, EscapesWhatMustBe) {
  // clang-format off
  const struct { const char* name; std::string text, json; } rows[] = {
      {"plain", "abc", "\"abc\""}, {"empty", "", "\"\""}, {"quote", "a\"b", R"("a\"b")"},
      {"backslash", "a\\b", R"("a\\b")"}, {"short escapes", "\b\f\n\r\t", R"("\b\f\n\r\t")"},
      {"NUL", std::string(1, '\0'), R"("\u0000")"}, {"other controls", "\x01\x1f", R"("\u0001\u001f")"},
      {"DEL stays", "\x7f", "\"\x7f\""}, {"UTF-8 stays", "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\""},
      {"slash stays", "</script>", "\"</script>\""},
      {"bad byte", "a\xff" "b", "\"a\xef\xbf\xbd" "b\""}, {"bad bytes", "\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
      {"cut character", "a\xe2\x82", "\"a\xef\xbf\xbd\xef\xbf\xbd\""},
      {"bad byte before a quote", "\xc3\"", "\"\xef\xbf\xbd\\\"\""},
  };
  // clang-format on
  for (const auto& row : rows) {
    std::string out;
    append_json_string(out, row.text);
    EXPECT_EQ(out, row.json) << row.name;
    EXPECT_EQ(broken_rule(out), "") << row.name;
  }
}

void copy(JsonWriter& writer, const JsonValue& value) {
  switch (*value.kind()) {
    case JsonKind::kNull:
      writer.null();
      return;
    case JsonKind::kBool:
      writer.value(*value.boolean());
      return;
    case JsonKind::kString:
      writer.value(*value.string());
      return;
    case JsonKind::kNumber:
      if (value.integer()) {
        writer.value(*value.integer());
      } else {
        writer.value(*value.number());
      }
      return;
    case JsonKind::kArray:
      writer.array();
      for (std::size_t i = 0; i < value.size(); ++i) copy(writer, value[i]);
      writer.end();
      return;
    case JsonKind::kObject:
      writer.object();
      for (std::size_t i = 0; i < value.size(); ++i) copy(writer.key(value.key(i)), value[i]);
      writer.end();
      return;
  }
}

TEST(JsonWriter, RoundTripsWithTheReader) {
  const std::string_view text =
      R"({"type":"send","deep":[[[{"a":[]}]]],"n":[-1,0.25,1e+100,9223372036854775807],)"
      R"("text":"\u0001\"\\\n","empty":{},"flags":[true,false,null],"":""})";
  JsonDocument document;
  ASSERT_TRUE(document.parse(text).ok());
  JsonWriter writer;
  copy(writer, document.root());
  EXPECT_EQ(writer.text(), text);
}

}  // namespace
}  // namespace signet::wire
