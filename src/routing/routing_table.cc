#include "routing/routing_table.h"

#include <algorithm>
#include <utility>

#include "routing/address.h"
#include "routing/topic.h"

namespace signet::routing {
namespace {

Error refused(std::string sentence) { return Error{ErrorCode::kMalformed, std::move(sentence)}; }

// As long as a name may be, and one more, so that the first thing wrong with it can be seen.
std::string quoted(std::string_view name) {
  return "\"" + std::string(name.substr(0, kMaxTopicBytes + 1)) + "\"";
}

Error too_many(std::size_t most, const char* what) {
  return refused("more than " + std::to_string(most) + " " + what);
}

// Sorted, each once.
void settle(std::vector<std::string>& names) {
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
}

Status check_nodes(const RoutingDocument& document) {
  if (document.nodes.size() > kMaxRoutedNodes) return too_many(kMaxRoutedNodes, "nodes");
  for (const auto& [node, topics] : document.nodes) {
    if (!is_name(node)) return refused("node " + quoted(node) + " has no valid name");
    for (const std::string& topic : topics) {
      if (!is_topic(topic)) return refused("node " + quoted(node) + ": no topic: " + quoted(topic));
    }
  }
  return Done{};
}

Status check_targets(const RoutingDocument& document) {
  for (const auto& [topic, nodes] : document.targets) {
    if (!is_topic(topic)) return refused("targets of what is no topic: " + quoted(topic));
    for (const std::string& node : nodes) {
      if (!document.nodes.contains(node)) {
        return refused("topic " + quoted(topic) + " names an unknown node: " + quoted(node));
      }
    }
  }
  return Done{};
}

using Nodes = std::map<std::string, std::vector<std::string>>;

// The topics of every node, settled: a topic that is listed a thousand times is copied once.
Nodes settled_nodes(const RoutingDocument& document) {
  Nodes nodes = document.nodes;
  for (auto& node : nodes) settle(node.second);
  return nodes;
}

// Where pulses of `topic` are delivered too. It looks at no more than kMaxRoutedNodes times as many
// names as it answers.
std::vector<std::string> routes_of(const Nodes& nodes, const std::string& topic,
                                   std::vector<std::string> targets) {
  settle(targets);
  std::vector<std::string> to;
  for (const std::string& node : targets) {
    for (const std::string& other : nodes.find(node)->second) {
      if (other != topic) to.push_back(other);
    }
  }
  settle(to);
  return to;
}

}  // namespace

Result<RoutingTable> RoutingTable::compile(const RoutingDocument& document) {
  if (const Status checked = check_nodes(document); !checked.ok()) return checked.error();
  if (const Status checked = check_targets(document); !checked.ok()) return checked.error();
  RoutingTable table;
  for (const auto& node : document.nodes) {
    for (const std::string& topic : node.second) table.routes_.try_emplace(topic);
  }
  for (const auto& target : document.targets) table.routes_.try_emplace(target.first);
  if (table.routes_.size() > kMaxRoutedTopics) return too_many(kMaxRoutedTopics, "topics");
  const Nodes nodes = settled_nodes(document);
  std::size_t routes = 0;
  for (const auto& [topic, targets] : document.targets) {
    std::vector<std::string> to = routes_of(nodes, topic, targets);
    routes += to.size();
    if (routes > kMaxRoutes) return too_many(kMaxRoutes, "routes from a topic to another");
    table.routes_.find(topic)->second = std::move(to);
  }
  return table;
}

const std::vector<std::string>& RoutingTable::also_to(std::string_view topic) const {
  static const std::vector<std::string> kNowhere;
  const auto found = routes_.find(topic);
  return found == routes_.end() ? kNowhere : found->second;
}

std::vector<std::string> RoutingTable::topics() const {
  std::vector<std::string> names;
  names.reserve(routes_.size());
  for (const auto& route : routes_) names.push_back(route.first);
  std::sort(names.begin(), names.end());
  return names;
}

bool RoutingTable::names(std::string_view topic) const {
  return routes_.find(topic) != routes_.end();
}

}  // namespace signet::routing
