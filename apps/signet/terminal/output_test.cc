#include "signet/terminal/output.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace signet::cli {
namespace {

Table table_of(std::vector<std::vector<Value>> rows) {
  return {"peers",
          {{"name", "NAME"}, {"key", "KEY", Show::kKey}, {"id", "", Show::kNever}, {"n", "N"}},
          std::move(rows)};
}

TEST(Output, ColumnsAreAlignedByWhatIsSeen) {
  const std::string key(64, 'a');
  const std::string text = table_text(table_of({
      {std::string("ada"), key, std::string("x"), std::int64_t{1}},
      {std::string("\xe6\x97\xa5\xe6\x9c\xac"), key, std::string("x"), true},
      {Value(), key, std::string("x"), std::vector<std::string>{"a", "b"}},
  }));
  const std::string shown(16, 'a');
  EXPECT_EQ(text,
            "NAME  KEY               N\n"
            "ada   " +
                shown +
                "  1\n"
                "\xe6\x97\xa5\xe6\x9c\xac  " +
                shown +
                "  yes\n"
                "-     " +
                shown + "  a, b\n");
}

TEST(Output, NoCellWritesToTheTerminal) {
  const std::string text = table_text(table_of({
      {std::string("\x1b[2J\nroot  00"), std::string("\r"), std::string(), std::int64_t{0}},
  }));
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\r'), std::string::npos);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
}

TEST(Output, OnlyTitledFieldsThatSaySomethingAreForPeople) {
  EXPECT_EQ(fields_text({{"a", std::string("1"), "the a"},
                         {"b", std::string("2")},
                         {"c", std::string(), "the c"}}),
            "the a  1\n");
}

}  // namespace
}  // namespace signet::cli
