// Listener accepts sockets, refuses those over a limit, and hands each of the others to a shard.
#pragma once

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "base/log_limiter.h"
#include "net/admission.h"
#include "net/forwarded.h"
#include "net/local_socket.h"
#include "net/poller.h"
#include "net/tcp_socket.h"

namespace signet::net {

// A socket that is bound and listens, and the address that came of it.
struct Listening {
  int descriptor;
  PeerAddress address;
};
Result<Listening> open_listening(const PeerAddress& address);

// Listener lives on one shard's thread, which calls it; the others are reached through Shards.
class Listener {
 public:
  // The shards, each on its own thread.
  struct Shards {
    std::function<void(std::uint32_t shard, TcpSocket socket, const PeerAddress& peer, Door door)>
        hand_over;
    std::function<void(std::uint32_t shard)> end_one_unproven;
  };

  // `home` is the shard whose thread this is, `poller` the one it waits with.
  Listener(const NetOptions& options, NetMetrics& metrics, const TrustedProxies& trusted,
           std::size_t shards, Shard& home, Poller& poller, Shards all);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  // Accepts from `descriptor`, which it owns from now on; who comes in there came by `door`.
  void add(int descriptor, Door door);
  void add_local(std::shared_ptr<LocalSocket> socket);
  void on_ready(std::uint64_t tag);
  void note(const std::vector<Departure>& departures);
  void stop();  // closes what listens

  // Tags of its sockets in the poller. A connection's tag has its use count, never 0, in the upper
  // half.
  static bool is_listener(std::uint64_t tag) { return tag >> 32 == 0; }

 private:
  // Where connections come in. `local` owns the descriptor of a Unix socket.
  struct Entrance {
    int descriptor;
    Door door;
    std::shared_ptr<LocalSocket> local;
  };

  void open_entrance(Entrance entrance);
  bool accept_one(const Entrance& entrance);
  void welcome_local(TcpSocket socket);
  void welcome(TcpSocket socket, const PeerAddress& peer, Door door);
  void refuse(Refused reason, const PeerAddress* peer);
  void on_no_descriptors(int descriptor);
  void rest_a_while();
  void watch();

  NetMetrics& metrics_;
  const TrustedProxies& trusted_;
  Shard& home_;
  Poller& poller_;
  const Shards shards_;
  Admission admission_;
  std::mt19937 random_;
  std::vector<Entrance> entrances_;  // the tag of each is its place + 1
  int reserve_ = -1;  // given up for a moment to tell a peer that no descriptor is left
  bool resting_ = false;
  LogLimiter<Refused> refused_log_{kRefusedCount};
};

}  // namespace signet::net
