#include "signetd/status_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/time.h"

namespace signet {
namespace {

namespace fs = std::filesystem;

class StatusFileTest : public testing::Test {
 protected:
  StatusFileTest() : folder_(fs::temp_directory_path() / ("status-" + std::to_string(getpid()))) {
    fs::create_directory(folder_);
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1));
    home_.start();
  }
  ~StatusFileTest() override {
    home_.stop();
    file_.reset();
    fs::permissions(folder_, fs::perms::owner_all);
    fs::remove_all(folder_);
    set_log_level(LogLevel::kInfo);
  }
  std::string path() const { return folder_ / "status.json"; }
  static std::string text_at(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }
  static mode_t mode_of(const std::string& path) {
    struct stat facts {};
    return lstat(path.c_str(), &facts) == 0 ? facts.st_mode : 0;
  }
  void open(const std::string& path) {
    file_ = std::make_unique<StatusFile>(path, home_.mailbox(), system_clock(), metrics_);
  }
  void show(const std::string& text) {
    home_.run_and_wait([&] { file_->show(text); });
  }
  std::int64_t failed() {
    return metrics_.counter("signet_overlay_status_file_failed_total", "").value();
  }
  // What the writer did is told to the home thread by a post of its own.
  template <class Condition>
  bool comes_true(const Condition& condition) {
    for (int i = 0; i < 1'000; ++i) {
      bool is_true = false;
      home_.run_and_wait([&] { is_true = condition(); });
      if (is_true) return true;
      usleep(5'000);
    }
    return false;
  }

  const fs::path folder_;
  MetricRegistry metrics_;
  controller::ControlThread home_{system_clock()};
  std::unique_ptr<StatusFile> file_;
};

TEST_F(StatusFileTest, IsReplacedWholeAndItsOwnersAlone) {
  ASSERT_TRUE(write_status_file(path(), "one").ok());
  EXPECT_EQ(text_at(path()), "one");
  EXPECT_EQ(mode_of(path()) & 07777U, 0600U);
  ASSERT_EQ(chmod(path().c_str(), 0644), 0);
  ASSERT_TRUE(write_status_file(path(), "two").ok());
  EXPECT_EQ(text_at(path()), "two");
  EXPECT_EQ(mode_of(path()) & 07777U, 0600U) << "whatever it was before";
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
}

TEST_F(StatusFileTest, WritesThroughNoLink) {
  const std::string victim = folder_ / "victim";
  std::ofstream(victim) << "mine";
  fs::create_symlink(victim, path());
  fs::create_symlink(victim, path() + ".new");
  ASSERT_TRUE(write_status_file(path(), "text").ok());
  EXPECT_EQ(text_at(victim), "mine");
  EXPECT_TRUE(S_ISREG(mode_of(path())));
  EXPECT_EQ(text_at(path()), "text");
}

TEST_F(StatusFileTest, WhatCannotBeWrittenIsAnErrorAndLeavesNothing) {
  const Status nowhere = write_status_file(folder_ / "none" / "status.json", "text");
  ASSERT_FALSE(nowhere.ok());
  EXPECT_EQ(nowhere.error().code, ErrorCode::kUnavailable);
  fs::create_directory(path());
  EXPECT_FALSE(write_status_file(path(), "text").ok()) << "a folder has its name";
  EXPECT_FALSE(fs::exists(path() + ".new"));
}

TEST_F(StatusFileTest, TheNewestTextIsThereInTheEnd) {
  open(path());
  for (int i = 0; i < 100; ++i) show(std::to_string(i));
  EXPECT_TRUE(comes_true([&] { return text_at(path()) == "99"; }));
  EXPECT_EQ(failed(), 0);
}

TEST_F(StatusFileTest, AFaultIsCountedAndStopsNothing) {
  open(folder_ / "later" / "status.json");
  show("one");
  EXPECT_TRUE(comes_true([&] { return failed() == 1; }));
  fs::create_directory(folder_ / "later");
  show("two");
  EXPECT_TRUE(comes_true([&] { return text_at(folder_ / "later" / "status.json") == "two"; }));
  EXPECT_EQ(failed(), 1);
}

TEST_F(StatusFileTest, WhatWaitsAtTheEndIsWritten) {
  open(path());
  home_.run_and_wait([&] {
    file_->show("one");
    file_->show("two");
    file_->show("three");
  });
  home_.stop();
  file_.reset();
  EXPECT_EQ(text_at(path()), "three");
}

}  // namespace
}  // namespace signet
