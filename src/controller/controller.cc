#include "controller/controller.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/log.h"
#include "crypto/random.h"

namespace signet::controller {
namespace {

// On whose word a change was made, in the words of the log.
constexpr std::string_view kByOperator = "operator";
constexpr std::string_view kByMember = "member";
constexpr std::string_view kByLegacyJoin = "legacy_join";

using membership::Change;
using membership::Member;
using membership::Mesh;
using membership::MeshSnapshot;
using membership::Standing;

// A race that was lost, for an invite or for a name, is decided anew at most that often.
constexpr int kTries = 3;

// What WallTime can count in milliseconds; an owner may have signed any number.
constexpr std::int64_t kFirstSecond = 0;
constexpr std::int64_t kLastSecond = std::numeric_limits<std::int64_t>::max() / 1000;

std::string random_root_key() {
  std::array<unsigned char, 32> bytes{};
  crypto::random_bytes(bytes);
  return to_base64url(bytes);
}

bool same_settings(const Mesh& a, const Mesh& b) {
  return a.owner == b.owner && a.root_key == b.root_key && a.max_connections == b.max_connections &&
         a.legacy_join == b.legacy_join;
}

Mesh merged(Mesh known, const MeshDeclaration& declaration) {
  known.slug = declaration.slug;
  if (declaration.owner) known.owner = declaration.owner;
  if (!declaration.root_key.empty()) known.root_key = declaration.root_key;
  known.max_connections = declaration.max_connections;
  known.legacy_join = declaration.legacy_join;
  return known;
}

}  // namespace

Controller::Controller(const ControllerOptions& options, ControlThread& control,
                       store::Store& store, const Clock& clock, Publish publish)
    : options_(options),
      control_(control),
      store_(store),
      clock_(clock),
      publish_(std::move(publish)) {
  for (const Change& change : store_.membership_at_start()) table_.apply(change);
  control_.at_turn_end([this] { end_turn(); });
}

void Controller::end_turn() {
  if (changed_) {
    changed_ = false;
    if (!narrowed_.empty()) {
      for (const auto& hear : hears_narrowed_) hear(narrowed_);
    }
    publish_(table_.snapshot(), std::exchange(narrowed_, {}));
  }
  while (!replies_.empty()) {  // an answer may decide something anew and reply again
    for (const auto& answer : std::exchange(replies_, {})) answer();
  }
}

void Controller::apply(const Change& change) {
  table_.apply(change);
  changed_ = true;
  if (const auto* standing = std::get_if<membership::StandingChanged>(&change)) {
    narrowed_.push_back(standing->member);
  } else if (const auto* role = std::get_if<membership::RoleChanged>(&change)) {
    narrowed_.push_back(role->member);
  } else if (const auto* revoked = std::get_if<membership::SourceRevoked>(&change)) {
    if (const auto* source = source_of(revoked->mesh, revoked->source)) {
      narrowed_.push_back(source->member);
    }
  } else if (const auto* set = std::get_if<membership::SourceSecretSet>(&change)) {
    if (!set->secret.shared) narrow_shared(set->secret.mesh);
  } else if (const auto* added = std::get_if<membership::MemberAdded>(&change)) {
    on_keyless(added->member);
  }
}

// Its name may be that of a node which was put out while it was being made.
void Controller::on_keyless(const membership::Member& member) {
  if (member.key) return;
  if (!membership::is_unproven(member)) narrow_shared(member.mesh);
  if (keeps_out_ && keeps_out_(member.mesh, member.id)) narrowed_.push_back(member.number);
}

// Whoever named that source or member under the shared secret may do so no longer.
void Controller::narrow_shared(MeshNumber mesh) {
  const auto* shared = source_of(mesh, membership::kSharedSource);
  if (shared != nullptr) narrowed_.push_back(shared->member);
}

const membership::SourceSecret* Controller::source_of(MeshNumber mesh,
                                                      std::string_view source) const {
  const MeshSnapshot* where = table_.mesh(mesh);
  if (where == nullptr) return nullptr;
  return source == membership::kSharedSource ? where->shared_secret() : where->source(source);
}

// Commits, then applies and answers; nothing is true before the store says so.
void Controller::commit(std::vector<Change> changes, std::string_view by,
                        std::function<void(Status)> answer, std::function<void()> settled) {
  auto shared = std::make_shared<const std::vector<Change>>(changes);
  store_.commit(std::move(changes), std::string(by), control_.mailbox(),
                [this, shared, answer = std::move(answer),
                 settled = std::move(settled)](const Status& status) {
                  if (status.ok()) {
                    for (const Change& change : *shared) apply(change);
                  }
                  if (settled) settled();
                  reply([answer, status] { answer(status); });
                });
}

void Controller::commit_sealed(store::CommitSealed what,
                               std::function<void(const Status&)> answer) {
  auto shared = std::make_shared<const std::vector<Change>>(what.changes);
  store_.commit_sealed(std::move(what), control_.mailbox(),
                       [this, shared, answer = std::move(answer)](const Status& status) {
                         if (status.ok()) {
                           for (const Change& change : *shared) apply(change);
                         }
                         answer(status);
                       });
}

const MeshSnapshot* Controller::mesh_by_slug(std::string_view slug) const {
  const MeshSnapshot* found = nullptr;
  table_.each_mesh([&](const MeshSnapshot& mesh) {
    if (mesh.mesh().slug == slug) found = &mesh;
  });
  return found;
}

void Controller::declare_mesh(const MeshDeclaration& declaration,
                              std::function<void(Result<std::string>)> answer) {
  const MeshSnapshot* known = mesh_by_slug(declaration.slug);
  Mesh mesh = merged(known == nullptr ? Mesh{} : known->mesh(), declaration);
  const bool conflicting_id =
      known != nullptr && !declaration.id.empty() && declaration.id != mesh.id;
  if (conflicting_id) {
    reply([answer] { answer(Error{ErrorCode::kConflict, "the mesh has another id"}); });
    return;
  }
  if (known != nullptr && same_settings(mesh, known->mesh())) {
    reply([answer, id = mesh.id] { answer(id); });
    return;
  }
  if (known == nullptr) {
    mesh.number = table_.reserve_mesh();
    mesh.id = declaration.id.empty() ? "mesh-" + crypto::random_hex(8) : declaration.id;
    if (mesh.root_key.empty()) mesh.root_key = random_root_key();
  }
  const Change change = known == nullptr ? Change(membership::MeshAdded{mesh})
                                         : Change(membership::MeshSettingsChanged{mesh});
  commit({change}, declaration.by,
         [answer = std::move(answer), id = mesh.id](const Status& status) {
           if (status.ok()) return answer(id);
           answer(status.error());
         });
}

void Controller::create_mesh(const MeshDeclaration& declaration,
                             std::function<void(Result<MadeMesh>)> answer) {
  try_create(declaration, kTries, std::move(answer));
}

void Controller::try_create(const MeshDeclaration& declaration, int tries,
                            std::function<void(Result<MadeMesh>)> answer) {
  const auto refuse = [&](ErrorCode code, const char* detail) {
    reply([answer, code, detail] { answer(Error{code, detail}); });
  };
  std::size_t meshes = 0;
  table_.each_mesh([&meshes](const MeshSnapshot&) { ++meshes; });
  if (const MeshSnapshot* known = mesh_by_slug(declaration.slug)) {
    const Mesh& mesh = known->mesh();
    if (!mesh.owner) {
      return refuse(ErrorCode::kConflict, "the mesh is declared without an owner");
    }
    if (mesh.owner != declaration.owner) {
      return refuse(ErrorCode::kConflict, "the slug belongs to a mesh of another owner");
    }
    if (!declaration.id.empty() && declaration.id != mesh.id) {
      return refuse(ErrorCode::kConflict, "the mesh has another id");
    }
    return reply([answer, id = mesh.id] { answer(MadeMesh{id, false}); });
  }
  if (table_.mesh(declaration.id) != nullptr) {
    return refuse(ErrorCode::kConflict, "the id belongs to another mesh");
  }
  if (meshes >= options_.meshes) return refuse(ErrorCode::kOverloaded, "too many meshes");
  declare_mesh(declaration, [this, declaration, tries, answer](const Result<std::string>& id) {
    if (id.ok()) return answer(MadeMesh{*id, true});
    if (id.error().code == ErrorCode::kConflict && tries > 1) {
      return try_create(declaration, tries - 1, answer);
    }
    answer(id.error());
  });
}

membership::Member Controller::new_member(MeshNumber mesh, membership::Role role,
                                          const crypto::PublicKey& key,
                                          const std::string& display_name) {
  Member member;
  member.number = table_.reserve_member();
  member.mesh = mesh;
  member.id = "member-" + crypto::random_hex(8);
  member.key = key;
  member.display_name = display_name;
  member.role = role;
  member.joined = clock_.wall();
  return member;
}

void Controller::add_member(MeshNumber mesh, membership::Role role, const crypto::PublicKey& key,
                            const std::string& display_name, std::optional<crypto::Digest32> invite,
                            std::function<void(Result<std::string>)> answer) {
  Member member = new_member(mesh, role, key, display_name);
  const std::string id = member.id;
  commit({membership::MemberAdded{std::move(member), invite}}, invite ? kByInvite : kByLegacyJoin,
         [answer = std::move(answer), id](const Status& status) {
           if (status.ok()) return answer(id);
           answer(status.error());
         });
}

void Controller::join(JoinRequest request, std::function<void(JoinOutcome)> answer) {
  try_join(std::move(request), kTries, std::move(answer));
}

void Controller::try_join(JoinRequest request, int tries, std::function<void(JoinOutcome)> answer) {
  const auto decision =
      membership::decide_join(table_, request.claim, request.token, request.key, clock_.wall());
  if (const auto* refusal = std::get_if<JoinRefusal>(&decision)) {
    return reply([answer, code = *refusal] { answer(code); });
  }
  if (const auto* known = std::get_if<membership::AlreadyMember>(&decision)) {
    return reply([answer, id = known->member_id] { answer(Joined{id, true}); });
  }
  const auto& admit = std::get<membership::Admit>(decision);
  const auto key = request.key;
  const auto name = request.display_name;
  add_member(admit.mesh, admit.role, key, name, admit.invite,
             [this, tries, answer = std::move(answer),
              request = std::move(request)](const Result<std::string>& added) mutable {
               if (added.ok()) return answer(Joined{*added, false});
               if (added.error().code == ErrorCode::kConflict && tries > 1) {
                 return try_join(std::move(request), tries - 1, std::move(answer));
               }
               log(LogLevel::kError, "join.failed", {{"detail", added.error().detail}});
               answer(JoinRefusal::kUnavailable);
             });
}

void Controller::join_without_invite(const std::string& mesh_id, const crypto::PublicKey& key,
                                     const std::string& display_name,
                                     std::function<void(JoinOutcome)> answer) {
  const MeshSnapshot* mesh = table_.mesh(mesh_id);
  const auto refuse = [&](JoinRefusal code) { reply([answer, code] { answer(code); }); };
  if (mesh == nullptr) return refuse(JoinRefusal::kMeshNotFound);
  if (!mesh->mesh().legacy_join) return refuse(JoinRefusal::kLegacyJoinOff);
  if (const Member* known = mesh->member(key)) {
    if (known->standing == Standing::kRevoked) return refuse(JoinRefusal::kMemberRevoked);
    return reply([answer, id = known->id] { answer(Joined{id, true}); });
  }
  log(LogLevel::kWarn, "join.without_invite", {{"mesh", mesh_id}});
  add_member(mesh->mesh().number, membership::Role::kMember, key, display_name, std::nullopt,
             [this, mesh_id, key, answer = std::move(answer)](const Result<std::string>& added) {
               if (added.ok()) return answer(Joined{*added, false});
               const MeshSnapshot* where = table_.mesh(mesh_id);
               const Member* known = where == nullptr ? nullptr : where->member(key);
               if (known != nullptr) return answer(Joined{known->id, true});  // a lost race
               answer(JoinRefusal::kUnavailable);
             });
}

void Controller::add_invite(const membership::InviteClaim& claim, std::string_view token,
                            std::int64_t max_uses, std::function<void(Status)> answer) {
  const auto refuse = [&](ErrorCode code, std::string detail) {
    reply([answer, code, detail = std::move(detail)] { answer(Error{code, detail}); });
  };
  const MeshSnapshot* mesh = table_.mesh(claim.mesh_id);
  if (mesh == nullptr) return refuse(ErrorCode::kNotFound, "no such mesh");
  if (!membership::signed_by_owner(claim, mesh->mesh())) {
    return refuse(ErrorCode::kForbidden, "not signed by the mesh's owner");
  }
  membership::Invite invite;
  invite.digest = membership::invite_digest(token);
  invite.mesh = mesh->mesh().number;
  invite.role = claim.role == "admin" ? membership::Role::kAdmin : membership::Role::kMember;
  invite.max_uses = max_uses;
  invite.expires = WallTime{std::clamp(claim.expires_at, kFirstSecond, kLastSecond) * 1000};
  if (table_.invite(invite.digest) != nullptr) return reply([answer] { answer(Done{}); });
  commit({membership::InviteAdded{invite}}, kByOperator, std::move(answer));
}

void Controller::revoke_invite(const crypto::Digest32& digest, std::function<void(Status)> answer) {
  if (table_.invite(digest) == nullptr) {
    return reply([answer] { answer(Error{ErrorCode::kNotFound, "no such invite"}); });
  }
  commit({membership::InviteRevoked{digest}}, kByOperator, std::move(answer));
}

// A number that is no member's where the key is none's.
MemberNumber Controller::number_of(MeshNumber mesh, const crypto::PublicKey& key) const {
  const MeshSnapshot* where = table_.mesh(mesh);
  const Member* member = where == nullptr ? nullptr : where->member(key);
  return member == nullptr ? MemberNumber{} : member->number;
}

void Controller::set_standing(MeshNumber mesh, const crypto::PublicKey& key, Standing standing,
                              std::function<void(Status)> answer) {
  set_standing(mesh, number_of(mesh, key), standing, std::move(answer));
}

void Controller::set_standing(MeshNumber mesh, MemberNumber number, Standing standing,
                              std::function<void(Status)> answer) {
  const auto told = [this, answer](const Status& status) {
    reply([answer, status] { answer(status); });
  };
  if (takes_standing_ && takes_standing_(mesh, number, standing, told)) return;
  const auto change = standing_change(mesh, number, standing);
  if (!change.ok()) return told(change.error());
  if (!*change) return told(Done{});
  commit({**change}, kByOperator, std::move(answer));
}

Status Controller::check_name(MeshNumber mesh, const std::string& id) const {
  if (!keeps_out_ || !keeps_out_(mesh, id)) return Done{};
  return Error{ErrorCode::kForbidden, "the id is that of a node which may not connect"};
}

Result<std::optional<membership::StandingChanged>> Controller::standing_change(
    MeshNumber mesh, MemberNumber number, Standing standing) const {
  const MeshSnapshot* where = table_.mesh(mesh);
  const Member* member = where == nullptr ? nullptr : where->member(number);
  if (member == nullptr) return Error{ErrorCode::kNotFound, "no such member"};
  std::optional<membership::StandingChanged> change;
  if (member->standing == standing) return change;
  if (member->standing == Standing::kRevoked) {
    return Error{ErrorCode::kForbidden, "revocation is final"};
  }
  change = {number, member->standing, standing};
  return change;
}

void Controller::set_role(MeshNumber mesh, const crypto::PublicKey& key, membership::Role role,
                          std::vector<std::string> tags, std::function<void(Status)> answer) {
  set_role(mesh, number_of(mesh, key), role, std::move(tags), std::move(answer));
}

void Controller::set_role(MeshNumber mesh, MemberNumber number, membership::Role role,
                          std::vector<std::string> tags, std::function<void(Status)> answer) {
  const MeshSnapshot* where = table_.mesh(mesh);
  const Member* member = where == nullptr ? nullptr : where->member(number);
  if (member == nullptr) {
    return reply([answer] { answer(Error{ErrorCode::kNotFound, "no such member"}); });
  }
  if (member->standing == Standing::kRevoked) {
    return reply([answer] { answer(Error{ErrorCode::kForbidden, "revocation is final"}); });
  }
  std::sort(tags.begin(), tags.end());
  tags.erase(std::unique(tags.begin(), tags.end()), tags.end());
  commit({membership::RoleChanged{number, role, std::move(tags)}}, kByOperator, std::move(answer));
}

void Controller::join_channel(MeshNumber mesh, MemberNumber member, std::string channel,
                              std::function<void(Status)> answer) {
  const MeshSnapshot* where = table_.mesh(mesh);
  const Member* known = where == nullptr ? nullptr : where->member(member);
  if (known == nullptr || !known->key) {  // nobody could seal a channel's key to it
    return reply([answer] { answer(Error{ErrorCode::kNotFound, "no such member"}); });
  }
  if (where->in_channel(channel, member)) return reply([answer] { answer(Done{}); });
  const bool is_new = where->channels().find(channel) == where->channels().end();
  // What is on its way to the store counts too, or a burst of joins would pass any limit.
  std::size_t& of_member = joining_[member];
  std::size_t& of_mesh = new_channels_[mesh];
  const bool over = where->channels_of(member) + of_member >= options_.channels_per_member ||
                    (is_new && where->channels().size() + of_mesh >= options_.channels_per_mesh);
  if (over) return reply([answer] { answer(Error{ErrorCode::kOverloaded, "channel limit"}); });
  ++of_member;
  of_mesh += is_new ? 1 : 0;
  // At once when it is in the table or refused: until its answer it would count twice.
  commit({membership::ChannelJoined{member, mesh, std::move(channel)}}, kByMember,
         std::move(answer), [this, mesh, member, is_new] {
           if (--joining_[member] == 0) joining_.erase(member);
           new_channels_[mesh] -= is_new ? 1 : 0;
         });
}

void Controller::leave_channel(MeshNumber mesh, MemberNumber member, std::string channel,
                               std::function<void(Status)> answer) {
  const MeshSnapshot* where = table_.mesh(mesh);
  if (where == nullptr || !where->in_channel(channel, member)) {
    return reply([answer] { answer(Done{}); });
  }
  commit({membership::ChannelLeft{member, mesh, std::move(channel)}}, kByMember, std::move(answer));
}

}  // namespace signet::controller
