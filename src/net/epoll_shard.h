// EpollShard is the Shard on Linux: one thread that waits in a Poller.
#pragma once

#include <atomic>
#include <functional>
#include <list>

#include "net/admission.h"
#include "net/shard_context.h"
#include "net/slab.h"
#include "net/tcp_connection.h"
#include "net/unproven.h"

namespace signet::net {

class Listener;

// EpollShard is run by one thread and used on it, but for what says otherwise. Before that thread
// starts, the thread that made it may use it.
class EpollShard final : public Shard {
 public:
  // What is on other threads. Called on this shard's.
  struct Others {
    std::uint32_t shards;  // in all, with this one
    // Tells the listener's thread who proved himself, left or moved.
    std::function<void(std::vector<Departure>)> departed;
    std::function<void(std::uint32_t shard, Moving connection)> hand_over;
  };

  EpollShard(std::uint32_t index, const NetOptions& options, NetMetrics& metrics,
             const TrustedProxies& trusted, const Clock& clock, Others others);
  ~EpollShard() override;

  Mailbox& mailbox() override { return mailbox_; }
  std::uint32_t index() const override { return context_.shard; }
  std::size_t connections() const override { return count_.load(std::memory_order_relaxed); }
  Connection* find(ConnectionId id) override { return find_open(id); }
  void each_connection(const std::function<void(Connection&)>& visit) override;
  void hand_over(Connection& connection, std::uint32_t to) override;
  void proven(Connection& connection) override;
  void every(std::chrono::milliseconds period, std::function<void()> task) override;
  void after(std::chrono::milliseconds delay, std::function<void()> task) override;
  Elapsed now() const override { return context_.now; }

  // For the network.
  ShardContext& context() { return context_; }
  void set_listener(Listener* listener) { listener_ = listener; }
  void adopt(TcpSocket socket, const PeerAddress& peer, Door door);
  void adopt(Moving moving);
  void end_one_unproven();
  void run();  // returns after finish()
  // Takes no more connections and closes those that are there, each after a random share of
  // `jitter`.
  void stop(std::chrono::milliseconds jitter);
  void finish() { finished_ = true; }
  bool stopped() const { return stopped_.load(); }  // any thread: stop() was done

 private:
  class Task;

  void turn();
  int timeout_ms() const;
  void handle(std::span<const epoll_event> events);
  void go_on();
  void bury();
  void flush();
  void report_departures();
  void count_bytes();
  void drop_all();
  void send_off(TcpConnection& connection);
  void remove(const TcpConnection& connection);
  TcpConnection& add(TcpSocket socket, const PeerAddress& peer, Door door);
  std::span<char> tls_buffer();
  bool secure(TcpSocket& socket, const PeerAddress& peer, Door door);
  Departure departure_of(const TcpConnection& connection, Departure::Kind kind) const;
  void turn_away(const PeerAddress& peer, Departure::Kind kind);
  void add_task(std::chrono::milliseconds delay, std::chrono::milliseconds period,
                std::function<void()> work);
  TcpConnection* find_open(ConnectionId id);

  const Clock& clock_;
  const Others others_;
  ShardContext context_;
  Mailbox mailbox_;
  Listener* listener_ = nullptr;  // of one shard only
  std::list<Task> tasks_;
  Slab<TcpConnection> connections_;
  std::vector<Departure> departures_;
  Unproven unproven_;
  std::optional<Elapsed> traffic_;  // when something last came in, while that is recent
  bool finished_ = false;
  std::atomic<std::size_t> count_{0};
  std::atomic<bool> stopped_{false};
};

}  // namespace signet::net
