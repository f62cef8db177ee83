// What a measurement leaves behind: one JSON object on one line of standard output.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "wire/json.h"

namespace signet::bench {

// Latencies keeps every sample, in microseconds: a percentile is then exact.
class Latencies {
 public:
  void add(std::chrono::nanoseconds sample);
  std::size_t count() const { return samples_.size(); }

  // Writes {"count","p50","p90","p99","p999","max"} in microseconds under `name`; null without a
  // sample.
  void write(wire::JsonWriter& row, std::string_view name);

 private:
  std::vector<std::uint32_t> samples_;
};

// Figures of 1,000 and more are cut to whole numbers, the others to three decimals.
double rounded(double figure);

void print_row(wire::JsonWriter& row);  // closes the object, ends the line

}  // namespace signet::bench
