#include "wire/socketio_packet.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "wire/json.h"

namespace signet::wire {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kDigits = "0123456789";

// Names with a meaning of their own to the two sides' libraries: who could send one would speak for
// the library, not for the client.
constexpr std::array<std::string_view, 6> kReservedNames = {
    "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"};

struct Head {
  SocketPacket packet;
  std::size_t attachments = 0;
};

Error malformed(const char* rule) { return Error{ErrorCode::kMalformed, rule}; }

bool is_binary(SocketPacketType type) {
  return type == SocketPacketType::kBinaryEvent || type == SocketPacketType::kBinaryAck;
}

bool is_event(SocketPacketType type) {
  return type == SocketPacketType::kEvent || type == SocketPacketType::kBinaryEvent;
}

bool is_ack(SocketPacketType type) {
  return type == SocketPacketType::kAck || type == SocketPacketType::kBinaryAck;
}

std::string_view take_digits(std::string_view& rest) {
  const std::size_t end = std::min(rest.find_first_not_of(kDigits), rest.size());
  const std::string_view digits = rest.substr(0, end);
  rest.remove_prefix(end);
  return digits;
}

// nullopt: no digits, or more than fit.
std::optional<std::uint64_t> number_of(std::string_view digits) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (digits.empty() || read.ec != std::errc{}) return std::nullopt;
  return number;
}

// The part up to the comma, or up to the end where nothing else follows; clients of older revisions
// put a query behind it.
std::string_view take_namespace(std::string_view& rest) {
  const std::size_t end = std::min(rest.find(','), rest.size());
  const std::string_view name = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return name.substr(0, name.find('?'));
}

bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

std::string_view trimmed(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
  return text.substr(0, text.find_last_not_of(kSpace) + 1);
}

bool is_between(std::string_view data, char open, char close) {
  const std::string_view inner = trimmed(data);
  return inner.size() >= 2 && inner.front() == open && inner.back() == close;
}

// Where the text that begins with a quote ends, behind its closing quote; 0: nowhere.
std::size_t end_of_text(std::string_view json) {
  for (std::size_t at = 1; at < json.size(); ++at) {
    if (json[at] == '"') return at + 1;
    if (json[at] == '\\') ++at;
  }
  return 0;
}

// An event's name, as sent; empty where the first item of the array is none by its looks.
std::string_view first_item(std::string_view array) {
  std::string_view rest = trimmed(array);
  rest.remove_prefix(1);
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  std::size_t end = 0;
  if (rest.starts_with('"')) {
    end = end_of_text(rest);
  } else {
    end = std::min(rest.find_first_of(",] \t\r\n"), rest.size());
  }
  const std::string_view item = rest.substr(0, end);
  rest.remove_prefix(end);
  const std::string_view behind = trimmed(rest);
  return behind.starts_with(',') || behind.starts_with(']') ? item : std::string_view();
}

bool is_reserved(std::string_view name) {
  return std::find(kReservedNames.begin(), kReservedNames.end(), name) != kReservedNames.end();
}

bool is_named_event(std::string_view data) {
  if (!is_between(data, '[', ']')) return false;
  const std::string_view item = first_item(data);
  if (item.empty()) return false;
  const bool is_text = item.front() == '"';
  if (is_text && item.find('\\') == std::string_view::npos) {
    return !is_reserved(item.substr(1, item.size() - 2));
  }
  JsonDocument document;
  if (!document.parse(item).ok()) return false;
  const JsonValue name = document.root();
  if (const auto text = name.string()) return !is_reserved(*text);
  return name.is(JsonKind::kNumber);
}

// The shape that the type asks for. What is inside is read by whom it is for.
bool fits(SocketPacketType type, std::string_view data) {
  switch (type) {
    case SocketPacketType::kConnect:
      return data.empty() || is_between(data, '{', '}');
    case SocketPacketType::kDisconnect:
      return data.empty();
    case SocketPacketType::kEvent:
    case SocketPacketType::kBinaryEvent:
      return is_named_event(data);
    case SocketPacketType::kAck:
    case SocketPacketType::kBinaryAck:
      return is_between(data, '[', ']');
    case SocketPacketType::kConnectError:
      return is_between(data, '{', '}') || is_between(data, '"', '"');
  }
  return false;
}

