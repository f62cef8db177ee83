#include "broker/directory.h"

#include <utility>

namespace signet::broker {

std::optional<net::ConnectionId> Directory::claim(std::string_view name, net::ConnectionId holder) {
  const auto found = holders_.find(name);
  if (found == holders_.end()) {
    holders_.emplace(name, holder);
    return std::nullopt;
  }
  const net::ConnectionId before = std::exchange(found->second, holder);
  return before == holder ? std::nullopt : std::optional(before);
}

void Directory::release(std::string_view name, net::ConnectionId holder) {
  const auto found = holders_.find(name);
  if (found != holders_.end() && found->second == holder) holders_.erase(found);
}

std::optional<net::ConnectionId> Directory::find(std::string_view name) const {
  const auto found = holders_.find(name);
  return found == holders_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace signet::broker
