// Poller waits for sockets and for other threads: an epoll set and an eventfd.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "signet/result.h"

namespace signet::net {

// Poller belongs to one thread, but for wake().
class Poller {
 public:
  static constexpr std::uint64_t kWakeTag = 0;

  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;
  ~Poller();

  // Whether the kernel gave what the constructor asked for.
  Status opened() const;

  // Level-triggered. `events` are EPOLLIN, EPOLLOUT and EPOLLRDHUP; `tag` comes back with each
  // event and is not kWakeTag. Closing the descriptor removes it. False when the kernel refuses.
  bool add(int descriptor, std::uint32_t events, std::uint64_t tag);
  void change(int descriptor, std::uint32_t events, std::uint64_t tag);
  void remove(int descriptor);

  // Waits up to `timeout_ms` (-1: for ever) for events or a wake(); the answer is good until the
  // next call. An event with kWakeTag may be among them and needs nothing done.
  std::span<const epoll_event> wait(int timeout_ms);

  // Ends the current wait() or, if there is none, the next one at once. Any thread.
  void wake();

 private:
  static constexpr std::size_t kMaxEvents = 1024;  // of one turn; the rest comes in the next

  int epoll_;
  int wake_;
  // A wake-up costs a system call only while the thread sleeps. Both are sequentially consistent:
  // wake() sets woken_ and then reads sleeping_, wait() the other way round, so one sees the other.
  std::atomic<bool> woken_{false};
  std::atomic<bool> sleeping_{false};
  std::array<epoll_event, kMaxEvents> events_;
};

}  // namespace signet::net
