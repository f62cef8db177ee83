// MQTT 3.1.1, as much of it as a load needs.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "protocol.h"

namespace signet::bench {

std::string mqtt_topic(std::size_t peer);

// QoS 1 with a persistent session, and a topic of its own.
std::unique_ptr<Protocol> mqtt_protocol(std::size_t peer);
// QoS 0 with a session that ends with its connection: nothing is acknowledged.
std::unique_ptr<Protocol> mqtt_unconfirmed_protocol(std::size_t peer);

// The same where peer 0 publishes on one topic, which all others hear.
inline constexpr std::string_view kMqttTopic = "topic/bench";
std::unique_ptr<Protocol> mqtt_topic_protocol(std::size_t peer);

}  // namespace signet::bench
