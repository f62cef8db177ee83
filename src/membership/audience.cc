#include "membership/audience.h"

#include <algorithm>
#include <string>

namespace signet::membership {

Audience audience_of(std::vector<crypto::PublicKey> keys) {
  std::sort(keys.begin(), keys.end());
  std::string joined;
  joined.reserve(keys.size() * sizeof(crypto::PublicKey::bytes));
  for (const crypto::PublicKey& key : keys) joined.append(text_of(key.bytes));
  return crypto::digest16("signet/audience/v1", {joined});
}

Audience audience_of(const std::vector<const Member*>& members) {
  std::vector<crypto::PublicKey> keys;
  keys.reserve(members.size());
  for (const Member* member : members) keys.push_back(member->key);
  return audience_of(std::move(keys));
}

std::vector<const Member*> members_by_key(const MeshSnapshot& mesh,
                                          const std::vector<MemberNumber>& numbers) {
  std::vector<const Member*> members;
  members.reserve(numbers.size());
  for (const MemberNumber number : numbers) {
    if (const Member* member = mesh.member(number)) members.push_back(member);
  }
  std::sort(members.begin(), members.end(),
            [](const Member* a, const Member* b) { return a->key < b->key; });
  return members;
}

}  // namespace signet::membership
