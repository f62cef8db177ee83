#include "client/directory.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "crypto/sign.h"
#include "routing/address.h"

namespace signet::client {
namespace {

constexpr std::size_t kMaxWhoBytes = 1'024;  // as a display name

bool is_prefix(std::string_view text) {
  return text.size() >= kMinKeyPrefix && text.size() < 64 &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

std::string lower(std::string_view digits) {
  std::string text(digits);
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

Error no_such_member(std::string_view who) {
  return {ErrorCode::kNotFound, "no_such_member: nobody in the mesh is called " + std::string(who)};
}

bool is_address_of_many(std::string_view who) {
  return who == "*" || who.starts_with('#') || who.starts_with("tag:");
}

}  // namespace

Result<Found> Directory::find(std::string_view who) const {
  if (who.empty() || who.size() > kMaxWhoBytes) {
    return Error{ErrorCode::kMalformed, "bad_target: say a name, a key, *, #channel or tag:name"};
  }
  if (is_address_of_many(who)) {
    const auto address = routing::parse_address(who);
    if (address.ok()) return Found{routing::text_of(*address)};
    return Error{ErrorCode::kMalformed,
                 "bad_target: " + std::string(who) + " is no channel or tag"};
  }
  if (const auto key = crypto::public_key_from_hex(who)) return Found{crypto::to_hex(*key)};
  // A name that looks like a prefix is still a name where somebody has it.
  if (pin_of(who) == nullptr && listed(who).empty() && is_prefix(who)) {
    if (auto found = find_prefix(lower(who))) return *std::move(found);
  }
  return find_name(who);
}

std::optional<Result<Found>> Directory::find_prefix(std::string_view digits) const {
  std::set<std::string_view> keys;
  for (const Member& member : members_) {
    if (member.key.starts_with(digits)) keys.insert(member.key);
  }
  for (const Pin& pin : pins_) {
    if (pin.key.starts_with(digits)) keys.insert(pin.key);
  }
  if (keys.empty()) return std::nullopt;
  if (keys.size() == 1) return Result<Found>(Found{std::string(*keys.begin())});
  return Result<Found>(Error{ErrorCode::kConflict,
                             "ambiguous_name: several keys begin with " + std::string(digits)});
}

Result<Found> Directory::find_name(std::string_view name) const {
  const auto known = listed(name);
  if (const Pin* pin = pin_of(name)) {
    const bool gone =
        !known.empty() &&
        std::none_of(known.begin(), known.end(), [&](const auto* m) { return m->key == pin->key; });
    if (!gone) return Found{pin->key};
    return Error{ErrorCode::kConflict,
                 "peer_key_changed: " + std::string(name) + " has another key than before (" +
                     known.front()->key.substr(0, 16) + "…, pinned " + pin->key.substr(0, 16) +
                     "…); compare the safety number before you trust it"};
  }
  if (known.empty()) return no_such_member(name);
  if (known.size() > 1) {
    return Error{ErrorCode::kConflict, "ambiguous_name: several members are called " +
                                           std::string(name) + "; say the key instead"};
  }
  return Found{known.front()->key, true};
}

std::string Directory::name_of(std::string_view key) const {
  for (const Pin& pin : pins_) {
    if (pin.key == key) return pin.name;
  }
  const std::string name = listed_name_of(key);
  const Pin* pin = pin_of(name);
  return pin == nullptr || pin->key == key ? name : std::string();
}

std::string Directory::listed_name_of(std::string_view key) const {
  for (const Member& member : members_) {
    if (member.key == key) return member.name;
  }
  return {};
}

std::vector<KeyChange> Directory::changes() const {
  std::vector<KeyChange> changes;
  for (const Pin& pin : pins_) {
    const auto known = listed(pin.name);
    const bool same = std::any_of(known.begin(), known.end(),
                                  [&](const auto* member) { return member->key == pin.key; });
    if (!known.empty() && !same) changes.push_back({pin.name, pin.key, known.front()->key});
  }
  return changes;
}

const Pin* Directory::pin_of(std::string_view name) const {
  const auto found =
      std::find_if(pins_.begin(), pins_.end(), [&](const Pin& pin) { return pin.name == name; });
  return found == pins_.end() ? nullptr : &*found;
}

std::vector<const Member*> Directory::listed(std::string_view name) const {
  std::vector<const Member*> found;
  for (const Member& member : members_) {
    if (member.name == name) found.push_back(&member);
  }
  return found;
}

}  // namespace signet::client
