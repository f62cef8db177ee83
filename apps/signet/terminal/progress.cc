#include "signet/terminal/progress.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::chrono::seconds kPatience{1};  // what is faster needs no explanation
constexpr std::chrono::seconds kStep{1};
constexpr const char* kEraseLine = "\r\033[K";

}  // namespace

Progress::Progress(std::string what) : what_(std::move(what)) {
  if (isatty(STDERR_FILENO) != 0) thread_ = std::thread([this] { show(); });
}

Progress::~Progress() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  ended_.notify_one();
  thread_.join();
}

void Progress::show() {
  std::unique_lock lock(mutex_);
  const auto over = [this] { return is_over_; };
  if (ended_.wait_for(lock, kPatience, over)) return;
  for (int seconds = 1;; ++seconds) {
    const std::string line =
        kEraseLine + printable_line(what_) + " " + std::to_string(seconds) + " s";
    std::fputs(line.c_str(), stderr);
    if (ended_.wait_for(lock, kStep, over)) break;
  }
  std::fputs(kEraseLine, stderr);
}

}  // namespace signet::cli
