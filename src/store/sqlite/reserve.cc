#include "store/sqlite/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/sqlite/data_directory.h"

namespace signet::store::sqlite {

bool Reserve::is_held() const {
  struct stat found {};
  // Blocks, not length: a sparse file reserves nothing. st_blocks counts 512 bytes each.
  return lstat(path_.c_str(), &found) == 0 && found.st_size == bytes_ &&
         std::int64_t{found.st_blocks} * 512 >= bytes_;
}

bool Reserve::hold() {
  if (bytes_ <= 0 || is_held()) return true;
  give_up();
  const Descriptor file(open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.is_open() && posix_fallocate(file.get(), 0, bytes_) == 0) return true;
  give_up();
  return false;
}

void Reserve::give_up() { unlink(path_.c_str()); }

std::int64_t Reserve::free_bytes() const {
  struct statvfs found {};
  const std::string folder = path_.substr(0, path_.rfind('/'));
  if (statvfs(folder.c_str(), &found) != 0) return 0;
  return static_cast<std::int64_t>(found.f_bavail) * static_cast<std::int64_t>(found.f_frsize);
}

}  // namespace signet::store::sqlite
