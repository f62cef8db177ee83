// RoutingTable says on which other topics a pulse is delivered too: a topic names target nodes, and
// a node names its topics. Protocol: PulseMesh v1. Pure; immutable once compiled, so shards share
// it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/hash.h"
#include "signet/result.h"

namespace signet::routing {

// Ten times what an orchestration of agents has in the field, and small enough to compile in a
// millisecond. Routes are pairs of a topic and another one that it is delivered on: without their
// bound, a thousand topics that reach each other would be a million names.
inline constexpr std::size_t kMaxRoutedTopics = 1024;
inline constexpr std::size_t kMaxRoutedNodes = 256;
inline constexpr std::size_t kMaxRoutes = 16384;

// What an operator writes. A topic may have targets without belonging to a node.
struct RoutingDocument {
  std::map<std::string, std::vector<std::string>> nodes;    // node → its topics
  std::map<std::string, std::vector<std::string>> targets;  // topic → nodes
};

class RoutingTable {
 public:
  RoutingTable() = default;  // routes nothing

  // Fails kMalformed with a sentence that says what is wrong and where: a node whose name is none
  // (is_name), a topic that is none (is_topic), a target that is no node, or a bound above.
  // What is refused stands in it as written, unprintable characters too.
  static Result<RoutingTable> compile(const RoutingDocument& document);

  // The topics of the target nodes of `topic`: sorted, each once, without `topic` itself. Lives as
  // long as the table.
  const std::vector<std::string>& also_to(std::string_view topic) const;

  std::vector<std::string> topics() const;   // all that the document names, sorted
  bool names(std::string_view topic) const;  // whether it is one of them

 private:
  // Every topic of the document, with where it is delivered too.
  std::unordered_map<std::string, std::vector<std::string>, crypto::KeyedHash, std::equal_to<>>
      routes_;
};

}  // namespace signet::routing
