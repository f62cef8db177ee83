#include "membership/invite.h"

namespace signet::membership {
namespace {

bool signed_by_named_key(const InviteClaim& claim) {
  const auto owner = crypto::public_key_from_hex(claim.owner_key);
  crypto::Signature signature{};
  return owner && from_hex(claim.signature, signature) &&
         crypto::verify(*owner, bytes_of(canonical_text(claim)), signature);
}

// A `|` inside a field would let one signature say two things.
bool unambiguous(const InviteClaim& claim) {
  for (const std::string* field : {&claim.mesh_id, &claim.mesh_slug, &claim.broker_url,
                                   &claim.root_key, &claim.role, &claim.owner_key}) {
    if (field->find('|') != std::string::npos) return false;
  }
  return true;
}

}  // namespace

std::string canonical_text(const InviteClaim& claim) {
  return std::to_string(claim.version) + "|" + claim.mesh_id + "|" + claim.mesh_slug + "|" +
         claim.broker_url + "|" + std::to_string(claim.expires_at) + "|" + claim.root_key + "|" +
         claim.role + "|" + claim.owner_key;
}

bool signed_by_owner(const InviteClaim& claim, const Mesh& mesh) {
  return mesh.owner && crypto::public_key_from_hex(claim.owner_key) == mesh.owner &&
         unambiguous(claim) && signed_by_named_key(claim);
}

crypto::Digest32 invite_digest(std::string_view token) {
  return crypto::digest32("signet-invite-v1", {token});
}

JoinDecision decide_join(const MembershipTable& table, const InviteClaim& claim,
                         std::string_view token, const crypto::PublicKey& key, WallTime now) {
  if (!unambiguous(claim) || !signed_by_named_key(claim)) return JoinRefusal::kInviteBadSignature;
  const MeshSnapshot* mesh = table.mesh(claim.mesh_id);
  if (mesh == nullptr) return JoinRefusal::kMeshNotFound;
  if (!mesh->mesh().owner) return JoinRefusal::kMeshMissingOwnerKey;
  if (crypto::public_key_from_hex(claim.owner_key) != mesh->mesh().owner) {
    return JoinRefusal::kInviteOwnerMismatch;
  }
  const Invite* invite = table.invite(invite_digest(token));
  if (invite == nullptr) return JoinRefusal::kInviteNotFound;
  if (invite->mesh != mesh->mesh().number) return JoinRefusal::kInviteMeshMismatch;
  if (invite->revoked) return JoinRefusal::kInviteRevoked;
  if (now >= invite->expires || now.ms / 1000 >= claim.expires_at) {
    return JoinRefusal::kInviteExpired;
  }
  if (const Member* member = mesh->member(key)) {
    if (member->standing == Standing::kRevoked) return JoinRefusal::kMemberRevoked;
    return AlreadyMember{member->id};
  }
  if (invite->uses >= invite->max_uses) return JoinRefusal::kInviteExhausted;
  return Admit{mesh->mesh().number, invite->role, invite->digest};
}

}  // namespace signet::membership
