#include "net/outgoing_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/outgoing_deadline.h"
#include "net/tls_client.h"

namespace signet::net {
namespace {

Error broken(const char* what) {
  return {ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno)};
}

// Only the waker can have ended a wait after which the socket is as it was.
Error interrupted() { return {ErrorCode::kUnavailable, "interrupted"}; }

bool is_wait(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

Result<Transfer> read_plain(int descriptor, std::span<char> into) {
  ssize_t got = 0;
  do {
    got = recv(descriptor, into.data(), into.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got > 0) return Transfer::moved(static_cast<std::size_t>(got));
  if (got == 0) return Transfer::ended();
  if (is_wait(errno)) return Transfer::would_block();
  return broken("receive");
}

Result<Transfer> write_plain(int descriptor, std::string_view bytes) {
  ssize_t sent = 0;
  do {
    sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return Transfer::moved(static_cast<std::size_t>(sent));
  if (is_wait(errno)) return Transfer::would_block();
  return broken("send");
}

bool is_readable_now(const Watch& watch) { return watch.read && watch.socket->has_buffered(); }

// Takes what poll() found into `watch`; true when something it wants is possible.
bool take(Watch& watch, short found) {
  const auto met = [&](short events) {
    return (found & (events | POLLERR | POLLHUP | POLLNVAL)) != 0;
  };
  watch.can_read =
      watch.read && (watch.socket->has_buffered() || met(watch.socket->events(true, false)));
  watch.can_write = watch.write && met(watch.socket->events(false, true));
  return watch.can_read || watch.can_write;
}

std::vector<pollfd> sleepers_of(std::span<const Watch> watches, const Waker* waker) {
  std::vector<pollfd> sleepers;
  sleepers.reserve(watches.size() + 1);
  for (const Watch& watch : watches) {
    const short events = watch.socket->events(watch.read, watch.write);
    // A negative descriptor is skipped: a hang-up nobody asked about would end every sleep.
    sleepers.push_back({events != 0 ? watch.socket->descriptor() : -1, events, 0});
  }
  sleepers.push_back({waker != nullptr ? waker->descriptor() : -1, POLLIN, 0});
  return sleepers;
}

}  // namespace

OutgoingSocket::OutgoingSocket(int descriptor) : descriptor_(descriptor) {}

OutgoingSocket::OutgoingSocket(OutgoingSocket&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), tls_(std::move(other.tls_)) {}

OutgoingSocket& OutgoingSocket::operator=(OutgoingSocket&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(tls_, other.tls_);
  return *this;
}

OutgoingSocket::~OutgoingSocket() {
  tls_.reset();  // says goodbye while the descriptor is open
  if (descriptor_ >= 0) close(descriptor_);
}

Result<Transfer> OutgoingSocket::read_some(std::span<char> into) {
  assert(!into.empty());  // else nothing read would look like the end
  return tls_ != nullptr ? tls_->read_some(into) : read_plain(descriptor_, into);
}

Result<Transfer> OutgoingSocket::write_some(std::string_view bytes) {
  assert(!bytes.empty());
  return tls_ != nullptr ? tls_->write_some(bytes) : write_plain(descriptor_, bytes);
}

short OutgoingSocket::events(bool to_read, bool to_write) const {
  if (tls_ != nullptr) return tls_->events(to_read, to_write);
  return static_cast<short>((to_read ? POLLIN : 0) | (to_write ? POLLOUT : 0));
}

bool OutgoingSocket::has_buffered() const { return tls_ != nullptr && tls_->has_buffered(); }

std::optional<TlsFacts> OutgoingSocket::tls_facts() const {
  return tls_ != nullptr ? std::optional(tls_->facts()) : std::nullopt;
}

Status OutgoingSocket::send_all(std::string_view bytes, std::chrono::milliseconds timeout,
                                const Waker* waker) {
  const Deadline deadline(timeout);
  while (!bytes.empty()) {
    SIGNET_TRY(const Transfer sent, write_some(bytes));
    bytes.remove_prefix(sent.bytes);
    if (!sent.must_wait()) continue;
    Watch watch{this, false, true};
    if (!wait_for_any({&watch, 1}, waker, deadline.left())) {
      return Error{ErrorCode::kUnavailable, "send: the peer does not read"};
    }
    if (!watch.can_write) return interrupted();
  }
  return Done{};
}

Result<std::size_t> OutgoingSocket::receive(std::span<char> into, std::chrono::milliseconds timeout,
                                            const Waker* waker) {
  const Deadline deadline(timeout);
  for (;;) {
    SIGNET_TRY(const Transfer got, read_some(into));
    if (!got.must_wait()) return got.bytes;
    Watch watch{this, true, false};
    if (!wait_for_any({&watch, 1}, waker, deadline.left())) {
      return Error{ErrorCode::kOverloaded, "timeout"};
    }
    if (!watch.can_read) return interrupted();
  }
}

bool wait_for_any(std::span<Watch> watches, const Waker* waker, std::chrono::milliseconds timeout) {
  const bool is_ready = std::any_of(watches.begin(), watches.end(), &is_readable_now);
  const Deadline deadline(is_ready ? std::chrono::milliseconds(0) : timeout);
  const bool for_ever = timeout.count() < 0 && !is_ready;
  std::vector<pollfd> sleepers = sleepers_of(watches, waker);
  int found = 0;
  do {
    const int limit = for_ever ? -1 : static_cast<int>(deadline.left().count());
    found = poll(sleepers.data(), static_cast<nfds_t>(sleepers.size()), limit);
  } while (found < 0 && errno == EINTR);
  bool any = sleepers.back().revents != 0;
  for (std::size_t i = 0; i < watches.size(); ++i) any |= take(watches[i], sleepers[i].revents);
  return any;
}

}  // namespace signet::net
