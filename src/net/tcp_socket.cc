#include "net/tcp_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace signet::net {
namespace {

Transfer outcome_of_error() {
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return later ? Transfer::kLater : Transfer::kFailed;
}

}  // namespace

TcpSocket::TcpSocket(TcpSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

TcpSocket::~TcpSocket() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Moved TcpSocket::read(std::span<char> into) {
  const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
  if (got > 0) return {Transfer::kMoved, static_cast<std::size_t>(got)};
  return {got == 0 ? Transfer::kEnded : outcome_of_error()};
}

Moved TcpSocket::write(std::string_view bytes) {
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent > 0) return {Transfer::kMoved, static_cast<std::size_t>(sent)};
  return {sent == 0 ? Transfer::kLater : outcome_of_error()};
}

void TcpSocket::end_writing() { ::shutdown(descriptor_, SHUT_WR); }

void TcpSocket::reset_on_close() {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace signet::net
