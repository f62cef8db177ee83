// What a client of Hub sends behind Engine.IO: the input's chunks, each of one byte of kind, two of
// length and its bytes, are messages to one decoder. What is accepted reads back the same from what
// the encoder makes of it; no packet holds more than the limits. Data that is strict JSON is
// printed as ECMAScript would: to JSON of the same meaning, which prints as itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/json.h"
#include "wire/socketio_packet.h"
#include "wire/stringified.h"
#include "wire/utf8.h"

namespace {

using namespace signet::wire;

// Small, so that the fuzzer meets them.
constexpr SocketLimits kLimits{.max_attachments = 3, .max_bytes = 4'096, .max_namespace = 16};

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_binary(const SocketPacket& packet) {
  return packet.type == SocketPacketType::kBinaryEvent ||
         packet.type == SocketPacketType::kBinaryAck;
}

void check_limits(const SocketPacket& packet) {
  std::size_t bytes = packet.data.size();
  for (const std::string& attachment : packet.attachments) bytes += attachment.size();
  check(bytes <= kLimits.max_bytes && packet.nsp.size() <= kLimits.max_namespace);
  check(packet.attachments.size() <= kLimits.max_attachments);
  check(packet.attachments.empty() != is_binary(packet));
  check(packet.nsp.starts_with('/') && packet.nsp.find(',') == std::string_view::npos);
}

// The same, read by another decoder from what the encoder writes.
void check_again(const SocketPacket& packet) {
  std::string text;
  append_socket_packet(text, packet.type, packet.nsp, packet.id, packet.data,
                       packet.attachments.size());
  SocketDecoder decoder({.max_attachments = kLimits.max_attachments});
  auto read = decoder.text(text);
  for (const std::string& attachment : packet.attachments) {
    check(read.ok() && *read == nullptr && decoder.is_waiting());
    read = decoder.binary(attachment);
  }
  check(read.ok() && *read != nullptr && !decoder.is_waiting());
  const SocketPacket& again = **read;
  check(again.type == packet.type && again.nsp == packet.nsp && again.id == packet.id);
  check(again.data == packet.data && again.attachments == packet.attachments);
}

// ECMAScript's order of members apart, two values mean the same.
void check_meaning(JsonValue a, JsonValue b) {
  if (a.is(JsonKind::kNumber) && !a.number()) return check(b.is(JsonKind::kNull));
  check(a.kind() == b.kind() && a.size() == b.size());
  check(a.string() == b.string() && a.boolean() == b.boolean() && a.number() == b.number());
  for (std::size_t i = 0; i < a.size(); ++i) {
    check_meaning(a[i], a.is(JsonKind::kObject) ? b[a.key(i)] : b[i]);
  }
}

void check_stringified(std::string_view json) {
  JsonDocument document;
  if (!document.parse(json).ok()) return;
  const std::string printed = stringified(document.root());
  check(is_utf8(printed));
  JsonDocument again;
  check(again.parse(printed).ok());
  check_meaning(document.root(), again.root());
  check(stringified(again.root()) == printed);
  check(again.parse(" [ " + printed + " ] ", {.max_depth = 64}).ok());  // written, not copied
  check(stringified(again.root()) == "[" + printed + "]");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  check_stringified(rest);
  SocketDecoder decoder(kLimits);
  while (rest.size() >= 3) {
    const bool is_text = (static_cast<unsigned char>(rest[0]) & 1U) == 0;
    const std::size_t length = static_cast<unsigned char>(rest[1]) * std::size_t{256} +
                               static_cast<unsigned char>(rest[2]);
    rest.remove_prefix(3);
    const std::string_view message = rest.substr(0, length);
    rest.remove_prefix(message.size());
    const auto read = is_text ? decoder.text(message) : decoder.binary(message);
    if (!read.ok()) {
      check(!decoder.is_waiting());
      continue;
    }
    check((*read == nullptr) == decoder.is_waiting());
    if (*read == nullptr) continue;
    check_limits(**read);
    check_again(**read);
    check_stringified((**read).data);
  }
  return 0;
}
