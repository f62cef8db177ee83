// What a process of this machine has used so far, read from outside.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>

namespace signet::bench {

// CPU time of all threads of `pid`, finished ones included; 0 for pid 0.
std::chrono::nanoseconds cpu_time_of(pid_t pid);

struct Memory {
  std::int64_t rss_kib = 0;   // now
  std::int64_t peak_kib = 0;  // the most since the start
};
Memory memory_of(pid_t pid);

}  // namespace signet::bench
