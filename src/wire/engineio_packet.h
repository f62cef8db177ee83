// Packets of Engine.IO 4, the transport below Socket.IO: one character of type, then data. A
// WebSocket message is one packet; the body of an HTTP request is several with 0x1e between them,
// binary ones in base64 behind a `b`.
// Format: https://socket.io/docs/v4/engine-io-protocol/ (revision 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::wire {

constexpr char kEngineSeparator = '\x1e';  // between the packets of one body

enum class EnginePacketType : std::uint8_t {
  kOpen,     // 0: server only, the handshake
  kClose,    // 1
  kPing,     // 2: from the server; from a client only as a probe
  kPong,     // 3
  kMessage,  // 4
  kUpgrade,  // 5: from the client that goes over to its WebSocket
  kNoop,     // 6: server only, lets go of a poll
};

// EnginePacket borrows what it was read from. `binary` only with kMessage.
struct EnginePacket {
  EnginePacketType type = EnginePacketType::kNoop;
  bool binary = false;
  std::string_view data;
};

// The packet of one text frame. nullopt: it is none. Any packet may have data; whether its type may
// come is the session's to say.
std::optional<EnginePacket> read_engine_packet(std::string_view text);

void append_engine_packet(std::string& out, EnginePacketType type, std::string_view data);

// The packets of one body, all or none. `bytes` receives what had to be decoded and must outlive
// them. Base64 is the standard alphabet with its padding. Fails kMalformed with the rule: "empty"
// (the body, or a packet of it), "type", "base64", "utf8", "packets" (more than `max_packets`).
Result<std::vector<EnginePacket>> read_engine_payload(std::string_view body,
                                                      std::size_t max_packets, std::string& bytes);

// Appends one packet to a body, after a separator where it is not the first. The format has no way
// to carry a separator in text: each becomes U+FFFD, so that nobody's text is read as two packets.
void append_to_engine_payload(std::string& body, const EnginePacket& packet);
// What that makes the body longer, in bytes, if it is not the first; the first takes one less.
std::size_t engine_payload_cost(const EnginePacket& packet);

}  // namespace signet::wire
