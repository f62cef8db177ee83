// ThreadBound says, and in debug builds checks, that an object lives on one thread.
#pragma once

#include <cassert>
#include <thread>

namespace signet {

class ThreadBound {
 public:
  // REQUIRES: called on the owning thread. The first caller becomes the owner, so that an object
  // may be built on one thread and then handed to the thread that runs it.
  void check() const {
#ifndef NDEBUG
    if (owner_ == std::thread::id{}) owner_ = std::this_thread::get_id();
    assert(owner_ == std::this_thread::get_id());
#endif
  }

 private:
#ifndef NDEBUG
  mutable std::thread::id owner_;
#endif
};

}  // namespace signet
