#include "client/channel_keys.h"

#include <algorithm>
#include <set>
#include <unordered_set>

#include "crypto/hash.h"

namespace signet::client {
namespace {

using Keys = std::unordered_set<std::string_view, crypto::KeyedHash, std::equal_to<>>;

constexpr char kOffered = '?';  // before the key of one that was sent a key and may not have it

Keys set_of(const std::vector<std::string>& keys) { return {keys.begin(), keys.end()}; }

std::string_view member_of(std::string_view holder) {
  if (holder.starts_with(kOffered)) holder.remove_prefix(1);
  return holder;
}

bool is_spent(const OwnChannelKey& key, const Keys& audience, WallTime now) {
  return is_too_old(key, now) ||
         std::any_of(key.holders.begin(), key.holders.end(),
                     [&](const auto& each) { return !audience.contains(member_of(each)); });
}

}  // namespace

bool is_too_old(const OwnChannelKey& key, WallTime now) {
  return now > key.made + kMaxKeyAge || now < key.made;
}

void note_offers(OwnChannelKey& key, const std::vector<std::string>& members) {
  std::set<std::string> holders(key.holders.begin(), key.holders.end());
  for (const std::string& member : members) holders.insert(kOffered + member);
  key.holders.assign(holders.begin(), holders.end());
}

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
