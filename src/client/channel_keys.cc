#include "client/channel_keys.h"

#include <algorithm>
#include <unordered_set>

#include "crypto/hash.h"

namespace signet::client {
namespace {

using Keys = std::unordered_set<std::string_view, crypto::KeyedHash, std::equal_to<>>;

Keys set_of(const std::vector<std::string>& keys) { return {keys.begin(), keys.end()}; }

// A clock that was set back makes a key look as if it came from the future: spent, to be safe.
bool is_spent(const OwnChannelKey& key, const Keys& audience, WallTime now) {
  const bool someone_left = std::any_of(key.holders.begin(), key.holders.end(),
                                        [&](const auto& each) { return !audience.contains(each); });
  return someone_left || now > key.made + kMaxKeyAge || now < key.made;
}

}  // namespace

KeyPlan plan_channel_key(const OwnChannelKey* present, const std::vector<std::string>& audience,
                         WallTime now) {
  if (present == nullptr || is_spent(*present, set_of(audience), now)) return {true, audience};
  const Keys holders = set_of(present->holders);
  KeyPlan plan;
  for (const std::string& member : audience) {
    if (!holders.contains(member)) plan.seal_to.push_back(member);
  }
  return plan;
}

}  // namespace signet::client
