#include "signetd/file_watch.h"

namespace signet {
namespace {

bool is_same(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

bool FileWatch::Facts::operator==(const Facts& other) const {
  return device == other.device && node == other.node && size == other.size &&
         is_same(written, other.written) && is_same(touched, other.touched);
}

FileWatch::FileWatch(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    if (!path.empty()) files_.push_back({path, look(path)});
  }
}

bool FileWatch::changed() {
  bool any = false;
  for (Watched& file : files_) {
    const Facts now = look(file.path);
    if (now == file.facts) continue;
    file.facts = now;
    any = true;
  }
  return any;
}

FileWatch::Facts FileWatch::look(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  return {found.st_dev, found.st_ino, found.st_size, found.st_mtim, found.st_ctim};
}

}  // namespace signet
