// Envelope is one message as the broker knows it: everything but the meaning of its body. Built
// once, then shared immutable by the store, every shard and every receiver.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"

namespace signet::routing {

// Derived from mesh, sender and client id, so that a retry is the same message.
using MessageId = std::array<unsigned char, 16>;

enum class Priority : std::uint8_t { kNow = 0, kNext = 1, kLow = 2 };

struct Envelope {
  MessageId id{};
  MeshNumber mesh;
  MemberNumber sender;
  Priority priority = Priority::kNext;
  bool receipts = false;  // the sender asked to be told of delivery
  std::string to;         // text of the Address
  std::string body;       // opaque
  WallTime created;
  WallTime expires;
};

}  // namespace signet::routing
