#include "net/tcp_connection.h"

#include <algorithm>

namespace signet::net {
namespace {

// Output that was sent is cut off only when it is most of the buffer, so that a slow reader costs
// one copy of each byte at most.
constexpr std::size_t kMinCutBytes = 64 * 1024;

constexpr std::uint32_t kGone = EPOLLHUP | EPOLLERR;

// What is watched for, in one byte: EPOLLIN and EPOLLOUT as they are, EPOLLRDHUP as this.
constexpr std::uint8_t kEndOfInput = 0x80;

std::uint32_t events_of(std::uint8_t interest) {
  const std::uint32_t plain = interest & (EPOLLIN | EPOLLOUT);
  return (interest & kEndOfInput) != 0 ? plain | EPOLLRDHUP : plain;
}

std::uint64_t tag_of(ConnectionId id) { return (std::uint64_t{id.use} << 32) | id.slot; }

}  // namespace

static_assert(sizeof(TcpConnection) <= 184, "an idle connection is to stay small");

TcpConnection::TcpConnection(std::uint32_t slot, std::uint32_t use, ShardContext& shard,
                             TcpSocket socket, const PeerAddress& peer, Door door)
    : shard_(shard),
      socket_(std::move(socket)),
      slot_(slot),
      use_(use),
      peer_(peer),
      door_(door),
      handshaking_(socket_.tls() != nullptr),
      due_(shard.now +
           (handshaking_ ? shard.options.tls->handshake_timeout : shard.options.head_timeout)),
      received_(shard.now) {}

bool TcpConnection::open() {
  interest_ = EPOLLIN;
  rearm();
  return shard_.poller.add(socket_.descriptor(), interest_, tag_of(id()));
}

// ---- from shard to shard

bool TcpConnection::move_to(std::uint32_t shard) {
  shard_.thread.check();
  if (shard_.reporting != this || state_ != State::kResponse) return false;
  state_ = State::kMoving;
  held().moves_to = shard;
  TimerWheel::Timer::cancel();
  shard_.ended.push_back(id());
  return true;
}

Moving TcpConnection::release() {
  shard_.poller.remove(socket_.descriptor());
  attachment_.reset();
  held_->uncount();
  const auto proxy = shard_.proxies.find(slot_);
  const PeerAddress& let_in = proxy == shard_.proxies.end() ? peer_ : proxy->second;
  return {std::move(socket_), let_in, door_, proven_, std::move(output_), std::move(held_)};
}

bool TcpConnection::resume(Moving moving) {
  handshaking_ = false;
  due_ = shard_.now + shard_.options.head_timeout;
  proven_ = moving.proven;
  held_ = std::move(moving.request);
  counted_ = true;
  output_ = std::move(moving.output);
  if (output_) want_flush();
  want_to_go_on();
  return open();
}

// ---- for its owner

void TcpConnection::attach(std::unique_ptr<Attachment> attachment) {
  shard_.thread.check();
  attachment_ = std::move(attachment);
}

void TcpConnection::set_deadline(std::chrono::milliseconds from_now) {
  shard_.thread.check();
  deadline_ = shard_.now + from_now;
  rearm();
}

// ---- input

void TcpConnection::on_ready(std::uint32_t events) {
  if (ended() || must_wait_to_shake_hands()) return;
  if (events & EPOLLOUT) {
    blocked_ = false;
    want_flush();
  }
  if (socket_.read_waits_to_write() && (events & EPOLLOUT)) events |= EPOLLIN;
  if (wants_input() && (events & (EPOLLIN | kGone))) {
    read();
  } else if (events & (kGone | EPOLLRDHUP)) {
    lose();
  }
  update_interest();
}

bool TcpConnection::wants_input() const {
  switch (state_) {
    case State::kRequest:
      // A peer that does not read its answers is not asked for more requests.
      return queued_bytes() <= shard_.options.high_water_bytes;
    case State::kWebSocket:
      return !paused_;
    case State::kClosing:
      return !no_more_input_;
    case State::kResponse:
    case State::kMoving:
    case State::kEnded:
      return false;
  }
  return false;
}

void TcpConnection::read() {
  const bool http = state_ == State::kRequest;
  const std::size_t all = shard_.options.receive_buffer_bytes;
  const std::span<char> room(reinterpret_cast<char*>(shard_.receive_buffer.data()),
                             http ? std::min(all, input_room()) : all);
  const Moved got = socket_.read(room);
  if (handshaking_) look_at_handshake();
  switch (got.outcome) {
    case Transfer::kMoved:
      received_ = shard_.now;
      pinged_ = false;
      shard_.bytes_in += static_cast<std::int64_t>(got.bytes);
      return on_input(room.first(got.bytes));
    case Transfer::kLater:
      return;
    case Transfer::kEnded:
      return on_end_of_input();
    case Transfer::kFailed:
      return socket_.tls() != nullptr ? on_broken_tls() : lose();
  }
}

void TcpConnection::on_input(std::span<char> bytes) {
  if (state_ == State::kRequest) return read_requests(bytes);
  // While closing, frames are read for the peer's close frame; all else is dropped.
  if (websocket_) read_frames(bytes);
}

void TcpConnection::on_end_of_input() {
  no_more_input_ = true;
  if (websocket_ && state_ == State::kWebSocket) return lose();
  if (queued_bytes() == 0 || websocket_) return finish();
  // An HTTP client that ended its side may still read what it asked for.
  if (state_ != State::kClosing) begin_close(CloseReason::kNormal, shard_.options.close_timeout);
}

void TcpConnection::go_on() {
  waiting_ = false;
  if (ended()) return;
  if (drained_) {
    drained_ = false;
    if (state_ == State::kWebSocket) shard_.events->on_drained(*this);
  }
  if (state_ == State::kRequest && held_ && wants_input()) {
    read_requests({});
  } else if (websocket_ && held_) {
    const auto early = std::move(held_);  // bytes that came before the handshake was answered
    read_frames(early->bytes);
  }
  if (socket_.has_more() && wants_input()) read();
  update_interest();
}

// ---- output

std::string& TcpConnection::output() {
  if (!output_) output_ = shard_.lend();
  return output_->bytes;
}

void TcpConnection::want_flush() {
  if (unflushed_ || blocked_) return;
  unflushed_ = true;
  shard_.unflushed.push_back(id());
}

void TcpConnection::want_to_go_on() {
  if (waiting_) return;
  waiting_ = true;
  shard_.waiting.push_back(id());
}

void TcpConnection::flush() {
  unflushed_ = false;
  if (ended()) return;
  if (queued_bytes() > 0) {
    const Moved moved = socket_.write(std::string_view(output_->bytes).substr(output_->sent));
    if (moved.outcome == Transfer::kFailed) return lose();
    on_written(moved.bytes);
  }
  if (queued_bytes() == 0) {
    on_all_written();
  } else {
    on_blocked();
  }
  if (!ended()) update_interest();
}

void TcpConnection::on_written(std::size_t bytes) {
  std::size_t& sent = output_->sent;
  sent += bytes;
  shard_.bytes_out += static_cast<std::int64_t>(bytes);
  if (bytes > 0) output_->progress = shard_.now;

  if (queued_bytes() == 0) {
    shard_.take_back(std::move(output_));
    blocked_ = false;  // also where a second write of one turn took what the first could not
  } else if (sent >= kMinCutBytes && sent >= output_->bytes.size() / 2) {
    output_->bytes.erase(0, sent);
    sent = 0;
  }

  if (above_water_ && queued_bytes() <= shard_.options.high_water_bytes / 2) {
    above_water_ = false;
    drained_ = true;
    want_to_go_on();
  }
  if (state_ == State::kRequest && held_ && wants_input()) want_to_go_on();
}

void TcpConnection::on_blocked() {
  if (!blocked_ && !(interest_ & EPOLLOUT)) output_->progress = shard_.now;
  blocked_ = true;
  rearm();
}

void TcpConnection::on_all_written() {
  if (state_ != State::kClosing) return;
  if (no_more_input_ || close_received_) return finish();
  // A peer that reads on after our last byte sees the end; one that must answer is waited for.
  if (!websocket_ || unreadable_) socket_.end_writing();
  if (last_wait_) return;
  last_wait_ = true;
  due_ = shard_.now + shard_.options.close_timeout;
  rearm();
}

void TcpConnection::update_interest() {
  if (ended()) return;
  std::uint8_t wanted = 0;
  if (wants_input() && !socket_.read_waits_to_write()) wanted |= EPOLLIN;
  if (wants_input() && socket_.read_waits_to_write()) wanted |= EPOLLOUT;
  if (queued_bytes() > 0 && blocked_) wanted |= EPOLLOUT;
  // Nothing is read before the answer, so the end of who no longer waits for it must be asked for.
  if (state_ == State::kResponse) wanted |= kEndOfInput;
  if (socket_.has_more() && wants_input()) want_to_go_on();
  if (wanted == interest_) return;
  interest_ = wanted;
  shard_.poller.change(socket_.descriptor(), events_of(interest_), tag_of(id()));
}

// ---- the end

void TcpConnection::close(CloseReason reason, std::string_view text) {
  shard_.thread.check();
  if (state_ == State::kClosing || ended()) return;
  if (state_ == State::kWebSocket) {
    wire::append_close(output(), number_of(reason), text.empty() ? name_of(reason) : text);
  } else if (queued_bytes() == 0) {
    close_reason_ = reason;
    return finish();
  }
  begin_close(reason, shard_.options.slow_consumer_after);
}

// `at_most` bounds the writing of what is queued.
void TcpConnection::begin_close(CloseReason reason, std::chrono::milliseconds at_most) {
  state_ = State::kClosing;
  close_reason_ = reason;
  due_ = shard_.now + at_most;
  want_flush();
  rearm();
  update_interest();
}

// A request that waits is answered first, and respond() closes; one that waits for something that
// may be far off is not waited for.
void TcpConnection::go_away() {
  if (state_ != State::kResponse) return close(CloseReason::kGoingAway);
  due_ = std::min(due_, shard_.now + shard_.options.close_timeout);
  rearm();
}

// For a peer that had its time: says so if the kernel still takes it, and waits no longer than for
// an answer.
void TcpConnection::give_up(CloseReason reason) {
  if (state_ != State::kWebSocket) return drop(reason);
  close(reason);
  last_wait_ = true;
  due_ = shard_.now + shard_.options.close_timeout;
  rearm();
}

void TcpConnection::drop(CloseReason reason) {
  if (ended()) return;
  if (state_ != State::kClosing) close_reason_ = reason;
  finish();
}

void TcpConnection::lose() {
  was_lost_ = state_ != State::kClosing;
  finish();
}

void TcpConnection::finish() {
  if (ended()) return;
  state_ = State::kEnded;
  TimerWheel::Timer::cancel();
  shard_.ended.push_back(id());
}

void TcpConnection::end() {
  (was_lost_ ? shard_.metrics.lost : shard_.metrics.closed[close_reason_]).add();
  if (reported_) shard_.events->on_closed(*this);
  attachment_.reset();
}

// ---- time

Elapsed TcpConnection::next_due() const {
  const NetOptions& options = shard_.options;
  if (state_ == State::kClosing) return due_;
  Elapsed soonest = std::min(due_, deadline_);
  if (state_ == State::kWebSocket) {
    const auto silence =
        pinged_ ? options.dead_after : std::min(options.ping_interval, options.dead_after);
    soonest = std::min(deadline_, received_ + silence);
  }
  if (blocked_) soonest = std::min(soonest, output_->progress + options.slow_consumer_after);
  return soonest;
}

void TcpConnection::rearm() {
  if (!ended()) shard_.wheel.arm_no_later(*this, next_due());
}

// The timer is often early, because nothing moves it when bytes come: look at what is really due.
void TcpConnection::on_timer() {
  if (state_ != State::kClosing && deadline_ <= shard_.now) {
    deadline_ = kNever;
    shard_.events->on_deadline(*this);
  }
  const bool waits = blocked_ && state_ != State::kClosing && !ended();
  if (waits && output_->progress + shard_.options.slow_consumer_after <= shard_.now) {
    give_up(CloseReason::kSlowConsumer);
  }
  on_state_due();
  rearm();
}

void TcpConnection::on_state_due() {
  switch (state_) {
    case State::kWebSocket:
      return check_life();
    case State::kRequest:
      if (due_ > shard_.now) return;
      handshaking_ ? on_handshake_timeout() : on_request_timeout();
      return;
    case State::kResponse:
      if (due_ <= shard_.now) refuse(503, "no answer in time");
      return;
    case State::kClosing:
      if (due_ <= shard_.now) finish();
      return;
    case State::kMoving:
    case State::kEnded:
      return;
  }
}

}  // namespace signet::net
