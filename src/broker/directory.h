// Directory knows which connection holds a name: the node ids and relay keys whose home is this
// shard, wherever their connections are. One holder a name; who proves it last has it. Pure; owned
// by the shard's thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "crypto/hash.h"
#include "net/connection.h"

namespace signet::broker {

class Directory {
 public:
  // The connection has the name from here on; answers who had it before, if that was another.
  std::optional<net::ConnectionId> claim(std::string_view name, net::ConnectionId holder);
  // Nothing, when somebody else took it over meanwhile.
  void release(std::string_view name, net::ConnectionId holder);
  std::optional<net::ConnectionId> find(std::string_view name) const;
  std::size_t size() const { return holders_.size(); }

 private:
  std::unordered_map<std::string, net::ConnectionId, crypto::KeyedHash, std::equal_to<>> holders_;
};

}  // namespace signet::broker
