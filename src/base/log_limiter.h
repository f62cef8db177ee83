// LogLimiter keeps what a peer can cause again and again from filling the log: of each kind the
// first line is written at once, then at most one an interval, which says how often it happened
// unsaid. Counters stay exact; the log tells that it happens and to whom, for example.
//   if (const auto repeated = rejected_log_.take(code, now)) {
//     log(LogLevel::kWarn, "hello.rejected", {{"reason", name_of(code)}, {"repeated", *repeated}});
//   }
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "base/time.h"

namespace signet {

// What nobody can read any faster in a flood, and soon enough to see that one began.
inline constexpr std::chrono::seconds kLogInterval{1};

// One slot per value of a generated code set (`kinds`: its count). Owned by one thread.
template <class Kind>
class LogLimiter {
 public:
  explicit LogLimiter(std::size_t kinds, std::chrono::nanoseconds interval = kLogInterval)
      : interval_(interval), slots_(kinds) {}

  // nullopt: stay silent. Otherwise write a line now; the number is how many stayed silent since
  // the last one of this kind. What is silent at the end of a flood is told with the next line.
  // REQUIRES: kind < kinds.
  std::optional<std::int64_t> take(Kind kind, Elapsed now) {
    Slot& slot = slots_.at(static_cast<std::size_t>(kind));
    if (slot.written && now - *slot.written < interval_) {
      ++slot.silent;
      return std::nullopt;
    }
    slot.written = now;
    return std::exchange(slot.silent, 0);
  }

 private:
  struct Slot {
    std::optional<Elapsed> written;
    std::int64_t silent = 0;
  };
  std::chrono::nanoseconds interval_;
  std::vector<Slot> slots_;
};

}  // namespace signet
