#include "alerts/alert_book.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace signet::alerts {
namespace {

struct Row {
  std::string_view name;
  AlertKind kind;
};
constexpr PerAlert<Row> kRows{{
    {"failed_proofs", AlertKind::kRate},
    {"replays", AlertKind::kRate},
    {"floods", AlertKind::kRate},
    {"slow_consumers", AlertKind::kRate},
    {"clock_steps", AlertKind::kRate},
    {"audit_gap", AlertKind::kRate},
    {"audit_damaged", AlertKind::kAtLeast},
    {"disk_free", AlertKind::kBelow},
    {"store_full", AlertKind::kAtLeast},
    {"store_unhealthy", AlertKind::kBelow},
    {"certificate_expiry", AlertKind::kBelow},
}};

constexpr int kQuietWindows = 2;

// More than anything counts in a window, and so little that the slots of one can be added.
constexpr std::int64_t kMostGrowth = std::int64_t{1} << 50;

bool is_over(AlertKind kind, std::int64_t value, std::int64_t threshold) {
  return kind == AlertKind::kBelow ? value < threshold : value >= threshold;
}

bool is_quiet(AlertKind kind, std::int64_t value, std::int64_t threshold) {
  switch (kind) {
    case AlertKind::kRate:
      return value < threshold - threshold / 2;
    case AlertKind::kBelow:
      return value >= threshold && value - threshold >= threshold / 10;
    case AlertKind::kAtLeast:
      return value < threshold - threshold / 10;
  }
  return true;
}

}  // namespace

std::string_view name_of(Alert alert) { return kRows[static_cast<std::size_t>(alert)].name; }
AlertKind kind_of(Alert alert) { return kRows[static_cast<std::size_t>(alert)].kind; }

void SlidingSum::move_to(Elapsed now) {
  const std::int64_t slot = now.since_boot / slot_;
  for (std::int64_t i = std::max(newest_ + 1, slot - kSlots + 1); i <= slot; ++i) {
    sums_[static_cast<std::size_t>(i % kSlots)] = 0;
  }
  newest_ = slot;
}

void SlidingSum::add(std::int64_t n, Elapsed now) {
  move_to(now);
  auto& sum = sums_[static_cast<std::size_t>(newest_ % kSlots)];
  sum = std::min(sum + n, kMostGrowth);
}

std::int64_t SlidingSum::at(Elapsed now) {
  move_to(now);
  return std::accumulate(sums_.begin(), sums_.end(), std::int64_t{0});
}

AlertBook::AlertBook(const AlertThresholds& thresholds, std::chrono::nanoseconds window)
    : thresholds_(thresholds), window_(window), states_(kAlertCount, State(window)) {}

std::vector<AlertEvent> AlertBook::judge(const AlertReading& reading) {
  std::vector<AlertEvent> events;
  if (last_reading_ && reading.now < *last_reading_) return events;
  last_reading_ = reading.now;
  for (std::size_t i = 0; i < kAlertCount; ++i) {
    if (thresholds_[i] <= 0 || !reading.values[i]) continue;
    const auto event = judge(static_cast<Alert>(i), *reading.values[i], reading.now);
    if (event) events.push_back(*event);
  }
  return events;
}

std::optional<AlertEvent> AlertBook::judge(Alert alert, std::int64_t read, Elapsed now) {
  State& state = states_[index(alert)];
  const AlertKind kind = kind_of(alert);
  const std::int64_t threshold = thresholds_[index(alert)];
  const std::int64_t value =
      kind == AlertKind::kRate ? grown(state, std::max<std::int64_t>(read, 0), now) : read;
  if (!is_quiet(kind, value, threshold)) state.noisy_at = now;
  if (!state.since) {
    if (!is_over(kind, value, threshold)) return std::nullopt;
    state.since = now;
    return AlertEvent{alert, true, value, threshold, now};
  }
  if (now - state.noisy_at < kQuietWindows * window_) return std::nullopt;
  const AlertEvent ended{alert, false, value, threshold, *state.since};
  state.since.reset();
  return ended;
}

// By how much the counter grew within the window before `now`.
std::int64_t AlertBook::grown(State& state, std::int64_t value, Elapsed now) const {
  if (!state.last) state.last = Counted{value, now};
  const bool began_anew = value < state.last->value;
  double growth = static_cast<double>(began_anew ? value : value - state.last->value);
  const auto gap = now - state.last->at;
  if (gap > window_) {
    growth *= static_cast<double>(window_.count()) / static_cast<double>(gap.count());
  }
  state.last = Counted{value, now};
  // Rounded up: what happened at all does not become nothing.
  const double bounded = std::clamp(std::ceil(growth), 0.0, static_cast<double>(kMostGrowth));
  state.recent.add(static_cast<std::int64_t>(bounded), now);
  return state.recent.at(now);
}

}  // namespace signet::alerts
