// IdleMemory measures what a connection costs its server that was let in and then says nothing: its
// memory, and what time the server takes while all of them are silent.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "protocol.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

struct IdleMemoryPlan {
  pid_t server = 0;
  std::size_t warm_up = 256;  // connected and closed before: what a server keeps from then on
  std::size_t at_once = 64;   // handshakes under way
  std::chrono::milliseconds settle{1'500};  // until what was buffered is given back
  std::chrono::milliseconds quiet{1'000};   // in which the server's time is taken
};

// Opens a connection for each peer of the target and writes how much the server's resident memory
// grew by one. Accounts of the peers are there before and are not counted; kernel memory of the
// sockets is not resident memory of a process. Fails kUnavailable when one is refused.
Status run_idle_memory(const Target& target, const IdleMemoryPlan& plan, wire::JsonWriter& row);

}  // namespace signet::bench
