// Pulse is one publication on a topic. Built once, then shared immutable by the history, every
// shard and every receiver.
#pragma once

#include <cstdint>
#include <string>

#include "base/ids.h"
#include "base/time.h"

namespace signet::routing {

struct Pulse {
  MeshNumber mesh;
  std::uint64_t number = 0;        // consecutive over the mesh
  std::uint64_t topic_number = 0;  // consecutive within the topic
  std::string topic;
  std::string from;  // who published, as receivers are told: `source` or key
  WallTime at;
  std::string text;  // the whole JSON object, stamped
};

}  // namespace signet::routing
