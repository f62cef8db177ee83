#include "net/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "net/tcp_socket.h"

namespace signet::net {
namespace {

constexpr int kBacklog = 64;  // those who administer are few
constexpr mode_t kOnlyOwner = 0600;

Error failed(ErrorCode code, const std::string& path, const std::string& what) {
  return {code, "the socket " + path + " " + what};
}

Error refused_by_system(const std::string& path, const char* what) {
  return failed(ErrorCode::kUnavailable, path, std::string(what) + ": " + std::strerror(errno));
}

// REQUIRES: the path fits, with its end.
sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

int call_with(int (*call)(int, const sockaddr*, socklen_t), int descriptor,
              const std::string& path) {
  const sockaddr_un address = address_of(path);
  return call(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

int new_socket() { return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0); }

// Makes room for a new socket, if what is there is one that somebody left behind.
Status remove_stale(const std::string& path) {
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) {
    if (errno == ENOENT) return Done{};
    return refused_by_system(path, "can't be looked at");
  }
  if (!S_ISSOCK(file.st_mode)) {
    return failed(ErrorCode::kConflict, path, "can't be made: a file that is no socket is there");
  }
  const TcpSocket probe(new_socket());
  if (probe.descriptor() < 0) return refused_by_system(path, "can't be tried");
  // Anything but this refusal, a full backlog for one, means that somebody may still be there.
  const bool refused = call_with(::connect, probe.descriptor(), path) != 0 && errno == ECONNREFUSED;
  if (!refused) return failed(ErrorCode::kConflict, path, "is in use by another process");
  if (::unlink(path.c_str()) != 0) return refused_by_system(path, "was left behind and stays");
  return Done{};
}

}  // namespace

LocalSocket::LocalSocket(int descriptor, std::string path)
    : descriptor_(descriptor), path_(std::move(path)) {}

LocalSocket::LocalSocket(LocalSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      path_(std::move(other.path_)),
      device_(other.device_),
      node_(std::exchange(other.node_, 0)) {}

LocalSocket::~LocalSocket() {
  struct stat file {};
  const bool still_ours = node_ != 0 && ::lstat(path_.c_str(), &file) == 0 &&
                          file.st_dev == device_ && file.st_ino == node_;
  if (still_ours) ::unlink(path_.c_str());
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<LocalSocket> LocalSocket::open(const std::string& path) {
  constexpr std::size_t kLongest = sizeof(sockaddr_un{}.sun_path) - 1;
  if (path.empty() || path.find('\0') != std::string::npos) {
    return failed(ErrorCode::kMalformed, path, "has no usable path");
  }
  if (path.size() > kLongest) {
    return failed(ErrorCode::kMalformed, path,
                  "has a path of " + std::to_string(path.size()) + " bytes; the system takes " +
                      std::to_string(kLongest));
  }
  SIGNET_TRY([[maybe_unused]] const Done removed, remove_stale(path));
  LocalSocket made(new_socket(), path);
  SIGNET_TRY([[maybe_unused]] const Done claimed, made.claim());
  return made;
}

// The file's rights are those of the socket at the moment of bind(), less the umask; and nobody can
// connect before listen(), so that there is no moment in which others may.
Status LocalSocket::claim() {
  if (descriptor_ < 0 || ::fchmod(descriptor_, kOnlyOwner) != 0) {
    return refused_by_system(path_, "can't be opened");
  }
  if (call_with(::bind, descriptor_, path_) != 0) return refused_by_system(path_, "can't be made");
  struct stat file {};
  if (::lstat(path_.c_str(), &file) != 0) return refused_by_system(path_, "is gone");
  device_ = file.st_dev;
  node_ = file.st_ino;
  constexpr mode_t kRights = 07777;
  if ((file.st_mode & kRights & ~kOnlyOwner) != 0) {
    return failed(ErrorCode::kUnavailable, path_, "would have rights for others");
  }
  if (::listen(descriptor_, kBacklog) != 0) return refused_by_system(path_, "can't listen");
  return Done{};
}

std::optional<uid_t> user_of_peer(int descriptor) {
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) return std::nullopt;
  if (family != AF_UNIX) return std::nullopt;
  ucred peer{};
  size = sizeof peer;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return std::nullopt;
  return peer.uid;
}

bool may_administer(uid_t user) { return user == 0 || user == ::geteuid(); }

}  // namespace signet::net
