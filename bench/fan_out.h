// FanOut publishes to one topic and counts what its subscribers get: one message at a time, or
// bursts of several in one write. The next burst leaves when the one before came to everybody.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "protocol.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

struct FanOutPlan {
  std::size_t burst = 1;
  std::size_t filler_bytes = 256;
  std::chrono::milliseconds warm_up{500};
  std::chrono::milliseconds window{3'000};
  pid_t server = 0;
};

// Peer 0 of the target publishes, all others hear. A subscriber's messages are counted and not
// told apart, so what is lost shows as a burst that does not end, and what comes twice as more than
// was sent. Fails kUnavailable when a peer is not admitted.
Status run_fan_out(const Target& target, const FanOutPlan& plan, wire::JsonWriter& row);

}  // namespace signet::bench
