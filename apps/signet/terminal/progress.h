// Progress is one line on standard error about what takes longer than a second, on a terminal only.
// It is gone when the object is.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace signet::cli {

class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

 private:
  void show();

  const std::string what_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool is_over_ = false;
  std::thread thread_;  // none where nobody would see it
};

}  // namespace signet::cli
