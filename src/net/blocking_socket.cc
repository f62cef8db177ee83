#include "net/blocking_socket.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace signet::net {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) found = nullptr;
  return {found, &freeaddrinfo};
}

bool wait_for(int descriptor, short events, std::chrono::milliseconds timeout) {
  pollfd waiting{descriptor, events, 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, static_cast<int>(timeout.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Error unavailable(const std::string& what) {
  return {ErrorCode::kUnavailable, what + ": " + std::strerror(errno)};
}

// Connects without blocking for longer than `timeout`; -1 with errno when it does not work.
int connect_one(const addrinfo& address, std::chrono::milliseconds timeout) {
  const int descriptor =
      socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
  if (descriptor < 0) return -1;
  const int on = 1;
  (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int error = 0;
  if (connect(descriptor, address.ai_addr, address.ai_addrlen) != 0) error = errno;
  if (error == EINPROGRESS) {
    socklen_t size = sizeof error;
    if (!wait_for(descriptor, POLLOUT, timeout)) {
      error = ETIMEDOUT;
    } else if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  if (error == 0) return descriptor;
  close(descriptor);
  errno = error;
  return -1;
}

}  // namespace

Result<BlockingSocket> BlockingSocket::connect(const std::string& host, std::uint16_t port,
                                               std::chrono::milliseconds timeout) {
  const Addresses addresses = look_up(host, port);
  errno = EHOSTUNREACH;
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    const int descriptor = connect_one(*each, timeout);
    if (descriptor >= 0) return BlockingSocket(descriptor);
  }
  return unavailable("connect to " + host + ":" + std::to_string(port));
}

BlockingSocket::BlockingSocket(BlockingSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

BlockingSocket& BlockingSocket::operator=(BlockingSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

BlockingSocket::~BlockingSocket() {
  if (descriptor_ >= 0) close(descriptor_);
}

Status BlockingSocket::send_all(std::string_view bytes, std::chrono::milliseconds timeout) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!wait_for(descriptor_, POLLOUT, timeout)) return unavailable("send");
    } else if (errno != EINTR) {
      return unavailable("send");
    }
  }
  return Done{};
}

Result<std::size_t> BlockingSocket::receive(std::span<char> into,
                                            std::chrono::milliseconds timeout) {
  for (;;) {
    const ssize_t got = recv(descriptor_, into.data(), into.size(), 0);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return unavailable("receive");
    if (!wait_for(descriptor_, POLLIN, timeout)) return Error{ErrorCode::kOverloaded, "timeout"};
  }
}

}  // namespace signet::net
