// Files of the log's auditors: exports that grow to any size, and texts that others wrote.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::cli {

// GrowingFile is written piece by piece under another name and has its own when it is whole, mode
// 0600. What was not kept is removed.
class GrowingFile {
 public:
  // Fails kUnavailable (disk).
  static Result<GrowingFile> create(const std::string& path);
  GrowingFile(GrowingFile&&) noexcept = default;
  GrowingFile& operator=(GrowingFile&&) = delete;
  ~GrowingFile();

  Status append(std::string_view text);
  Status keep();  // returns when it is on the disk

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  GrowingFile(std::string path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::string unfinished() const { return path_ + ".part"; }

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;  // null when kept
};

// Each line of a file, without its line break and however it ends; "-" is standard input. Fails
// kNotFound (file_missing), kMalformed (file_too_long) for a line over `most` bytes, kUnavailable
// (file_unreadable), and as `take` does.
Status each_line(const std::string& path, std::size_t most,
                 const std::function<Status(std::string_view)>& take);

// A whole file of at most `most` bytes.
Result<std::string> whole_file(const std::string& path, std::size_t most);

}  // namespace signet::cli
