// Redis as a durable log: XADD to a stream per receiver, acknowledged by its reply. Nothing is
// pushed.
#pragma once

#include <memory>

#include "protocol.h"

namespace signet::bench {

std::string redis_stream(std::size_t peer);
std::unique_ptr<Protocol> redis_protocol();

}  // namespace signet::bench
