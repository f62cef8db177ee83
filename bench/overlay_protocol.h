// Submissions of overlay nodes over HTTP, one connection a node that stays open. Nothing is pushed;
// the answer to a submission is its ack. Normative text: protocol/overlay.md.
#pragma once

#include <memory>
#include <string>

#include "overlay_node.h"
#include "protocol.h"

namespace signet::bench {

// `at`: HOST:PORT, for the Host header. The node is registered.
std::unique_ptr<Protocol> overlay_protocol(std::string at, std::shared_ptr<OverlayNode> node);

}  // namespace signet::bench
