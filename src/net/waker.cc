#include "net/waker.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace signet::net {

Waker::Waker() : descriptor_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

Waker::~Waker() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status Waker::opened() const {
  if (descriptor_ < 0) return Error{ErrorCode::kUnavailable, "no descriptor for a waker"};
  return Done{};
}

void Waker::wake() {
  const std::uint64_t one = 1;
  // It fails only when the counter is full, and then the waker is set already.
  [[maybe_unused]] const auto put = ::write(descriptor_, &one, sizeof one);
}

bool Waker::clear() {
  std::uint64_t wakes = 0;
  return ::read(descriptor_, &wakes, sizeof wakes) == sizeof wakes;
}

}  // namespace signet::net
