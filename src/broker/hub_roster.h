// HubRoster is who of a mesh's users is here, in what state, and on which shards: presence. Only
// what the server itself saw counts, by its own clock. Two sockets of one user are one user, who is
// gone when the last of them is. Pure; owned by the mesh's home shard.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/time.h"
#include "dialects/hub.h"

namespace signet::broker {

class HubRoster {
 public:
  explicit HubRoster(std::chrono::milliseconds idle_after) : idle_after_(idle_after) {}

  struct Socket {
    std::string id;    // public
    std::string role;  // others see the newest one's
    std::uint32_t shard = 0;
    WallTime since;
    bool inactive = false;  // silent for long
    bool admin = false;     // is shown everybody
  };

  void joined(const std::string& user, Socket socket, Elapsed now);
  void set_role(const std::string& user, const std::string& socket, const std::string& role,
                bool admin);
  // True: it was the user's last one.
  bool left(const std::string& user, const std::string& socket);
  // Each of these answers whether what others see has changed.
  bool acted(const std::string& user, WallTime wall, Elapsed now);
  bool stated(const std::string& user, dialects::HubState state, WallTime wall, Elapsed now);
  bool silent(const std::string& user, const std::string& socket, bool inactive);
  // Who became idle meanwhile.
  std::vector<std::string> on_time(Elapsed now);

  // At most kMostShown, those that came last: a map that an admin's connection can carry.
  static constexpr std::size_t kMostShown = 1'000;
  std::vector<dialects::HubPresenceEntry> all() const;
  std::vector<dialects::HubPresenceEntry> own(const std::string& user) const;  // one, or none
  std::set<std::uint32_t> shards_of(const std::string& user) const;
  bool is_admin(const std::string& user) const;  // one of its sockets is an admin's
  std::vector<std::string> admins() const;       // each such user
  std::size_t users() const { return users_.size(); }

 private:
  struct User {
    std::vector<Socket> sockets;  // the newest last
    dialects::HubState state = dialects::HubState::kActive;
    WallTime connected;
    WallTime last_active;
    Elapsed idle_at;
  };
  static dialects::HubState shown(const User& user);
  static bool is_shown_all(const User& user);
  static dialects::HubPresenceEntry entry_of(const std::string& name, const User& user);

  const std::chrono::milliseconds idle_after_;
  std::map<std::string, User> users_;
};

}  // namespace signet::broker
