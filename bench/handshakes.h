// Handshakes measures what it costs a server to let somebody in under TLS, before anything is said.
#pragma once

#include <sys/types.h>

#include <string>

#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

struct HandshakesPlan {
  std::string at;  // HOST:PORT
  std::size_t handshakes = 2'000;
  pid_t server = 0;
};

// Connects, shakes hands and hangs up, one after the other: the server waits while the generator
// computes, so its CPU time is the figure and not the wall's. Fails kUnavailable as soon as one
// does.
Status run_handshakes(const HandshakesPlan& plan, wire::JsonWriter& row);

}  // namespace signet::bench
