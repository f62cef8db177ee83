// WebSocketLink is the client's half of one WebSocket without its socket: bytes in, messages and
// bytes out. It upgrades, answers pings, notices a broken frame and a peer that does not read. What
// is said on it, and when silence is too long, is its owner's business. Owned by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "signet/result.h"
#include "wire/websocket_frame.h"

namespace signet::client {

// May call say() and fail() of the link.
class WebSocketEvents {
 public:
  virtual ~WebSocketEvents() = default;
  virtual void on_open() = 0;
  virtual void on_message(wire::MessageKind kind, std::string_view message) = 0;
  // The peer's close frame: the link is over, with connection_lost unless fail() says otherwise
  // now.
  virtual void on_close(std::uint16_t code, std::string_view reason) = 0;
};

class WebSocketLink : private wire::FrameEvents {
 public:
  // Puts the upgrade request into the output. `host` is what the Host header says.
  WebSocketLink(std::size_t max_message_bytes, std::size_t max_output_bytes, std::string_view host,
                std::string_view path);

  // Unmasked in place. No event destroys the link.
  void feed(std::span<char> bytes, WebSocketEvents& events);
  // A text message; nothing before the upgrade and after the end.
  void say(std::string_view message);
  void ping();
  void say_goodbye();  // a close frame; nothing is said after it
  // Ends it with this error, if nothing did before.
  void fail(ErrorCode code, std::string_view stable_code, std::string_view sentence);

  std::string& output() { return output_; }  // waits to be written; the owner erases what it wrote
  bool is_open() const { return is_open_; }
  // Why it is over: no_broker, protocol_error, connection_lost, or what fail() was told.
  const std::optional<Error>& fault() const { return fault_; }

 private:
  void read_upgrade(std::string_view bytes);
  void read_frames(std::span<char> bytes);
  void write_frame(wire::Opcode opcode, std::string_view payload);

  bool on_message(wire::MessageKind kind, std::string_view payload) override;
  bool on_ping(std::string_view payload) override;
  bool on_pong(std::string_view payload) override;
  void on_close(std::uint16_t code, std::string_view reason) override;

  const wire::FrameLimits limits_;
  const std::size_t max_output_bytes_;
  const std::string upgrade_key_;
  std::string head_;  // of the upgrade's answer, while it comes
  std::string output_;
  wire::FrameReader reader_{wire::Role::kClient};
  bool is_open_ = false;
  bool said_goodbye_ = false;
  std::optional<Error> fault_;
  WebSocketEvents* events_ = nullptr;  // during feed()
};

}  // namespace signet::client
