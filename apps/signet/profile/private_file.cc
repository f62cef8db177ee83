#include "signet/profile/private_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>

#include "crypto/random.h"
#include "crypto/wipe.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::chrono::milliseconds kLockPause{20};

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::string reason() { return std::strerror(errno); }

Error disk_error(const std::string& path) {
  return failure(ErrorCode::kUnavailable, "disk", path + " can't be written: " + reason());
}

Error open_error(const std::string& path) {
  if (errno == ENOENT) {
    return failure(ErrorCode::kNotFound, "file_missing", path + " does not exist");
  }
  if (errno == ELOOP) {
    return failure(ErrorCode::kForbidden, "key_file_link", path + " is a symbolic link",
                   "Name the file itself: a link could be pointed elsewhere by others.");
  }
  return failure(errno == EACCES ? ErrorCode::kForbidden : ErrorCode::kUnavailable,
                 "file_unreadable", path + " can't be read: " + reason());
}

Status check_kind(const std::string& path, const struct stat& facts) {
  if (S_ISREG(facts.st_mode)) return Done{};
  return failure(ErrorCode::kMalformed, "no_file", path + " is no regular file");
}

Status check_rights(const std::string& path, const struct stat& facts) {
  SIGNET_TRY([[maybe_unused]] const Done regular, check_kind(path, facts));
  if (facts.st_uid != geteuid() && geteuid() != 0) {
    return failure(ErrorCode::kForbidden, "key_file_not_yours", path + " belongs to another user");
  }
  if ((facts.st_mode & 0077U) != 0) {
    return failure(ErrorCode::kForbidden, "key_file_readable",
                   path + " holds secret keys and is open to others than its owner",
                   "Run: chmod 600 '" + path + "'");
  }
  return Done{};
}

Result<std::string> read_all(const std::string& path, int file) {
  std::string text;
  std::array<char, 16'384> chunk{};
  for (;;) {
    const ssize_t got = read(file, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return open_error(path);
    if (got == 0) return text;
    text.append(chunk.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxFileBytes) {
      crypto::wipe(text);
      return failure(ErrorCode::kMalformed, "file_too_long", path + " is longer than 1 MiB");
    }
  }
}

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(file, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return fsync(file) == 0;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// A new name is on the disk when its folder is.
bool sync_folder(const std::string& path) {
  const Descriptor folder(open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder.number() >= 0 && fsync(folder.number()) == 0;
}

// The text under a name of its own beside `path`, on the disk.
Result<std::string> write_beside(const std::string& path, std::string_view text) {
  const std::string fresh = path + "." + crypto::random_hex(8) + ".new";
  const Descriptor file(
      open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.number() < 0) return disk_error(path);
  if (write_all(file.number(), text)) return fresh;
  const Error error = disk_error(path);
  unlink(fresh.c_str());
  return error;
}

bool is_link(const std::string& path) {
  struct stat facts {};
  return lstat(path.c_str(), &facts) == 0 && S_ISLNK(facts.st_mode);
}

}  // namespace

Result<std::string> read_private_file(const std::string& path) {
  // Not blocking: a pipe that nobody writes must not hold the program up.
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) return open_error(path);
  struct stat facts {};
  if (fstat(file.number(), &facts) != 0) return open_error(path);
  SIGNET_TRY([[maybe_unused]] const Done checked, check_rights(path, facts));
  return read_all(path, file.number());
}

Result<std::string> read_shown_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.number() < 0) return open_error(path);
  struct stat facts {};
  if (fstat(file.number(), &facts) != 0) return open_error(path);
  SIGNET_TRY([[maybe_unused]] const Done regular, check_kind(path, facts));
  return read_all(path, file.number());
}

Status write_private_file(const std::string& path, std::string_view text) {
  if (is_link(path)) {
    errno = ELOOP;
    return open_error(path);
  }
  SIGNET_TRY(const std::string fresh, write_beside(path, text));
  if (rename(fresh.c_str(), path.c_str()) == 0 && sync_folder(path)) return Done{};
  const Error error = disk_error(path);
  unlink(fresh.c_str());
  return error;
}

Status create_private_file(const std::string& path, std::string_view text) {
  SIGNET_TRY(const std::string fresh, write_beside(path, text));
  // A link and not a rename: it fails where the name is taken.
  const bool linked = link(fresh.c_str(), path.c_str()) == 0;
  const int why = errno;
  unlink(fresh.c_str());
  errno = why;
  if (linked) return sync_folder(path) ? Status(Done{}) : Status(disk_error(path));
  if (why == EEXIST) {
    return failure(ErrorCode::kConflict, "file_exists", path + " exists already and is kept",
                   "Name another file, or move that one away first.");
  }
  return disk_error(path);
}

Status make_private_folder(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    mkdir(path.substr(0, at).c_str(), 0700);  // the last one says whether it went well
  }
  if (mkdir(path.c_str(), 0700) == 0) return Done{};
  if (errno != EEXIST) return disk_error(path);
  struct stat facts {};
  if (stat(path.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
    errno = ENOTDIR;
    return disk_error(path);
  }
  if ((facts.st_mode & 0022U) == 0) return Done{};
  return failure(ErrorCode::kForbidden, "folder_writable",
                 path + " holds secret keys and others may write into it",
                 "Run: chmod 700 '" + path + "'");
}

Result<FolderLock> FolderLock::take(const std::string& folder, std::chrono::milliseconds patience) {
  const std::string path = folder + "/lock";
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return disk_error(path);
  FolderLock lock(file);
  for (auto waited = std::chrono::milliseconds(0);; waited += kLockPause) {
    if (flock(file, LOCK_EX | LOCK_NB) == 0) return lock;
    if (waited >= patience) {
      return failure(ErrorCode::kUnavailable, "locked",
                     "another signet has been changing " + folder + " for too long",
                     "Look for a signet process that hangs.");
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace signet::cli
