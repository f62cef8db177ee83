// Protocol is a client's side of one wire format, as far as a load needs it: bytes in, events and
// bytes out. It opens no socket and reads no clock. One per connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace signet::bench {

// A load names its messages by number, 0 upwards. A body begins with the number in 16 hex digits,
// which is valid base64, so that whoever receives it knows when it was sent.
using MessageIndex = std::uint64_t;
inline constexpr std::size_t kIndexDigits = 16;

void append_index(std::string& out, MessageIndex index);
inline constexpr MessageIndex kNoIndex = ~MessageIndex{0};
// kNoIndex for a text that begins with none.
MessageIndex read_index(std::string_view text);

class ProtocolEvents {
 public:
  virtual ~ProtocolEvents() = default;
  virtual void on_ready() = 0;                           // admitted: it may send
  virtual void on_ack(MessageIndex index) = 0;           // the server says it took the message
  virtual void on_push(std::string_view body) = 0;       // a message came for this connection
  virtual void on_counted(std::size_t) {}                // so many came, of which nothing was read
  virtual void on_refused(std::string_view reason) = 0;  // the server said no, or broke the format
};

class Protocol {
 public:
  virtual ~Protocol() = default;

  // Appends what a client says first.
  virtual void start(std::string& out) = 0;

  // Reads `bytes` (and may change them in place), reports what they say, and appends answers that
  // the format demands (pongs, acknowledgements).
  virtual void receive(std::span<char> bytes, std::string& out, ProtocolEvents& events) = 0;

  // Appends one message to `to`, an address of the format. REQUIRES: on_ready was reported.
  virtual void send(std::string& out, std::string_view to, MessageIndex index,
                    std::string_view filler) = 0;
};

// Where a load goes: the server's address, and what each peer says and is called.
struct Target {
  std::string host;
  std::uint16_t port = 0;
  bool over_tls = false;
  std::vector<std::string> addresses;  // of each peer, in the format of the server
  std::string everyone;                // the address of all others; empty: the format has none
  std::string absent;                  // an address whose receiver never connects
  bool acknowledges = true;            // the server answers every message with an ack
  bool echoes = false;                 // the server hands every message back to its sender
  std::function<std::unique_ptr<Protocol>(std::size_t peer)> protocol;
};

}  // namespace signet::bench
