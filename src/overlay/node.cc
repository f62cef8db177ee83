#include "overlay/node.h"

#include <algorithm>
#include <cstdlib>

namespace signet::overlay {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace

bool is_node_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNodeName && name.front() != '.' &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

void forget_reports(Node& node, WallTime before) {
  std::erase_if(node.reports, [&](const auto& each) { return each.second.timestamp < before; });
  if (node.reports.empty()) node.trend = {};
}

Score Submission::overall() const {
  const auto found = scores.find("overall");
  if (found == scores.end()) std::abort();
  return found->second;
}

}  // namespace signet::overlay
