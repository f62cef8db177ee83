#include "membership/mesh_snapshot.h"

#include <algorithm>
#include <utility>

namespace signet::membership {
namespace {

using Numbers = std::vector<MemberNumber>;
using Groups = std::map<std::string, Numbers, std::less<>>;

void insert_sorted(Numbers& numbers, MemberNumber number) {
  const auto at = std::lower_bound(numbers.begin(), numbers.end(), number);
  if (at == numbers.end() || *at != number) numbers.insert(at, number);
}

void erase_sorted(Numbers& numbers, MemberNumber number) {
  const auto at = std::lower_bound(numbers.begin(), numbers.end(), number);
  if (at != numbers.end() && *at == number) numbers.erase(at);
}

bool contains(const Numbers& numbers, MemberNumber number) {
  return std::binary_search(numbers.begin(), numbers.end(), number);
}

void remove_from_group(Groups& groups, std::string_view name, MemberNumber member) {
  const auto group = groups.find(name);
  if (group == groups.end()) return;
  erase_sorted(group->second, member);
  if (group->second.empty()) groups.erase(group);
}

const Numbers& group_of(const Groups& groups, std::string_view name) {
  static const Numbers nobody;
  const auto group = groups.find(name);
  return group == groups.end() ? nobody : group->second;
}

}  // namespace

const Member* MeshSnapshot::member(MemberNumber number) const {
  const auto* found = members_.find(number);
  return found == nullptr ? nullptr : found->get();
}

const Member* MeshSnapshot::member(const crypto::PublicKey& key) const {
  const MemberNumber* number = by_key_.find(key);
  return number == nullptr ? nullptr : member(*number);
}

const Member* MeshSnapshot::member_with_id(const std::string& id) const {
  const MemberNumber* number = by_id_.find(id);
  return number == nullptr ? nullptr : member(*number);
}

const Member* MeshSnapshot::relay_key(const std::array<unsigned char, 32>& x25519) const {
  const MemberNumber* number = by_relay_key_.find(x25519);
  return number == nullptr ? nullptr : member(*number);
}

const SourceSecret* MeshSnapshot::source(std::string_view name) const {
  if (name == kSharedSource) return nullptr;
  const auto* found = sources_.find(std::string(name));
  return found == nullptr ? nullptr : found->get();
}

const SourceSecret* MeshSnapshot::shared_secret() const {
  const auto* found = sources_.find(std::string(kSharedSource));
  return found == nullptr ? nullptr : found->get();
}

const SourceSecret* MeshSnapshot::secret_for(std::string_view name) const {
  if (const SourceSecret* own = source(name)) return own;
  const SourceSecret* shared = shared_secret();
  const MemberNumber* same = by_id_.find(std::string(name));
  const bool is_anothers = shared != nullptr && same != nullptr && *same != shared->member;
  return is_anothers && !is_unproven(*member(*same)) ? nullptr : shared;
}

void MeshSnapshot::each_source(const std::function<void(const SourceSecret&)>& visit) const {
  sources_.each([&visit](const std::string&, const std::shared_ptr<const SourceSecret>& source) {
    visit(*source);
  });
}

Result<Numbers> MeshSnapshot::recipients(const routing::Address& to, MemberNumber sender) const {
  if (const auto* one = std::get_if<routing::ToMember>(&to)) {
    const Member* receiver = member(crypto::PublicKey{one->key});
    if (receiver == nullptr || !may_connect(receiver->standing)) {
      return Error{ErrorCode::kNotFound, "no such member"};
    }
    return Numbers{receiver->number};
  }
  const Numbers* group = &present_;
  if (const auto* channel = std::get_if<routing::ToChannel>(&to)) {
    group = &group_of(channels_, channel->name);
  } else if (const auto* tag = std::get_if<routing::ToTag>(&to)) {
    group = &group_of(tags_, tag->name);
  }
  Numbers chosen;
  chosen.reserve(group->size());
  for (const MemberNumber number : *group) {
    if (number != sender && (group == &present_ || contains(present_, number))) {
      chosen.push_back(number);
    }
  }
  return chosen;
}

bool MeshSnapshot::in_channel(std::string_view channel, MemberNumber member) const {
  return contains(group_of(channels_, channel), member);
}

std::size_t MeshSnapshot::channels_of(MemberNumber member) const {
  return static_cast<std::size_t>(
      std::count_if(channels_.begin(), channels_.end(),
                    [member](const auto& channel) { return contains(channel.second, member); }));
}

void MeshSnapshot::each_member(const std::function<void(const Member&)>& visit) const {
  members_.each([&visit](MemberNumber, const std::shared_ptr<const Member>& m) { visit(*m); });
}

void MeshSnapshot::put(std::shared_ptr<const Member> member) {
  const MemberNumber number = member->number;
  if (member->key) {
    put_key(*member, this->member(number));
  } else if (this->member(number) == nullptr) {
    ++keyless_count_;
  }
  by_id_.set(member->id, number);
  members_.set(number, std::move(member));
}

// What a member with a key has beyond one without: it can be addressed.
void MeshSnapshot::put_key(const Member& member, const Member* before) {
  const MemberNumber number = member.number;
  if (before != nullptr) {
    for (const std::string& tag : before->tags) remove_from_group(tags_, tag, number);
  }
  for (const std::string& tag : member.tags) insert_sorted(tags_[tag], number);
  if (may_connect(member.standing)) {
    insert_sorted(present_, number);
  } else {
    erase_sorted(present_, number);
  }
  if (before != nullptr && before->key == member.key) return;
  by_key_.set(*member.key, number);
  const auto relay_key = crypto::to_x25519(*member.key);
  if (!relay_key) return;
  const MemberNumber* first = by_relay_key_.find(*relay_key);
  if (first == nullptr || number < *first) by_relay_key_.set(*relay_key, number);
}

void MeshSnapshot::put(std::shared_ptr<const SourceSecret> source) {
  const std::string name = source->source;
  if (sources_.find(name) == nullptr) ++source_count_;
  sources_.set(name, std::move(source));
}

bool MeshSnapshot::is_token_revoked(const std::string& id, const std::string& subject,
                                    std::optional<WallTime> issued) const {
  if (!id.empty() && revoked_tokens_.find(id) != nullptr) return true;
  const TokenRevocation* before = revoked_subjects_.find(subject);
  return before != nullptr && (!issued || *issued < before->issued_before);
}

// What was taken back stays so: one that says less than another for the same takes nothing from it,
// and is not counted.
void MeshSnapshot::put(const TokenRevocation& revocation) {
  const bool is_by_id = !revocation.token.empty();
  auto& known = is_by_id ? revoked_tokens_ : revoked_subjects_;
  const std::string& name = is_by_id ? revocation.token : revocation.subject;
  const TokenRevocation* before = known.find(name);
  TokenRevocation widest = revocation;
  if (before != nullptr) {
    widest.issued_before = std::max(widest.issued_before, before->issued_before);
    widest.until = std::max(widest.until, before->until);
  }
  const bool means_more =
      before == nullptr || (!is_by_id && before->issued_before < widest.issued_before);
  if (means_more) ++token_revocations_;
  known.set(name, std::move(widest));
}

void MeshSnapshot::join(const std::string& channel, MemberNumber member) {
  insert_sorted(channels_[channel], member);
}

void MeshSnapshot::leave(const std::string& channel, MemberNumber member) {
  remove_from_group(channels_, channel, member);
}

const MeshSnapshot* MembershipSnapshot::mesh(std::string_view id) const {
  const auto number = by_id_.find(id);
  return number == by_id_.end() ? nullptr : mesh(number->second);
}

const MeshSnapshot* MembershipSnapshot::mesh(MeshNumber number) const {
  const auto found = meshes_.find(number);
  return found == meshes_.end() ? nullptr : found->second.get();
}

const MeshSnapshot* MembershipSnapshot::mesh_by_slug(std::string_view slug) const {
  for (const auto& [number, mesh] : meshes_) {
    if (mesh->mesh().slug == slug) return mesh.get();
  }
  return nullptr;
}

void MembershipSnapshot::each_mesh(const std::function<void(const MeshSnapshot&)>& visit) const {
  for (const auto& [id, number] : by_id_) visit(*mesh(number));
}

}  // namespace signet::membership
