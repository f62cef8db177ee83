// Arrivals accounts for one sender's messages at one receiver: they are numbered 0, 1, 2, … in the
// order they were sent. It remembers only what is missing, so a stream in order takes no memory;
// a message that is lost takes a few bytes. Pure.
#pragma once

#include <cstdint>
#include <vector>

namespace signet::cli {

enum class Arrival : std::uint8_t {
  kFirst,  // new, and behind all that came before
  kLate,   // new, but a later one came before it
  kAgain,  // it had come already
};

class Arrivals {
 public:
  Arrival arrive(std::uint32_t number);

 private:
  struct Range {
    std::uint32_t from, to;  // to: exclusive
  };
  std::uint32_t next_ = 0;      // above all that came
  std::vector<Range> missing_;  // below next_, in order
};

}  // namespace signet::cli
