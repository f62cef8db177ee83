// The NATS client protocol, as much of it as a load needs: one subject a peer, bodies published
// with or without JetStream's acknowledgement.
#pragma once

#include <memory>

#include "protocol.h"

namespace signet::bench {

std::string nats_subject(std::size_t peer);

// With `stored`, peer 0 first makes a stream on a file that takes every subject of nats_subject(),
// and each message asks for the stream's acknowledgement. Connect peer 0 before the others.
std::unique_ptr<Protocol> nats_protocol(std::size_t peer, bool stored);

// Peer 0 publishes on one subject, which all others hear.
inline constexpr std::string_view kNatsTopic = "topic.bench";
std::unique_ptr<Protocol> nats_topic_protocol(std::size_t peer);

}  // namespace signet::bench
