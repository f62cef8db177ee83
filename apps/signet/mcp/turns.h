// Turns keep an order that threads would lose: an agent that asks for two sends at once wants them
// in the order of its lines. Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>

namespace signet::mcp {

class Turns {
 public:
  // The next turn; 0 is never one. Whoever takes one must end it.
  std::uint64_t take() {
    const std::lock_guard lock(mutex_);
    open_.insert(++last_);
    return last_;
  }

  // Until every earlier turn has ended, or for `patience`: then the order is given up, not the
  // call.
  void await(std::uint64_t turn, std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    ended_.wait_for(lock, patience, [&] { return open_.empty() || *open_.begin() >= turn; });
  }

  void end(std::uint64_t turn) {
    const std::lock_guard lock(mutex_);
    open_.erase(turn);
    ended_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  std::set<std::uint64_t> open_;
  std::uint64_t last_ = 0;
};

}  // namespace signet::mcp
