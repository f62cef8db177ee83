// What is behind signet::Engine: one thread that connects, hears of jobs, says what handles say and
// calls handlers. The public methods are in engine.cc, the thread's loop in engine_thread.cc.
//
// Shared under mutex_: the connection's report and the last failure. A HeldJob has its own lock.
// All else belongs to the thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/time.h"
#include "client/backoff.h"
#include "client/engine_job.h"
#include "client/engine_session.h"
#include "client/url.h"
#include "crypto/secret_text.h"
#include "net/outgoing_socket.h"
#include "signet/engine.h"

namespace signet {

struct Engine::Impl : private client::EngineSessionEvents {
 public:
  // `path` is Socket.IO's.
  Impl(EngineOptions options, EngineHandlers handlers, client::Url url, crypto::SecretText secret);
  ~Impl() override;

  void start();
  Status opened() const;  // are there descriptors to wake it by?
  bool is_own_thread() const { return std::this_thread::get_id() == thread_id_.load(); }
  ConnectionReport connection() const;
  Status wait_connected(std::chrono::milliseconds timeout);

 private:
  void run();
  client::EngineSessionEnd run_connection();  // until it ends
  void run_session(net::OutgoingSocket& socket);
  void say_words(Elapsed now);
  void renew_token();
  void forget(const client::SaidWord& word);
  bool move_bytes(net::OutgoingSocket& socket, Elapsed now);  // sleeps; false: it is over
  void read_all(net::OutgoingSocket& socket, Elapsed now);
  void write_all(net::OutgoingSocket& socket);
  void leave(net::OutgoingSocket& socket);
  void lose_all(const Error& why);
  void pause(std::chrono::milliseconds wait);
  std::chrono::milliseconds wait_after(const client::EngineSessionEnd& end);
  void report(const ConnectionReport& report);

  void on_ready() override;
  void on_job(dialects::JobTold job) override;
  void on_lost(const client::Lease& lease, const Error& why) override;
  void on_refused(const Error& why) override;

  const EngineOptions options_;
  const EngineHandlers handlers_;
  const client::Url url_;
  const crypto::SecretText secret_;
  const std::shared_ptr<client::JobLine> line_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  ConnectionReport connection_;  // under mutex_
  Error last_failure_{ErrorCode::kUnavailable, "unreachable: the broker was not reached yet"};

  net::Waker stop_waker_;  // ends a connect; set once
  std::atomic<bool> stopping_{false};
  std::atomic<std::thread::id> thread_id_{};
  std::thread thread_;

  // --- the thread's own ---
  client::Backoff backoff_;
  std::optional<client::EngineSession> session_;
  std::map<std::string, std::weak_ptr<client::HeldJob>, std::less<>>
      jobs_;  // of live leases, by id
  std::optional<Elapsed> ready_at_;
};

}  // namespace signet
