// Packets of Socket.IO 5: `<type>[<attachments>-][<namespace>,][<id>][<JSON>]`, each one message of
// Engine.IO; a binary packet is followed by its attachments, one binary message each, whose places
// in the JSON are `{"_placeholder":true,"num":N}`.
// Format: https://socket.io/docs/v4/socket-io-protocol/ (revision 5), and for what it leaves open
// (reserved names, placeholders, limits of attachments) the format's own parser,
// socket.io-parser 4.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::wire {

enum class SocketPacketType : std::uint8_t {
  kConnect,       // 0
  kDisconnect,    // 1
  kEvent,         // 2
  kAck,           // 3
  kConnectError,  // 4
  kBinaryEvent,   // 5
  kBinaryAck,     // 6
};

// SocketPacket borrows from the decoder, or from the text it was read from, until the next call.
// What its data is, by type:
//   kConnect                nothing, or an object
//   kDisconnect             nothing
//   kEvent, kBinaryEvent    an array that begins with the event's name, a text that the format does
//                           not reserve, or a number
//   kAck, kBinaryAck        an array; the packet has an id
//   kConnectError           a text or an object
struct SocketPacket {
  SocketPacketType type = SocketPacketType::kConnect;
  std::string_view nsp = "/";       // without a query
  std::optional<std::uint64_t> id;  // of an event or its acknowledgement
  // JSON as it was sent; empty: none. Of a binary packet it was read strictly; of any other only
  // the brackets and the event's name were looked at, and what reads it may find it broken.
  std::string_view data;
  std::vector<std::string> attachments;  // of a binary packet, all of them
};

struct SocketLimits {
  std::size_t max_attachments = 10;   // the format's own default; Hub needs none
  std::size_t max_bytes = 1'000'000;  // of a packet and all its attachments: Engine.IO's maxPayload
  std::size_t max_namespace = 64;     // bytes; those that exist are `/` and `/engine`
};

// SocketDecoder puts packets together. One per session, on its thread. How long it may wait for
// attachments is its owner's to say.
class SocketDecoder {
 public:
  explicit SocketDecoder(const SocketLimits& limits) : limits_(limits) {}

  // nullptr: attachments are to follow. The packet is good until the next call. Fails kMalformed
  // with the rule that was broken ("type", "attachments", "namespace", "id", "data", "out of turn",
  // "size"); the session is to be closed then, as the format's own server does.
  Result<const SocketPacket*> text(std::string_view message);
  Result<const SocketPacket*> binary(std::string_view message);

  // Frees what the last packet and its attachments took, so that an idle session holds nothing.
  void release();

  bool is_waiting() const { return missing_ > 0; }  // for attachments

 private:
  Error broken(const char* rule);

  const SocketLimits limits_;
  SocketPacket packet_;                   // the last one
  std::string text_;                      // of the packet whose attachments are awaited
  std::vector<std::string> attachments_;  // of that packet, those that came
  std::size_t missing_ = 0;
  std::size_t bytes_ = 0;  // of that packet so far
};

// Appends the text of a packet. `data`: JSON; empty for none. `nsp` "/" is left out, as the format
// has it. The attachments of a binary packet are sent behind it, by the caller.
// REQUIRES: no comma in `nsp`; `attachments` above 0 for the binary types, 0 for the others.
void append_socket_packet(std::string& out, SocketPacketType type, std::string_view nsp,
                          std::optional<std::uint64_t> id, std::string_view data,
                          std::size_t attachments = 0);

}  // namespace signet::wire
