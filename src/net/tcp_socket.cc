#include "net/tcp_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/tls_server_session.h"

namespace signet::net {
namespace {

Transfer outcome_of_error() {
  const bool later = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  return later ? Transfer::kLater : Transfer::kFailed;
}

}  // namespace

TcpSocket::TcpSocket(int descriptor) : descriptor_(descriptor) {}

TcpSocket::TcpSocket(TcpSocket&& other) noexcept
    : tls_(std::move(other.tls_)), descriptor_(std::exchange(other.descriptor_, -1)) {}

TcpSocket::~TcpSocket() {
  tls_.reset();  // its goodbye needs the descriptor
  if (descriptor_ >= 0) ::close(descriptor_);
}

void TcpSocket::encrypt(std::unique_ptr<TlsServerSession> tls) { tls_ = std::move(tls); }

void TcpSocket::lend(std::span<char> tls_buffer) { tls_->lend(tls_buffer); }

bool TcpSocket::tls_has_more() const { return tls_->has_more(); }

bool TcpSocket::tls_waits_to_write() const { return tls_->waits_to_write(); }

Moved TcpSocket::read(std::span<char> into) {
  if (tls_) return tls_->read(into);
  const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
  if (got > 0) return {Transfer::kMoved, static_cast<std::size_t>(got)};
  return {got == 0 ? Transfer::kEnded : outcome_of_error()};
}

Moved TcpSocket::write(std::string_view bytes) {
  if (tls_) return tls_->write(bytes);
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent > 0) return {Transfer::kMoved, static_cast<std::size_t>(sent)};
  return {sent == 0 ? Transfer::kLater : outcome_of_error()};
}

void TcpSocket::end_writing() {
  if (tls_) tls_->end_writing();
  ::shutdown(descriptor_, SHUT_WR);
}

void TcpSocket::reset_on_close() {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

}  // namespace signet::net
