// What toml++ would end the process for, or leave undefined, is a fault like any other.
#include <gtest/gtest.h>

#include "config/toml_file.h"

namespace signet::config {
namespace {

TEST(TomlFence, LetsNoTextEndTheProcess) {
  std::string deep;
  for (int i = 0; i < 60'000; ++i) deep += "a.";
  struct Row {
    const char* name;
    std::string text;
    const char* place;
  };
  const Row rows[] = {
      {"a header that begins with no letter", "[=]\n", "f:1:2: "},
      {"three brackets", "[[[a]]]\n", "f:1:3: "},
      {"a header of a control", "[\x01]\n", "f:1:2: "},
      {"an umlaut outside of a text", "\xc3\xa9 = 1\n", "f:1:1: "},
      {"an umlaut as a value", "a = \xc3\xa9\n", "f:1:5: "},
      {"a deep header", "[" + deep + "a]\n", "f:1:1: the keys have too many dots"},
      {"a deep key", deep + "a = 1\n", "f:1:1: the keys have too many dots"},
      {"a deep list", "a = " + std::string(100'000, '['), "f:1:"},
      {"broken UTF-8", "a = \"\xff\"\n", "f:1:5: "},
      {"nothing behind a key", "a", "f:1:"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto file = parse_toml(row.text, "f");
    ASSERT_FALSE(file.ok());
    EXPECT_EQ(file.error().code, ErrorCode::kMalformed);
    EXPECT_TRUE(file.error().detail.starts_with(row.place)) << file.error().detail;
  }
}

TEST(TomlFence, CountsDotsOutsideOfTextsOnly) {
  std::string text = "a = [";
  for (int i = 0; i < 1'000; ++i) text += "\"x.y.z.\\\"...\", 'a.b.c.d',\n";
  EXPECT_TRUE(parse_toml(text + "]\n# ...... '\nb = '''\n.....\n'''\n", "f").ok());
}

}  // namespace
}  // namespace signet::config
