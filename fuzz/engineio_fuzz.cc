// Engine.IO. A body that is read is the same text again when its packets are written, and those of
// an obvious reader; a session breaks no promise to whatever a client does
// (wire/engineio_client_for_test.h).
//   input: settings (1 byte), then steps: which (1 byte), argument (1 byte), and for a raw one as
//   many bytes as the low half of the argument says; a body is the whole input
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "wire/engineio_client_for_test.h"
#include "wire/utf8.h"

namespace {

using namespace signet;
using namespace signet::wire;

void check(bool holds) {
  if (!holds) std::abort();
}

// The packets by the book: cut, then read each for itself.
std::optional<std::vector<std::string>> read_slowly(std::string_view body) {
  std::vector<std::string> pieces(1);
  for (const char c : body) {
    if (c == kEngineSeparator) {
      pieces.emplace_back();
    } else {
      pieces.back() += c;
    }
  }
  for (std::string& piece : pieces) {
    if (piece.empty() || !is_utf8(piece)) return std::nullopt;
    if (piece[0] == 'b') {
      const auto bytes = from_base64(std::string_view(piece).substr(1));
      if (!bytes) return std::nullopt;
      piece = "b" + *bytes;
    } else if (std::string_view("0123456").find(piece[0]) == std::string_view::npos) {
      return std::nullopt;
    }
  }
  return pieces;
}

void check_body(std::string_view body, std::size_t max_packets) {
  std::string bytes;
  const auto packets = read_engine_payload(body, max_packets, bytes);
  auto expected = read_slowly(body);
  if (expected && expected->size() > max_packets) expected.reset();
  check(packets.ok() == expected.has_value());
  if (!packets.ok()) return;
  check(packets->size() == expected->size());
  std::string again;
  std::size_t cost = 0;
  for (std::size_t i = 0; i < packets->size(); ++i) {
    const EnginePacket& packet = (*packets)[i];
    std::string piece;
    if (packet.binary) {
      check(packet.type == EnginePacketType::kMessage);
      (piece = "b") += packet.data;
    } else {
      append_engine_packet(piece, packet.type, packet.data);
    }
    check(piece == (*expected)[i]);
    append_to_engine_payload(again, packet);
    cost += engine_payload_cost(packet);
  }
  check(again == body && cost == body.size() + 1);
}

void check_session(std::uint8_t settings, std::string_view steps) {
  EngineOptions options;
  if ((settings & 2) != 0) options.max_buffered = 600;
  if ((settings & 4) != 0) options.max_packets = 3;
  if ((settings & 8) != 0) options.max_payload = 12;
  EngineClient client(options, (settings & 1) != 0);
  while (steps.size() >= 2) {
    const auto step = static_cast<EngineStep>(static_cast<std::uint8_t>(steps[0]) % kEngineSteps);
    const auto argument = static_cast<std::uint8_t>(steps[1]);
    steps.remove_prefix(2);
    const bool is_raw = step == EngineStep::kPostRaw || step == EngineStep::kFrameRaw ||
                        step == EngineStep::kProbeRaw;
    const std::string_view raw = steps.substr(0, is_raw ? argument % 16 : 0);
    steps.remove_prefix(raw.size());
    if ((settings & 16) != 0 && !client.is_fair(step)) continue;
    client.play(step, argument, raw);
    if ((settings & 16) != 0) client.keep_alive();
    check(client.fault().empty());
  }
  client.settle();
  check(client.fault().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  check_body(input, 100);
  check_body(input.substr(1), 2);
  check_session(data[0], input.substr(1));
  return 0;
}
