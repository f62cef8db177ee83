#include "client/websocket_link.h"

#include <array>

#include "base/encoding.h"
#include "client/broker_codes.h"
#include "crypto/random.h"
#include "wire/websocket_upgrade.h"

namespace signet::client {
namespace {

constexpr std::size_t kUpgradeKeyBytes = 16;     // RFC 6455, section 4.1
constexpr std::size_t kMaxUpgradeHead = 16'384;  // as a server's own limit of a head

std::array<unsigned char, 4> fresh_mask() {
  std::array<unsigned char, 4> mask{};
  crypto::random_bytes(mask);
  return mask;
}

std::string fresh_upgrade_key() {
  std::array<unsigned char, kUpgradeKeyBytes> key{};
  crypto::random_bytes(key);
  return to_base64(key);
}

}  // namespace

WebSocketLink::WebSocketLink(std::size_t max_message_bytes, std::size_t max_output_bytes,
                             std::string_view host, std::string_view path)
    : limits_{.max_message_bytes = max_message_bytes},
      max_output_bytes_(max_output_bytes),
      upgrade_key_(fresh_upgrade_key()) {
  wire::append_upgrade_request(output_, host, path, upgrade_key_);
}

void WebSocketLink::feed(std::span<char> bytes, WebSocketEvents& events) {
  if (fault_ || bytes.empty()) return;
  events_ = &events;
  is_open_ ? read_frames(bytes) : read_upgrade({bytes.data(), bytes.size()});
  events_ = nullptr;
}

void WebSocketLink::read_upgrade(std::string_view bytes) {
  head_.append(bytes);
  const auto read = wire::read_upgrade_response(head_, upgrade_key_);
  if (const auto* bad = std::get_if<wire::BadRequest>(&read)) {
    return fail(ErrorCode::kUnavailable, "no_broker",
                "there is no Signet WebSocket at this address (" + std::string(bad->rule) +
                    ", status " + std::to_string(bad->status) + ")");
  }
  const auto* head_bytes = std::get_if<std::size_t>(&read);
  if (head_bytes == nullptr) {
    if (head_.size() <= kMaxUpgradeHead) return;
    return fail(ErrorCode::kUnavailable, "no_broker", "the answer to the upgrade is too long");
  }
  std::string rest = head_.substr(*head_bytes);
  head_ = std::string();
  is_open_ = true;
  events_->on_open();
  if (!rest.empty()) read_frames(rest);
}

void WebSocketLink::read_frames(std::span<char> bytes) {
  if (fault_ || !reader_.feed(bytes, limits_, *this)) return;
  fail(ErrorCode::kUnavailable, "protocol_error", "the broker broke the WebSocket protocol");
}

void WebSocketLink::say(std::string_view message) { write_frame(wire::Opcode::kText, message); }

void WebSocketLink::ping() { write_frame(wire::Opcode::kPing, {}); }

void WebSocketLink::say_goodbye() {
  if (!is_open_) return;
  write_frame(wire::Opcode::kClose, std::string_view("\x03\xe8", 2));  // 1000, orderly
  said_goodbye_ = true;
}

void WebSocketLink::write_frame(wire::Opcode opcode, std::string_view payload) {
  if (!is_open_ || fault_ || said_goodbye_) return;
  if (output_.size() >= max_output_bytes_) {
    return fail(ErrorCode::kUnavailable, "connection_lost", "the broker does not read");
  }
  wire::append_masked_frame(output_, opcode, payload, fresh_mask());
}

void WebSocketLink::fail(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  if (!fault_) fault_ = Error{code, std::string(stable_code) + ": " + std::string(sentence)};
}

bool WebSocketLink::on_message(wire::MessageKind kind, std::string_view payload) {
  events_->on_message(kind, payload);
  return !fault_;
}

bool WebSocketLink::on_ping(std::string_view payload) {
  write_frame(wire::Opcode::kPong, payload);
  return !fault_;
}

bool WebSocketLink::on_pong(std::string_view) { return true; }

void WebSocketLink::on_close(std::uint16_t code, std::string_view reason) {
  events_->on_close(code, reason);
  fail(ErrorCode::kUnavailable, "connection_lost",
       "the broker closed with " + std::to_string(code) + ", " + code_or(reason, "no reason"));
}

}  // namespace signet::client
