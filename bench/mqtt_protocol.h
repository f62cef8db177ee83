// MQTT 3.1.1 at QoS 1 with persistent sessions, as much of it as a load needs.
#pragma once

#include <memory>

#include "protocol.h"

namespace signet::bench {

std::string mqtt_topic(std::size_t peer);
std::unique_ptr<Protocol> mqtt_protocol(std::size_t peer);

}  // namespace signet::bench
