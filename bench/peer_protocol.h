// What the generator says to the peers that have no format of their own for a task: the texts that
// Signet carries, over a plain WebSocket or inside socket.io's events. Servers: bench/peers.
#pragma once

#include <memory>
#include <string>

#include "protocol.h"

namespace signet::bench {

enum class PeerTask : std::uint8_t {
  kEcho,   // back to its sender
  kPair,   // to the connection of the other number of a pair
  kUser,   // the same, by a topic that each connection has
  kTopic,  // to everybody else; received ones are only counted
};
enum class PeerFraming : std::uint8_t { kWebSocket, kSocketIo };

// The server learns task and number from the path, so it need not read a text to pass it on.
std::unique_ptr<Protocol> peer_protocol(std::string host, PeerTask task, PeerFraming framing,
                                        std::size_t number);

}  // namespace signet::bench
