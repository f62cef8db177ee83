// SendCeiling is a server without a format: what comes from one socket is sent to all others, with
// one call each and nothing else. No server of this machine that sends once to each subscriber can
// be faster, so it is the ceiling that fan-out is held to.
#pragma once

#include <memory>

#include "protocol.h"
#include "signet/result.h"

namespace signet::bench {

// Prints a line {"listen":"127.0.0.1:PORT"}, then serves until SIGTERM ends the process. Returns
// only where it can't: kUnavailable.
Status serve_ceiling();

// A peer of it. A message is the text of a pulse and what Signet adds to it; what comes is counted
// by its bytes, so every message of a run must be sent with a filler of `filler_bytes`.
std::unique_ptr<Protocol> ceiling_protocol(std::size_t filler_bytes);

}  // namespace signet::bench
