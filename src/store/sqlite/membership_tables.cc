#include "store/sqlite/membership_tables.h"

#include <type_traits>

namespace signet::store::sqlite {
namespace {

using namespace membership;

std::string owned(std::string_view text) { return std::string(text); }

// The owner as bytes, or no bytes: an empty blob stands for "none".
ByteView owner_of(const Mesh& mesh) {
  return mesh.owner ? ByteView(mesh.owner->bytes) : ByteView();
}

Mesh mesh_of(const Statement& row) {
  Mesh mesh;
  mesh.number = {row.number(0)};
  mesh.id = owned(row.text(1));
  mesh.slug = owned(row.text(2));
  if (!row.bytes(3).empty()) mesh.owner = crypto::PublicKey{row.array<32>(3)};
  mesh.root_key = owned(row.text(4));
  mesh.max_connections = row.number(5);
  mesh.legacy_join = row.number(6) != 0;
  return mesh;
}

Member member_of(const Statement& row) {
  Member member;
  member.number = {row.number(0)};
  member.mesh = {row.number(1)};
  member.id = owned(row.text(2));
  if (!row.is_null(3)) member.key = crypto::PublicKey{row.array<32>(3)};
  member.display_name = owned(row.text(4));
  member.role = static_cast<Role>(row.number(5));
  member.standing = static_cast<Standing>(row.number(6));
  member.joined = {row.number(7)};
  return member;
}

Invite invite_of(const Statement& row) {
  Invite invite;
  invite.digest = row.array<32>(0);
  invite.mesh = {row.number(1)};
  invite.role = static_cast<Role>(row.number(2));
  invite.max_uses = row.number(3);
  invite.uses = row.number(4);
  invite.expires = {row.number(5)};
  invite.revoked = row.number(6) != 0;
  return invite;
}

SourceSecret source_of(const Statement& row) {
  SourceSecret source;
  source.mesh = {row.number(0)};
  source.source = owned(row.text(1));
  source.member = {row.number(2)};
  source.secret = crypto::SecretText(row.text(3));
  source.previous = crypto::SecretText(row.text(4));
  source.previous_until = {row.number(5)};
  source.revoked = row.number(6) != 0;
  source.changed = {row.number(7)};
  source.shared = source.source == kSharedSource;
  return source;
}

}  // namespace

MembershipTables::MembershipTables(Database& database)
    : database_(database),
      insert_mesh_(database, "INSERT INTO mesh VALUES(?, ?, ?, ?, ?, ?, ?)"),
      update_mesh_(database,
                   "UPDATE mesh SET slug = ?3, owner = ?4, root_key = ?5, max_connections = ?6,"
                   " legacy_join = ?7 WHERE number = ?1 AND id = ?2"),
      insert_member_(database, "INSERT INTO member VALUES(?, ?, ?, ?, ?, ?, ?, ?)"),
      update_standing_(database,
                       "UPDATE member SET standing = ? WHERE number = ? AND standing = ?"),
      update_role_(database, "UPDATE member SET role = ? WHERE number = ? AND standing <> ?"),
      delete_tags_(database, "DELETE FROM member_tag WHERE member = ?"),
      insert_tag_(database, "INSERT OR IGNORE INTO member_tag VALUES(?, ?)"),
      insert_invite_(database, "INSERT INTO invite VALUES(?, ?, ?, ?, ?, ?, ?)"),
      use_invite_(database,
                  "UPDATE invite SET uses = uses + 1"
                  " WHERE digest = ? AND mesh = ? AND revoked = 0 AND uses < max_uses"),
      revoke_invite_(database, "UPDATE invite SET revoked = 1 WHERE digest = ?"),
      find_member_(database, "SELECT 1 FROM member WHERE number = ? AND mesh = ?"),
      insert_channel_(database, "INSERT OR IGNORE INTO channel VALUES(?, ?, ?)"),
      delete_channel_(database, "DELETE FROM channel WHERE mesh = ? AND name = ? AND member = ?"),
      set_source_(database, "INSERT OR REPLACE INTO source VALUES(?, ?, ?, ?, ?, ?, ?, ?)"),
      revoke_source_(database,
                     "UPDATE source SET revoked = 1, secret = NULL, previous = NULL"
                     " WHERE mesh = ? AND source = ?"),
      revoke_tokens_(database,
                     "INSERT INTO token_revocation VALUES(?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
                     " issued_before = MAX(issued_before, excluded.issued_before),"
                     " until = MAX(until, excluded.until)") {}

std::vector<Change> MembershipTables::load(WallTime now) {
  std::vector<Change> changes;
  Statement meshes(database_, "SELECT * FROM mesh ORDER BY number");
  while (meshes.row()) changes.push_back(MeshAdded{mesh_of(meshes)});

  Statement members(database_, "SELECT * FROM member ORDER BY number");
  Statement tags(database_, "SELECT tag FROM member_tag WHERE member = ? ORDER BY tag");
  while (members.row()) {
    Member member = member_of(members);
    tags.start(member.number);
    while (tags.row()) member.tags.push_back(owned(tags.text(0)));
    changes.push_back(MemberAdded{std::move(member), std::nullopt});
  }

  Statement invites(database_, "SELECT * FROM invite ORDER BY digest");
  while (invites.row()) changes.push_back(InviteAdded{invite_of(invites)});

  Statement channels(database_, "SELECT member, mesh, name FROM channel ORDER BY mesh, name");
  while (channels.row()) {
    changes.push_back(
        ChannelJoined{{channels.number(0)}, {channels.number(1)}, owned(channels.text(2))});
  }

  Statement sources(database_, "SELECT * FROM source ORDER BY mesh, source");
  while (sources.row()) changes.push_back(SourceSecretSet{source_of(sources)});

  Statement revocations(database_,
                        "SELECT * FROM token_revocation WHERE until >= ?"
                        " ORDER BY mesh, token, subject");
  revocations.start(now);
  while (revocations.row()) {
    changes.push_back(TokensRevoked{{revocations.number(0)},
                                    {owned(revocations.text(1)),
                                     owned(revocations.text(2)),
                                     {revocations.number(3)},
                                     {revocations.number(4)}}});
  }
  return changes;
}

bool MembershipTables::changed(Statement::Step step) const {
  return step == Statement::Step::kDone && database_.changes() > 0;
}

bool MembershipTables::apply(const Change& change) {
  return std::visit(
      [this](const auto& c) -> bool {
        using Kind = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<Kind, MeshAdded>) {
          return add(c.mesh);
        } else if constexpr (std::is_same_v<Kind, MeshSettingsChanged>) {
          return write(c.mesh);
        } else if constexpr (std::is_same_v<Kind, MemberAdded>) {
          return add(c);
        } else if constexpr (std::is_same_v<Kind, StandingChanged>) {
          return changed(update_standing_.run(c.to, c.member, c.from));
        } else if constexpr (std::is_same_v<Kind, RoleChanged>) {
          return change_role(c);
        } else if constexpr (std::is_same_v<Kind, InviteAdded>) {
          return changed(insert_invite_.run(c.invite.digest, c.invite.mesh, c.invite.role,
                                            c.invite.max_uses, c.invite.uses, c.invite.expires,
                                            c.invite.revoked));
        } else if constexpr (std::is_same_v<Kind, InviteUsed>) {
          return true;  // counted with its MemberAdded
        } else if constexpr (std::is_same_v<Kind, InviteRevoked>) {
          return changed(revoke_invite_.run(c.digest));
        } else if constexpr (std::is_same_v<Kind, ChannelJoined>) {
          return join(c);
        } else if constexpr (std::is_same_v<Kind, ChannelLeft>) {
          return delete_channel_.run(c.mesh, c.channel, c.member) == Statement::Step::kDone;
        } else if constexpr (std::is_same_v<Kind, SourceSecretSet>) {
          return set(c.secret);
        } else if constexpr (std::is_same_v<Kind, SourceRevoked>) {
          return changed(revoke_source_.run(c.mesh, c.source));
        } else {
          static_assert(std::is_same_v<Kind, TokensRevoked>);
          const TokenRevocation& gone = c.revocation;
          return changed(
              revoke_tokens_.run(c.mesh, gone.token, gone.subject, gone.issued_before, gone.until));
        }
      },
      change);
}

