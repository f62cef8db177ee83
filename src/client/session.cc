#include "client/session.h"

#include <algorithm>
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

// What a hello is refused with that trying again does not change.
bool is_final_refusal(std::string_view code) {
  constexpr std::array<std::string_view, 4> kFinal = {"unauthorized", "bad_signature", "malformed",
                                                      "revoked"};
  return std::find(kFinal.begin(), kFinal.end(), code) != kFinal.end();
}

std::string_view sentence_of(std::string_view code) {
  if (code == "timestamp_skew") return "this machine's clock is over a minute off the broker's";
  if (code == "unauthorized") return "the broker knows no member with this key in this mesh";
  if (code == "revoked") return "this member was revoked";
  if (code == "capacity") return "the mesh has all the connections it may have";
  if (code == "replayed") return "the broker saw this hello before";
  return "the broker refused the hello";
}

}  // namespace

Session::Session(const SessionOptions& options, SessionIdentity identity, std::string_view host,
                 std::string_view path, Elapsed now)
    : options_(options),
      identity_(std::move(identity)),
      upgrade_key_(fresh_upgrade_key()),
      limits_{.max_message_bytes = options.max_frame_bytes},
      phase_deadline_(now + options.upgrade_timeout),
      heard_(now) {
  wire::append_upgrade_request(output_, host, path, upgrade_key_);
}

void Session::feed(std::span<char> bytes, Elapsed now, WallTime wall, SessionEvents& events) {
  if (end_ || bytes.empty()) return;
  heard_ = now;
  pinged_ = false;
  events_ = &events;
  if (phase_ == Phase::kUpgrading) {
    read_upgrade({bytes.data(), bytes.size()}, wall, events);
    if (phase_ == Phase::kHello) phase_deadline_ = now + options_.hello_timeout;
  } else if (reader_.feed(bytes, limits_, *this)) {
    fail(ErrorCode::kUnavailable, "protocol_error", "the broker broke the WebSocket protocol");
  }
  events_ = nullptr;
}

void Session::read_upgrade(std::string_view bytes, WallTime wall, SessionEvents&) {
  head_.append(bytes);
  const auto read = wire::read_upgrade_response(head_, upgrade_key_);
  if (const auto* bad = std::get_if<wire::BadRequest>(&read)) {
    return fail(ErrorCode::kUnavailable, "no_broker",
                "there is no Signet WebSocket at this address (" + std::string(bad->rule) +
                    ", status " + std::to_string(bad->status) + ")");
  }
  const auto* head_bytes = std::get_if<std::size_t>(&read);
  if (head_bytes == nullptr) {
    if (head_.size() > kMaxUpgradeHead) {
      fail(ErrorCode::kUnavailable, "no_broker", "the answer to the upgrade is too long");
    }
    return;
  }
  std::string rest = head_.substr(*head_bytes);
  head_ = std::string();
  phase_ = Phase::kHello;
  say_hello(wall);
  if (!rest.empty() && reader_.feed(rest, limits_, *this)) {
    fail(ErrorCode::kUnavailable, "protocol_error", "the broker broke the WebSocket protocol");
  }
}

void Session::say_hello(WallTime wall) {
  const dialects::HelloFields fields{identity_.mesh_id,
                                     identity_.member_id,
                                     identity_.session_id,
                                     identity_.display_name,
                                     identity_.cwd,
                                     identity_.pid,
                                     wall.ms};
  write_frame(wire::Opcode::kText, dialects::hello_frame(fields, *identity_.key));
}

// A refusal whose close frame got lost is a refusal still.
void Session::lost(std::string_view why) {
  if (phase_ == Phase::kHello && !refusal_.empty())
    return refuse_hello(code_or(refusal_, "refused"));
  fail(ErrorCode::kUnavailable, "connection_lost", why);
}

void Session::on_time(Elapsed now) {
  if (end_) return;
  if (phase_ != Phase::kOpen) {
    if (now < phase_deadline_) return;
    if (!refusal_.empty()) return lost("the broker did not close");
    return phase_ == Phase::kUpgrading
               ? fail(ErrorCode::kUnavailable, "no_broker", "the broker did not answer the upgrade")
               : fail(ErrorCode::kUnavailable, "hello_timeout",
                      "the broker did not answer the hello");
  }
  const auto silent = now - heard_;
  if (silent >= options_.dead_after) {
    return fail(ErrorCode::kUnavailable, "connection_lost", "the broker fell silent");
  }
  if (silent >= options_.ping_after && !pinged_) {
    pinged_ = true;
    write_frame(wire::Opcode::kPing, "");
  }
}

Elapsed Session::next_deadline() const {
  if (phase_ != Phase::kOpen) return phase_deadline_;
  return heard_ + (pinged_ ? options_.dead_after : options_.ping_after);
}

void Session::say(std::string_view frame) { write_frame(wire::Opcode::kText, frame); }

void Session::say_goodbye() {
  if (end_ || phase_ == Phase::kUpgrading || said_goodbye_) return;
  write_frame(wire::Opcode::kClose, std::string_view("\x03\xe8", 2));  // 1000, orderly
  said_goodbye_ = true;
}

void Session::write_frame(wire::Opcode opcode, std::string_view payload) {
  if (end_ || said_goodbye_) return;
  if (output_.size() >= options_.max_output_bytes) {
    return fail(ErrorCode::kUnavailable, "connection_lost", "the broker does not read");
  }
  wire::append_masked_frame(output_, opcode, payload, fresh_mask());
}

void Session::fail(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  if (end_) return;
  end_ = SessionEnd{{code, std::string(stable_code) + ": " + std::string(sentence)}, false};
}

void Session::refuse_hello(const std::string& code) {
  if (end_) return;
  const bool is_final = is_final_refusal(code);
  const ErrorCode kind = is_final ? ErrorCode::kUnauthorized : ErrorCode::kUnavailable;
  end_ = SessionEnd{{kind, code + ": " + std::string(sentence_of(code))}, is_final};
}

bool Session::on_message(wire::MessageKind kind, std::string_view payload) {
  if (kind != wire::MessageKind::kText) return true;  // the format has none: passed over
  dialects::Answer answer = dialects::read_answer(payload);
  if (phase_ == Phase::kHello) {
    if (const auto* admitted = std::get_if<dialects::HelloAnswer>(&answer)) {
      phase_ = Phase::kOpen;
      events_->on_admitted(*admitted);
      return !end_;
    }
    if (const auto* error = std::get_if<dialects::ErrorAnswer>(&answer)) {
      refusal_ = error->code;  // the close that follows says it again, as its reason
      return true;
    }
  }
  events_->on_answer(std::move(answer));
  return !end_;
}

bool Session::on_ping(std::string_view payload) {
  write_frame(wire::Opcode::kPong, payload);
  return !end_;
}

bool Session::on_pong(std::string_view) { return true; }

void Session::on_close(std::uint16_t code, std::string_view reason) {
  const bool refused = phase_ == Phase::kHello && (code == 1008 || !refusal_.empty());
  const std::string said = code_or(refusal_, "refused");
  if (refused) return refuse_hello(code == 1008 ? code_or(reason, said) : said);
  if (code == 1008 && reason == "revoked") return refuse_hello("revoked");
  fail(ErrorCode::kUnavailable, "connection_lost",
       "the broker closed with " + std::to_string(code) + ", " + code_or(reason, "no reason"));
}

}  // namespace signet::client
