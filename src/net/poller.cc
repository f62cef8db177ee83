#include "net/poller.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace signet::net {

Poller::Poller()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (epoll_ >= 0 && wake_ >= 0) add(wake_, EPOLLIN, kWakeTag);
}

Poller::~Poller() {
  if (wake_ >= 0) ::close(wake_);
  if (epoll_ >= 0) ::close(epoll_);
}

Status Poller::opened() const {
  if (epoll_ < 0 || wake_ < 0) return Error{ErrorCode::kUnavailable, "no descriptors for a shard"};
  return Done{};
}

bool Poller::add(int descriptor, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{events, {.u64 = tag}};
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::change(int descriptor, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{events, {.u64 = tag}};
  epoll_ctl(epoll_, EPOLL_CTL_MOD, descriptor, &event);
}

void Poller::remove(int descriptor) { epoll_ctl(epoll_, EPOLL_CTL_DEL, descriptor, nullptr); }

std::span<const epoll_event> Poller::wait(int timeout_ms) {
  if (timeout_ms != 0) {
    sleeping_.store(true);
    if (woken_.load()) timeout_ms = 0;
  }
  const int ready = epoll_wait(epoll_, events_.data(), static_cast<int>(kMaxEvents), timeout_ms);
  sleeping_.store(false);
  // Before the caller drains its mailbox: a wake() from here on is for what that drain may miss.
  woken_.store(false);
  const std::size_t count = ready > 0 ? static_cast<std::size_t>(ready) : 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (events_[i].data.u64 != kWakeTag) continue;
    std::uint64_t wakes;
    [[maybe_unused]] const auto got = ::read(wake_, &wakes, sizeof wakes);
  }
  return {events_.data(), count};
}

void Poller::wake() {
  woken_.store(true);
  if (!sleeping_.exchange(false)) return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto put = ::write(wake_, &one, sizeof one);
}

}  // namespace signet::net
