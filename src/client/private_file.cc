#include "client/private_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

namespace signet::client {
namespace {

Error not_yours(const std::string& path, const std::string& why) {
  return {ErrorCode::kForbidden, "state_not_yours: " + path + " " + why};
}

Status make_folders(const std::string& path) {
  for (std::size_t end = 1; end != std::string::npos;) {
    end = path.find('/', end);
    const std::string part = path.substr(0, end);
    if (mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EROFS && errno != EACCES) {
      return file_error("cannot make", part);
    }
    if (end != std::string::npos) ++end;
  }
  return Done{};
}

Status check_folder(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return file_error("cannot read", path);
  if ((found.st_mode & S_IWOTH) != 0 && (found.st_mode & S_ISVTX) == 0) {
    return not_yours(path, "may be written by everybody: keep the state in a folder of its own");
  }
  return Done{};
}

}  // namespace

Error file_error(const std::string& what, const std::string& path) {
  const bool no_room = errno == ENOSPC || errno == EDQUOT;
  return {ErrorCode::kUnavailable, std::string(no_room ? "disk_full: " : "disk: ") + what + " " +
                                       path + ": " + std::strerror(errno)};
}

Result<FileFacts> check_private(const std::string& path, FileKind kind) {
  struct stat found {};
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return FileFacts{};
    return file_error("cannot read", path);
  }
  if (S_ISLNK(found.st_mode)) return not_yours(path, "is a symbolic link: name the file itself");
  const bool is_of_kind = kind == FileKind::kFile ? S_ISREG(found.st_mode) : S_ISDIR(found.st_mode);
  if (!is_of_kind) return not_yours(path, "is not a file of this program");
  if (found.st_uid != geteuid()) return not_yours(path, "belongs to another user");
  if ((found.st_mode & 0077) != 0) {
    return not_yours(path, "is open to other users: chmod go= it if you trust what is in it");
  }
  return FileFacts{true, found.st_size};
}

Status make_private_file(const std::string& path) {
  if (mknod(path.c_str(), S_IFREG | 0600, 0) != 0 && errno != EEXIST) {
    return file_error("cannot make", path);
  }
  return Done{};
}

Result<std::string> private_path(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  const std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  std::string folder = ".";
  if (slash != std::string::npos) folder = slash == 0 ? "/" : file.substr(0, slash);
  if (slash != std::string::npos && slash != 0) {
    SIGNET_TRY([[maybe_unused]] const Done made, make_folders(folder));
  }
  char absolute[PATH_MAX];
  if (realpath(folder.c_str(), absolute) == nullptr) return file_error("cannot find", folder);
  SIGNET_TRY([[maybe_unused]] const Done checked, check_folder(absolute));
  return std::string(absolute) + "/" + name;
}

}  // namespace signet::client
