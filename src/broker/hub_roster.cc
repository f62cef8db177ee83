#include "broker/hub_roster.h"

#include <algorithm>
#include <utility>

namespace signet::broker {

using dialects::HubPresenceEntry;
using dialects::HubState;

void HubRoster::joined(const std::string& user, Socket socket, Elapsed now) {
  User& here = users_[user];
  if (here.sockets.empty()) here.connected = socket.since;
  here.state = HubState::kActive;
  here.last_active = socket.since;
  here.idle_at = now + idle_after_;
  here.sockets.push_back(std::move(socket));
}

void HubRoster::set_role(const std::string& user, const std::string& socket,
                         const std::string& role, bool admin) {
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  for (Socket& each : found->second.sockets) {
    if (each.id != socket) continue;
    each.role = role;
    each.admin = admin;
  }
}

bool HubRoster::is_shown_all(const User& user) {
  return std::any_of(user.sockets.begin(), user.sockets.end(),
                     [](const Socket& each) { return each.admin; });
}

bool HubRoster::left(const std::string& user, const std::string& socket) {
  const auto found = users_.find(user);
  if (found == users_.end()) return false;
  std::erase_if(found->second.sockets, [&](const Socket& each) { return each.id == socket; });
  if (!found->second.sockets.empty()) return false;
  users_.erase(found);
  return true;
}

bool HubRoster::acted(const std::string& user, WallTime wall, Elapsed now) {
  return stated(user, HubState::kActive, wall, now);
}

bool HubRoster::stated(const std::string& user, HubState state, WallTime wall, Elapsed now) {
  const auto found = users_.find(user);
  if (found == users_.end()) return false;
  User& here = found->second;
  const HubState before = here.state;
  here.state = state;
  if (state == HubState::kActive) {
    here.last_active = wall;
    here.idle_at = now + idle_after_;
  }
  return before != state;
}

bool HubRoster::silent(const std::string& user, const std::string& socket, bool inactive) {
  const auto found = users_.find(user);
  if (found == users_.end()) return false;
  const HubState before = shown(found->second);
  for (Socket& each : found->second.sockets) {
    if (each.id == socket) each.inactive = inactive;
  }
  return shown(found->second) != before;
}

std::vector<std::string> HubRoster::on_time(Elapsed now) {
  std::vector<std::string> idle;
  for (auto& [name, user] : users_) {
    if (user.state != HubState::kActive || now < user.idle_at) continue;
    user.state = HubState::kIdle;
    idle.push_back(name);
  }
  return idle;
}

// A user is inactive when all of its sockets have been silent for too long.
HubState HubRoster::shown(const User& user) {
  const bool is_inactive = std::all_of(user.sockets.begin(), user.sockets.end(),
                                       [](const Socket& each) { return each.inactive; });
  return is_inactive ? HubState::kInactive : user.state;
}

HubPresenceEntry HubRoster::entry_of(const std::string& name, const User& user) {
  const Socket& newest = user.sockets.back();
  return {name, newest.role, "browser", newest.id, shown(user), user.connected, user.last_active};
}

std::vector<HubPresenceEntry> HubRoster::all() const {
  std::vector<HubPresenceEntry> entries;
  entries.reserve(users_.size());
  for (const auto& [name, user] : users_) entries.push_back(entry_of(name, user));
  if (entries.size() <= kMostShown) return entries;
  const auto later = [](const HubPresenceEntry& a, const HubPresenceEntry& b) {
    return a.connected > b.connected;
  };
  std::nth_element(entries.begin(), entries.begin() + kMostShown, entries.end(), later);
  entries.resize(kMostShown);
  return entries;
}

std::vector<HubPresenceEntry> HubRoster::own(const std::string& user) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return {};
  return {entry_of(user, found->second)};
}

std::set<std::uint32_t> HubRoster::shards_of(const std::string& user) const {
  std::set<std::uint32_t> shards;
  const auto found = users_.find(user);
  if (found == users_.end()) return shards;
  for (const Socket& socket : found->second.sockets) shards.insert(socket.shard);
  return shards;
}

bool HubRoster::is_admin(const std::string& user) const {
  const auto found = users_.find(user);
  return found != users_.end() && is_shown_all(found->second);
}

std::vector<std::string> HubRoster::admins() const {
  std::vector<std::string> admins;
  for (const auto& [name, user] : users_) {
    if (is_shown_all(user)) admins.push_back(name);
  }
  return admins;
}

}  // namespace signet::broker
