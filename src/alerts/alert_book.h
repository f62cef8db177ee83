// AlertBook decides when an alert begins and when it ends, from readings of counters and gauges
// that somebody else takes. Pure. docs/alerts.md says to operators what each alert means.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace signet::alerts {

enum class Alert : std::uint8_t {
  kFailedProofs,
  kReplays,
  kFloods,
  kSlowConsumers,
  kClockSteps,
  kAuditGap,
  kAuditDamaged,
  kDiskFree,
  kStoreFull,
  kStoreUnhealthy,
  kCertificateExpiry,
};
inline constexpr std::size_t kAlertCount = 11;

// How a reading is judged. An alert on a rate ends below half of its threshold, one on a level a
// tenth beyond it, so that what hovers at the threshold is one alert.
enum class AlertKind : std::uint8_t {
  kRate,     // a counter: by how much it grew within the window, at least the threshold
  kBelow,    // a gauge that is below the threshold
  kAtLeast,  // a gauge that has reached it
};

std::string_view name_of(Alert alert);  // "failed_proofs", as everybody is told it
AlertKind kind_of(Alert alert);

template <class T>
using PerAlert = std::array<T, kAlertCount>;

// By alert; 0: there is no such alert.
using AlertThresholds = PerAlert<std::int64_t>;

// What thresholds of rates are of: "a minute" in the settings.
inline constexpr std::chrono::seconds kAlertWindow{60};

// AlertReading is everything that was seen at one moment. A counter is given as it stands. nullopt:
// not known now, which neither begins nor ends anything.
struct AlertReading {
  Elapsed now;
  PerAlert<std::optional<std::int64_t>> values{};
};

struct AlertEvent {
  Alert alert{};
  bool began = false;      // else it ended
  std::int64_t value = 0;  // of the gauge; of a rate, the growth within the window
  std::int64_t threshold = 0;
  Elapsed since;  // when it began
};

// SlidingSum adds up what came within a window, in memory that does not grow: the window is cut
// into slots, and a slot is forgotten as a whole.
class SlidingSum {
 public:
  explicit SlidingSum(std::chrono::nanoseconds window) : slot_(window / kSlots) {}

  // Times do not go back.
  void add(std::int64_t n, Elapsed now);
  std::int64_t at(Elapsed now);

 private:
  static constexpr std::int64_t kSlots = 60;  // so that a minute is exact to a second
  void move_to(Elapsed now);

  std::chrono::nanoseconds slot_;
  std::int64_t newest_ = 0;  // the slot that `now` is in, counted from boot
  std::array<std::int64_t, kSlots> sums_{};
};

class AlertBook {
 public:
  explicit AlertBook(const AlertThresholds& thresholds,
                     std::chrono::nanoseconds window = kAlertWindow);

  // Takes the next reading; answers what began and ended with it, by alert. The first reading of a
  // counter begins nothing, it is what the next is compared with; a counter that fell began anew at
  // zero. What grew in a longer time than the window counts with the window's share of it. An alert
  // ends after two whole windows that were quiet. A reading that is older than the last is ignored.
  std::vector<AlertEvent> judge(const AlertReading& reading);

  bool is_active(Alert alert) const { return states_[index(alert)].since.has_value(); }

 private:
  struct Counted {
    std::int64_t value = 0;
    Elapsed at;
  };
  struct State {
    explicit State(std::chrono::nanoseconds window) : recent(window) {}
    std::optional<Counted> last;
    SlidingSum recent;
    std::optional<Elapsed> since;  // while it is active
    Elapsed noisy_at;              // when it was last not quiet
  };
  static std::size_t index(Alert alert) { return static_cast<std::size_t>(alert); }
  std::int64_t grown(State& state, std::int64_t value, Elapsed now) const;
  std::optional<AlertEvent> judge(Alert alert, std::int64_t value, Elapsed now);

  const AlertThresholds thresholds_;
  const std::chrono::nanoseconds window_;
  std::vector<State> states_;
  std::optional<Elapsed> last_reading_;
};

}  // namespace signet::alerts
