// Waker lets any thread end another's wait: the owner of a thread that sleeps in poll() watches the
// waker's descriptor beside its sockets.
#pragma once

#include "signet/result.h"

namespace signet::net {

// Lives longer than every thread that may wake it. wake() and clear() are thread-safe.
class Waker {
 public:
  Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;
  ~Waker();

  // Fails kUnavailable when the process has no descriptor left; wake() then does nothing.
  Status opened() const;

  // Ends the wait that is under way, or else the next one. Stays set until clear().
  void wake();
  // Takes all wakes so far: was there any? Call it before looking at what they were about.
  bool clear();

  int descriptor() const { return descriptor_; }  // readable while set

 private:
  const int descriptor_;
};

}  // namespace signet::net
