#include "client/session.h"

#include <algorithm>
#include <array>

#include "client/broker_codes.h"

namespace signet::client {
namespace {

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
      link_(options.max_frame_bytes, options.max_output_bytes, host, path),
      phase_deadline_(now + options.upgrade_timeout),
      heard_(now) {}

void Session::feed(std::span<char> bytes, Elapsed now, WallTime wall, SessionEvents& events) {
  if (end_ || bytes.empty()) return;
  heard_ = now;
  wall_ = wall;
  pinged_ = false;
  events_ = &events;
  link_.feed(bytes, *this);
  events_ = nullptr;
  note_fault();
}

void Session::on_open() {
  phase_ = Phase::kHello;
  phase_deadline_ = heard_ + options_.hello_timeout;
  say_hello();
}

void Session::say_hello() {
  const dialects::HelloFields fields{identity_.mesh_id,
                                     identity_.member_id,
                                     identity_.session_id,
                                     identity_.display_name,
                                     identity_.cwd,
                                     identity_.pid,
                                     wall_.ms};
  link_.say(dialects::hello_frame(fields, *identity_.key));
}

// A refusal whose close frame got lost is a refusal still.
void Session::lost(std::string_view why, std::string_view code) {
  if (phase_ == Phase::kHello && !refusal_.empty())
    return refuse_hello(code_or(refusal_, "refused"));
  fail(ErrorCode::kUnavailable, code, why);
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
    link_.ping();
    note_fault();
  }
}

Elapsed Session::next_deadline() const {
  if (phase_ != Phase::kOpen) return phase_deadline_;
  return heard_ + (pinged_ ? options_.dead_after : options_.ping_after);
}

void Session::say(std::string_view frame) {
  link_.say(frame);
  note_fault();
}

void Session::say_goodbye() {
  if (!end_) link_.say_goodbye();
}

void Session::note_fault() {
  if (!end_ && link_.fault()) end_ = SessionEnd{*link_.fault(), false};
}

void Session::fail(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  if (end_) return;
  end_ = SessionEnd{{code, std::string(stable_code) + ": " + std::string(sentence)}, false};
  link_.fail(code, stable_code, sentence);  // nothing more is read
}

void Session::refuse_hello(const std::string& code) {
  if (end_) return;
  const bool is_final = is_final_refusal(code);
  const ErrorCode kind = is_final ? ErrorCode::kUnauthorized : ErrorCode::kUnavailable;
  end_ = SessionEnd{{kind, code + ": " + std::string(sentence_of(code))}, is_final};
  link_.fail(kind, code, sentence_of(code));
}

void Session::on_message(wire::MessageKind kind, std::string_view payload) {
  if (kind != wire::MessageKind::kText) return;  // the format has none: passed over
  dialects::Answer answer = dialects::read_answer(payload);
  if (phase_ == Phase::kHello) {
    if (const auto* admitted = std::get_if<dialects::HelloAnswer>(&answer)) {
      phase_ = Phase::kOpen;
      return events_->on_admitted(*admitted);
    }
    if (const auto* error = std::get_if<dialects::ErrorAnswer>(&answer)) {
      refusal_ = error->code;  // the close that follows says it again, as its reason
      return;
    }
  }
  events_->on_answer(std::move(answer));
}

void Session::on_close(std::uint16_t code, std::string_view reason) {
  const bool refused = phase_ == Phase::kHello && (code == 1008 || !refusal_.empty());
  const std::string said = code_or(refusal_, "refused");
  if (refused) return refuse_hello(code == 1008 ? code_or(reason, said) : said);
  if (code == 1008 && reason == "revoked") refuse_hello("revoked");
}

}  // namespace signet::client
