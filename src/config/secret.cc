#include "config/secret.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace signet::config {
namespace {

constexpr std::size_t kMaxSecretBytes = 4'096;  // far above any token

struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

struct Buffer {
  std::array<char, kMaxSecretBytes + 1> bytes;
  ~Buffer() { explicit_bzero(bytes.data(), bytes.size()); }
};

Error cannot_open(const std::string& path, int error) {
  if (error == ENOENT) return {ErrorCode::kNotFound, path + ": no such file"};
  if (error == ELOOP) return {ErrorCode::kForbidden, path + ": is a symbolic link"};
  return {ErrorCode::kForbidden, path + ": cannot be opened"};
}

Status check_rights(const std::string& path, int descriptor) {
  struct stat info {};
  if (fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kForbidden, path + ": is no regular file"};
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return Error{ErrorCode::kForbidden,
                 path + ": others than its owner have rights on it; chmod 600 mends that"};
  }
  return Done{};
}

}  // namespace

Secret::~Secret() {
  // The whole buffer: a short text lives inside the object, behind a longer one that it replaced.
  text_.resize(text_.capacity());
  explicit_bzero(text_.data(), text_.size());
}

Status read_secret(const std::string& path, std::string& out) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)};
  if (file.number < 0) return cannot_open(path, errno);
  SIGNET_TRY([[maybe_unused]] const Done checked, check_rights(path, file.number));
  Buffer buffer;
  std::size_t size = 0;
  while (size < buffer.bytes.size()) {
    const ssize_t got = read(file.number, buffer.bytes.data() + size, buffer.bytes.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{ErrorCode::kForbidden, path + ": cannot be read"};
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kMaxSecretBytes) return Error{ErrorCode::kMalformed, path + ": is over 4 KiB"};
  std::string_view text(buffer.bytes.data(), size);
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.find('\n') != std::string_view::npos) {
    return Error{ErrorCode::kMalformed, path + ": has more than one line"};
  }
  out = text;
  return Done{};
}

}  // namespace signet::config
