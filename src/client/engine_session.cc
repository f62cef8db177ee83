#include "client/engine_session.h"

#include <algorithm>
#include <array>

#include "base/codes.h"
#include "base/overloaded.h"
#include "crypto/wipe.h"
#include "wire/engineio_packet.h"

namespace signet::client {
namespace {

using dialects::JobStep;
using std::chrono::milliseconds;
using wire::EnginePacketType;
using wire::SocketPacketType;
using Next = EngineSessionEnd::Next;

constexpr std::string_view kQuery = "?EIO=4&transport=websocket";
// A longer life needs no plan, and its nanoseconds must fit.
constexpr milliseconds kLongestLife = std::chrono::hours(24 * 30);
constexpr milliseconds kTooLate{1'000};  // before its end nobody has another token

wire::SocketLimits limits_of(const EngineSessionOptions& options) {
  wire::SocketLimits limits;
  limits.max_bytes = options.max_message_bytes;
  limits.max_attachments = 1;  // none is ever sent
  return limits;
}

// nullopt: the token does not say.
std::optional<Elapsed> end_of(std::string_view token, Elapsed now, WallTime wall) {
  const auto end = dialects::token_end(token);
  if (!end) return std::nullopt;
  return now + std::clamp(milliseconds(end->ms - wall.ms), milliseconds(0), kLongestLife);
}

// The words of JobFailure are the codes; an engine of a later version may hear others.
Error lost_as(std::string_view error) {
  for (std::size_t i = 0; i < kJobFailureCount; ++i) {
    const auto why = static_cast<JobFailure>(i);
    if (!error.starts_with(name_of(why))) continue;
    return {ErrorCode::kConflict, std::string(name_of(why)) + ": " + std::string(meaning_of(why))};
  }
  return {ErrorCode::kConflict, "JOB_LEASE_STALE: the lease ended, the job goes to another try"};
}

struct RefusedWord {
  EngineRefusal code;
  ErrorCode kind;
};
constexpr std::array kRefusedWords = {
    RefusedWord{EngineRefusal::kEnginePacketIncomplete, ErrorCode::kMalformed},
    RefusedWord{EngineRefusal::kEngineTimestampExpired, ErrorCode::kUnauthorized},
    RefusedWord{EngineRefusal::kEngineSignatureInvalid, ErrorCode::kUnauthorized},
    RefusedWord{EngineRefusal::kEngineNonceReplay, ErrorCode::kConflict},
    RefusedWord{EngineRefusal::kEnginePayloadInvalid, ErrorCode::kMalformed},
    RefusedWord{EngineRefusal::kJobUnknown, ErrorCode::kNotFound},
    RefusedWord{EngineRefusal::kJobLeaseStale, ErrorCode::kConflict},
    RefusedWord{EngineRefusal::kJobTransitionInvalid, ErrorCode::kConflict},
    RefusedWord{EngineRefusal::kEngineRateLimited, ErrorCode::kOverloaded},
    RefusedWord{EngineRefusal::kEngineUnavailable, ErrorCode::kUnavailable},
};
static_assert(kRefusedWords.size() == kEngineRefusalCount);

// What a broker says that is not in the table is not repeated: it is no code that anybody knows.
Error refusal_of(const dialects::WordRefusedTold& told) {
  const std::string event = " (" + std::string(dialects::event_of(told.step)) + ")";
  for (const RefusedWord& known : kRefusedWords) {
    if (told.reason != name_of(known.code)) continue;
    return {known.kind, told.reason + ": " + std::string(meaning_of(known.code)) + event};
  }
  return {ErrorCode::kForbidden, "denied: the broker refused a word about a job" + event};
}

}  // namespace

EngineSession::EngineSession(const EngineSessionOptions& options, std::string token,
                             crypto::SecretText secret, std::string_view host,
                             std::string_view path, std::function<std::string()> draw, Elapsed now,
                             WallTime wall)
    : options_(options),
      token_(std::move(token)),
      secret_(std::move(secret)),
      draw_(std::move(draw)),
      link_(options.max_message_bytes, options.max_output_bytes, host,
            std::string(path).append(kQuery)),
      decoder_(limits_of(options)),
      now_(now),
      heard_(now),
      open_deadline_(now + options.open_timeout),
      beat_at_(now + options.heartbeat_every),
      token_ends_(end_of(token_, now, wall)) {
  plan_renewal();
}

EngineSession::~EngineSession() { crypto::wipe(token_); }

// ---- bytes and time

void EngineSession::feed(std::span<char> bytes, Elapsed now, EngineSessionEvents& events) {
  if (end_) return;
  now_ = heard_ = now;
  events_ = &events;
  link_.feed(bytes, *this);
  events_ = nullptr;
  note_fault();
}

void EngineSession::lost(std::string_view why) {
  // The format's own way to say no is a disconnect packet; one that got lost is a refusal still.
  finish(ErrorCode::kUnavailable, "connection_lost", why, Next::kRetry);
}

void EngineSession::on_time(Elapsed now) {
  now_ = now;
  if (end_) return;
  if (phase_ != Phase::kReady) {
    if (now >= open_deadline_) {
      finish(ErrorCode::kUnavailable, "timeout", "the broker let nobody in in time", Next::kRetry);
    }
    return;
  }
  if (now - heard_ >= options_.dead_after) return lost("the broker fell silent");
  if (answer_by_ && now >= *answer_by_) {
    answer_by_.reset();
    leaves_when_idle_ = true;
  }
  if (leaves_when_idle_ && held_.empty()) {
    say_goodbye();
    return finish(ErrorCode::kUnauthorized, "token_expired", "the token ends soon", Next::kAtOnce);
  }
  if (now < beat_at_) return;
  beat_at_ = now + options_.heartbeat_every;
  say_packet(SocketPacketType::kEvent, dialects::engine_heartbeat_event());
  note_fault();
}

Elapsed EngineSession::next_deadline() const {
  if (phase_ != Phase::kReady) return open_deadline_;
  Elapsed due = std::min(beat_at_, heard_ + options_.dead_after);
  for (const auto& each : {renew_at_, answer_by_}) due = std::min(due, each.value_or(due));
  return leaves_when_idle_ && held_.empty() ? now_ : due;
}

// ---- the token

void EngineSession::plan_renewal() {
  renew_at_.reset();
  if (!token_ends_ || *token_ends_ - now_ < kTooLate) return;
  const auto left = *token_ends_ - now_;
  renew_at_ = now_ + std::max<std::chrono::nanoseconds>(left - options_.renew_before, left / 2);
}

bool EngineSession::wants_token() const {
  return phase_ == Phase::kReady && !end_ && renew_at_ && now_ >= *renew_at_;
}

void EngineSession::renew(std::string token, Elapsed now, WallTime wall) {
  const crypto::WipedAtEnd wiped(token);  // it, or the one whose place it takes
  now_ = now;
  const auto ends = end_of(token, now, wall);
  const bool is_another = !token.empty() && token != token_;
  const bool ends_no_later = ends && token_ends_ && *ends <= *token_ends_;
  if (end_ || !is_another || ends_no_later) return plan_renewal();
  token_.swap(token);
  token_ends_ = ends;
  renew_at_.reset();
  answer_by_ = now + options_.token_timeout;
  std::string event = dialects::engine_refresh_event(token_);
  const crypto::WipedAtEnd wiped_event(event);
  say_packet(SocketPacketType::kEvent, event);
  note_fault();
}

void EngineSession::finish(ErrorCode code, std::string_view stable_code, std::string_view sentence,
                           Next next) {
  if (end_) return;
  end_ = EngineSessionEnd{{code, std::string(stable_code) + ": " + std::string(sentence)}, next};
  link_.fail(code, stable_code, sentence);  // nothing more is read
}

void EngineSession::note_fault() {
  if (!end_ && link_.fault()) end_ = EngineSessionEnd{*link_.fault(), Next::kRetry};
}

// ---- packets

void EngineSession::on_open() { phase_ = Phase::kOpening; }

void EngineSession::on_message(wire::MessageKind kind, std::string_view message) {
  if (kind == wire::MessageKind::kText) return on_engine_packet(message);
  finish(ErrorCode::kUnavailable, "protocol_error", "the broker sent an attachment", Next::kRetry);
}

void EngineSession::on_engine_packet(std::string_view message) {
  const auto packet = wire::read_engine_packet(message);
  const bool is_first = phase_ == Phase::kOpening;
  if (!packet || (packet->type == EnginePacketType::kOpen) != is_first) {
    return finish(ErrorCode::kUnavailable, "protocol_error", "the broker speaks no Engine.IO 4",
                  Next::kRetry);
  }
  switch (packet->type) {
    case EnginePacketType::kOpen:
      return join();
    case EnginePacketType::kClose:
      return lost("the broker ended the session");
    case EnginePacketType::kPing: {
      std::string pong;
      wire::append_engine_packet(pong, EnginePacketType::kPong, packet->data);
      return link_.say(pong);
    }
    case EnginePacketType::kMessage: {
      const auto read = decoder_.text(packet->data);
      if (!read.ok() || *read == nullptr) {
        return finish(ErrorCode::kUnavailable, "protocol_error", "the broker speaks no Socket.IO 5",
                      Next::kRetry);
      }
      if ((*read)->nsp == dialects::kEngineNamespace) on_packet(**read);
      return decoder_.release();
    }
    case EnginePacketType::kPong:
    case EnginePacketType::kUpgrade:
    case EnginePacketType::kNoop:
      return;
  }
}

void EngineSession::join() {
  phase_ = Phase::kJoining;
  std::string data = dialects::engine_connect_data(token_);
  const crypto::WipedAtEnd wiped(data);
  say_packet(SocketPacketType::kConnect, data);
}

void EngineSession::on_packet(const wire::SocketPacket& packet) {
  switch (packet.type) {
    case SocketPacketType::kConnect:
      return on_joined();
    case SocketPacketType::kDisconnect:
    case SocketPacketType::kConnectError:
      return on_left();
    case SocketPacketType::kEvent:
      return on_told(dialects::read_engine_told(packet.data));
    case SocketPacketType::kAck:
    case SocketPacketType::kBinaryEvent:
    case SocketPacketType::kBinaryAck:
      return;
  }
}

void EngineSession::on_joined() {
  if (phase_ != Phase::kJoining) return;
  phase_ = Phase::kReadying;
  say_packet(SocketPacketType::kEvent, dialects::engine_ready_event());
}

// Why an engine is refused is said to the operator's log alone.
void EngineSession::on_left() {
  if (phase_ == Phase::kJoining) {
    return finish(ErrorCode::kUnauthorized, "unauthorized",
                  "the broker lets no engine in with this token; its log says why", Next::kLater);
  }
  if (token_expired_) {
    return finish(ErrorCode::kUnauthorized, "token_expired", "the token has ended", Next::kAtOnce);
  }
  lost("the broker sent this engine away");
}

void EngineSession::on_told(dialects::EngineTold told) {
  if (phase_ < Phase::kReadying) return;  // nobody is in yet
  std::visit(Overloaded{
                 [&](dialects::JobTold& v) { on_job(std::move(v)); },
                 [&](const dialects::LeaseLostTold& v) { on_lease_lost(v); },
                 [&](const dialects::WordRefusedTold& v) { on_word_refused(v); },
                 [&](const dialects::EngineReadyTold&) {
                   if (phase_ == Phase::kReady) return;
                   phase_ = Phase::kReady;
                   beat_at_ = now_ + options_.heartbeat_every;
                   events_->on_ready();
                 },
                 [&](const dialects::TokenExpiredTold&) { token_expired_ = true; },
                 [&](const dialects::TokenTakenTold&) {
                   answer_by_.reset();
                   leaves_when_idle_ = false;
                   plan_renewal();
                 },
                 [&](const dialects::TokenRefusedTold&) {
                   answer_by_.reset();
                   leaves_when_idle_ = true;
                 },
                 [](const dialects::HeartbeatTold&) {},
                 [](const dialects::UnknownTold&) {},
             },
             told);
}

// ---- jobs

void EngineSession::on_job(dialects::JobTold job) {
  const auto known = held_.find(job.id);
  if (known != held_.end()) {
    if (job.lease <= known->second.lease) return;  // said again, or of an earlier time
    drop(known, lost_as(""));
  }
  if (held_.size() >= options_.max_jobs) {  // left alone, the broker gives it to somebody else
    return events_->on_refused(
        {ErrorCode::kOverloaded,
         "limit_exceeded: the broker gave more jobs than this engine takes"});
  }
  held_.emplace(job.id, Held{job.lease, false, std::nullopt});
  events_->on_job(std::move(job));
}

void EngineSession::on_lease_lost(const dialects::LeaseLostTold& told) {
  const auto job = held_.find(told.job);
  if (job != held_.end() && job->second.lease == told.lease) drop(job, lost_as(told.error));
}

void EngineSession::drop(Jobs::iterator job, const Error& why) {
  const Lease lease{job->first, job->second.lease};
  held_.erase(job);
  events_->on_lost(lease, why);
}

// Who signs with another secret, or by another clock, would take jobs and never end one.
void EngineSession::on_word_refused(const dialects::WordRefusedTold& told) {
  const Error why = refusal_of(told);
  events_->on_refused(why);
  if (told.reason == name_of(EngineRefusal::kEngineSignatureInvalid)) {
    say_goodbye();
    finish(ErrorCode::kUnauthorized, "bad_signature", "the broker's engines have another secret",
           Next::kLater);
  } else if (told.reason == name_of(EngineRefusal::kEngineTimestampExpired)) {
    say_goodbye();
    finish(ErrorCode::kUnauthorized, "timestamp_skew",
           "this machine's clock is over half a minute off the broker's", Next::kLater);
  }
}

Status EngineSession::say(const dialects::JobWord& word, Elapsed now, WallTime wall) {
  const auto found = held_.find(word.job);
  if (end_ || found == held_.end() || found->second.lease != word.lease) return Done{};
  Held& job = found->second;
  const bool too_soon = job.progressed && now - *job.progressed < options_.progress_every;
  if (word.step == JobStep::kProgress && too_soon) return Done{};
  if (!job.started && word.step != JobStep::kFailed) {
    job.started = true;
    SIGNET_TRY([[maybe_unused]] const Done begun,
               say_word({JobStep::kStarted, word.job, word.lease, {}}, wall));
    if (word.step == JobStep::kStarted) return Done{};
  } else if (word.step == JobStep::kStarted) {
    return Done{};
  }
  SIGNET_TRY([[maybe_unused]] const Done said, say_word(word, wall));
  if (word.step == JobStep::kProgress) job.progressed = now;
  if (word.step >= JobStep::kCompleted) held_.erase(found);
  return Done{};
}

Status EngineSession::say_word(const dialects::JobWord& word, WallTime wall) {
  SIGNET_TRY(const std::string event,
             dialects::job_word_event(word, secret_.reveal(), draw_(), wall));
  say_packet(SocketPacketType::kEvent, event);
  note_fault();
  return Done{};
}

void EngineSession::say_goodbye() {
  if (phase_ >= Phase::kReadying) say_packet(SocketPacketType::kDisconnect, {});
  link_.say_goodbye();
}

void EngineSession::say_packet(SocketPacketType type, std::string_view data) {
  std::string packet;
  const crypto::WipedAtEnd wiped(packet);  // it may hold the token
  wire::append_engine_packet(packet, EnginePacketType::kMessage, {});
  wire::append_socket_packet(packet, type, dialects::kEngineNamespace, std::nullopt, data);
  link_.say(packet);
}

}  // namespace signet::client
