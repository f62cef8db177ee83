#include "load_row.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace signet::bench {

void Latencies::add(std::chrono::nanoseconds sample) {
  constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
  const std::int64_t us = std::clamp<std::int64_t>(sample.count() / 1'000, 0, kMost);
  samples_.push_back(static_cast<std::uint32_t>(us));
}

void Latencies::write(wire::JsonWriter& row, std::string_view name) {
  row.key(name);
  if (samples_.empty()) {
    row.null();
    return;
  }
  std::sort(samples_.begin(), samples_.end());
  const auto at = [this](double share) {
    const auto last = static_cast<double>(samples_.size() - 1);
    return std::uint64_t{samples_[static_cast<std::size_t>(share * last)]};
  };
  row.object().key("count").value(std::uint64_t{samples_.size()});
  row.key("p50").value(at(0.5)).key("p90").value(at(0.9)).key("p99").value(at(0.99));
  row.key("p999").value(at(0.999)).key("max").value(at(1)).end();
}

double rounded(double figure) {
  constexpr double kWholeFrom = 1'000;
  constexpr double kDecimals = 1'000;
  return figure >= kWholeFrom ? std::round(figure) : std::round(figure * kDecimals) / kDecimals;
}

void print_row(wire::JsonWriter& row) {
  row.end();
  std::printf("%s\n", row.text().c_str());
  std::fflush(stdout);
}

}  // namespace signet::bench
