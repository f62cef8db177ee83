#include "signet/profile/private_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "signet/profile/record_file.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

class PrivateFile : public testing::Test {
 protected:
  PrivateFile() {
    std::string name = (std::filesystem::temp_directory_path() / "signet-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/secret";
  }
  ~PrivateFile() override { std::filesystem::remove_all(folder_); }

  void put(mode_t mode, std::string_view text = "secret") const {
    std::ofstream(path_) << text;
    ASSERT_EQ(chmod(path_.c_str(), mode), 0);
  }
  std::string refusal() const {
    const auto read = read_private_file(path_);
    return read.ok() ? "" : tell(read.error()).code;
  }
  static mode_t mode_of(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(lstat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }
  std::size_t entries() const {
    const std::filesystem::directory_iterator all(folder_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  std::string folder_, path_;
};

TEST_F(PrivateFile, IsReadOnlyWhenItIsItsOwnersAlone) {
  EXPECT_EQ(refusal(), "file_missing");
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    put(mode);
    EXPECT_EQ(refusal(), "") << mode;
    unlink(path_.c_str());
  }
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U, 0777U}) {
    put(mode);
    EXPECT_EQ(refusal(), "key_file_readable") << mode;
    unlink(path_.c_str());
  }
}

TEST_F(PrivateFile, TellsHowToCloseIt) {
  put(0644);
  const Told told = tell(read_private_file(path_).error());
  EXPECT_EQ(told.advice, "Run: chmod 600 '" + path_ + "'");
  EXPECT_EQ(told.exit, kExitDenied);
}

TEST_F(PrivateFile, IsNoLinkFolderOrPipe) {
  put(0600);
  const std::string link = folder_ + "/link";
  ASSERT_EQ(symlink(path_.c_str(), link.c_str()), 0);
  EXPECT_EQ(tell(read_private_file(link).error()).code, "key_file_link");
  EXPECT_EQ(tell(write_private_file(link, "x").error()).code, "key_file_link");
  EXPECT_EQ(*read_private_file(path_), "secret");
  EXPECT_EQ(tell(read_private_file(folder_).error()).code, "no_file");
  const std::string pipe = folder_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(tell(read_private_file(pipe).error()).code, "no_file");
}

TEST_F(PrivateFile, IsReplacedAsAWholeAndLeavesNothingBeside) {
  ASSERT_TRUE(write_private_file(path_, "one").ok());
  ASSERT_TRUE(write_private_file(path_, "two").ok());
  EXPECT_EQ(*read_private_file(path_), "two");
  EXPECT_EQ(mode_of(path_), 0600U);
  EXPECT_EQ(entries(), 1U);
}

TEST_F(PrivateFile, IsNeverOverwrittenWhenItShouldBeNew) {
  ASSERT_TRUE(create_private_file(path_, "one").ok());
  const Told told = tell(create_private_file(path_, "two").error());
  EXPECT_EQ(told.code, "file_exists");
  EXPECT_EQ(told.exit, kExitConflict);
  EXPECT_EQ(*read_private_file(path_), "one");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(PrivateFile, LiesInAFolderThatOthersCanNotWrite) {
  const std::string deep = folder_ + "/a/b/c";
  ASSERT_TRUE(make_private_folder(deep).ok());
  EXPECT_EQ(mode_of(deep), 0700U);
  EXPECT_TRUE(make_private_folder(deep).ok());
  ASSERT_EQ(chmod(deep.c_str(), 0770), 0);
  EXPECT_EQ(tell(make_private_folder(deep).error()).code, "folder_writable");
}

TEST_F(PrivateFile, IsChangedByOneAtATime) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 8;
  const auto add = [this] {
    for (int i = 0; i < kRounds; ++i) {
      const auto change = [](RecordFile& file) -> Status {
        file.records.emplace_back();
        return Done{};
      };
      EXPECT_TRUE(RecordFile::change(folder_, path_, "list", change).ok());
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) threads.emplace_back(add);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(RecordFile::load(path_, "list")->records.size(), std::size_t{kThreads * kRounds});
}

TEST_F(PrivateFile, KeepsOthersOutOnlySoLong) {
  const auto first = FolderLock::take(folder_);
  ASSERT_TRUE(first.ok());
  const auto second = FolderLock::take(folder_, std::chrono::milliseconds(40));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(tell(second.error()).code, "locked");
}

}  // namespace
}  // namespace signet::cli
