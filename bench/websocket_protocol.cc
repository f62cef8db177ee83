#include "websocket_protocol.h"

#include "crypto/random.h"
#include "wire/websocket_upgrade.h"

namespace signet::bench {
namespace {

constexpr std::string_view kKey = "c2lnbmV0IGJlbmNobWFyaw==";  // any 16 bytes do

// Where a frame's payload is; nothing is checked, as only whole frames of a server are counted.
struct Extent {
  std::size_t payload = 0;
  std::size_t end = 0;
};

// Of the frame at the front of `bytes`; an end of 0 where it is not whole.
Extent extent_of(std::span<const char> bytes) {
  constexpr std::size_t kShortHead = 2;
  constexpr std::size_t kU16Follows = 126;
  if (bytes.size() < kShortHead) return {};
  const auto byte = [&](std::size_t at) {
    return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]));
  };
  std::size_t size = byte(1);
  std::size_t length_bytes = 0;
  if (size >= kU16Follows) {
    length_bytes = size == kU16Follows ? 2 : 8;
    if (bytes.size() < kShortHead + length_bytes) return {};
    size = 0;
    for (std::size_t i = 0; i < length_bytes; ++i) size = size << 8 | byte(kShortHead + i);
  }
  const std::size_t payload = kShortHead + length_bytes;
  if (bytes.size() - payload < size) return {};
  return {payload, payload + size};
}

}  // namespace

std::string_view text_after(std::string_view frame, std::string_view name) {
  const auto at = frame.find(name);
  if (at == std::string_view::npos) return {};
  const auto from = at + name.size();
  return frame.substr(from, frame.find('"', from) - from);
}

WebSocketProtocol::WebSocketProtocol(std::string host, std::string path, std::string first)
    : host_(std::move(host)), path_(std::move(path)), first_(std::move(first)) {
  crypto::random_bytes(mask_);
}

void WebSocketProtocol::start(std::string& out) {
  wire::append_upgrade_request(out, host_, path_, kKey);
}

void WebSocketProtocol::receive(std::span<char> bytes, std::string& out, ProtocolEvents& events) {
  out_ = &out;
  events_ = &events;
  if (upgraded_) return feed(bytes);
  head_.append(bytes.data(), bytes.size());
  const auto read = wire::read_upgrade_response(head_, kKey);
  if (std::get_if<wire::BadRequest>(&read) != nullptr) return events.on_refused("upgrade");
  if (const auto* taken = std::get_if<std::size_t>(&read)) open(out, *taken);
}

void WebSocketProtocol::open(std::string& out, std::size_t head_bytes) {
  upgraded_ = true;
  out_ = &out;
  on_open(*events_);
  std::string rest = head_.substr(head_bytes);
  head_ = {};
  feed(rest);
}

void WebSocketProtocol::on_open(ProtocolEvents& events) {
  if (first_.empty()) return events.on_ready();
  say(first_);
}

void WebSocketProtocol::append_text(std::string& out, std::string_view text) {
  wire::append_masked_frame(out, wire::Opcode::kText, text, mask_);
}

void WebSocketProtocol::feed(std::span<char> bytes) {
  // What the reader holds is the beginning of a frame that it must end itself.
  if (!counted_.empty() && reader_.held_bytes() == 0) return count(bytes);
  if (reader_.feed(bytes, limits_, *this)) events_->on_refused("broken frame");
}

void WebSocketProtocol::count(std::span<char> bytes) {
  constexpr char kWholeText = static_cast<char>(0x81);
  const bool was_held = !held_.empty();
  if (was_held) {
    held_.append(bytes.data(), bytes.size());
    bytes = held_;
  }
  std::size_t texts = 0;
  for (Extent frame = extent_of(bytes); frame.end > 0; frame = extent_of(bytes)) {
    const std::string_view payload(bytes.data() + frame.payload, frame.end - frame.payload);
    if (bytes[0] == kWholeText && payload.starts_with(counted_)) {
      ++texts;
    } else if (reader_.feed(bytes.first(frame.end), limits_, *this)) {
      events_->on_refused("broken frame");
    }
    bytes = bytes.subspan(frame.end);
  }
  if (was_held) {
    held_.erase(0, held_.size() - bytes.size());
  } else {
    held_.assign(bytes.data(), bytes.size());
  }
  if (texts > 0) events_->on_counted(texts);
}

void WebSocketProtocol::on_text(std::string_view text, ProtocolEvents& events) {
  events.on_refused(text);
}

bool WebSocketProtocol::on_message(wire::MessageKind, std::string_view text) {
  on_text(text, *events_);
  return true;
}

bool WebSocketProtocol::on_ping(std::string_view payload) {
  wire::append_masked_frame(*out_, wire::Opcode::kPong, payload, mask_);
  return true;
}

bool WebSocketProtocol::on_pong(std::string_view) { return true; }

void WebSocketProtocol::on_close(std::uint16_t, std::string_view) { events_->on_refused("closed"); }

}  // namespace signet::bench
