#include "load_connection.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace signet::bench {
namespace {

Error failed(const char* what) {
  return {ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno)};
}

}  // namespace

LoadConnection::~LoadConnection() {
  if (descriptor_ < 0) return;
  const linger at_once{1, 0};
  (void)setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(descriptor_);
}

Status LoadConnection::open(const std::string& host, std::uint16_t port, bool over_tls) {
  descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) return failed("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, host.c_str(), &address.sin_addr) != 1) return failed("address");
  if (connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    return failed("connect");
  }
  const int on = 1;
  (void)setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (over_tls) {
    SIGNET_TRY(tls_, LoadTls::shake_hands(descriptor_));
  }
  if (fcntl(descriptor_, F_SETFL, O_NONBLOCK) != 0) return failed("fcntl");
  protocol_->start(out_);
  if (!flush()) return failed("first write");
  return Done{};
}

bool LoadConnection::flush() {
  if (tls_) return flush_tls();
  while (wants_write()) {
    const ssize_t wrote =
        ::send(descriptor_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
    if (wrote < 0) return errno == EAGAIN || errno == EINTR;
    written_ += static_cast<std::size_t>(wrote);
  }
  out_.clear();
  written_ = 0;
  return true;
}

bool LoadConnection::flush_tls() {
  while (wants_write()) {
    const auto wrote = tls_->write(std::string_view(out_).substr(written_));
    if (!wrote || *wrote == 0) return wrote.has_value();
    written_ += *wrote;
  }
  out_.clear();
  written_ = 0;
  return true;
}

bool LoadConnection::read(std::span<char> buffer) {
  if (tls_) return read_tls(buffer);
  const ssize_t got = recv(descriptor_, buffer.data(), buffer.size(), 0);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  protocol_->receive(buffer.first(static_cast<std::size_t>(got)), out_, events_);
  return true;
}

bool LoadConnection::read_tls(std::span<char> buffer) {
  for (;;) {
    const auto got = tls_->read(buffer);
    if (!got || *got == 0) return got.has_value();
    protocol_->receive(buffer.first(*got), out_, events_);
  }
}

LoadLoop::LoadLoop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {}
LoadLoop::~LoadLoop() { ::close(epoll_); }

void LoadLoop::add(LoadConnection& connection) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = &connection;
  (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.descriptor(), &event);
}

void LoadLoop::remove(LoadConnection& connection) {
  (void)epoll_ctl(epoll_, EPOLL_CTL_DEL, connection.descriptor(), nullptr);
  if (connection.queued) std::erase(unflushed_, &connection);
  connection.queued = false;
}

void LoadLoop::wrote(LoadConnection& connection) {
  if (connection.queued) return;
  connection.queued = true;
  unflushed_.push_back(&connection);
}

void LoadLoop::drop(LoadConnection& connection) {
  remove(connection);
  gone_.push_back(&connection);
}

void LoadLoop::flush_all() {
  flushing_.swap(unflushed_);
  for (LoadConnection* connection : flushing_) {
    connection->queued = false;
    if (!connection->flush()) {
      drop(*connection);
    } else if (connection->wants_write()) {
      wrote(*connection);  // the kernel takes no more now
    }
  }
  flushing_.clear();
}

const std::vector<LoadConnection*>& LoadLoop::turn() {
  gone_.clear();
  const bool had_output = !unflushed_.empty();
  flush_all();
  const int count = epoll_wait(epoll_, ready_.data(), static_cast<int>(ready_.size()), 0);
  for (int i = 0; i < count; ++i) {
    auto* connection = static_cast<LoadConnection*>(ready_[static_cast<std::size_t>(i)].data.ptr);
    if (!connection->read(buffer_)) {
      drop(*connection);
    } else if (connection->wants_write()) {
      wrote(*connection);
    }
  }
  const auto now = std::chrono::steady_clock::now();
  if (!had_output && count <= 0) idle_ += now - turned_;
  turned_ = now;
  return gone_;
}

}  // namespace signet::bench