// Only where an object says `"_placeholder":true` its number counts, at any depth: one that names
// an attachment that does not exist would have a reader look behind the end.
bool placeholders_fit(JsonValue value, std::size_t attachments) {
  if (value["_placeholder"].boolean() == true) {
    const auto number = value["num"].integer();
    if (!number || *number < 0 || static_cast<std::uint64_t>(*number) >= attachments) return false;
  }
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (!placeholders_fit(value[i], attachments)) return false;
  }
  return true;
}

Status check_placeholders(std::string_view data, std::size_t attachments) {
  JsonDocument document;
  if (!document.parse(data).ok()) return malformed("data");
  if (!placeholders_fit(document.root(), attachments)) return malformed("attachments");
  return Done{};
}

// Everything before the data, which is the rest.
Result<Head> read_head(std::string_view text, const SocketLimits& limits) {
  if (text.empty() || text.front() < '0' || text.front() > '6') return malformed("type");
  Head head;
  SocketPacket& packet = head.packet;
  packet.type = static_cast<SocketPacketType>(text.front() - '0');
  text.remove_prefix(1);
  if (is_binary(packet.type)) {
    const auto count = number_of(take_digits(text));
    if (!count || !text.starts_with('-')) return malformed("attachments");
    if (*count == 0 || *count > limits.max_attachments) return malformed("attachments");
    head.attachments = static_cast<std::size_t>(*count);
    text.remove_prefix(1);
  }
  if (text.starts_with('/')) packet.nsp = take_namespace(text);
  if (packet.nsp.size() > limits.max_namespace || has_control_character(packet.nsp)) {
    return malformed("namespace");
  }
  const std::string_view digits = take_digits(text);
  packet.id = number_of(digits);
  const bool may_have_id = is_event(packet.type) || is_ack(packet.type);
  if (!digits.empty() && (!packet.id || !may_have_id)) return malformed("id");
  if (is_ack(packet.type) && !packet.id) return malformed("id");
  packet.data = text;
  return head;
}

}  // namespace

Error SocketDecoder::broken(const char* rule) {
  missing_ = 0;
  release();
  return malformed(rule);
}

void SocketDecoder::release() {
  packet_ = {};
  if (missing_ > 0) return;  // what is waited for is no last packet yet
  std::string().swap(text_);
  attachments_ = std::vector<std::string>();
}

Result<const SocketPacket*> SocketDecoder::text(std::string_view message) {
  if (missing_ > 0) return broken("out of turn");
  if (message.size() > limits_.max_bytes) return broken("size");
  auto head = read_head(message, limits_);
  if (!head.ok()) return broken(head.error().detail.c_str());
  if (!fits(head->packet.type, head->packet.data)) return broken("data");
  release();
  if (head->attachments == 0) {
    packet_ = std::move(head->packet);
    return &packet_;
  }
  const Status placed = check_placeholders(head->packet.data, head->attachments);
  if (!placed.ok()) return broken(placed.error().detail.c_str());
  text_ = message;
  bytes_ = message.size();
  missing_ = head->attachments;
  return nullptr;
}

Result<const SocketPacket*> SocketDecoder::binary(std::string_view message) {
  if (missing_ == 0) return broken("out of turn");
  if (message.size() > limits_.max_bytes - bytes_) return broken("size");
  attachments_.emplace_back(message);
  bytes_ += message.size();
  if (--missing_ > 0) return nullptr;
  auto head = read_head(text_, limits_);  // again: it borrows from this object's own copy
  if (!head.ok()) return broken(head.error().detail.c_str());
  packet_ = std::move(head->packet);
  packet_.attachments = std::exchange(attachments_, {});
  return &packet_;
}

void append_socket_packet(std::string& out, SocketPacketType type, std::string_view nsp,
                          std::optional<std::uint64_t> id, std::string_view data,
                          std::size_t attachments) {
  out.push_back(static_cast<char>('0' + static_cast<int>(type)));
  if (is_binary(type)) out.append(std::to_string(attachments)).push_back('-');
  if (nsp != "/") out.append(nsp).push_back(',');
  if (id) out.append(std::to_string(*id));
  out.append(data);
}

}  // namespace signet::wire
