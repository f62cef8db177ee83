#include "signet/profile/record_file.h"

#include <gtest/gtest.h>

namespace signet::cli {
namespace {

constexpr std::string_view kText =
    R"({"version":1,"theirs":{"a":[1.0]},"meshes":[{"slug":"a","extra":{"k":"\u00e9"},"n":3},{}]})";

TEST(RecordFile, KeepsWhatItDoesNotKnow) {
  auto file = RecordFile::read(kText, "meshes");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file->write("meshes"),
            std::string(R"({"version":1,"theirs":{"a":[1.0]},)") +
                R"("meshes":[{"slug":"a","extra":{"k":"\u00e9"},"n":3},{}]})" + "\n");
}

TEST(RecordFile, ChangesOneMemberInItsPlace) {
  auto file = RecordFile::read(kText, "meshes");
  ASSERT_TRUE(file.ok());
  Record& record = file->records.front();
  EXPECT_EQ(record.text("slug"), "a");
  EXPECT_EQ(record.text("n"), "");
  EXPECT_EQ(record.integer("n"), 3);
  record.set("slug", "b\"\n");
  record.set("n", std::int64_t{4});
  record.set("extra", "");
  record.set_flag("flag", true);
  EXPECT_TRUE(record.flag("flag"));
  EXPECT_NE(file->write("meshes").find(R"([{"slug":"b\"\n","n":4,"flag":true},{}])"),
            std::string::npos);
}

TEST(RecordFile, RefusesWhatItCanNotKeep) {
  const struct {
    const char* name;
    std::string_view text;
  } kRows[] = {{"nothing", ""},
               {"no JSON", "{"},
               {"a list", "[]"},
               {"two of a name", R"({"meshes":[],"meshes":[]})"},
               {"another version", R"({"version":2,"meshes":[]})"},
               {"version of another type", R"({"version":"1"})"},
               {"no list", R"({"meshes":{}})"},
               {"no objects", R"({"meshes":["a"]})"}};
  for (const auto& row : kRows) EXPECT_FALSE(RecordFile::read(row.text, "meshes").ok()) << row.name;
  EXPECT_TRUE(RecordFile::read("{}", "meshes").ok());
}

}  // namespace
}  // namespace signet::cli
