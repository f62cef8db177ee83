#include "config/routes_file.h"

#include "config/document_reader.h"
#include "config/nearest.h"
#include "routing/address.h"
#include "routing/topic.h"

namespace signet::config {
namespace {

using trust::Placed;
using trust::PlacedList;

std::vector<std::string> texts_of(const PlacedList& list) {
  std::vector<std::string> texts;
  for (const Placed& each : list) texts.push_back(each.text);
  return texts;
}

class RoutesReader {
 public:
  explicit RoutesReader(std::string_view name) : in_(name) {}

  Result<routing::RoutingDocument> read(std::string_view text) {
    SIGNET_TRY(const toml::table root, in_.parse(text, kMaxRoutesBytes));
    in_.read(root,
             {{"nodes",
               [&](const auto& key, const auto& node) {
                 in_.each_entry(key, node,
                                [&](const auto& name, const auto& value) { node_of(name, value); });
               }},
              {"targets",
               [&](const auto& key, const auto& node) {
                 in_.each_entry(key, node, [&](const auto& topic, const auto& value) {
                   target_of(topic, value);
                 });
               }}},
             "a routing table");
    check_targets();
    if (in_.faults() == 0) check_whole();
    if (in_.faults() > 0) return in_.error();
    return std::move(document_);
  }

 private:
  void check_topic(const Placed& topic) {
    if (!routing::is_topic(topic.text)) in_.fault(topic.at, "'" + topic.text + "' is no topic");
  }

  void node_of(const toml::key& name, const toml::node& value) {
    if (!routing::is_name(name.str())) {
      in_.fault(place_of(name), "'" + std::string(name.str()) + "' is no name of a node");
    }
    PlacedList topics;
    in_.texts(topics, DocumentReader::Empty::kAllowed)(name, value);
    for (const Placed& topic : topics) check_topic(topic);
    document_.nodes[std::string(name.str())] = texts_of(topics);
  }

  void target_of(const toml::key& topic, const toml::node& value) {
    if (value.is_table()) {
      return in_.fault(place_of(topic),
                       "a topic with dots is one key only in quotes: \"mirror.intent\" = […]");
    }
    check_topic(Placed(std::string(topic.str()), place_of(topic)));
    PlacedList nodes;
    in_.texts(nodes, DocumentReader::Empty::kAllowed)(topic, value);
    document_.targets[std::string(topic.str())] = texts_of(nodes);
    targets_.insert(targets_.end(), nodes.begin(), nodes.end());
  }

  void check_targets() {
    std::vector<std::string> names;
    for (const auto& node : document_.nodes) names.push_back(node.first);
    for (const Placed& target : targets_) {
      if (document_.nodes.contains(target.text)) continue;
      const std::string near = nearest(target.text, names);
      in_.fault(target.at, "there is no node '" + target.text + "'" +
                               (near.empty() ? "" : "; did you mean '" + near + "'?"));
    }
  }

  // What no single line is guilty of.
  void check_whole() {
    const auto table = routing::RoutingTable::compile(document_);
    if (!table.ok()) in_.fault({1, 1}, table.error().detail);
  }

  DocumentReader in_;
  routing::RoutingDocument document_;
  PlacedList targets_;
};

}  // namespace

Result<routing::RoutingDocument> read_routes(std::string_view text, std::string_view name) {
  return RoutesReader(name).read(text);
}

Result<routing::RoutingDocument> read_routes_file(const std::string& path) {
  SIGNET_TRY(const std::string text, read_document(path, kMaxRoutesBytes));
  return read_routes(text, path);
}

}  // namespace signet::config
