// The daemon gives up what it never does, so that who finds a way into it can do little with it: no
// other program, no other process's memory, no raw packet, no code that it wrote itself.
#pragma once

#include <cstdint>
#include <string>

namespace signet {

enum class Sandbox : std::uint8_t {
  kClosed,       // the filter holds for every thread, and for ever
  kUnavailable,  // the kernel, or what runs above it, has no filters: nothing changed
};

struct SandboxAnswer {
  Sandbox outcome;
  std::string detail;  // of kUnavailable: what failed
};

// Leaves the whole process the system calls of a list (sandbox.cc): files, sockets of IP and Unix,
// memory, threads, time. Any other one fails with EPERM; those that only an intruder makes (another
// program, tracing, mounts, modules of the kernel) end the process. New threads inherit it. Call
// when everything is opened that wants more, with any number of threads.
SandboxAnswer enter_sandbox();

}  // namespace signet
