// Mailbox carries work to the thread that owns it. Any thread posts; only the owner drains. One
// wake-up covers everything posted since the last drain, which is what makes a burst cheap.
// Its mutex is one of the two of the program; the other one is in secret_memory.cc.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace signet {

class Mailbox {
 public:
  using Task = std::function<void()>;

  // `wake` asks the owning thread to call drain() soon. It is called from the posting thread.
  explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  // Runs `task` on the owning thread, after everything this thread posted before it.
  void post(Task task) {
    bool first;
    {
      std::lock_guard lock(mutex_);
      first = incoming_.empty();
      incoming_.push_back(std::move(task));
    }
    if (first) wake_();
  }

  // Runs all `tasks` in order, for one lock and one wake-up.
  void post_all(std::vector<Task> tasks) {
    if (tasks.empty()) return;
    bool first;
    {
      std::lock_guard lock(mutex_);
      first = incoming_.empty();
      if (first) {
        incoming_.swap(tasks);
      } else {
        for (Task& task : tasks) incoming_.push_back(std::move(task));
      }
    }
    if (first) wake_();
  }

  // Owning thread only. Tasks posted meanwhile wait for the next drain. Returns how many ran.
  std::size_t drain() {
    {
      std::lock_guard lock(mutex_);
      running_.swap(incoming_);
    }
    const std::size_t ran = running_.size();
    for (Task& task : running_) task();
    running_.clear();
    return ran;
  }

 private:
  const std::function<void()> wake_;

  std::mutex mutex_;            // held for a push or a swap, never while a task runs
  std::vector<Task> incoming_;  // guarded by mutex_

  std::vector<Task> running_;  // owning thread only
};

}  // namespace signet
