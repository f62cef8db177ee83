// Traffic sends numbered messages between peers, knows of every one whether it was acknowledged and
// delivered, to whom and how often, and how long both took.
//
// Closed loop: each peer keeps `depth` messages unacknowledged (or, where the format has no
// acknowledgement, undelivered). Open loop: messages leave on a schedule, and a latency counts from
// the scheduled moment, so that a server that stalls can't hide it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "load_connection.h"
#include "load_row.h"
#include "protocol.h"
#include "server_process.h"

namespace signet::bench {

enum class To : std::uint8_t { kPartner, kRandom, kEveryone, kAbsent };

struct TrafficPlan {
  std::size_t depth = 1;          // 0: everything at once (with messages_each)
  double per_second = 0;          // of all peers together; 0: closed loop
  std::size_t messages_each = 0;  // 0: for `window` after `warm_up`
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds window{3'000};
  To to = To::kPartner;
  std::size_t filler_bytes = 256;  // of base64: with the index a sealed body of about 200 bytes
  bool one_way = false;            // only peers of even number send
  bool expects_pushes = true;
  pid_t server = 0;
};

class Traffic {
 public:
  Traffic(const Target& target, const TrafficPlan& plan);
  ~Traffic();

  // Connects every peer. Fails kUnavailable when one is not admitted in time.
  Status connect();
  void run();
  void write(wire::JsonWriter& row);  // what was counted

 private:
  using TimePoint = std::chrono::steady_clock::time_point;
  class Peer;
  struct Message {
    TimePoint sent;
    std::uint32_t sender = 0;
    std::uint32_t receiver = 0;  // meaningless for To::kEveryone
    std::uint32_t received = 0;
    bool acked = false;
  };
  struct Mark {  // the counters at one moment
    TimePoint at;
    std::chrono::nanoseconds server_cpu{};
    std::chrono::nanoseconds idle{};  // of the generator
    std::uint64_t acked = 0;
    std::uint64_t delivered = 0;
  };

  void on_ack(Peer& peer, MessageIndex index);
  void on_push(Peer& peer, std::string_view body);
  void on_refused(std::string_view reason);
  void slot_is_free(Peer& peer);
  void send_from(Peer& peer, TimePoint scheduled);
  void send_what_is_due();
  bool may_send(const Peer& peer) const;
  std::size_t receiver_of(const Peer& peer);
  void turn();
  void drain();
  bool complete() const;
  Mark mark() const;
  std::size_t receivers_of_one() const;
  std::uint64_t deliveries_expected() const;

  const Target& target_;
  const TrafficPlan plan_;
  const std::string filler_;
  LoadLoop loop_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Message> messages_;
  std::vector<bool> seen_;  // To::kEveryone: message * peers + receiver
  std::map<std::string, std::uint64_t> refused_;
  std::uint64_t ready_ = 0;
  std::uint64_t acked_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t duplicates_ = 0;
  std::uint64_t misrouted_ = 0;
  std::uint64_t lost_connections_ = 0;
  std::uint64_t random_;
  bool sending_ = false;
  bool recording_ = false;
  TimePoint schedule_start_{};
  std::uint64_t scheduled_ = 0;
  Mark from_;
  Mark to_;
  Memory memory_;
  std::chrono::nanoseconds own_cpu_{};
  Latencies late_;  // open loop: how long after its scheduled moment a message was made
  Latencies ack_latency_;
  Latencies push_latency_;
};

}  // namespace signet::bench
