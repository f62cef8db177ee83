#include "signetd/file_watch.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

namespace signet {
namespace {

namespace fs = std::filesystem;

class FileWatchTest : public ::testing::Test {
 protected:
  FileWatchTest() {
    std::string name = ::testing::TempDir() + "signet-watch-XXXXXX";
    folder_ = mkdtemp(name.data());
    write("a", "one");
    fs::create_symlink(path("a"), path("link"));
  }
  ~FileWatchTest() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  // A clock of the file system that stands still for a test would hide what is looked for.
  void date(const std::string& name, int seconds) const {
    fs::last_write_time(path(name),
                        fs::file_time_type::clock::now() + std::chrono::seconds(seconds));
  }

 private:
  fs::path folder_;
};

TEST_F(FileWatchTest, SeesEveryKindOfChangeOnce) {
  const struct {
    const char* name;
    const char* watched;
    std::function<void()> change;
    bool is_seen;
  } rows[] = {
      {"nothing", "a", [] {}, false},
      {"longer", "a", [&] { write("a", "longer"); }, true},
      {"of the same length, later", "a", [&] { write("a", "renewd"), date("a", 9); }, true},
      {"moved over it", "a", [&] { write("b", "renewd"), fs::rename(path("b"), path("a")); }, true},
      {"gone", "a", [&] { fs::remove(path("a")); }, true},
      {"there again", "a", [&] { write("a", "one"); }, true},
      {"what a link names", "link", [&] { write("a", "three"); }, true},
      {"a link turned to another", "link",
       [&] {
         write("c", "other");
         fs::remove(path("link"));
         fs::create_symlink(path("c"), path("link"));
       },
       true},
      {"another file", "a", [&] { write("d", "x"); }, false},
      {"its rights", "a", [&] { chmod(path("a").c_str(), 0600); }, true},
      {"no file at all", "", [&] { write("a", "x"); }, false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const bool is_named = *row.watched != '\0';
    FileWatch watch({is_named ? path(row.watched) : std::string()});
    EXPECT_FALSE(watch.changed());
    row.change();
    EXPECT_EQ(watch.changed(), row.is_seen);
    EXPECT_FALSE(watch.changed());
  }
}

TEST_F(FileWatchTest, SeesOneOfMany) {
  write("b", "b");
  FileWatch watch({path("a"), path("b"), path("missing")});
  write("missing", "there");
  EXPECT_TRUE(watch.changed());
  write("b", "longer");
  EXPECT_TRUE(watch.changed());
  EXPECT_FALSE(watch.changed());
}

}  // namespace
}  // namespace signet
