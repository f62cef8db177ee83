// EngineSession is one session of Engine.IO 4 without its sockets: bytes and time in, answers out.
// It is carried by requests of HTTP, one that waits for news and any number that bring some, or by
// a WebSocket, and goes over from the first to the second once:
//
//   kPolling ──offer_socket()──► kProbing ──"5" on the probe──► kOnSocket
//       ▲                            │                              │
//       └────the probe ends──────────┘         any of them ──► kClosed
//
// While kProbing the session goes on by requests; a poll that waits when the probe's ping came is
// let go with a noop, so that the client can go over with none under way. What was said meanwhile
// waits and goes out on the WebSocket after the upgrade, in order, each once.
//
// Rules are those of the format and of its conformance suite. The session ends with a second poll
// beside one that waits, a poll whose connection goes, a body or packet that can't be read, a pong
// that does not come. A request after the upgrade is refused and changes nothing, as is a second
// WebSocket; whatever a probe does wrong ends the probe only.
//
// Owned by one thread. From within an event its owner may call send(), flush() and close(), nothing
// else; and the session outlives the call in which it says on_closed().
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "wire/engineio_packet.h"

namespace signet::wire {

struct EngineOptions {
  std::chrono::milliseconds ping_interval{25'000};    // the format's default, and Hub's
  std::chrono::milliseconds ping_timeout{20'000};     // likewise
  std::chrono::milliseconds upgrade_timeout{10'000};  // of a probe that does not go on
  // A poll that waits while a WebSocket is probed is let go, so that the client can move to it. One
  // that polls on instead is let go this often and no more: the format's own server looks as often.
  std::chrono::milliseconds noop_interval{100};
  std::size_t max_payload = 1'000'000;  // of one body and one message
  std::size_t max_packets = 1'000;      // in one body
  std::size_t max_buffered = 1 << 20;   // not polled yet: beyond, it reads too slowly
};

// The owner's name for an HTTP request that waits for its answer; never 0.
using EngineRequest = std::uint64_t;

enum class EngineSocket : std::uint8_t {
  kCarrier,  // carries the session
  kProbe,    // wants to
};

enum class EngineClosed : std::uint8_t {
  kByPeer,        // its close packet
  kByServer,      // close() was called
  kSocketClosed,  // the WebSocket that carried it went, or the poll that waited
  kPingTimeout,
  kBadPayload,  // what came is no packet, or none that may come
  kTwoPolls,    // a second poll while one waited
  kSlow,        // max_buffered
};

// What a session tells its owner. The views are good for the call.
class EngineEvents {
 public:
  virtual ~EngineEvents() = default;
  // Answers a request with status 200 and this body, or with 400 (`ok` false). Exactly once each.
  virtual void answer(EngineRequest request, bool ok, std::string_view body) = 0;
  // A message on one of the session's WebSockets.
  virtual void send_on(EngineSocket socket, bool binary, std::string_view payload) = 0;
  // The probe has become the carrier: kCarrier names it from now on.
  virtual void on_upgraded() = 0;
  // The session wants no more of this WebSocket: it is to be closed, and what else happens on it is
  // not to be told.
  virtual void drop(EngineSocket socket) = 0;
  virtual void on_message(bool binary, std::string_view data) = 0;
  // The session is over; last call but for answers to requests that still wait, which come before.
  virtual void on_closed(EngineClosed why) = 0;
};

class EngineSession {
 public:
  EngineSession(const EngineOptions& options, EngineEvents& events, std::string sid);

  // The beginning: by a GET, which is answered with the handshake at once, or by a WebSocket.
  void open_by_poll(EngineRequest request, Elapsed now);
  void open_by_socket(Elapsed now);

  // GET and POST that name this session.
  void on_poll(EngineRequest request, Elapsed now);
  void on_post(EngineRequest request, std::string_view body, Elapsed now);
  // The connection of a request has gone before its answer. It is not answered; where it was the
  // poll that waited, the session ends, as the format's suite has it.
  void on_gone(EngineRequest request);

  // A WebSocket names this session. False: it has one already, or is carried by one.
  bool offer_socket(Elapsed now);
  void on_frame(EngineSocket socket, bool binary, std::string_view payload, Elapsed now);
  void on_socket_closed(EngineSocket socket);

  // A message to the client: at once on a WebSocket, else with the next poll. Nothing before the
  // beginning and after the end. REQUIRES: text is UTF-8.
  void send(bool binary, std::string_view data);
  // Answers the poll that waits, if there is anything to say. The owner calls it at the end of its
  // turn, so that what a turn says goes out in one body.
  void flush();
  // Says so to the client; on_closed() follows within this call. Idempotent.
  void close();

  // Pings, and finds what did not come in time. To be called at due() or a little later; every call
  // above that takes the time does it first.
  void on_time(Elapsed now);
  Elapsed due() const;

  const std::string& sid() const { return sid_; }
  bool is_closed() const { return state_ == State::kClosed; }
  bool is_on_socket() const { return state_ == State::kOnSocket; }
  std::size_t buffered() const { return body_.size(); }

 private:
  enum class State : std::uint8_t { kNew, kPolling, kProbing, kOnSocket, kClosed };

  void begin(State state, Elapsed now);
  std::string handshake(bool may_upgrade) const;
  void take(const EnginePacket& packet, Elapsed now);
  void take_all(std::string_view body, Elapsed now);
  void take_on_probe(bool binary, std::string_view payload);
  void say(const EnginePacket& packet);
  void say_on(EngineSocket socket, const EnginePacket& packet);
  void keep(const EnginePacket& packet);
  void let_go();
  void let_go_if_probed(Elapsed now);
  void refuse(EngineRequest request);
  void end_probe();
  void upgrade();
  void send_kept();
  void finish(EngineClosed why);

  const EngineOptions& options_;
  EngineEvents& events_;
  const std::string sid_;
  State state_ = State::kNew;
  EngineRequest poll_ = 0;   // waits; none while kOnSocket
  EngineRequest post_ = 0;   // is being read, in this call
  std::string body_;         // of the next poll's answer: as it will be sent, so bytes are its cost
  bool is_probed_ = false;   // the probe's ping has come: no poll waits for long any more
  bool is_moving_ = false;   // body_ goes out on the WebSocket: what is said meanwhile is behind it
  bool wants_pong_ = false;  // and beats_ is when it is too late; else when to ping
  Elapsed beats_;
  Elapsed probe_ends_;
  Elapsed next_noop_;  // while is_probed_: none for a poll before
};

}  // namespace signet::wire
