#include "signet/commands/audit_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <vector>

namespace signet::cli {
namespace {

class AuditFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "signet-audit-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string write(const std::string& text) const {
    std::ofstream(path("in"), std::ios::binary) << text;
    return path("in");
  }
  static bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

  std::string folder_;
};

std::vector<std::string> lines_of(const std::string& path) {
  std::vector<std::string> lines;
  const Status read = each_line(path, 1'000, [&lines](std::string_view line) -> Status {
    lines.emplace_back(line);
    return Done{};
  });
  EXPECT_TRUE(read.ok());
  return lines;
}

TEST_F(AuditFilesTest, ReadsLinesHoweverTheFileEnds) {
  using Lines = std::vector<std::string>;
  EXPECT_EQ(lines_of(write("")), Lines{});
  EXPECT_EQ(lines_of(write("a\nb\n")), (Lines{"a", "b"}));
  EXPECT_EQ(lines_of(write("a\nb")), (Lines{"a", "b"}));
  EXPECT_EQ(lines_of(write("\n\na\r\n")), (Lines{"", "", "a\r"}));
}

// Longer than what is read at once, so that lines begin in one piece and end in another.
TEST_F(AuditFilesTest, ReadsLinesAcrossPieces) {
  std::string text;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < 1'000; ++i) {
    lines.emplace_back(i, static_cast<char>('a' + i % 26));
    text += lines.back() + "\n";
  }
  EXPECT_EQ(lines_of(write(text)), lines);
}

TEST_F(AuditFilesTest, KeepsNoLineWithoutEnd) {
  const std::string file = write(std::string(10'000'000, 'x'));
  const Status read = each_line(file, 1'000, [](std::string_view) -> Status { return Done{}; });
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
  EXPECT_FALSE(whole_file(file, 9'999'999).ok());
  EXPECT_TRUE(whole_file(file, 10'000'000).ok());
}

TEST_F(AuditFilesTest, EndsWithTheFirstLineThatFails) {
  std::size_t taken = 0;
  const Status read = each_line(write("a\nb\nc\n"), 10, [&](std::string_view line) -> Status {
    ++taken;
    if (line == "b") return Error{ErrorCode::kConflict, "b"};
    return Done{};
  });
  EXPECT_FALSE(read.ok());
  EXPECT_EQ(taken, 2U);
}

TEST_F(AuditFilesTest, SaysThatAFileIsMissing) {
  const Result<std::string> read = whole_file(path("none"), 10);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
}

TEST_F(AuditFilesTest, AGrowingFileHasItsNameWhenItIsWhole) {
  {
    Result<GrowingFile> file = GrowingFile::create(path("out"));
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(file->append("one\n").ok());
    EXPECT_FALSE(is_there(path("out")));
    EXPECT_TRUE(file->append("two\n").ok());
    EXPECT_TRUE(file->keep().ok());
  }
  EXPECT_EQ(*whole_file(path("out"), 100), "one\ntwo\n");
  struct stat facts {};
  ASSERT_EQ(::stat(path("out").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_FALSE(is_there(path("out.part")));
}

TEST_F(AuditFilesTest, AnUnfinishedFileLeavesTheOldOne) {
  std::ofstream(path("out")) << "old";
  {
    Result<GrowingFile> file = GrowingFile::create(path("out"));
    ASSERT_TRUE(file.ok());
    EXPECT_TRUE(file->append("half").ok());
  }
  EXPECT_EQ(*whole_file(path("out"), 100), "old");
  EXPECT_FALSE(is_there(path("out.part")));
}

TEST_F(AuditFilesTest, SaysWhereNothingCanBeWritten) {
  EXPECT_FALSE(GrowingFile::create(path("no/such/folder")).ok());
  ASSERT_EQ(::symlink("/dev/null", path("out.part").c_str()), 0);
  EXPECT_FALSE(GrowingFile::create(path("out")).ok());
}

}  // namespace
}  // namespace signet::cli
