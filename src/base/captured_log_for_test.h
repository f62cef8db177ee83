// CapturedLog gives log() a pipe and a test what was written; the log goes back to standard error
// at the end. One at a time.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>

#include "base/log.h"

namespace signet {

class CapturedLog {
 public:
  CapturedLog() {
    if (pipe2(ends_.data(), O_NONBLOCK) != 0) std::abort();
    set_log_descriptor(ends_[1]);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  ~CapturedLog() {
    set_log_descriptor(2);
    set_log_level(LogLevel::kInfo);
    close(ends_[0]);
    close(ends_[1]);
  }
  // What was written since the last look, at most 64 KiB: what a pipe holds.
  std::string take() {
    std::array<char, 65536> buffer;
    const ssize_t size = read(ends_[0], buffer.data(), buffer.size());
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

 private:
  std::array<int, 2> ends_{};
};

}  // namespace signet
