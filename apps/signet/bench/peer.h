// BenchPeer is one throw-away member of a run: it sends its messages, opens and confirms what it
// receives, and accounts for both. It moves bytes when it is told to and never waits.
// One thread owns all peers of a run.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/sealing.h"
#include "client/session.h"
#include "client/url.h"
#include "net/outgoing_socket.h"
#include "signet/bench/arrivals.h"
#include "signet/bench/figures.h"
#include "signet/bench/plan.h"
#include "signet/bench/text.h"
#include "signet/client.h"

namespace signet::cli {

// What the peers of a run share. Filled before any of them sends.
struct BenchMesh {
  BenchPlan plan;
  std::string run;  // of bench_text.h
  std::string mesh_id;
  std::string target;                   // of what goes to many; empty: direct messages
  std::vector<crypto::PublicKey> keys;  // of each peer
  std::map<crypto::PublicKey, std::uint32_t> numbers;  // of each key
  // Each peer's own key for the target. All peers live in this process, so nobody needs to be sent
  // one: what is measured is messages, not the handing out before them.
  std::vector<crypto::ChannelKey> channel_keys;
  Elapsed start;  // of the measured part
  Elapsed last_ack, last_delivery;
};

class BenchPeer final : private client::SessionEvents {
 public:
  // `mesh` and `figures` outlive it.
  BenchPeer(BenchMesh& mesh, std::uint32_t number, Membership membership, BenchFigures& figures);
  BenchPeer(const BenchPeer&) = delete;
  BenchPeer& operator=(const BenchPeer&) = delete;

  const crypto::PublicKey& key() const { return key_.public_key(); }

  // --- before the measured part ---
  // Agrees on a key with everybody it will write to or hear from.
  void agree_with_partners();
  // Takes the socket and says hello; the answer comes by read(). May be called again after end().
  void connect(net::OutgoingSocket socket, const client::Url& url, Elapsed now);
  // Joins the target, a channel, once; in_channel() when the broker said so.
  void join_channel(Elapsed now);
  bool in_channel() const { return channel_ == Channel::kJoined; }

  bool has_session() const { return session_.has_value() && !session_->end(); }
  bool is_admitted() const { return has_session() && session_->is_admitted(); }
  // Why the last session ended.
  const std::optional<Error>& end() const { return end_; }

  // --- the measured part ---
  // Says what is due and has room, a few messages at a time. True when more could be said at once.
  bool fill(Elapsed now);
  // The next moment at which fill() has something to do; nullopt: not before something came.
  std::optional<Elapsed> next_due() const;
  // Says nothing new from now on.
  void stop() { is_stopped_ = true; }
  bool has_more_to_say() const;
  std::size_t in_flight() const { return in_flight_.size(); }
  // Messages that a rate limit refused and that were not said again.
  std::size_t held_back() const { return again_.size(); }
  bool is_paused(Elapsed now) const { return has_session() && now < paused_until_; }

  // --- bytes ---
  net::Watch watch();  // REQUIRES: has_session()
  void write();
  void read(Elapsed now);
  void on_time(Elapsed now);
  void say_goodbye();

 private:
  enum class Channel : std::uint8_t { kOutside, kAsked, kJoined };
  struct Message {
    std::uint32_t number = 0;
    Elapsed due;
    bool is_again = false;
  };

  void on_admitted(const dialects::HelloAnswer&) override {}
  void on_answer(dialects::Answer answer) override;
  void on_ack(const dialects::AckAnswer& ack);
  void on_error(const dialects::ErrorAnswer& error);
  void on_push(const dialects::PushedMessage& push);
  void pause(const dialects::ErrorAnswer& error);
  void look_for_end();

  bool has_room(Elapsed now);
  std::optional<Elapsed> due_of(std::uint32_t number) const;
  void send_next(Elapsed now);
  void send(const Message& message);
  Result<client::SealedBody> body_of(const Message& message);
  std::optional<std::string> text_of(const dialects::PushedMessage& push);
  std::optional<crypto::ChannelKey> channel_key(const crypto::ChannelScope& scope) const;
  bool is_right(const BenchStamp& stamp, std::uint32_t sender, std::string_view target) const;
  void count_arrival(const BenchStamp& stamp);

  BenchMesh& mesh_;
  const std::uint32_t number_;
  const Membership membership_;
  const crypto::SecretKey& key_;
  const std::string key_text_;
  client::Sealing sealing_;
  BenchFigures& figures_;

  std::optional<net::OutgoingSocket> socket_;
  std::optional<client::Session> session_;
  std::optional<Error> end_;
  Channel channel_ = Channel::kOutside;
  std::string audience_;  // of the channel

  std::uint32_t made_ = 0;     // messages said once or more
  std::deque<Message> again_;  // refused by a rate limit
  std::unordered_map<std::uint32_t, Message> in_flight_;
  Elapsed paused_until_{};
  bool is_stopped_ = false;
  std::unordered_map<std::uint32_t, Arrivals> arrivals_;  // by sender
};

}  // namespace signet::cli
