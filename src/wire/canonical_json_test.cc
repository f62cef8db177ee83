#include "wire/canonical_json.h"

#include <gtest/gtest.h>

#include <iostream>

#include "wire/vectors_for_test.h"

namespace signet::wire {
namespace {

// Each form of a text; nullopt where there is none.
std::optional<std::string> spaced_of(std::string_view text) {
  JsonDocument document;
  const Status parsed = document.parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  if (!parsed.ok()) return std::nullopt;
  auto form = spaced(document.root());
  return form.ok() ? std::optional(*std::move(form)) : std::nullopt;
}

std::optional<std::string> compact_of(std::string_view text) {
  JsonDocument document;
  const Status parsed = document.parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? compact(document.root()) : std::nullopt;
}

std::optional<std::string> text_in(JsonValue vector, std::string_view name) {
  const auto text = vector[name].string();
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

TEST(CanonicalJson, IsWhatPythonAndNodeWrite) {
  JsonDocument document;
  const JsonValue vectors = load_vectors(document, "pulsemesh.json")["canonical"];
  std::size_t without_compact = 0;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    const std::string_view text = *vectors[i]["json"].string();
    EXPECT_EQ(spaced_of(text), text_in(vectors[i], "spaced"));
    EXPECT_EQ(compact_of(text), text_in(vectors[i], "compact"));
    if (!text_in(vectors[i], "compact")) ++without_compact;
  }
  EXPECT_GE(vectors.size(), 450U);
  EXPECT_GE(without_compact, 40U);
  std::cout << "canonical: " << vectors.size() << " vectors\n";
}

TEST(CanonicalJson, SpacedTextIsItsOwnSpacedText) {
  JsonDocument document;
  const JsonValue vectors = load_vectors(document, "pulsemesh.json")["canonical"];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    const auto once = text_in(vectors[i], "spaced");
    if (!once) continue;
    EXPECT_EQ(spaced_of(*once), once);
    const auto once_compact = text_in(vectors[i], "compact");
    if (once_compact) {
      EXPECT_EQ(compact_of(*once_compact), once_compact);
    }
  }
}

// What the remembered digest of a handshake rests on: the spaced text says all that the compact
// one says, so that two messages of one spaced text have one compact text.
TEST(CanonicalJson, CompactFollowsFromSpaced) {
  JsonDocument document;
  const JsonValue vectors = load_vectors(document, "pulsemesh.json")["canonical"];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    const auto once = text_in(vectors[i], "spaced");
    if (once) {
      EXPECT_EQ(compact_of(*once), text_in(vectors[i], "compact"));
    }
  }
}

TEST(CanonicalJson, WhatIsBeyondADoubleSaysWhy) {
  JsonDocument document;
  ASSERT_TRUE(document.parse(R"({"a":[1e400]})").ok());
  const auto refused = spaced(document.root());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(refused.error().detail, "number");
}

// ---- RFC 8785

std::string canonical_of(std::string_view text) {
  JsonDocument document;
  const Status parsed = document.parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  if (!parsed.ok()) return "";
  const auto form = canonical(document.root());
  return form.ok() ? *form : "refused: " + form.error().detail;
}

std::string claim_of(std::string_view text) {
  JsonDocument document;
  const Status parsed = document.parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  if (!parsed.ok()) return "";
  const auto form = canonical_claim(document.root(), {"signature", "key_signature"});
  return form.ok() ? *form : "refused: " + form.error().detail;
}

// Sections 3.2.2 to 3.2.4: text and numbers, the order, the whole in bytes.
TEST(CanonicalJson, IsThatOfRfc8785) {
  // clang-format off
  const struct { const char* name; std::string_view text; std::string_view printed; } rows[] = {
      {"its first example",
       "{\n  \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n"
       "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
       "  \"literals\": [null, true, false]\n}",
       "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
       "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"},
      {"its order of names",
       R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"})",
       "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
       "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
       "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
       "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}"},
      {"levels", R"({"b":{"d":[{"z":1,"y":2}],"c":null},"a":[]})", R"({"a":[],"b":{"c":null,"d":[{"y":2,"z":1}]}})"},
      {"names that are indices are texts", R"({"9":1,"10":2})", R"({"10":2,"9":1})"},
      {"a shorter name first", R"({"ab":1,"a":2,"":3})", R"({"":3,"a":2,"ab":1})"},
      {"a scalar", " 1.0 ", "1"},
      {"its numbers: zero below", "-0", "0"},
      {"its numbers: smallest", "5e-324", "5e-324"},
      {"its numbers: largest", "-1.7976931348623157e308", "-1.7976931348623157e+308"},
      {"its numbers: 2^53", "9007199254740992", "9007199254740992"},
      {"its numbers: beyond 2^53", "9007199254740993", "9007199254740992"},
      {"its numbers: 2^68", "295147905179352830000", "295147905179352830000"},
      {"its numbers: first with a power", "99999999999999970000000", "9.999999999999997e+22"},
      {"its numbers: rounded up", "1E23", "1e+23"},
      {"its numbers: last small", "0.000001", "0.000001"},
      {"its numbers: first small with a power", "0.0000009999999999999997", "9.999999999999997e-7"},
      {"beyond a double", R"({"a":[1e400]})", "refused: number"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(canonical_of(row.text), row.printed);
    if (row.printed.starts_with("refused")) continue;
    EXPECT_EQ(canonical_of(row.printed), row.printed) << "printed again";
  }
}

TEST(CanonicalJson, AClaimLeavesOutWhatSaysNothing) {
  // clang-format off
  const struct { const char* name; std::string_view text; std::string_view printed; } rows[] = {
      {"signatures", R"({"signature":"00","key_signature":"11","b":1})", R"({"b":1})"},
      {"a signature inside is somebody else's", R"({"a":{"signature":"00"},"signature":1})", R"({"a":{"signature":"00"}})"},
      {"null at the top", R"({"b":null,"a":1,"c":null})", R"({"a":1})"},
      {"null below", R"({"scores":{"x":null,"overall":1.0}})", R"({"scores":{"overall":1}})"},
      {"null in a list of objects", R"({"a":[{"b":null},null]})", R"({"a":[{},null]})"},
      {"nothing left", R"({"signature":null})", "{}"},
      {"a name by escapes", R"({"sign\u0061ture":"00"})", "{}"},
      {"no object", "[1]", "refused: object"},
      {"beyond a double", R"({"a":-1e400})", "refused: number"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(claim_of(row.text), row.printed);
    if (row.printed.starts_with("refused")) continue;
    EXPECT_EQ(claim_of(row.printed), row.printed) << "printed again";
  }
}

TEST(CanonicalJson, IsWhatNodePrintsSorted) {
  JsonDocument document;
  const JsonValue vectors = load_vectors(document, "overlay.json")["canonical"];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    const std::string_view text = *vectors[i]["json"].string();
    EXPECT_EQ(canonical_of(text), *vectors[i]["canonical"].string());
    const auto claim = vectors[i]["claim"].string();
    EXPECT_EQ(claim_of(text), claim ? *claim : "refused: object");
  }
  EXPECT_GE(vectors.size(), 300U);
  std::cout << "canonical: " << vectors.size() << " vectors\n";
}

}  // namespace
}  // namespace signet::wire
