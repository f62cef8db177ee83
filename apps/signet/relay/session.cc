#include "signet/relay/session.h"

#include <array>
#include <chrono>

#include "base/codes.h"
#include "base/encoding.h"
#include "crypto/random.h"
#include "signet/relay/frames.h"
#include "signet/terminal/failure.h"
#include "wire/websocket_upgrade.h"

namespace signet::cli {
namespace {

constexpr std::size_t kMaxUpgradeHead = 16'384;  // as a server's own limit of a head
constexpr std::size_t kMaxOutput = 1 << 20;      // a server that pings and reads nothing
// An envelope comes back with an error in it, so a little more than the format's frame.
constexpr wire::FrameLimits kLimits{.max_message_bytes = 66'560};
constexpr std::chrono::seconds kDeadAfter{90};  // a server pings after 30 s of silence

std::string fresh_upgrade_key() {
  std::array<unsigned char, 16> key{};  // RFC 6455, section 4.1
  crypto::random_bytes(key);
  return to_base64(key);
}

Error no_relay(const std::string& what) {
  return failure(ErrorCode::kUnavailable, "no_relay", "there is no relay at this address: " + what,
                 "Look at --url: it is ws://HOST:PORT or wss://HOST:PORT.");
}

Error broken_protocol(const std::string& what) {
  return failure(ErrorCode::kUnavailable, "protocol_error", "the relay " + what);
}

// The server's words: a code where it is one of Signet's, else a sentence.
Error register_failure(std::string_view reason) {
  std::optional<RegisterRefusal> code;
  for (std::size_t i = 0; i < kRegisterRefusalCount; ++i) {
    if (meaning_of(static_cast<RegisterRefusal>(i)) == reason)
      code = static_cast<RegisterRefusal>(i);
  }
  const bool is_for_later = code == RegisterRefusal::kRateLimited ||
                            code == RegisterRefusal::kCapacity ||
                            code == RegisterRefusal::kTimedOut;
  const std::string_view name = code ? signet::name_of(*code) : "register_refused";
  return failure(is_for_later ? ErrorCode::kOverloaded : ErrorCode::kUnauthorized, name,
                 "the relay refused this key: " + std::string(reason.substr(0, 200)));
}

}  // namespace

RelaySession::RelaySession(const crypto::RelaySecretKey& key, const KnownKeys& known,
                           std::string authority, std::string_view path, Elapsed now)
    : key_(key),
      known_(known),
      authority_(std::move(authority)),
      upgrade_key_(fresh_upgrade_key()),
      heard_(now) {
  wire::append_upgrade_request(output_, authority_, path, upgrade_key_);
}

void RelaySession::feed(std::span<char> bytes, Elapsed now) {
  if (end_ || bytes.empty()) return;
  heard_ = now;
  if (phase_ == Phase::kUpgrading) return read_upgrade({bytes.data(), bytes.size()});
  read_frames(bytes);
}

void RelaySession::read_upgrade(std::string_view bytes) {
  head_.append(bytes);
  const auto read = wire::read_upgrade_response(head_, upgrade_key_);
  if (const auto* bad = std::get_if<wire::BadRequest>(&read)) {
    return fail(no_relay(std::string(bad->rule) + ", status " + std::to_string(bad->status)));
  }
  const auto* head_bytes = std::get_if<std::size_t>(&read);
  if (head_bytes == nullptr) {
    if (head_.size() > kMaxUpgradeHead) fail(no_relay("its answer is too long"));
    return;
  }
  std::string rest = head_.substr(*head_bytes);
  head_ = std::string();
  phase_ = Phase::kChallenge;
  if (!rest.empty()) read_frames(rest);
}

void RelaySession::read_frames(std::span<char> bytes) {
  if (reader_.feed(bytes, kLimits, *this)) fail(broken_protocol("broke the WebSocket protocol"));
}

void RelaySession::lost(std::string_view why) {
  fail(failure(ErrorCode::kUnavailable, "connection_lost", why));
}

void RelaySession::on_time(Elapsed now) {
  if (now - heard_ >= kDeadAfter) lost("the relay fell silent");
}

void RelaySession::say(std::string_view frame) { write_frame(wire::Opcode::kText, frame); }

void RelaySession::say_goodbye() {
  if (end_ || said_goodbye_ || phase_ == Phase::kUpgrading) return;
  write_frame(wire::Opcode::kClose, std::string_view("\x03\xe8", 2));  // 1000, orderly
  said_goodbye_ = true;
}

std::vector<std::string> RelaySession::take() { return std::exchange(frames_, {}); }

void RelaySession::write_frame(wire::Opcode opcode, std::string_view payload) {
  if (end_ || said_goodbye_) return;
  if (output_.size() >= kMaxOutput) return lost("the relay does not read");
  std::array<unsigned char, 4> mask{};
  crypto::random_bytes(mask);
  wire::append_masked_frame(output_, opcode, payload, mask);
}

void RelaySession::fail(Error error) {
  if (!end_) end_ = std::move(error);
}

bool RelaySession::on_message(wire::MessageKind kind, std::string_view payload) {
  if (kind != wire::MessageKind::kText) return true;  // the format has none: passed over
  if (phase_ == Phase::kChallenge) {
    read_challenge_frame(payload);
  } else if (phase_ == Phase::kResponded) {
    read_verdict(payload);
  } else {
    frames_.emplace_back(payload);
  }
  return !end_;
}

void RelaySession::read_challenge_frame(std::string_view frame) {
  wire::JsonDocument document;
  const bool is_json = document.parse(frame).ok();
  const auto challenge = is_json ? read_challenge(document.root()) : std::nullopt;
  if (!challenge) return fail(broken_protocol("began with no challenge that may be answered"));
  if (const Status fits = known_.check_server(authority_, challenge->server); !fits.ok()) {
    return fail(fits.error());
  }
  auto answer = answer_challenge(*challenge, key_);
  if (!answer.ok()) return fail(broken_protocol("has a key that proves nothing"));
  server_ = challenge->server;
  phase_ = Phase::kResponded;
  write_frame(wire::Opcode::kText, *answer);
}

void RelaySession::read_verdict(std::string_view frame) {
  wire::JsonDocument document;
  if (!document.parse(frame).ok()) return fail(broken_protocol("answered with no JSON"));
  const auto said = [&](std::string_view name) {
    return document.root()[name].string().value_or("");
  };
  if (said("type") == "REGISTER_SUCCESS") {
    phase_ = Phase::kOpen;
  } else if (said("type") == "REGISTER_FAILURE") {
    fail(register_failure(said("reason")));
  } else if (!said("error").empty()) {  // of the original: SOCKET_ALREADY_REGISTERED
    fail(register_failure(said("error")));
  } else {
    fail(broken_protocol("answered the proof with something else"));
  }
}

bool RelaySession::on_ping(std::string_view payload) {
  write_frame(wire::Opcode::kPong, payload);
  return !end_;
}

void RelaySession::on_close(std::uint16_t code, std::string_view reason) {
  if (code == number_of(CloseReason::kReplaced)) {
    return fail(failure(ErrorCode::kConflict, "replaced",
                        "another connection proved the same key and took over",
                        "A key has one connection: give each program a key of its own (--key)."));
  }
  const std::string why = reason.empty() ? "no reason" : std::string(reason);
  lost("the relay closed with " + std::to_string(code) + ", " + why);
}

}  // namespace signet::cli
