#include "client/directory.h"

#include <algorithm>

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

// A control character would let a name show as another's, or speak to the terminal.
bool is_shown_as_it_is(std::string_view name) {
  constexpr unsigned char kDelete = 0x7f;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const auto next = i + 1 < name.size() ? static_cast<unsigned char>(name[i + 1]) : 0;
    const bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;  // U+0080 to U+009F
    if (byte < 0x20 || byte == kDelete || is_c1) return false;
  }
  return true;
}

Error no_such_member(std::string_view who) {
  return {ErrorCode::kNotFound, "no_such_member: nobody in the mesh is called " + std::string(who)};
}

bool is_address_of_many(std::string_view who) {
  return who == "*" || who.starts_with('#') || who.starts_with("tag:");
}

}  // namespace

Error peer_key_changed(std::string_view name, std::string_view seen, std::string_view pinned) {
  return {ErrorCode::kConflict,
          "peer_key_changed: " + std::string(name) + " has another key than before (" +
              std::string(seen.substr(0, 16)) + "…, pinned " + std::string(pinned.substr(0, 16)) +
              "…); compare the safety number before you trust it"};
}

void Directory::set_members(std::vector<Member> members) {
  members_ = std::move(members);
  members_named_.clear();
  members_keyed_.clear();
  for (std::size_t place = 0; place < members_.size(); ++place) {
    members_named_[members_[place].name].push_back(place);
    members_keyed_[members_[place].key].push_back(place);
  }
}

void Directory::set_pins(std::vector<Pin> pins) {
  pins_ = std::move(pins);
  pins_named_.clear();
  pins_keyed_.clear();
  for (std::size_t place = 0; place < pins_.size(); ++place) {
    pins_named_[pins_[place].name].push_back(place);
    pins_keyed_[pins_[place].key].push_back(place);
  }
}

Result<Found> Directory::find(std::string_view who) const {
  if (who.empty() || who.size() > kMaxWhoBytes || !is_shown_as_it_is(who)) {
    return Error{ErrorCode::kMalformed, "bad_target: say a name, a key, *, #channel or tag:name"};
  }
  if (is_address_of_many(who)) {
    const auto address = routing::parse_address(who);
    if (address.ok()) return Found{routing::text_of(*address)};
    return Error{ErrorCode::kMalformed,
                 "bad_target: " + std::string(who) + " is no channel or tag"};
  }
  if (const auto key = crypto::public_key_from_hex(who)) return Found{crypto::to_hex(*key)};
  const auto keys = is_prefix(who) ? keys_beginning(lower(who)) : std::set<std::string>();
  if (keys.empty()) return find_name(who);
  const bool is_name = pin_of(who) != nullptr || !listed(who).empty();
  if (keys.size() == 1 && !is_name) return Found{*keys.begin()};
  // A name that begins its own key means one member, whichever way it is read.
  if (auto named = find_name(who); named.ok() && keys.size() == 1 && keys.contains(named->target)) {
    return named;
  }
  return Error{ErrorCode::kConflict,
               "ambiguous_name: " + std::string(who) +
                   " begins a key and is something else too; say the whole key instead"};
}

std::set<std::string> Directory::keys_beginning(std::string_view digits) const {
  std::set<std::string> keys;
  for (const Member& member : members_) {
    if (member.key.starts_with(digits)) keys.insert(member.key);
  }
  for (const Pin& pin : pins_) {
    if (pin.key.starts_with(digits)) keys.insert(pin.key);
  }
  return keys;
}

Result<Found> Directory::find_name(std::string_view name) const {
  const auto known = listed(name);
  if (const Pin* pin = pin_of(name)) {
    const bool gone =
        !known.empty() &&
        std::none_of(known.begin(), known.end(), [&](const auto* m) { return m->key == pin->key; });
    if (!gone) return Found{pin->key};
    return peer_key_changed(name, known.front()->key, pin->key);
  }
  if (known.empty()) return no_such_member(name);
  if (known.size() > 1) {
    return Error{ErrorCode::kConflict, "ambiguous_name: several members are called " +
                                           std::string(name) + "; say the key instead"};
  }
  return Found{known.front()->key, true};
}

std::string Directory::name_of(std::string_view key) const {
  if (const auto pinned = pins_keyed_.find(key); pinned != pins_keyed_.end()) {
    return pins_[pinned->second.front()].name;
  }
  const std::string name = listed_name_of(key);
  const bool is_others = pin_of(name) != nullptr || listed(name).size() > 1;
  return is_others ? std::string() : name;
}

std::string Directory::listed_name_of(std::string_view key) const {
  const auto found = members_keyed_.find(key);
  if (found == members_keyed_.end()) return {};
  for (const std::size_t place : found->second) {
    if (is_shown_as_it_is(members_[place].name)) return members_[place].name;
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
  const auto found = pins_named_.find(name);
  return found == pins_named_.end() ? nullptr : &pins_[found->second.front()];
}

std::vector<const Member*> Directory::listed(std::string_view name) const {
  std::vector<const Member*> found;
  const auto places = members_named_.find(name);
  if (places == members_named_.end()) return found;
  for (const std::size_t place : places->second) found.push_back(&members_[place]);
  return found;
}

}  // namespace signet::client
