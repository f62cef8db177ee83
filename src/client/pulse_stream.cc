#include "client/pulse_stream.h"

#include <algorithm>

namespace signet::client {
namespace {

constexpr std::size_t kMaxOwn = 1'024;  // four times what may be under way

bool is_counted(const dialects::PulseAnswer& pulse) {
  return pulse.number > 0 && pulse.topic_number > 0;
}

}  // namespace

Pulse pulse_of(dialects::PulseAnswer answer) {
  Pulse pulse;
  pulse.topic = std::move(answer.topic);
  pulse.from = std::move(answer.from);
  pulse.at = std::move(answer.at);
  pulse.number = answer.number;
  pulse.topic_number = answer.topic_number;
  pulse.json = std::move(answer.pulse);
  return pulse;
}

void PulseStream::on_live(const dialects::PulseAnswer& pulse) {
  if (!holding_) return queue(pulse);
  held_.push_back(pulse);
  if (held_.size() > options_.max_pulses) held_.pop_front();
}

void PulseStream::on_history(std::vector<dialects::PulseAnswer> pulses) {
  for (dialects::PulseAnswer& pulse : pulses) queue(std::move(pulse));
}

void PulseStream::on_own(const std::string& topic, std::uint64_t topic_number) {
  own_.emplace_back(topic, topic_number);
  if (own_.size() > kMaxOwn) own_.pop_front();
}

void PulseStream::hold() {
  holding_ = true;
  held_.clear();
}

void PulseStream::release() {
  holding_ = false;
  for (dialects::PulseAnswer& pulse : held_) queue(std::move(pulse));
  held_.clear();
}

void PulseStream::reached(std::uint64_t number) { last_ = std::max(last_.value_or(0), number); }

void PulseStream::queue(dialects::PulseAnswer pulse) {
  reached(pulse.number);
  queued_bytes_ += pulse.pulse.size();
  queue_.push_back({std::move(pulse), std::exchange(gap_before_next_, false)});
  while (queue_.size() > options_.max_pulses ||
         (queued_bytes_ > options_.max_bytes && queue_.size() > 1)) {
    drop_oldest();
  }
}

// The next one of its topic counts it: by what was seen before, or as the one right before it.
void PulseStream::drop_oldest() {
  const Queued oldest = std::move(queue_.front());
  queue_.pop_front();
  queued_bytes_ -= oldest.pulse.pulse.size();
  if (oldest.gap_before) {
    seen_.clear();
    gap_dropped_ = true;
  }
  if (!is_counted(oldest.pulse) || seen_.find(oldest.pulse.topic) != seen_.end()) return;
  remember(oldest.pulse.topic, {oldest.pulse.topic_number - 1, oldest.pulse.number - 1});
}

void PulseStream::remember(const std::string& topic, Seen seen) {
  if (seen_.size() >= options_.max_topics && seen_.find(topic) == seen_.end()) seen_.clear();
  seen_[topic] = seen;
}

bool PulseStream::is_own(const dialects::PulseAnswer& pulse) const {
  return std::any_of(own_.begin(), own_.end(), [&](const auto& own) {
    return own.second == pulse.topic_number && own.first == pulse.topic;
  });
}

std::uint64_t PulseStream::own_between(const std::string& topic, std::uint64_t low,
                                       std::uint64_t high) const {
  return static_cast<std::uint64_t>(std::count_if(own_.begin(), own_.end(), [&](const auto& own) {
    return own.second > low && own.second < high && own.first == topic;
  }));
}

std::optional<Pulse> PulseStream::counted(Queued queued) {
  dialects::PulseAnswer& pulse = queued.pulse;
  if (queued.gap_before) seen_.clear();
  if (!is_counted(pulse)) {
    gap_dropped_ = gap_dropped_ || queued.gap_before;  // the next that counts says it
    return pulse_of(std::move(pulse));
  }
  const auto known = seen_.find(pulse.topic);
  const std::optional<Seen> before =
      known != seen_.end() ? std::optional<Seen>(known->second) : std::nullopt;
  if (before && pulse.topic_number <= before->topic_number) return std::nullopt;
  const bool own = is_own(pulse);
  if (!own || !before) remember(pulse.topic, {pulse.topic_number, pulse.number});
  if (own) {
    gap_dropped_ = gap_dropped_ || queued.gap_before;
    return std::nullopt;
  }
  const std::uint64_t low = before ? before->topic_number : pulse.topic_number - 1;
  const std::uint64_t skipped = pulse.topic_number - low - 1;
  // A topic's number rises no faster than the mesh's: else the broker has begun the topic anew.
  const bool is_anew =
      before && (pulse.number <= before->number || skipped >= pulse.number - before->number);
  const std::uint64_t own_ones = own_between(pulse.topic, low, pulse.topic_number);
  const bool gap_dropped = std::exchange(gap_dropped_, false);
  Pulse out = pulse_of(std::move(pulse));
  out.missed = is_anew ? 0 : skipped - std::min(skipped, own_ones);
  out.gap = queued.gap_before || is_anew || gap_dropped;
  return out;
}

std::optional<Pulse> PulseStream::next() {
  while (!queue_.empty()) {
    Queued front = std::move(queue_.front());
    queue_.pop_front();
    queued_bytes_ -= front.pulse.pulse.size();
    if (auto pulse = counted(std::move(front))) return pulse;
  }
  return std::nullopt;
}

}  // namespace signet::client
