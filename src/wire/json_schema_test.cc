#include "wire/json_schema.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace signet::wire {
namespace {

// What a schema says of a value: nothing, or its fault.
std::string fault_of(std::string_view schema, std::string_view json,
                     const SchemaLimits& limits = {}) {
  const auto compiled = JsonSchema::compile(schema, limits);
  EXPECT_TRUE(compiled.ok()) << schema << ": " << compiled.error().detail;
  if (!compiled.ok()) return "no schema";
  const Status checked = compiled->check(json);
  if (checked.ok()) return "";
  EXPECT_EQ(checked.error().code, ErrorCode::kMalformed);
  return checked.error().detail;
}

std::string fault_in_schema(std::string_view schema) {
  const auto compiled = JsonSchema::compile(schema);
  if (compiled.ok()) return "";
  EXPECT_EQ(compiled.error().code, ErrorCode::kMalformed);
  return compiled.error().detail;
}

std::string text_of(std::size_t size) { return '"' + std::string(size, 'a') + '"'; }

TEST(JsonSchema, ChecksEveryKeyword) {
  constexpr std::string_view kPair = R"({"properties":{"a":{"type":"null"}},"required":["a"]})";
  // clang-format off
  const struct { std::string_view schema; std::string_view json; std::string_view fault; } rows[] = {
      {"true", "1", ""},
      {"false", "1", "(root): schema"},
      {"{}", R"({"a":[1]})", ""},
      {R"({"type":"null"})", "null", ""},
      {R"({"type":"null"})", "0", "(root): type"},
      {R"({"type":"null"})", "\"\"", "(root): type"},
      {R"({"type":"boolean"})", "false", ""},
      {R"({"type":"boolean"})", "\"false\"", "(root): type"},
      {R"({"type":"object"})", "{}", ""},
      {R"({"type":"object"})", "[]", "(root): type"},
      {R"({"type":"array"})", "[]", ""},
      {R"({"type":"array"})", "{}", "(root): type"},
      {R"({"type":"number"})", "1.5", ""},
      {R"({"type":"number"})", "\"1\"", "(root): type"},
      {R"({"type":"integer"})", "-7", ""},
      {R"({"type":"integer"})", "1.0", ""},
      {R"({"type":"integer"})", "18446744073709551616", ""},
      {R"({"type":"integer"})", "1.5", "(root): type"},
      {R"({"type":"string"})", "\"\"", ""},
      {R"({"type":"string"})", "1", "(root): type"},
      {R"({"type":["string","null"]})", "null", ""},
      {R"({"type":["string","null"]})", "true", "(root): type"},
      {R"({"enum":["a",1,null,{"b":[1]}]})", "\"a\"", ""},
      {R"({"enum":["a",1,null,{"b":[1]}]})", "1.0", ""},
      {R"({"enum":["a",1,null,{"b":[1]}]})", R"({"b":[1]})", ""},
      {R"({"enum":["a",1,null,{"b":[1]}]})", R"({"b":[2]})", "(root): enum"},
      {R"({"enum":["a",1,null,{"b":[1]}]})", "\"1\"", "(root): enum"},
      {R"({"enum":[false]})", "0", "(root): enum"},
      {R"({"const":"1.0"})", "\"1.0\"", ""},
      {R"({"const":"1.0"})", "1.0", "(root): const"},
      {R"({"const":{"a":1,"b":2}})", R"({"b":2,"a":1})", ""},
      {R"({"minimum":0})", "0", ""},
      {R"({"minimum":0})", "-0.1", "(root): minimum"},
      {R"({"minimum":0})", "18446744073709551615", ""},
      {R"({"minimum":0})", "\"-1\"", ""},
      {R"({"maximum":10})", "10", ""},
      {R"({"maximum":10})", "18446744073709551615", "(root): maximum"},
      {R"({"maximum":10})", "1e308", "(root): maximum"},
      {R"({"exclusiveMinimum":0})", "5e-324", ""},
      {R"({"exclusiveMinimum":0})", "0", "(root): exclusiveMinimum"},
      {R"({"exclusiveMinimum":0})", "1e-400", "(root): exclusiveMinimum"},
      {R"({"exclusiveMaximum":1})", "0.9", ""},
      {R"({"exclusiveMaximum":1})", "1", "(root): exclusiveMaximum"},
      {R"({"minLength":2})", "\"ab\"", ""},
      {R"({"minLength":2})", "\"\xf0\x9f\x98\x80\"", "(root): minLength"},
      {R"({"maxLength":1})", "\"\xf0\x9f\x98\x80\"", ""},
      {R"({"maxLength":1})", "\"ab\"", "(root): maxLength"},
      {R"({"pattern":"^world_[a-z0-9_]+$"})", "\"world_1\"", ""},
      {R"({"pattern":"^world_[a-z0-9_]+$"})", "\"world_\"", "(root): pattern"},
      {R"({"pattern":"^world_[a-z0-9_]+$"})", "\"world_a\\n\"", "(root): pattern"},
      {R"({"pattern":"^world_[a-z0-9_]+$"})", "\"x\\nworld_a\"", "(root): pattern"},
      {R"({"pattern":"^world_[a-z0-9_]+$"})", "\"World_a\"", "(root): pattern"},
      {R"({"pattern":"b"})", "\"abc\"", ""},
      {R"({"pattern":"b"})", "\"a\\nb\"", ""},
      {R"({"pattern":"b$"})", "\"bb\"", ""},
      {R"({"pattern":"b$"})", "\"ba\"", "(root): pattern"},
      {R"({"pattern":"^b|c$"})", "\"ac\"", ""},
      {R"({"pattern":"^b|c$"})", "\"abd\"", "(root): pattern"},
      {R"({"pattern":""})", "\"\"", ""},
      {R"({"pattern":"^(a|b)*$"})", "\"abba\"", ""},
      {R"({"pattern":"^x"})", "7", ""},
      {R"({"items":{"type":"string"}})", R"(["a","b"])", ""},
      {R"({"items":{"type":"string"}})", R"(["a",1])", "/1: type"},
      {R"({"items":[{"type":"string"},true]})", R"(["a",1,2])", ""},
      {R"({"items":[{"type":"string"},true]})", "[1]", "/0: type"},
      {R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a"])", ""},
      {R"({"items":[{"type":"string"}],"additionalItems":false})", R"(["a",1])", "(root): additionalItems"},
      {R"({"items":[true],"additionalItems":{"type":"null"}})", "[1,2]", "/1: type"},
      {R"({"contains":{"const":1}})", "[0,1]", ""},
      {R"({"contains":{"const":1}})", "[0]", "(root): contains"},
      {R"({"minItems":3,"maxItems":3})", "[1,2,3]", ""},
      {R"({"minItems":3,"maxItems":3})", "[1,2]", "(root): minItems"},
      {R"({"minItems":3,"maxItems":3})", "[1,2,3,4]", "(root): maxItems"},
      {R"({"uniqueItems":true})", R"([1,"1",[1],{"a":1},{"a":2}])", ""},
      {R"({"uniqueItems":true})", "[]", ""},
      {R"({"uniqueItems":true})", R"([{"a":1,"b":2},{"b":2,"a":1.0}])", "(root): uniqueItems"},
      {kPair, R"({"a":null})", ""},
      {kPair, R"({"a":null,"b":1})", ""},
      {kPair, R"({"a":1})", "/a: type"},
      {kPair, "{}", "(root): required a"},
      {kPair, "[]", ""},
      {R"({"properties":{"a":true},"additionalProperties":false})", R"({"a":1})", ""},
      {R"({"properties":{"a":true},"additionalProperties":false})", R"({"a":1,"b":2})", "/b: additionalProperties"},
      {R"({"properties":{"a":true},"additionalProperties":false})", R"({"A":1})", "/A: additionalProperties"},
      {R"({"additionalProperties":false})", R"({"a/b~\u0007\u202e":2})", "/a~1b~0\\u0007\\u202e: additionalProperties"},
      {R"({"additionalProperties":{"type":"string"}})", R"({"a":"b","c":1})", "/c: type"},
      {R"({"properties":{"a":false}})", R"({"a":1})", "(root): properties"},
      {R"({"minProperties":1,"maxProperties":1})", R"({"a":1})", ""},
      {R"({"minProperties":1,"maxProperties":1})", "{}", "(root): minProperties"},
      {R"({"minProperties":1,"maxProperties":1})", R"({"a":1,"b":2})", "(root): maxProperties"},
      {R"({"dependencies":{"a":["b"]}})", R"({"c":1})", ""},
      {R"({"dependencies":{"a":["b"]}})", R"({"a":1})", "(root): dependencies"},
      {R"({"dependencies":{"a":{"required":["b"]}}})", R"({"a":1,"b":1})", ""},
      {R"({"dependencies":{"a":{"required":["b"]}}})", R"({"a":1})", "(root): required b"},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "1", ""},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3", "(root): maximum"},
      {R"({"anyOf":[{"type":"null"},{"minimum":1}]})", "1", ""},
      {R"({"anyOf":[{"type":"string"},{"minimum":1}]})", "0", "(root): type"},
      {R"({"anyOf":[false,false]})", "0", "(root): allOf"},
      {R"({"oneOf":[{"minimum":1},{"maximum":2}]})", "0", ""},
      {R"({"oneOf":[{"minimum":1},{"maximum":2}]})", "1", "(root): oneOf"},
      {R"({"not":{"type":"null"}})", "1", ""},
      {R"({"not":{"type":"null"}})", "null", "(root): not"},
      {R"({"if":{"minimum":1},"then":{"maximum":2},"else":{"const":0}})", "2", ""},
      {R"({"if":{"minimum":1},"then":{"maximum":2},"else":{"const":0}})", "3", "(root): maximum"},
      {R"({"if":{"minimum":1},"then":{"maximum":2},"else":{"const":0}})", "0.5", "(root): const"},
      {R"({"$ref":"#/definitions/a","definitions":{"a":{"type":"null"}}})", "null", ""},
      {R"({"$ref":"#/definitions/a","definitions":{"a":{"type":"null"}}})", "1", "(root): type"},
      {R"({"items":{"$ref":"#/definitions/a"},"definitions":{"a":{"type":"null"}}})", "[null]", ""},
      {R"({"items":{"$ref":"#/definitions/a"},"definitions":{"a":{"type":"null"}}})", "[null,1]", "/1: type"},
      {R"({"type":"object","additionalProperties":{"$ref":"#"}})", R"({"a":{"b":{}}})", ""},
      {R"({"type":"object","additionalProperties":{"$ref":"#"}})", R"({"a":{"b":{"c":1}}})", "/a/b/c: type"},
      {R"({"items":[{"type":"null"},{"$ref":"#/items/0"}]})", "[null,1]", "/1: type"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(std::string(row.schema) + " of " + std::string(row.json));
    EXPECT_EQ(fault_of(row.schema, row.json), row.fault);
  }
}

TEST(JsonSchema, RefusesASchemaThatWouldNotBeChecked) {
  // clang-format off
  const struct { const char* name; std::string_view schema; std::string_view fault; } rows[] = {
      {"nothing", "", "empty"},
      {"half a one", "{", "syntax"},
      {"a name twice", R"({"type":"null","type":"object"})", "duplicate key"},
      {"a number", "7", "(root): no schema"},
      {"a list", "[]", "(root): no schema"},
      {"a word that is misspelled", R"({"properties":{"a":{"minimun":1}}})", "/properties/a/minimun: a keyword that is not checked"},
      {"what the library checks wrongly", R"({"multipleOf":2})", "/multipleOf: a keyword that is not checked"},
      {"a format", R"({"format":"date"})", "/format: a keyword that is not checked"},
      {"names by pattern", R"({"patternProperties":{"a":true}})", "/patternProperties: a keyword that is not checked"},
      {"names by schema", R"({"propertyNames":true})", "/propertyNames: a keyword that is not checked"},
      {"an id of draft 4", R"({"id":"x"})", "/id: a keyword that is not checked"},
      {"an unknown type", R"({"properties":{"a":{"type":"text"}}})", "/properties/a/type: no type of JSON"},
      {"the type of older drafts", R"({"type":"any"})", "/type: no type of JSON"},
      {"no types", R"({"type":[]})", "/type: no type of JSON"},
      {"an unknown type among others", R"({"type":["null","x"]})", "/type: no type of JSON"},
      {"a type that is none", R"({"type":1})", "/type: no type of JSON"},
      {"no values", R"({"enum":[]})", "/enum: no list of values"},
      {"a value alone", R"({"enum":"a"})", "/enum: no list of values"},
      {"a bound that is a text", R"({"minimum":"1"})", "/minimum: no number"},
      {"a bound beyond a double", R"({"maximum":1e400})", "/maximum: no number"},
      {"the bound of draft 4", R"({"minimum":1,"exclusiveMinimum":true})", "/exclusiveMinimum: no number"},
      {"a count below zero", R"({"minLength":-1})", "/minLength: no count"},
      {"a count with a fraction", R"({"maxItems":1.5})", "/maxItems: no count"},
      {"a count that is huge", R"({"maxItems":1e300})", "/maxItems: no count"},
      {"a flag that is a text", R"({"uniqueItems":"true"})", "/uniqueItems: neither true nor false"},
      {"a title that is no text", R"({"title":1})", "/title: no text"},
      {"names that are none", R"({"required":"a"})", "/required: no list of names"},
      {"a name that is none", R"({"required":["a",1]})", "/required: no list of names"},
      {"a name that would be cut", R"({"required":["a\u0000b"]})", "/required: no list of names"},
      {"properties that are none", R"({"properties":[]})", "/properties: no object of schemas"},
      {"a property that is none", R"({"properties":{"a":1}})", "/properties/a: no schema"},
      {"a property that would be cut", R"({"properties":{"a\u0000b":{}}})", std::string_view("/properties/a\0b: a name with a character of pointers", 52)},
      {"a property with a slash", R"({"properties":{"a/b":{}}})", "/properties/a/b: a name with a character of pointers"},
      {"a choice of none", R"({"anyOf":[]})", "/anyOf: no list of schemas"},
      {"a choice that is none", R"({"oneOf":{}})", "/oneOf: no list of schemas"},
      {"a choice of a number", R"({"allOf":[true,1]})", "/allOf/1: no schema"},
      {"items that are none", R"({"items":[1]})", "/items/0: no schema"},
      {"a dependency that is none", R"({"dependencies":{"a":"b"}})", "/dependencies/a: no schema"},
      {"a pattern that is none", R"({"pattern":1})", "/pattern: no text"},
      {"a pattern beyond ASCII", "{\"pattern\":\"\xc3\xa9\"}", "/pattern: no short pattern of ASCII"},
      {"a pattern that looks ahead", R"x({"pattern":"^(?!a)"})x", "/pattern: a pattern that looks ahead"},
      {"a reference that is none", R"({"items":{"$ref":1}})", "/items/$ref: no text"},
      {"a reference to a host", R"({"items":{"$ref":"http://a/b#/c"}})", "/items/$ref: leads out of the document"},
      {"a reference to a file", R"({"$ref":"other.json"})", "/$ref: leads out of the document"},
      {"a reference to nothing", R"({"$ref":""})", "/$ref: leads out of the document"},
      {"a reference by name", R"({"$ref":"#a"})", "/$ref: leads out of the document"},
      {"a reference that is escaped", R"({"$ref":"#/definitions/%61"})", "/$ref: leads out of the document"},
      {"a reference to what is absent", R"({"items":{"$ref":"#/definitions/a"}})", "/items/$ref: leads to no schema"},
      {"a reference to what is none", R"({"items":{"$ref":"#/required"},"required":["a"]})", "/items/$ref: leads to no schema"},
      {"a reference to no item", R"({"items":[true,{"$ref":"#/items/7"}]})", "/items/1/$ref: leads to no schema"},
      {"a reference with more", R"({"items":{"$ref":"#","type":"null"}})", "/items: more than a reference"},
      {"a reference to itself", R"({"$ref":"#"})", "$ref: leads in a circle"},
      {"references to each other", R"({"items":{"$ref":"#/definitions/a"},"definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}})", "$ref: leads in a circle"},
      {"a circle by a choice", R"({"anyOf":[{"type":"null"},{"$ref":"#"}]})", "$ref: leads in a circle"},
      {"a circle by a condition", R"({"if":{"not":{"$ref":"#"}}})", "$ref: leads in a circle"},
      {"a circle by a dependency", R"({"dependencies":{"a":{"$ref":"#"}}})", "$ref: leads in a circle"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(fault_in_schema(row.schema), row.fault);
  }
  const std::string long_pattern = R"({"pattern":")" + std::string(300, 'a') + "\"}";
  EXPECT_EQ(fault_in_schema(long_pattern), "/pattern: no short pattern of ASCII");
  for (const std::string_view pattern : {"(", "[", "a{2,1}", "*", "(a)\\\\1"}) {
    const auto fault = fault_in_schema(R"({"pattern":")" + std::string(pattern) + "\"}");
    EXPECT_TRUE(fault.starts_with("pattern: ")) << pattern << ": " << fault;
  }
}

TEST(JsonSchema, RefusesWhatTheLibraryMustNotSee) {
  const SchemaLimits limits{.max_text = 8, .max_values = 6};
  // clang-format off
  const struct { const char* name; std::string json; std::string_view fault; } rows[] = {
      {"what is allowed", R"({"12345678":["12345678"]})", ""},
      {"a long text", R"({"a":[1,"123456789"]})", "/a/1: long text"},
      {"a long name", R"([{"123456789":1}])", "/0: long name"},
      {"a null character", R"({"a":"b\u0000c"})", "/a: null character"},
      {"a null character in a name", R"({"a":{"b\u0000":1}})", "/a: null character"},
      {"a number beyond a double", "[-1e400]", "/0: number beyond a double"},
      {"as many values as may be", "[1,2,3,4,5]", ""},
      {"too many values", "[1,2,3,4,5,6]", "too many values"},
      {"a name twice", R"({"a":1,"\u0061":2})", "duplicate key"},
      {"no JSON", "{a:1}", "syntax"},
      {"nothing", "", "empty"},
      {"more than one", "1 2", "trailing bytes"},
      {"deep", std::string(33, '[') + std::string(33, ']'), "depth"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    if (row.fault == "depth") {
      EXPECT_EQ(fault_of("true", row.json), row.fault);
    } else {
      EXPECT_EQ(fault_of("true", row.json, limits), row.fault);
    }
  }
}

// A text of the largest size must not end the process by any pattern: the usual engine takes stack
// by the character, and time without a bound.
TEST(JsonSchema, PatternsBearTheLongestText) {
  for (const std::string_view pattern :
       {"^(a|b)*$", "^(a+)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a*)*b", "[b-z]$|^b"}) {
    SCOPED_TRACE(pattern);
    const auto schema = JsonSchema::compile(R"({"pattern":")" + std::string(pattern) + "\"}");
    ASSERT_TRUE(schema.ok()) << schema.error().detail;
    const Status checked = schema->check(text_of(SchemaLimits{}.max_text));
    if (!checked.ok()) {
      EXPECT_EQ(checked.error().detail, "(root): pattern");
    }
  }
}

// Work that grows faster than the text is cut off, and is no fault of those who ask for little.
TEST(JsonSchema, AShortTextDoesNotMakeLongWork) {
  std::string items = "[";
  for (int i = 0; i < 5'000; ++i) items += "[" + std::to_string(i) + "],";
  items.back() = ']';
  EXPECT_EQ(fault_of(R"({"uniqueItems":true})", items), "(root): takes too long to check");
  EXPECT_EQ(fault_of(R"({"uniqueItems":true,"maxItems":10})", items), "(root): maxItems");
  EXPECT_EQ(fault_of(R"({"items":{"items":{"minimum":0}}})", items), "");
}

TEST(JsonSchema, TellsTheFirstOfManyFaults) {
  std::string items = "[0";
  for (int i = 0; i < 60'000; ++i) items += ",\"secret\"";
  EXPECT_EQ(fault_of(R"({"items":{"type":"number"}})", items + "]"), "/1: type");
}

TEST(JsonSchema, AFaultIsShortAndNeverTheValue) {
  constexpr std::string_view kSchema = R"({"additionalProperties":{"maxLength":3}})";
  const std::string name(1'000, 'n');
  const std::string fault = fault_of(kSchema, R"({")" + name + R"(":"secret"})");
  EXPECT_EQ(fault.size(), SchemaLimits{}.max_fault);
  EXPECT_TRUE(fault.starts_with("/nnn")) << fault;
  EXPECT_TRUE(fault.ends_with("...: maxLength")) << fault;
  EXPECT_EQ(fault_of(kSchema, R"({"a":"secret"})"), "/a: maxLength");
  // Not cut inside of a character.
  const SchemaLimits limits{.max_fault = 20};
  EXPECT_EQ(fault_of(kSchema, "{\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\":\"secret\"}", limits),
            "/\xc3\xa9\xc3\xa9...: maxLength");
}

TEST(JsonSchema, ManyThreadsAskOne) {
  const auto schema = JsonSchema::compile(
      R"({"properties":{"a":{"pattern":"^[a-z]+$"},"b":{"enum":["x",{"y":1}]}}})");
  ASSERT_TRUE(schema.ok());
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const bool good = schema->check(R"({"a":"abc","b":{"y":1}})").ok();
        const auto bad = schema->check(R"({"a":"ABC"})");
        if (good && !bad.ok() && bad.error().detail == "/a: pattern") ++right[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, std::vector<int>(4, 200));
}

}  // namespace
}  // namespace signet::wire
