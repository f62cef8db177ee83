#include <algorithm>

#include "net/tcp_connection.h"
#include "wire/websocket_upgrade.h"

namespace signet::net {
namespace {

constexpr std::size_t kMaxHeaderBytes = 10;  // of a frame that is not masked
constexpr std::uint16_t kNoCode = 1005;      // stands for a close frame without a code

}  // namespace

void TcpConnection::accept_websocket(std::string_view subprotocol,
                                     const wire::FrameLimits& limits) {
  shard_.thread.check();
  if (state_ != State::kResponse || !held_ || held_->key.empty()) return;
  wire::append_switching_protocols(output(), held_->key, subprotocol);
  held_->key.clear();
  limits_ = &limits;
  websocket_ = true;
  state_ = State::kWebSocket;
  received_ = shard_.now;
  want_flush();
  want_to_go_on();
  rearm();
  update_interest();
}

// The reader looks at a copy while it reads, so that what is said in the midst of a read holds for
// the frames behind it in the same read.
void TcpConnection::set_frame_limits(const wire::FrameLimits& limits) {
  shard_.thread.check();
  limits_ = &limits;
  if (shard_.reading == this) shard_.reading_limits = limits;
}

Sent TcpConnection::send(wire::Opcode opcode, std::string_view payload) {
  shard_.thread.check();
  if (!has_room(payload.size() + kMaxHeaderBytes)) return Sent::kDropped;
  wire::append_frame(output(), opcode, payload);
  return queued();
}

Sent TcpConnection::send_encoded(std::string_view frame) {
  shard_.thread.check();
  if (!has_room(frame.size())) return Sent::kDropped;
  output().append(frame);
  return queued();
}

void TcpConnection::pause_input(bool pause) {
  shard_.thread.check();
  if (state_ != State::kWebSocket || paused_ == pause) return;
  paused_ = pause;
  received_ = shard_.now;  // the silence is ours
  update_interest();
}

// A burst within one turn is not yet a slow reader: what the kernel takes now makes room.
bool TcpConnection::has_room(std::size_t bytes) {
  const auto fits = [&] { return queued_bytes() + bytes <= shard_.options.max_queued_bytes; };
  if (state_ == State::kWebSocket && !fits() && !blocked_) flush();
  if (state_ != State::kWebSocket) return false;
  if (fits()) return true;
  shard_.metrics.dropped_frames.add();
  return false;
}

Sent TcpConnection::queued() {
  want_flush();
  if (queued_bytes() <= shard_.options.high_water_bytes) return Sent::kQueued;
  above_water_ = true;
  drained_ = false;  // it was, in this turn, and is no more
  return Sent::kAboveHighWater;
}

void TcpConnection::read_frames(std::span<char> bytes) {
  if (bytes.empty() || unreadable_) return;
  shard_.reading = this;
  shard_.reading_limits = *limits_;
  const auto broken = reader_.feed(bytes, shard_.reading_limits, *this);
  shard_.reading = nullptr;
  if (!broken) return;
  unreadable_ = true;
  close(*broken);
}

bool TcpConnection::on_message(wire::MessageKind kind, std::string_view payload) {
  if (state_ == State::kWebSocket) shard_.events->on_message(*this, kind, payload);
  return !ended();
}

// Every ping is answered, unless the peer leaves its answers unread.
bool TcpConnection::on_ping(std::string_view payload) {
  if (state_ == State::kWebSocket && queued_bytes() <= shard_.options.high_water_bytes) {
    wire::append_frame(output(), wire::Opcode::kPong, payload);
    want_flush();
  }
  return !ended();
}

bool TcpConnection::on_pong(std::string_view payload) {
  if (state_ == State::kWebSocket) shard_.events->on_pong(*this, payload);
  return !ended();
}

void TcpConnection::on_close(std::uint16_t code, std::string_view) {
  close_received_ = true;
  if (state_ == State::kClosing) return want_flush();  // nothing is left to wait for
  if (state_ != State::kWebSocket) return;
  if (code == kNoCode) {
    wire::append_frame(output(), wire::Opcode::kClose, {});
  } else {
    wire::append_close(output(), code, {});
  }
  begin_close(CloseReason::kNormal, shard_.options.close_timeout);
}

void TcpConnection::check_life() {
  const auto silence = shard_.now - received_;
  if (paused_) {
    received_ = shard_.now;  // nobody listens, so nothing is missed
  } else if (silence >= shard_.options.dead_after) {
    give_up(CloseReason::kTimedOut);
  } else if (silence >= shard_.options.ping_interval && !pinged_) {
    pinged_ = true;
    shard_.metrics.pings.add();
    wire::append_frame(output(), wire::Opcode::kPing, {});
    want_flush();
  }
}

}  // namespace signet::net
