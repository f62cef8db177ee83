#include "client/publisher.h"

#include <charconv>
#include <utility>

#include "client/broker_codes.h"

namespace signet::client {
namespace {

// A broker reads no more than 256 unanswered sends ahead.
constexpr std::size_t kMaxUnanswered = 256;

// Not the form of a ticket, so that no answer is taken for that of a message.
constexpr std::string_view kIdPrefix = "pulse-";

}  // namespace

void Publisher::publish(Pulse pulse, Elapsed now, const Say& say) {
  if (unanswered_.size() >= kMaxUnanswered) {
    if (pulse.done) {
      pulse.done(Error{ErrorCode::kOverloaded,
                       "too_many_pulses: the broker has not answered the last 256 yet"});
    }
    return;
  }
  const std::uint64_t id = next_++;
  say(dialects::topic_publish_frame(std::string(kIdPrefix) + std::to_string(id), pulse.topic,
                                    pulse.object));
  unanswered_.emplace(
      id, Unanswered{std::move(pulse.topic), now, pulse.give_up, std::move(pulse.done)});
}

std::optional<Publisher::Unanswered> Publisher::take(const std::string& client_id) {
  if (!client_id.starts_with(kIdPrefix)) return std::nullopt;
  std::uint64_t id = 0;
  const char* end = client_id.data() + client_id.size();
  const auto read = std::from_chars(client_id.data() + kIdPrefix.size(), end, id);
  if (read.ec != std::errc{} || read.ptr != end) return std::nullopt;
  auto found = unanswered_.extract(id);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped());
}

std::optional<std::string> Publisher::on_published(const dialects::PublishedAnswer& answer) {
  auto pulse = take(answer.client_id);
  if (!pulse) return std::nullopt;
  if (pulse->done) pulse->done(answer);
  return std::move(pulse->topic);
}

bool Publisher::on_error(const dialects::ErrorAnswer& error) {
  const auto pulse = take(error.client_id);
  if (!pulse) return false;
  if (pulse->done) pulse->done(error_of(error.code, error.ref));
  return true;
}

void Publisher::disconnected() {
  for (auto& [id, pulse] : std::exchange(unanswered_, {})) {
    if (!pulse.done) continue;
    pulse.done(Error{ErrorCode::kUnavailable,
                     "connection_lost: the connection ended before the broker answered"});
  }
}

void Publisher::expire(Elapsed now) {
  for (auto& [id, pulse] : unanswered_) {
    if (now < pulse.give_up || !pulse.done) continue;
    std::exchange(pulse.done, nullptr)(
        Error{ErrorCode::kOverloaded, "timeout: the broker did not answer in time"});
  }
}

bool Publisher::is_overdue(Elapsed now) const {
  return !unanswered_.empty() && now >= unanswered_.begin()->second.since + answer_timeout_;
}

std::optional<Elapsed> Publisher::next_deadline() const {
  std::optional<Elapsed> next;
  if (!unanswered_.empty()) next = unanswered_.begin()->second.since + answer_timeout_;
  for (const auto& [id, pulse] : unanswered_) {
    if (pulse.done && (!next || pulse.give_up < *next)) next = pulse.give_up;
  }
  return next;
}

}  // namespace signet::client
