#include "membership/audience.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

namespace signet::membership {
namespace {

// The first bytes of a key decide nearly every comparison, and lie beside the pointer.
std::uint64_t head_of(const crypto::PublicKey& key) {
  std::uint64_t head = 0;
  for (std::size_t i = 0; i < sizeof head; ++i) head = head << 8 | key.bytes[i];
  return head;
}

Audience digest_of(const std::string& joined) {
  return crypto::digest16("signet/audience/v1", {joined});
}

}  // namespace

Audience audience_of(std::vector<crypto::PublicKey> keys) {
  std::sort(keys.begin(), keys.end());
  std::string joined;
  joined.reserve(keys.size() * sizeof(crypto::PublicKey::bytes));
  for (const crypto::PublicKey& key : keys) joined.append(text_of(key.bytes));
  return digest_of(joined);
}

Audience audience_of(const std::vector<const Member*>& sorted) {
  std::string joined;
  joined.reserve(sorted.size() * sizeof(crypto::PublicKey::bytes));
  for (const Member* member : sorted) joined.append(text_of(member->key->bytes));
  return digest_of(joined);
}

std::vector<const Member*> members_by_key(const MeshSnapshot& mesh,
                                          const std::vector<MemberNumber>& numbers) {
  std::vector<std::pair<std::uint64_t, const Member*>> found;
  found.reserve(numbers.size());
  for (const MemberNumber number : numbers) {
    const Member* member = mesh.member(number);
    if (member != nullptr && member->key) found.emplace_back(head_of(*member->key), member);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second->key < *b.second->key;
  });
  std::vector<const Member*> members;
  members.reserve(found.size());
  for (const auto& [head, member] : found) members.push_back(member);
  return members;
}

}  // namespace signet::membership
