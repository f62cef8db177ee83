// TcpConnection is the Connection on a TCP socket.
//
//   kRequest ──a whole request──► kResponse ──accept_websocket()──► kWebSocket
//      ▲                             │                                  │
//      └────────respond()────────────┘            close(), close frame, broken rule, time
//      any of them ──► kClosing (output is written, the peer is waited for) ──► kEnded
//
// From kResponse it may also move to another shard: kMoving here, and there a new connection begins
// in kRequest with the same bytes.
//
// tcp_connection.cc holds life, output and time; tcp_connection_tls.cc, tcp_connection_http.cc and
// tcp_connection_websocket.cc one protocol each. Where TLS is spoken, kRequest begins with its
// handshake.
#pragma once

#include "net/held_request.h"
#include "net/shard_context.h"
#include "net/tcp_socket.h"

namespace signet::net {

// Moving is a connection between two shards: owned by neither, told to nobody. Ending it closes.
struct Moving {
  TcpSocket socket;
  PeerAddress peer;  // by whom it was let in, whomever that one forwards
  Door door;
  bool proven;
  std::unique_ptr<Output> output;  // none while all is written
  std::unique_ptr<HeldRequest> request;
};

// TcpConnection is owned by its shard and lives on its thread. It calls its owner only from
// on_ready(), go_on(), on_timer() and end(), never from what the owner calls. It is removed only
// between events, so an owner may close any connection inside any callback.
class TcpConnection final : public Connection,
                            private wire::FrameEvents,
                            private TimerWheel::Timer {
 public:
  TcpConnection(std::uint32_t slot, std::uint32_t use, ShardContext& shard, TcpSocket socket,
                const PeerAddress& peer, Door door);

  ConnectionId id() const override { return {shard_.shard, slot_, use_}; }
  const PeerAddress& peer() const override { return peer_; }
  Door door() const override { return door_; }
  bool is_encrypted() const override { return socket_.tls() != nullptr; }
  std::string_view certificate_name() const override;
  WallTime certificate_ends() const override;
  void respond(const HttpResponse& response) override;
  void accept_websocket(std::string_view subprotocol, const wire::FrameLimits& limits) override;
  void set_frame_limits(const wire::FrameLimits& limits) override;
  Sent send(wire::Opcode opcode, std::string_view payload) override;
  Sent send_encoded(std::string_view frame) override;
  bool takes_frames() const override { return state_ == State::kWebSocket; }
  std::size_t queued_bytes() const override {
    return output_ ? output_->bytes.size() - output_->sent : 0;
  }
  void pause_input(bool pause) override;
  void close(CloseReason reason, std::string_view text = {}) override;
  void set_deadline(std::chrono::milliseconds from_now) override;
  void clear_deadline() override { deadline_ = kNever; }
  void attach(std::unique_ptr<Attachment> attachment) override;
  Attachment* attachment() override { return attachment_.get(); }

  // For the shard.
  bool open();  // false: the kernel can't watch it
  // Goes on with what began at another shard, in place of open(); likewise.
  bool resume(Moving moving);
  void on_ready(std::uint32_t events);
  void flush();                   // the one write of a turn
  void go_on();                   // with what was left for this turn
  void go_away();                 // the process stops: as soon as nothing is left unanswered
  void drop(CloseReason reason);  // at once, without a word
  void end();                     // the last call: tells the owner
  // From now on it only waits to be sent to `shard`. False outside its on_request(), and when that
  // was answered.
  bool move_to(std::uint32_t shard);
  bool moving() const { return state_ == State::kMoving; }
  std::uint32_t moves_to() const { return held_->moves_to; }  // REQUIRES: moving()
  Moving release();                                           // likewise; the last call
  bool ended() const { return state_ == State::kEnded || moving(); }
  bool proven() const { return proven_; }
  void set_proven() { proven_ = true; }

 private:
  enum class State : std::uint8_t { kRequest, kResponse, kWebSocket, kClosing, kMoving, kEnded };

  static constexpr Elapsed kNever{std::chrono::nanoseconds::max()};

  // tcp_connection.cc
  void on_timer() override;
  void on_state_due();
  void read();
  void on_input(std::span<char> bytes);
  void on_end_of_input();
  void on_written(std::size_t bytes);
  void on_blocked();
  void on_all_written();
  void begin_close(CloseReason reason, std::chrono::milliseconds at_most);
  void give_up(CloseReason reason);
  void lose();
  void finish();
  std::string& output();
  void want_flush();
  void want_to_go_on();
  bool wants_input() const;
  void update_interest();
  Elapsed next_due() const;
  void rearm();

  // tcp_connection_tls.cc
  bool must_wait_to_shake_hands();
  void look_at_handshake();
  void on_handshake_timeout();
  void on_broken_tls();
  void count_tls_fault(TlsFault fault, const char* detail);

  // tcp_connection_http.cc
  std::size_t most_request_bytes() const;
  std::size_t input_room() const;
  std::size_t most_body_bytes(const wire::RequestHead& head) const;
  void read_requests(std::span<char> fresh);
  std::size_t read_request(std::string_view bytes);
  void report(const wire::RequestHead& head, std::string_view body, bool upgrade,
              const std::vector<std::string_view>& subprotocols);
  bool worth_parsing(std::string_view bytes, std::string_view fresh) const;
  void keep_rest(std::span<char> bytes, std::size_t used);
  void keep_only(std::span<const char> rest);
  void wait_for_rest();
  void wait_for_body(const wire::RequestHead& head, std::size_t request_bytes);
  void note_client(const wire::RequestHead& head);
  bool is_foreign_page(const wire::RequestHead& head, bool upgrade) const;
  void refuse_page(std::string_view origin);
  void refuse(int status, std::string_view rule);
  void answer_and_close(int status, std::string_view rule);
  void on_request_timeout();
  HeldRequest& held();

  // tcp_connection_websocket.cc
  void read_frames(std::span<char> bytes);
  bool on_message(wire::MessageKind kind, std::string_view payload) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view payload) override;
  void on_close(std::uint16_t code, std::string_view reason) override;
  Sent queued();
  bool has_room(std::size_t bytes);
  void check_life();

