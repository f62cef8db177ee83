// The TOML text of a mesh's routing table, read:
//   [nodes]    node = [topics]        which topics a node has
//   [targets]  "topic" = [nodes]      to which nodes' topics a pulse on it goes, too
#pragma once

#include <string>
#include <string_view>

#include "routing/routing_table.h"
#include "signet/result.h"

namespace signet::config {

inline constexpr std::size_t kMaxRoutesBytes = std::size_t{256} * 1024;  // 1,024 long topics fit

// `name` is what messages call the text. Fails kMalformed with every fault, a line each:
// "name:line:column: sentence". What it answers, routing::RoutingTable::compile takes.
Result<routing::RoutingDocument> read_routes(std::string_view text, std::string_view name);

// Fails kNotFound where the file cannot be read, else as read_routes().
Result<routing::RoutingDocument> read_routes_file(const std::string& path);

}  // namespace signet::config
