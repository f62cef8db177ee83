// ControlThread is the one thread that changes membership, answers the admin API and (later) holds
// the cluster link. It sleeps until something is posted or a timer is due.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <semaphore>
#include <thread>
#include <vector>

#include "base/mailbox.h"
#include "base/time.h"

namespace signet::controller {

class ControlThread {
 public:
  explicit ControlThread(const Clock& clock);
  ~ControlThread();  // stop()s

  Mailbox& mailbox() { return mailbox_; }  // any thread

  // Before start(), or on this thread.
  void every(std::chrono::milliseconds period, std::function<void()> task);
  // Runs after every drain of the mailbox, however much was in it: the place to publish once.
  void at_turn_end(std::function<void()> task) { turn_end_.push_back(std::move(task)); }

  void start();
  void stop();  // runs what is posted already, then joins; any thread but this one

  // Posts `task` and waits until it ran. REQUIRES: started, and called on another thread.
  void run_and_wait(const std::function<void()>& task);

 private:
  struct Periodic {
    std::chrono::milliseconds period;
    Elapsed due;
    std::function<void()> task;
  };
  void run();
  void run_due(Elapsed now);
  std::chrono::nanoseconds until_next(Elapsed now) const;

  const Clock& clock_;
  std::counting_semaphore<> wake_{0};
  Mailbox mailbox_;
  std::vector<Periodic> periodic_;
  std::vector<std::function<void()>> turn_end_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace signet::controller
