// Inbox is the mailbox of a thread that may sleep: posting wakes it, and it also wakes by itself
// for what is due. It counts what waits, so that the store can refuse more than its bound.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

#include "base/mailbox.h"
#include "store/sqlite/data_directory.h"

namespace signet::store::sqlite {

class Inbox {
 public:
  Inbox();

  // Any thread. Takes a place in the queue; false when `bound` places are taken.
  bool enter(std::size_t bound);
  // Any thread, and without a bound: for what makes room or stops the thread.
  void enter_always() { waiting_.fetch_add(1, std::memory_order_relaxed); }
  // Any thread. REQUIRES: a place was taken for it.
  void post(Mailbox::Task task) { mailbox_.post(std::move(task)); }

  // Owning thread. False when nobody posted for `longest`.
  bool wait(std::chrono::milliseconds longest);
  std::size_t drain() { return mailbox_.drain(); }
  // Gives places back.
  void done(std::size_t count) { waiting_.fetch_sub(count, std::memory_order_relaxed); }

 private:
  void wake() const;

  Descriptor event_;
  std::atomic<std::size_t> waiting_{0};  // entered and not yet done()
  Mailbox mailbox_;
};

}  // namespace signet::store::sqlite