bool MembershipTables::add(const Mesh& mesh) {
  return changed(insert_mesh_.run(mesh.number, mesh.id, mesh.slug, owner_of(mesh), mesh.root_key,
                                  mesh.max_connections, mesh.legacy_join));
}

bool MembershipTables::write(const Mesh& mesh) {
  return changed(update_mesh_.run(mesh.number, mesh.id, mesh.slug, owner_of(mesh), mesh.root_key,
                                  mesh.max_connections, mesh.legacy_join));
}

bool MembershipTables::add(const MemberAdded& added) {
  const Member& member = added.member;
  if (added.invite && !changed(use_invite_.run(*added.invite, member.mesh))) return false;
  const auto insert = [&](const auto& key) {
    return changed(insert_member_.run(member.number, member.mesh, member.id, key,
                                      member.display_name, member.role, member.standing,
                                      member.joined));
  };
  return (member.key ? insert(member.key->bytes) : insert(nullptr)) &&
         write_tags(member.number, member.tags);
}

bool MembershipTables::change_role(const RoleChanged& role) {
  return changed(update_role_.run(role.role, role.member, Standing::kRevoked)) &&
         write_tags(role.member, role.tags);
}

bool MembershipTables::write_tags(MemberNumber member, const std::vector<std::string>& tags) {
  bool good = delete_tags_.run(member) == Statement::Step::kDone;
  for (const std::string& tag : tags) {
    good = good && insert_tag_.run(member, tag) == Statement::Step::kDone;
  }
  return good;
}

// Joining twice is joining. A member of another mesh can't.
bool MembershipTables::join(const ChannelJoined& joined) {
  return is_member(joined.member, joined.mesh) &&
         insert_channel_.run(joined.mesh, joined.channel, joined.member) == Statement::Step::kDone;
}

bool MembershipTables::set(const SourceSecret& source) {
  return is_member(source.member, source.mesh) &&
         changed(set_source_.run(source.mesh, source.source, source.member,
                                 signet::bytes_of(source.secret.reveal()),
                                 signet::bytes_of(source.previous.reveal()), source.previous_until,
                                 source.revoked, source.changed));
}

bool MembershipTables::is_member(MemberNumber member, MeshNumber mesh) {
  find_member_.start(member, mesh);
  const bool found = find_member_.row();
  find_member_.finish();
  return found;
}

}  // namespace signet::store::sqlite
