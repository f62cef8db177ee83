// FileWatch tells when one of a few files was changed, replaced, made or removed, by looking.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

namespace signet {

// FileWatch is used by one thread. It looks and never opens: it works where a file can't be read,
// on every file system, and through symbolic links that are turned to another file.
class FileWatch {
 public:
  // Empty paths are no files. What is there now is what a change is measured by.
  explicit FileWatch(const std::vector<std::string>& paths);

  bool empty() const { return files_.empty(); }

  // Whether one changed since the last look. Two changes within one tick of the file system's clock
  // (some milliseconds) that keep the size are seen as one.
  bool changed();

 private:
  // All that stat() knows of a file's content; zeros where there is none.
  struct Facts {
    dev_t device = 0;
    ino_t node = 0;
    off_t size = 0;
    timespec written{};  // mtime
    timespec touched{};  // ctime: also a file that was moved here with an old mtime, and its rights
    bool operator==(const Facts& other) const;
  };
  struct Watched {
    std::string path;
    Facts facts;
  };
  static Facts look(const std::string& path);

  std::vector<Watched> files_;
};

}  // namespace signet
