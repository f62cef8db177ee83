// FakeShard and FakeConnection are the net seam of tests: a shard without sockets whose turns the
// test runs, and connections that remember what they were told.
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/shard.h"

namespace signet::broker {

class FakeConnection final : public net::Connection {
 public:
  struct Closed {
    CloseReason reason;
    std::string text;
  };

  explicit FakeConnection(net::ConnectionId its_id) : id_(its_id) {
    peer_address.ip = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1};
    peer_address.port = 4'000;
  }

  // What a test reads and sets.
  net::PeerAddress peer_address;
  std::vector<std::string> texts;    // payloads of text frames, since the test last took them
  std::vector<std::string> encoded;  // the frames that came ready encoded
  std::vector<std::string> pings;
  std::vector<net::HttpResponse> responses;
  std::optional<Closed> closed;
  std::optional<std::chrono::milliseconds> deadline;
  std::optional<std::uint32_t> handed_to;  // the shard that it went to
  bool is_websocket = false;
  const wire::FrameLimits* frame_limits = nullptr;  // those that hold now
  bool paused = false;
  bool is_proven = false;
  bool encrypted = false;   // by TLS that ends here
  std::string certificate;  // the name that TLS verified
  WallTime certificate_end{std::numeric_limits<std::int64_t>::max()};
  std::size_t queued = 0;
  net::Sent next_sent = net::Sent::kQueued;

  std::vector<std::string> take_texts() { return std::exchange(texts, {}); }

  net::ConnectionId id() const override { return id_; }
  const net::PeerAddress& peer() const override { return peer_address; }
  bool is_encrypted() const override { return encrypted; }
  std::string_view certificate_name() const override { return certificate; }
  WallTime certificate_ends() const override { return certificate_end; }
  void respond(const net::HttpResponse& response) override { responses.push_back(response); }
  void accept_websocket(std::string_view, const wire::FrameLimits& limits) override {
    is_websocket = true;
    frame_limits = &limits;
  }
  void set_frame_limits(const wire::FrameLimits& limits) override { frame_limits = &limits; }
  net::Sent send(wire::Opcode opcode, std::string_view payload) override {
    if (closed || next_sent == net::Sent::kDropped) return net::Sent::kDropped;
    (opcode == wire::Opcode::kPing ? pings : texts).emplace_back(payload);
    return next_sent;
  }
  net::Sent send_encoded(std::string_view frame) override {
    if (closed || next_sent == net::Sent::kDropped) return net::Sent::kDropped;
    encoded.emplace_back(frame);
    texts.push_back(payload_of(frame));
    return next_sent;
  }
  std::size_t queued_bytes() const override { return queued; }
  bool takes_frames() const override { return is_websocket && !closed; }
  void pause_input(bool pause) override { paused = pause; }
  void close(CloseReason reason, std::string_view text) override {
    if (!closed) closed = Closed{reason, std::string(text.empty() ? name_of(reason) : text)};
  }
  void set_deadline(std::chrono::milliseconds from_now) override { deadline = from_now; }
  void clear_deadline() override { deadline.reset(); }
  void attach(std::unique_ptr<net::Attachment> attachment) override {
    attachment_ = std::move(attachment);
  }
  net::Attachment* attachment() override { return attachment_.get(); }

 private:
  struct Payload final : wire::FrameEvents {
    std::string text;
    bool on_message(wire::MessageKind, std::string_view payload) override {
      text = payload;
      return true;
    }
    bool on_ping(std::string_view) override { return true; }
    bool on_pong(std::string_view) override { return true; }
    void on_close(std::uint16_t, std::string_view) override {}
  };
  static std::string payload_of(std::string_view frame) {
    std::string bytes(frame);
    Payload payload;
    wire::FrameReader reader(wire::Role::kClient);
    (void)reader.feed(bytes, {}, payload);
    return payload.text;
  }

  const net::ConnectionId id_;
  std::unique_ptr<net::Attachment> attachment_;
};

class FakeShard final : public net::Shard {
 public:
  FakeShard(std::uint32_t its_index, const Clock& clock) : index_(its_index), clock_(clock) {}

  void own(net::ConnectionEvents& events) { events_ = &events; }

  FakeConnection& accept() {
    const net::ConnectionId id{index_, ++last_slot_, 1};
    return *connections_.emplace(id, std::make_unique<FakeConnection>(id)).first->second;
  }
  // The peer went: the owner is told, and the connection is no more.
  void hang_up(FakeConnection& connection) {
    events_->on_closed(connection);
    connections_.erase(connection.id());
  }

  // One turn of the loop; true when there was anything to do.
  bool turn() {
    bool any = mailbox_.drain() > 0;
    std::vector<Timer> due;
    std::erase_if(timers_, [&](Timer& timer) {
      const bool is_due = timer.at <= now();
      if (is_due) due.push_back(timer);
      return is_due;
    });
    for (Timer& timer : due) {
      timer.task();
      any = true;
      if (timer.period.count() > 0)
        timers_.push_back({now() + timer.period, timer.period, timer.task});
    }
    events_->on_turn_end();
    return any;
  }

  Mailbox& mailbox() override { return mailbox_; }
  std::uint32_t index() const override { return index_; }
  std::size_t connections() const override { return connections_.size(); }
  net::Connection* find(net::ConnectionId id) override {
    const auto found = connections_.find(id);
    return found == connections_.end() ? nullptr : found->second.get();
  }
  void each_connection(const std::function<void(net::Connection&)>& visit) override {
    for (const auto& [id, connection] : connections_) visit(*connection);
  }
  // Recorded only: what follows at the other shard is the test's to play.
  void hand_over(net::Connection& connection, std::uint32_t to) override {
    static_cast<FakeConnection&>(connection).handed_to = to;
  }
  void proven(net::Connection& connection) override {
    static_cast<FakeConnection&>(connection).is_proven = true;
  }
  void every(std::chrono::milliseconds period, std::function<void()> task) override {
    timers_.push_back({now() + period, period, std::move(task)});
  }
  void after(std::chrono::milliseconds delay, std::function<void()> task) override {
    timers_.push_back({now() + delay, {}, std::move(task)});
  }
  Elapsed now() const override { return clock_.elapsed(); }

 private:
  struct Timer {
    Elapsed at;
    std::chrono::milliseconds period;
    std::function<void()> task;
  };

  const std::uint32_t index_;
  const Clock& clock_;
  net::ConnectionEvents* events_ = nullptr;
  std::uint32_t last_slot_ = 0;
  Mailbox mailbox_{[] {}};
  std::vector<Timer> timers_;
  std::map<net::ConnectionId, std::unique_ptr<FakeConnection>> connections_;
};

}  // namespace signet::broker
