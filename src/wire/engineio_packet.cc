#include "wire/engineio_packet.h"

#include <algorithm>

#include "base/encoding.h"
#include "wire/utf8.h"

namespace signet::wire {
namespace {

constexpr char kBinaryMark = 'b';
constexpr std::string_view kInsteadOfSeparator = "\xef\xbf\xbd";  // U+FFFD

Error malformed(std::string_view rule) { return {ErrorCode::kMalformed, std::string(rule)}; }

std::size_t separators_in(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), kEngineSeparator));
}

// One packet of a body. What is binary goes to the end of `bytes`, which may still move: only the
// length of its data is right yet.
Result<EnginePacket> read_piece(std::string_view piece, std::string& bytes) {
  if (piece.empty()) return malformed("empty");
  if (piece.front() != kBinaryMark) {
    const auto packet = read_engine_packet(piece);
    if (!packet) return malformed("type");
    return *packet;
  }
  piece.remove_prefix(1);
  const auto decoded = from_base64(piece);
  if (!decoded) return malformed("base64");
  bytes += *decoded;
  return EnginePacket{EnginePacketType::kMessage, true, piece.substr(0, decoded->size())};
}

// Points binary packets at their part of `bytes`, which is complete now.
void place(std::vector<EnginePacket>& packets, std::string_view bytes) {
  for (EnginePacket& packet : packets) {
    if (!packet.binary) continue;
    const std::size_t size = packet.data.size();
    packet.data = bytes.substr(0, size);
    bytes.remove_prefix(size);
  }
}

}  // namespace

std::optional<EnginePacket> read_engine_packet(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return std::nullopt;
  return EnginePacket{static_cast<EnginePacketType>(text.front() - '0'), false, text.substr(1)};
}

void append_engine_packet(std::string& out, EnginePacketType type, std::string_view data) {
  out += static_cast<char>('0' + static_cast<int>(type));
  out += data;
}

Result<std::vector<EnginePacket>> read_engine_payload(std::string_view body,
                                                      std::size_t max_packets, std::string& bytes) {
  bytes.clear();
  if (body.empty()) return malformed("empty");
  const std::size_t separators = separators_in(body);
  if (separators >= max_packets) return malformed("packets");
  if (!is_utf8(body)) return malformed("utf8");
  std::vector<EnginePacket> packets;
  packets.reserve(separators + 1);
  for (std::size_t i = 0; i <= separators; ++i) {
    const std::size_t end = std::min(body.find(kEngineSeparator), body.size());
    SIGNET_TRY(const EnginePacket packet, read_piece(body.substr(0, end), bytes));
    packets.push_back(packet);
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  place(packets, bytes);
  return packets;
}

void append_to_engine_payload(std::string& body, const EnginePacket& packet) {
  if (!body.empty()) body += kEngineSeparator;
  if (packet.binary) {
    body += kBinaryMark;
    body += to_base64(bytes_of(packet.data));
    return;
  }
  append_engine_packet(body, packet.type, {});
  std::string_view rest = packet.data;
  for (;;) {
    const std::size_t end = rest.find(kEngineSeparator);
    body += rest.substr(0, end);
    if (end == std::string_view::npos) return;
    body += kInsteadOfSeparator;
    rest.remove_prefix(end + 1);
  }
}

std::size_t engine_payload_cost(const EnginePacket& packet) {
  constexpr std::size_t kSeparatorAndType = 2;
  const std::size_t size = packet.data.size();
  if (packet.binary) return kSeparatorAndType + (size + 2) / 3 * 4;
  return kSeparatorAndType + size + separators_in(packet.data) * (kInsteadOfSeparator.size() - 1);
}

}  // namespace signet::wire
