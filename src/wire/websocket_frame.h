// WebSocket frames: bytes ⇄ messages, after RFC 6455 section 5.
//
//   fin·rsv·opcode   1 byte    rsv must be 0: no extension is ever negotiated
//   mask·length      1 byte    0..125, 126: u16 follows, 127: u64 follows; shortest form only
//   masking key      4 bytes   client → server always, server → client never
//   payload          length
//
// Integers are big-endian. Both roles live here, so that our client and our server share one
// reading of the standard. Vectors: protocol/vectors/websocket_frames.json.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/codes.h"

namespace signet::wire {

enum class Role : std::uint8_t { kServer, kClient };  // whose side reads
enum class MessageKind : std::uint8_t { kText, kBinary };

// Opcodes, RFC 6455 section 5.2.
enum class Opcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10,
};

struct FrameLimits {
  std::size_t max_message_bytes = 65'536;  // the largest message of the formats we speak
  // Frames that one message may take, control frames between them included: one-byte and empty
  // fragments and pings in between cost more than they carry.
  std::size_t max_fragments = 1'024;
};

// What a reader reports, in the order of the wire. Payloads borrow the bytes given to feed() or
// the reader's own buffer: they are good for the call only.
class FrameEvents {
 public:
  virtual ~FrameEvents() = default;
  // Return false to stop reading: the rest of the bytes given to feed() is dropped.
  virtual bool on_message(MessageKind kind, std::string_view payload) = 0;
  virtual bool on_ping(std::string_view payload) = 0;
  virtual bool on_pong(std::string_view payload) = 0;
  // `code` is 1005 where the peer gave none. Nothing follows.
  virtual void on_close(std::uint16_t code, std::string_view reason) = 0;
};

// FrameReader turns the bytes of one connection into messages, whatever way they are split.
// It checks every rule before it stores a byte, and holds memory only while a message is in
// pieces: an idle reader is two words. Owned by its connection's thread.
class FrameReader {
 public:
  explicit FrameReader(Role role);
  FrameReader(FrameReader&&) noexcept;
  FrameReader& operator=(FrameReader&&) noexcept;
  ~FrameReader();

  // Reads all of `bytes`, unmasking them in place. Answers the close reason when a rule is broken
  // (kProtocolError, kInvalidUtf8, kTooBig); after that, after a close frame, and after an event
  // answered false, every further call does nothing and answers nullopt. An event may not destroy
  // the reader.
  std::optional<CloseReason> feed(std::span<char> bytes, const FrameLimits& limits,
                                  FrameEvents& events);

  // Memory held for an unfinished frame or message; 0 when idle.
  std::size_t held_bytes() const;

 private:
  struct Header;   // one frame's, decoded
  struct Partial;  // an unfinished header, frame or fragmented message
  class Feed;      // one call of feed()
  std::unique_ptr<Partial> partial_;
  Role role_;
  bool done_ = false;
};

// Appends one unfragmented frame, unmasked: the server's side.
void append_frame(std::string& out, Opcode opcode, std::string_view payload);

// Appends one unfragmented frame under `mask`: the client's side. `mask` must be unpredictable.
void append_masked_frame(std::string& out, Opcode opcode, std::string_view payload,
                         std::array<unsigned char, 4> mask);

// Appends a close frame; `reason` is cut at 123 bytes, never inside a UTF-8 character. The code
// 1005
// ("none was given") never travels: it makes an empty close frame.
void append_close(std::string& out, std::uint16_t code, std::string_view reason);

}  // namespace signet::wire
