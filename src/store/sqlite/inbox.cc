#include "store/sqlite/inbox.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

namespace signet::store::sqlite {

Inbox::Inbox() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), mailbox_([this] { wake(); }) {
  if (!event_.is_open()) std::abort();  // at start, without descriptors: nothing can work
}

bool Inbox::enter(std::size_t bound) {
  if (waiting_.fetch_add(1, std::memory_order_relaxed) < bound) return true;
  done(1);
  return false;
}

void Inbox::wake() const {
  const std::uint64_t one = 1;
  // It fails only when the count would overflow, and then the thread is awake anyway.
  static_cast<void>(!write(event_.get(), &one, sizeof one));
}

bool Inbox::wait(std::chrono::milliseconds longest) {
  pollfd event{event_.get(), POLLIN, 0};
  if (poll(&event, 1, static_cast<int>(longest.count())) <= 0) return false;
  std::uint64_t count = 0;
  static_cast<void>(!read(event_.get(), &count, sizeof count));
  return true;
}

}  // namespace signet::store::sqlite
