// EngineSession is one connection of an engine to Hub, without a socket or a clock: bytes and time
// in, bytes and events out.
//
//   upgrade ──► Engine.IO's handshake ──► CONNECT /engine ──► engine_ready ──► ready
//
// It answers pings, says heartbeats, notices silence, signs what is said of jobs, and knows which
// leases hold: nothing is said under another one. Owned by one thread.
// Format: protocol/hub.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "client/websocket_link.h"
#include "crypto/secret_text.h"
#include "dialects/hub_engine_client.h"
#include "signet/result.h"
#include "wire/socketio_packet.h"

namespace signet::client {

struct EngineSessionOptions {
  std::chrono::milliseconds open_timeout{5'000};     // until ready: a broker answers at once
  std::chrono::milliseconds heartbeat_every{3'000};  // the format's limit is 10 s: three tries
  std::chrono::milliseconds dead_after{12'000};  // of silence, though every heartbeat is answered
  // The token's end; one that ends sooner is renewed when half of what is left has passed.
  std::chrono::milliseconds renew_before{60'000};
  std::chrono::milliseconds token_timeout{5'000};  // of the answer to another token
  std::chrono::milliseconds progress_every{200};   // of one job
  std::size_t max_jobs = 64;                       // held; a broker that gives more is not believed
  // The world and the payload of a job, 64 KiB each by the broker's defaults.
  std::size_t max_message_bytes = std::size_t{2} << 20;
  std::size_t max_output_bytes = std::size_t{8} << 20;
};

// How it ended, and what to do next.
struct EngineSessionEnd {
  enum class Next : std::uint8_t {
    kRetry,   // as after any failure
    kAtOnce,  // with the next token
    kLater,   // a person or another token is needed
  };
  Error error;
  Next next = Next::kRetry;
};

struct Lease {
  std::string job;
  std::optional<std::uint64_t> number;
};

class EngineSessionEvents {
 public:
  virtual ~EngineSessionEvents() = default;
  virtual void on_ready() = 0;
  virtual void on_job(dialects::JobTold job) = 0;
  virtual void on_lost(const Lease& lease, const Error& why) = 0;
  virtual void on_refused(const Error& why) = 0;
};

class EngineSession : private WebSocketEvents {
 public:
  // Puts the upgrade request into the output. `path`: of Socket.IO, with a slash at its end. `draw`
  // gives nonces.
  EngineSession(const EngineSessionOptions& options, std::string token, crypto::SecretText secret,
                std::string_view host, std::string_view path, std::function<std::string()> draw,
                Elapsed now, WallTime wall);
  EngineSession(const EngineSession&) = delete;
  EngineSession& operator=(const EngineSession&) = delete;
  ~EngineSession() override;

  // What came from the socket; unmasked in place. No event destroys the session, but any may say().
  void feed(std::span<char> bytes, Elapsed now, EngineSessionEvents& events);
  void lost(std::string_view why);  // the peer closed, or the socket broke
  void on_time(Elapsed now);        // to be called at next_deadline() or later
  Elapsed next_deadline() const;

  // Says it, with job_started before what needs that, and drops progress that comes too soon. A
  // lease that does not hold says nothing. Fails kMalformed as job_word_event(): the lease holds
  // on.
  Status say(const dialects::JobWord& word, Elapsed now, WallTime wall);
  // The token ends soon: its owner asks for another one, and says so by renew().
  bool wants_token() const;
  // Shows the broker another token in the place of the one that ends, and keeps what is held. One
  // that ends no later is none; empty: there is none yet, and it is wanted again. A broker that
  // does not take it is left when nothing is held.
  void renew(std::string token, Elapsed now, WallTime wall);
  // Leaves in order: what is held goes to others at once.
  void say_goodbye();

  std::string& output() { return link_.output(); }  // the owner erases what it wrote
  bool is_ready() const { return phase_ == Phase::kReady; }
  std::size_t jobs() const { return held_.size(); }
  const std::optional<EngineSessionEnd>& end() const { return end_; }

 private:
  enum class Phase : std::uint8_t { kUpgrading, kOpening, kJoining, kReadying, kReady };
  struct Held {
    std::optional<std::uint64_t> lease;
    bool started = false;
    std::optional<Elapsed> progressed;
  };
  using Jobs = std::map<std::string, Held, std::less<>>;  // by id, which the broker chooses

  void on_open() override;
  void on_message(wire::MessageKind kind, std::string_view message) override;
  void on_close(std::uint16_t, std::string_view) override {}  // the link says so
  void on_engine_packet(std::string_view message);
  void on_packet(const wire::SocketPacket& packet);
  void join();
  void on_joined();
  void on_left();
  void on_told(dialects::EngineTold told);
  void on_job(dialects::JobTold job);
  void on_lease_lost(const dialects::LeaseLostTold& told);
  void on_word_refused(const dialects::WordRefusedTold& told);
  void drop(Jobs::iterator job, const Error& why);
  void plan_renewal();

  Status say_word(const dialects::JobWord& word, WallTime wall);
  void say_packet(wire::SocketPacketType type, std::string_view data);
  void finish(ErrorCode code, std::string_view stable_code, std::string_view sentence,
              EngineSessionEnd::Next next);
  void note_fault();

  const EngineSessionOptions options_;
  std::string token_;
  const crypto::SecretText secret_;
  const std::function<std::string()> draw_;
  WebSocketLink link_;
  wire::SocketDecoder decoder_;
  Phase phase_ = Phase::kUpgrading;
  Jobs held_;
  Elapsed now_;    // of the latest call
  Elapsed heard_;  // when bytes came last
  Elapsed open_deadline_;
  Elapsed beat_at_;
  std::optional<Elapsed> token_ends_;  // as it says itself
  std::optional<Elapsed> renew_at_;    // another one is wanted
  std::optional<Elapsed> answer_by_;   // to the one that was shown
  bool leaves_when_idle_ = false;      // for this broker takes no other token
  bool token_expired_ = false;
  std::optional<EngineSessionEnd> end_;
  EngineSessionEvents* events_ = nullptr;  // during feed()
};

}  // namespace signet::client
