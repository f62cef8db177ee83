#include "controller/control_thread.h"

#include <algorithm>
#include <future>

namespace signet::controller {

ControlThread::ControlThread(const Clock& clock)
    : clock_(clock), mailbox_([this] { wake_.release(); }) {}

ControlThread::~ControlThread() { stop(); }

void ControlThread::every(std::chrono::milliseconds period, std::function<void()> task) {
  periodic_.push_back({period, clock_.elapsed() + period, std::move(task)});
}

void ControlThread::start() {
  thread_ = std::thread([this] { run(); });
}

void ControlThread::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake_.release();
  thread_.join();
}

void ControlThread::run_and_wait(const std::function<void()>& task) {
  std::promise<void> done;
  mailbox_.post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void ControlThread::run() {
  for (bool last = false; !last;) {
    last = stopping_;
    mailbox_.drain();
    run_due(clock_.elapsed());
    for (const auto& task : turn_end_) task();
    if (!last) (void)wake_.try_acquire_for(until_next(clock_.elapsed()));
  }
}

void ControlThread::run_due(Elapsed now) {
  for (std::size_t i = 0; i < periodic_.size(); ++i) {
    if (now < periodic_[i].due) continue;
    periodic_[i].due = now + periodic_[i].period;
    const auto task = periodic_[i].task;  // a task may add another and move the list
    task();
  }
}

std::chrono::nanoseconds ControlThread::until_next(Elapsed now) const {
  std::chrono::nanoseconds wait = std::chrono::seconds(1);
  for (const Periodic& each : periodic_) {
    wait = std::min(wait, std::max(std::chrono::nanoseconds(0), each.due - now));
  }
  return wait;
}

}  // namespace signet::controller
