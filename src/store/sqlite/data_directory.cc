#include "store/sqlite/data_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace signet::store::sqlite {
namespace {

// linux/magic.h and the kernel's own trees; listed here because no one header has them all.
constexpr long kRemote[] = {
    0x6969,      // nfs
    0xff534d42,  // cifs
    0xfe534d42,  // smb2
    0x517b,      // smb
    0x01021997,  // 9p
    0x65735546,  // fuse: sshfs, virtiofs and every other
    0x5346414f,  // afs
    0x6b414653,  // afs of the kernel
    0x73757245,  // coda
    0x00c36400,  // ceph
    0x0bd00bd0,  // lustre
    0x01161970,  // gfs2
    0x7461636f,  // ocfs2
    0x564c,      // ncp
};

Error unavailable(const std::string& what, const std::string& path) {
  return {ErrorCode::kUnavailable, what + " " + path + ": " + std::strerror(errno)};
}

Result<std::string> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return unavailable("cannot make", path);
  char absolute[PATH_MAX];
  if (realpath(path.c_str(), absolute) == nullptr) return unavailable("cannot find", path);
  return std::string(absolute);
}

// A folder that everybody may write, such as /tmp, is not one to take over.
Status make_private(int folder, const std::string& path) {
  struct stat found {};
  if (fstat(folder, &found) != 0) return unavailable("cannot read", path);
  if ((found.st_mode & 0077) == 0) return Done{};
  if ((found.st_mode & S_IWOTH) != 0 || found.st_uid != geteuid()) {
    return Error{ErrorCode::kUnavailable,
                 path + " is open to other users: give the store a folder of its own"};
  }
  if (fchmod(folder, 0700) != 0) return unavailable("cannot make private", path);
  return Done{};
}

Status check_file_system(int folder, const std::string& path) {
  struct statfs found {};
  if (fstatfs(folder, &found) != 0) return unavailable("cannot read the file system of", path);
  if (is_remote_file_system(static_cast<long>(found.f_type))) {
    return Error{ErrorCode::kUnavailable,
                 path +
                     " is on a network or user-space file system, whose locks and syncs can't "
                     "be trusted: use a local disk"};
  }
  return Done{};
}

constexpr std::size_t kPidBytes = 16;

std::string holder_of(int lock) {
  char text[kPidBytes + 1] = {};
  static_cast<void>(!pread(lock, text, kPidBytes, 0));
  const std::string digits(text, std::strspn(text, "0123456789"));
  return digits.empty() ? "another process" : "process " + digits;
}

Result<Descriptor> take_lock(const std::string& folder) {
  const std::string path = folder + "/lock";
  Descriptor lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock.is_open()) return unavailable("cannot open", path);
  if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return unavailable("cannot lock", path);
    return Error{ErrorCode::kConflict, folder + " is in use by " + holder_of(lock.get()) +
                                           ": stop it, or give this one another directory"};
  }
  // Only for the message above; the lock itself is what counts, so a full disk changes nothing.
  std::string pid = std::to_string(getpid());
  pid.resize(kPidBytes, '\n');
  static_cast<void>(!pwrite(lock.get(), pid.data(), pid.size(), 0));
  return lock;
}

// SQLite gives its side files the mode of the database.
Status make_database_file(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open() || fchmod(file.get(), 0600) != 0) return unavailable("cannot open", path);
  return Done{};
}

void sync_parent(const std::string& path) {
  const std::string parent = path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
  const Descriptor folder(open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.is_open()) static_cast<void>(fsync(folder.get()));  // some are not ours to sync
}

}  // namespace

bool is_remote_file_system(long magic) {
  // Some kernels sign-extend the 32-bit magics.
  const long low = magic & 0xffffffffL;
  return std::find(std::begin(kRemote), std::end(kRemote), low) != std::end(kRemote);
}

Descriptor::Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(value_, other.value_);
  return *this;
}
Descriptor::~Descriptor() {
  if (value_ >= 0) close(value_);
}

Result<DataDirectory> DataDirectory::open(const std::string& path) {
  SIGNET_TRY(std::string absolute, make_folder(path));
  Descriptor folder(::open(absolute.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.is_open()) return unavailable("cannot open", absolute);
  SIGNET_TRY([[maybe_unused]] auto trusted, check_file_system(folder.get(), absolute));
  SIGNET_TRY([[maybe_unused]] auto hidden, make_private(folder.get(), absolute));
  SIGNET_TRY(Descriptor lock, take_lock(absolute));
  DataDirectory directory(std::move(absolute), std::move(folder), std::move(lock));
  SIGNET_TRY([[maybe_unused]] auto made, make_database_file(directory.database_path()));
  SIGNET_TRY([[maybe_unused]] auto synced, directory.sync());
  sync_parent(directory.path());
  return directory;
}

Status DataDirectory::sync() const {
  if (fsync(folder_.get()) != 0) return unavailable("cannot sync", path_);
  return Done{};
}

}  // namespace signet::store::sqlite