  ShardContext& shard_;
  [[no_unique_address]] TcpSocket socket_;  // its end is room for the next
  const std::uint32_t slot_;
  const std::uint32_t use_;
  PeerAddress peer_;  // behind a trusted proxy: whom the last request was from

  const Door door_;
  State state_ = State::kRequest;
  CloseReason close_reason_ = CloseReason::kNormal;
  std::uint8_t interest_ = 0;       // what the poller watches for (bits: tcp_connection.cc)
  bool reported_ : 1 = false;       // the owner knows this connection
  bool counted_ : 1 = false;        // the request that comes was, by the shard that sent it here
  bool proven_ : 1 = false;         // and said so
  bool websocket_ : 1 = false;      // was accepted as one
  bool keep_alive_ : 1 = true;      // the request being answered allows another
  bool head_only_ : 1 = false;      // the request being answered is a HEAD
  bool begun_ : 1 = true;           // due_ is that of a request
  bool handshaking_ : 1 = false;    // or of the TLS handshake before the first
  bool unflushed_ : 1 = false;      // is on the shard's list of that name
  bool waiting_ : 1 = false;        // likewise
  bool blocked_ : 1 = false;        // the kernel takes no more for now
  bool above_water_ : 1 = false;    // the owner was told so
  bool drained_ : 1 = false;        // and is to be told that it is over
  bool pinged_ : 1 = false;         // nothing was received since
  bool no_more_input_ : 1 = false;  // the peer ended its side
  bool paused_ : 1 = false;         // the owner wants no input for now
  bool unreadable_ : 1 = false;     // a frame broke a rule: what follows means nothing
  bool close_received_ : 1 = false;
  bool was_lost_ : 1 = false;   // ended without a word of the peer
  bool last_wait_ : 1 = false;  // all is written; due_ is for the peer's last word

  std::unique_ptr<Output> output_;     // none while all is written
  std::unique_ptr<HeldRequest> held_;  // none while nothing is unfinished
  wire::FrameReader reader_{wire::Role::kServer};
  const wire::FrameLimits* limits_ = nullptr;
  std::unique_ptr<Attachment> attachment_;

  Elapsed due_;                // when the present state has taken too long
  Elapsed deadline_ = kNever;  // the owner's
  Elapsed received_;           // when the last bytes came
};

}  // namespace signet::net
