#include "server_process.h"

#include <time.h>

#include <fstream>
#include <string>

namespace signet::bench {

std::chrono::nanoseconds cpu_time_of(pid_t pid) {
  clockid_t clock{};
  timespec time{};
  if (pid == 0 || clock_getcpuclockid(pid, &clock) != 0) return {};
  if (clock_gettime(clock, &time) != 0) return {};
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

Memory memory_of(pid_t pid) {
  Memory memory;
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("VmRSS:")) memory.rss_kib = std::stoll(line.substr(6));
    if (line.starts_with("VmHWM:")) memory.peak_kib = std::stoll(line.substr(6));
  }
  return memory;
}

}  // namespace signet::bench
