#include "signet/mcp/arguments.h"

#include <gtest/gtest.h>

namespace signet::mcp {
namespace {

const std::vector<Argument>& table() {
  static const std::vector<Argument> kTable = {{.name = "to",
                                                .kind = ArgumentKind::kText,
                                                .is_required = true,
                                                .meaning = "whom",
                                                .max_bytes = 5},
                                               {.name = "how",
                                                .kind = ArgumentKind::kChoice,
                                                .is_required = false,
                                                .meaning = "how",
                                                .choices = {"now", "low"}},
                                               {.name = "wait",
                                                .kind = ArgumentKind::kSeconds,
                                                .is_required = false,
                                                .meaning = "how long",
                                                .max_seconds = 10}};
  return kTable;
}

// What is wrong with them; empty where nothing is.
std::string complaint(const std::string& json) {
  wire::JsonDocument document;
  EXPECT_TRUE(document.parse(json).ok()) << json;
  const auto read = Arguments::read(table(), document.root());
  return read.ok() ? "" : read.error().detail;
}

TEST(Arguments, AreTakenOrNamedWithWhatTheyMustBe) {
  struct Row {
    const char *name, *json, *complaint;
  };
  // clang-format off
  const Row rows[] = {
    {"all",             R"({"to":"bob","how":"now","wait":10})", ""},
    {"only the needed", R"({"to":"bob"})",                       ""},
    {"no wait at all",  R"({"to":"bob","wait":0})",              ""},
    {"half a second",   R"({"to":"bob","wait":0.5})",            ""},
    {"nothing",         "{}",                                    "bad_arguments: to must be a text of 1 to 5 bytes"},
    {"empty text",      R"({"to":""})",                          "bad_arguments: to must be a text of 1 to 5 bytes"},
    {"too long",        R"({"to":"bobbob"})",                    "bad_arguments: to must be a text of 1 to 5 bytes"},
    {"a number",        R"({"to":7})",                           "bad_arguments: to must be a text of 1 to 5 bytes"},
    {"null",            R"({"to":null})",                        "bad_arguments: to must be a text of 1 to 5 bytes"},
    {"no choice of it", R"({"to":"bob","how":"soon"})",          "bad_arguments: how must be one of now, low"},
    {"other case",      R"({"to":"bob","how":"NOW"})",           "bad_arguments: how must be one of now, low"},
    {"null choice",     R"({"to":"bob","how":null})",            "bad_arguments: how must be one of now, low"},
    {"negative",        R"({"to":"bob","wait":-1})",             "bad_arguments: wait must be a number from 0 to 10"},
    {"too many",        R"({"to":"bob","wait":11})",             "bad_arguments: wait must be a number from 0 to 10"},
    {"text for number", R"({"to":"bob","wait":"3"})",            "bad_arguments: wait must be a number from 0 to 10"},
    {"unknown",         R"({"to":"bob","cc":"eve"})",
     "bad_arguments: there is no argument cc; the arguments are: to, how, wait"},
  };
  // clang-format on
  for (const Row& row : rows) EXPECT_EQ(complaint(row.json), row.complaint) << row.name;
}

TEST(Arguments, AreDescribedByTheSameTable) {
  EXPECT_EQ(input_schema(table()),
            R"({"type":"object","properties":{)"
            R"("to":{"type":"string","minLength":1,"maxLength":5,"description":"whom"},)"
            R"("how":{"type":"string","enum":["now","low"],"description":"how"},)"
            R"("wait":{"type":"number","minimum":0,"maximum":10,"description":"how long"}},)"
            R"("required":["to"],"additionalProperties":false})");
  EXPECT_EQ(input_schema({}),
            R"({"type":"object","properties":{},"required":[],"additionalProperties":false})");
}

}  // namespace
}  // namespace signet::mcp
