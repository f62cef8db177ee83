// MembershipTable is the state of all meshes as the one writer knows it: apply(change) moves it,
// snapshot() shows it. Pure: no clock, no disk, no thread. Owned by the controller.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "membership/change.h"
#include "membership/mesh_snapshot.h"

namespace signet::membership {

class MembershipTable {
 public:
  // Makes a change true. A change that names what does not exist does nothing: the store has
  // already checked its condition.
  void apply(const Change& change);

  // Cheap: shares everything with the table; a mesh is copied at its next change.
  std::shared_ptr<const MembershipSnapshot> snapshot();

  const MeshSnapshot* mesh(std::string_view id) const;
  const MeshSnapshot* mesh(MeshNumber number) const;
  const MeshSnapshot* mesh_of(MemberNumber member) const;
  const Invite* invite(const crypto::Digest32& digest) const;
  void each_mesh(const std::function<void(const MeshSnapshot&)>& visit) const;
  void each_invite(const std::function<void(const Invite&)>& visit) const;  // by rising digest

  // Takes an unused number out of circulation, before its change is committed.
  MemberNumber reserve_member() { return {++last_member_}; }
  MeshNumber reserve_mesh() { return {++last_mesh_}; }

 private:
  MeshSnapshot* change_mesh(MeshNumber number);
  void change_member(MemberNumber number, const std::function<void(Member&)>& change);

  void on(const MeshAdded& change);
  void on(const MeshSettingsChanged& change);
  void on(const MemberAdded& change);
  void on(const StandingChanged& change);
  void on(const RoleChanged& change);
  void on(const InviteAdded& change);
  void on(const InviteUsed& change);
  void on(const InviteRevoked& change);
  void on(const ChannelJoined& change);
  void on(const ChannelLeft& change);
  void on(const SourceSecretSet& change);
  void on(const SourceRevoked& change);
  void on(const TokensRevoked& change);

  std::map<MeshNumber, std::shared_ptr<MeshSnapshot>> meshes_;
  std::set<MeshNumber> unshared_;  // copied since the last snapshot: no reader sees them yet
  std::map<std::string, MeshNumber, std::less<>> mesh_ids_;
  std::unordered_map<MemberNumber, MeshNumber> mesh_of_;
  std::map<crypto::Digest32, Invite> invites_;
  std::int64_t last_mesh_ = 0;
  std::int64_t last_member_ = 0;
};

}  // namespace signet::membership
