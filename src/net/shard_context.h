// ShardContext is what a shard lends to its connections: its clock, its buffers, its lists of what
// is left to do in this turn.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/log_limiter.h"
#include "base/secret_memory.h"
#include "base/thread_bound.h"
#include "net/forwarded.h"
#include "net/net_metrics.h"
#include "net/origin_list.h"
#include "net/poller.h"
#include "net/shard.h"
#include "net/timer_wheel.h"
#include "net/tls_fault.h"

namespace signet::net {

class TlsServerContext;

// Output is what waits to be written to one peer: `bytes`, of which the first `sent` went.
struct Output {
  std::string bytes;
  std::size_t sent = 0;
  Elapsed progress{};  // when the kernel last took some, while it is blocked
};

// ShardContext is owned by one shard and used on its thread. The lists name connections by id,
// since one may be gone by the time its turn comes.
struct ShardContext {
  ShardContext(std::uint32_t shard_index, const NetOptions& net_options, NetMetrics& net_metrics,
               const TrustedProxies& trusted, Elapsed start)
      : shard(shard_index),
        options(net_options),
        metrics(net_metrics),
        trusted_proxies(trusted),
        now(start),
        wheel(start),
        receive_buffer(net_options.receive_buffer_bytes) {}

  const std::uint32_t shard;
  const NetOptions& options;
  NetMetrics& metrics;
  const TrustedProxies& trusted_proxies;
  ConnectionEvents* events = nullptr;

  // Which pages may connect; replaced as a whole.
  std::shared_ptr<const OriginList> origins = std::make_shared<const OriginList>();
  LogLimiter<int> origins_log{1};

  // The trusted proxies that are connected, by slot: what is the same for each connection of all
  // others needs no place in every one.
  std::map<std::uint32_t, PeerAddress> proxies;

  // What TLS handshakes show from now on; none: public doors are plain. Replaced as a whole.
  std::shared_ptr<const TlsServerContext> tls;
  std::unique_ptr<char[]> tls_buffer;  // of kTlsReceiveBytes, for whoever is read; with `tls` only
  LogLimiter<TlsFault> tls_log{kTlsFaultCount};
  // A handshake costs as much as a hundred messages, so only so many go on in one turn.
  std::size_t handshakes_left = 0;

  Elapsed now;  // read once per turn
  Poller poller;
  TimerWheel wheel;
  ThreadBound thread;
  bool stopping = false;  // nothing new begins

  // Whose frames are being read, and the limits that hold for its next one.
  const Connection* reading = nullptr;
  wire::FrameLimits reading_limits;

  const Connection* reporting = nullptr;  // whose request its owner is being told
  std::size_t large_bodies = 0;           // bytes that unfinished large bodies hold

  // Mapped, so that what was never needed costs no memory.
  SecretBytes receive_buffer;  // what peers say may hold secrets: in no core dump

  std::vector<ConnectionId> unflushed;  // have output for the write at the end of the turn
  std::vector<ConnectionId> waiting;    // have something to go on with in the next turn
  std::vector<ConnectionId> ended;      // are to be told so, or to move, and removed

  std::int64_t bytes_in = 0;  // of this turn; counted at its end
  std::int64_t bytes_out = 0;

  bool has_work() const { return !unflushed.empty() || !waiting.empty() || !ended.empty(); }

  // Outputs go round, so that a connection that writes now and then neither owns one while it is
  // idle nor grows one from nothing each time.
  std::unique_ptr<Output> lend() {
    if (spare_.empty()) spare_.push_back(std::make_unique<Output>());
    auto output = std::move(spare_.back());
    spare_.pop_back();
    output->progress = now;
    return output;
  }
  void take_back(std::unique_ptr<Output> output) {
    if (spare_.size() >= kMaxSpares || output->bytes.capacity() > kMaxSpareBytes) return;
    output->bytes.clear();
    output->sent = 0;
    spare_.push_back(std::move(output));
  }

 private:
  static constexpr std::size_t kMaxSpares = 64;
  static constexpr std::size_t kMaxSpareBytes = 16 * 1024;  // at most 1 MiB of spares

  std::vector<std::unique_ptr<Output>> spare_;
};

}  // namespace signet::net
