// One question to the controller for the built-in suite: its /health, which no rate limits and
// whose answer says what time it is there.
#pragma once

#include <chrono>
#include <string>

#include "client/url.h"
#include "signet/client.h"
#include "signet/node/builtin_suite.h"
#include "signet/result.h"

namespace signet::node {

// Connects, asks, and takes the time of all of it; `timeout` is for the whole. Any thread. Fails
// kUnavailable where nobody answers in time, or what answers is no controller.
Result<Probe> probe_health(const client::Url& url, const TlsTrust& trust,
                           std::chrono::milliseconds timeout);

}  // namespace signet::node
