#include "base/private_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace signet {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int number() const { return number_; }

 private:
  const int number_;
};

FileOrigin origin_of(std::string_view path) {
  const char* const folder = std::getenv("CREDENTIALS_DIRECTORY");
  if (folder == nullptr || *folder == '\0') return FileOrigin::kOwn;
  const std::string_view parent(folder);
  const bool is_below = path.size() > parent.size() + 1 && path.starts_with(parent) &&
                        path[parent.size()] == '/' &&
                        path.find('/', parent.size() + 1) == std::string_view::npos;
  return is_below ? FileOrigin::kCredential : FileOrigin::kOwn;
}

FileFault fault_of_open(int error) {
  if (error == ENOENT || error == ENOTDIR) return FileFault::kMissing;
  if (error == ELOOP) return FileFault::kLink;
  if (error == ENXIO || error == ENODEV) return FileFault::kNoRegularFile;  // a socket
  return FileFault::kUnreadable;
}

// Into memory that is there from the start: a text that grows leaves pieces of the secret behind.
FileFault read_all(int file, std::size_t max_bytes, std::string& out) {
  out.resize(max_bytes + 1);
  std::size_t size = 0;
  while (size < out.size()) {
    const ssize_t got = read(file, out.data() + size, out.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileFault::kUnreadable;
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_bytes) return FileFault::kTooLong;
  out.resize(size);
  return FileFault::kNone;
}

FileFault read_checked(const std::string& path, std::size_t max_bytes, std::string& out) {
  // Not blocking: a pipe that nobody writes would never open.
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const Descriptor file(open(path.c_str(), kFlags));
  if (file.number() < 0) return fault_of_open(errno);
  struct stat facts {};
  if (fstat(file.number(), &facts) != 0) return FileFault::kUnreadable;
  const FileFault fault = fault_of(facts.st_mode, facts.st_uid, geteuid(), origin_of(path));
  return fault == FileFault::kNone ? read_all(file.number(), max_bytes, out) : fault;
}

Error error_of(FileFault fault, const std::string& path, std::size_t max_bytes) {
  const auto forbidden = [&](const char* why) { return Error{ErrorCode::kForbidden, path + why}; };
  switch (fault) {
    case FileFault::kMissing:
      return {ErrorCode::kNotFound, path + ": no such file"};
    case FileFault::kLink:
      return forbidden(": is a symbolic link");
    case FileFault::kNoRegularFile:
      return forbidden(": is no regular file");
    case FileFault::kOpenToOthers:
      return forbidden(": others than its owner have rights on it; chmod 600 mends that");
    case FileFault::kNotOurs:
      return forbidden(": belongs to a user who is neither this one nor root; chown mends that");
    case FileFault::kTooLong:
      return {ErrorCode::kMalformed,
              path + ": is over " + std::to_string(max_bytes / 1'024) + " KiB"};
    case FileFault::kUnreadable:
    case FileFault::kNone:
      break;
  }
  return forbidden(": cannot be read");
}

}  // namespace

FileFault fault_of(mode_t mode, uid_t owner, uid_t us, FileOrigin origin) {
  if (!S_ISREG(mode)) return FileFault::kNoRegularFile;
  if (owner != us && owner != 0) return FileFault::kNotOurs;
  const bool has_list = origin == FileOrigin::kCredential && owner == 0;
  const mode_t others = S_IRWXO | (has_list ? S_IWGRP | S_IXGRP : S_IRWXG);
  return (mode & others) != 0 ? FileFault::kOpenToOthers : FileFault::kNone;
}

FileFault read_private(const std::string& path, std::size_t max_bytes, std::string& out) {
  explicit_bzero(out.data(), out.size());
  out.clear();
  const FileFault fault = read_checked(path, max_bytes, out);
  if (fault == FileFault::kNone) return fault;
  explicit_bzero(out.data(), out.size());
  out.clear();
  return fault;
}

Status read_private_file(const std::string& path, std::size_t max_bytes, std::string& out) {
  const FileFault fault = read_private(path, max_bytes, out);
  if (fault == FileFault::kNone) return Done{};
  return error_of(fault, path, max_bytes);
}

}  // namespace signet
