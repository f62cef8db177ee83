// MembershipTables keep meshes, members, invites and channels, and hold the conditions under which
// a change may be committed. Writer thread, inside its transactions.
#pragma once

#include <vector>

#include "membership/change.h"
#include "store/sqlite/database.h"

namespace signet::store::sqlite {

class MembershipTables {
 public:
  explicit MembershipTables(Database& database);

  // Everything that is true, as changes in an order that can be applied. Revocations of tokens that
  // expired before `now` are left out: nobody takes those tokens anyway.
  std::vector<membership::Change> load(WallTime now);

  // True when the change's condition held and it was written. After false the caller rolls back to
  // where the command began. The mailbox of a revoked member is the caller's part.
  bool apply(const membership::Change& change);

 private:
  bool add(const membership::Mesh& mesh);
  bool write(const membership::Mesh& mesh);
  bool add(const membership::MemberAdded& added);
  bool change_role(const membership::RoleChanged& changed);
  bool write_tags(MemberNumber member, const std::vector<std::string>& tags);
  bool join(const membership::ChannelJoined& joined);
  bool set(const membership::SourceSecret& source);
  bool is_member(MemberNumber member, MeshNumber mesh);
  // Did the statement that ended with `step` change a row?
  bool changed(Statement::Step step) const;

  Database& database_;
  Statement insert_mesh_;
  Statement update_mesh_;
  Statement insert_member_;
  Statement update_standing_;
  Statement update_role_;
  Statement delete_tags_;
  Statement insert_tag_;
  Statement insert_invite_;
  Statement use_invite_;
  Statement revoke_invite_;
  Statement find_member_;
  Statement insert_channel_;
  Statement delete_channel_;
  Statement set_source_;
  Statement revoke_source_;
  Statement revoke_tokens_;
};

}  // namespace signet::store::sqlite
