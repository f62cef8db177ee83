// ShardContext is what a shard lends to its connections: its clock, its buffers, its lists of what
// is left to do in this turn.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/thread_bound.h"
#include "net/net_metrics.h"
#include "net/poller.h"
#include "net/shard.h"
#include "net/timer_wheel.h"

namespace signet::net {

// ShardContext is owned by one shard and used on its thread. The lists name connections by id,
// since one may be gone by the time its turn comes.
struct ShardContext {
  ShardContext(std::uint32_t shard_index, const NetOptions& net_options, NetMetrics& net_metrics,
               Elapsed start)
      : shard(shard_index),
        options(net_options),
        metrics(net_metrics),
        now(start),
        wheel(start),
        receive_buffer(new char[net_options.receive_buffer_bytes]) {}

  const std::uint32_t shard;
  const NetOptions& options;
  NetMetrics& metrics;
  ConnectionEvents* events = nullptr;

  Elapsed now;  // read once per turn
  Poller poller;
  TimerWheel wheel;
  ThreadBound thread;
  bool stopping = false;  // nothing new begins

  // Uninitialised, so that what was never needed costs no memory.
  const std::unique_ptr<char[]> receive_buffer;

  std::vector<ConnectionId> unflushed;  // have output for the write at the end of the turn
  std::vector<ConnectionId> waiting;    // have something to go on with in the next turn
  std::vector<ConnectionId> ended;      // are to be told so and removed

  std::int64_t bytes_in = 0;  // of this turn; counted at its end
  std::int64_t bytes_out = 0;

  bool has_work() const { return !unflushed.empty() || !waiting.empty() || !ended.empty(); }

  // Output buffers go round, so that a connection that writes now and then neither owns one while
  // it is idle nor grows one from nothing each time.
  void lend(std::string& buffer) {
    if (spare_.empty()) return;
    buffer.swap(spare_.back());
    spare_.pop_back();
  }
  void take_back(std::string& buffer) {
    if (spare_.size() < kMaxSpares && buffer.capacity() <= kMaxSpareBytes) {
      buffer.clear();
      spare_.push_back(std::move(buffer));
    }
    buffer = std::string();
  }

 private:
  static constexpr std::size_t kMaxSpares = 64;
  static constexpr std::size_t kMaxSpareBytes = 16 * 1024;  // at most 1 MiB of spares

  std::vector<std::string> spare_;
};

}  // namespace signet::net
