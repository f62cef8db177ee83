#include "membership/membership_table.h"

#include <algorithm>

namespace signet::membership {

void MembershipTable::apply(const Change& change) {
  std::visit([this](const auto& c) { on(c); }, change);
}

std::shared_ptr<const MembershipSnapshot> MembershipTable::snapshot() {
  auto snapshot = std::make_shared<MembershipSnapshot>();
  snapshot->by_id_ = mesh_ids_;
  for (const auto& [number, mesh] : meshes_) snapshot->meshes_.emplace(number, mesh);
  unshared_.clear();
  return snapshot;
}

const MeshSnapshot* MembershipTable::mesh(std::string_view id) const {
  const auto number = mesh_ids_.find(id);
  return number == mesh_ids_.end() ? nullptr : mesh(number->second);
}

const MeshSnapshot* MembershipTable::mesh(MeshNumber number) const {
  const auto found = meshes_.find(number);
  return found == meshes_.end() ? nullptr : found->second.get();
}

const MeshSnapshot* MembershipTable::mesh_of(MemberNumber member) const {
  const auto found = mesh_of_.find(member);
  return found == mesh_of_.end() ? nullptr : mesh(found->second);
}

const Invite* MembershipTable::invite(const crypto::Digest32& digest) const {
  const auto found = invites_.find(digest);
  return found == invites_.end() ? nullptr : &found->second;
}

void MembershipTable::each_mesh(const std::function<void(const MeshSnapshot&)>& visit) const {
  for (const auto& [number, mesh] : meshes_) visit(*mesh);
}

void MembershipTable::each_invite(const std::function<void(const Invite&)>& visit) const {
  for (const auto& [digest, invite] : invites_) visit(invite);
}

// A mesh that a snapshot still shows is copied before it changes; the copy shares its buckets.
MeshSnapshot* MembershipTable::change_mesh(MeshNumber number) {
  const auto found = meshes_.find(number);
  if (found == meshes_.end()) return nullptr;
  if (unshared_.insert(number).second) {
    found->second = std::make_shared<MeshSnapshot>(*found->second);
  }
  return found->second.get();
}

void MembershipTable::change_member(MemberNumber number,
                                    const std::function<void(Member&)>& change) {
  const auto where = mesh_of_.find(number);
  if (where == mesh_of_.end()) return;
  MeshSnapshot* mesh = change_mesh(where->second);
  const Member* before = mesh == nullptr ? nullptr : mesh->member(number);
  if (before == nullptr) return;
  auto after = std::make_shared<Member>(*before);
  change(*after);
  mesh->put(std::move(after));
}

void MembershipTable::on(const MeshAdded& change) {
  const Mesh& mesh = change.mesh;
  last_mesh_ = std::max(last_mesh_, mesh.number.value);
  meshes_[mesh.number] = std::make_shared<MeshSnapshot>(mesh);
  mesh_ids_[mesh.id] = mesh.number;
}

void MembershipTable::on(const MeshSettingsChanged& change) {
  if (MeshSnapshot* mesh = change_mesh(change.mesh.number)) mesh->mesh_ = change.mesh;
}

void MembershipTable::on(const MemberAdded& change) {
  const Member& member = change.member;
  last_member_ = std::max(last_member_, member.number.value);
  MeshSnapshot* mesh = change_mesh(member.mesh);
  if (mesh == nullptr) return;
  mesh_of_[member.number] = member.mesh;
  mesh->put(std::make_shared<Member>(member));
  if (change.invite) on(InviteUsed{*change.invite});
}

void MembershipTable::on(const StandingChanged& change) {
  change_member(change.member, [&](Member& member) { member.standing = change.to; });
}

void MembershipTable::on(const RoleChanged& change) {
  change_member(change.member, [&](Member& member) {
    member.role = change.role;
    member.tags = change.tags;
  });
}

void MembershipTable::on(const InviteAdded& change) {
  invites_[change.invite.digest] = change.invite;
}

void MembershipTable::on(const InviteUsed& change) {
  const auto found = invites_.find(change.digest);
  if (found != invites_.end()) ++found->second.uses;
}

void MembershipTable::on(const InviteRevoked& change) {
  const auto found = invites_.find(change.digest);
  if (found != invites_.end()) found->second.revoked = true;
}

void MembershipTable::on(const ChannelJoined& change) {
  const MeshSnapshot* known = mesh(change.mesh);
  const Member* member = known == nullptr ? nullptr : known->member(change.member);
  if (member == nullptr || !member->key) return;
  change_mesh(change.mesh)->join(change.channel, change.member);
}

void MembershipTable::on(const ChannelLeft& change) {
  if (MeshSnapshot* mesh = change_mesh(change.mesh)) mesh->leave(change.channel, change.member);
}

void MembershipTable::on(const SourceSecretSet& change) {
  const MeshSnapshot* known = mesh(change.secret.mesh);
  if (known == nullptr || known->member(change.secret.member) == nullptr) return;
  change_mesh(change.secret.mesh)->put(std::make_shared<SourceSecret>(change.secret));
}

void MembershipTable::on(const SourceRevoked& change) {
  MeshSnapshot* mesh = change_mesh(change.mesh);
  const auto* before = mesh == nullptr ? nullptr : mesh->sources_.find(change.source);
  if (before == nullptr) return;
  auto after = std::make_shared<SourceSecret>(**before);
  after->revoked = true;
  after->secret = after->previous = {};
  mesh->put(std::move(after));
}

void MembershipTable::on(const TokensRevoked& change) {
  if (MeshSnapshot* mesh = change_mesh(change.mesh)) mesh->put(change.revocation);
}

}  // namespace signet::membership
