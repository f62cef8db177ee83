// Controller is the one writer of membership and standing. A command is decided by the pure rules
// of `membership`, committed by the store under its condition, applied to the table, and shown to
// every shard as an immutable snapshot, at most once per turn: a storm of joins is one copy.
//
// Everything runs on the control thread. An answer is given after the snapshot that holds its
// effect was posted to every shard, so that whoever acts on the answer meets a broker that knows.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "controller/control_thread.h"
#include "membership/invite.h"
#include "store/store.h"

namespace signet::controller {

// On whose word a member came, in the log: an invite's.
inline constexpr std::string_view kByInvite = "invite";

struct ControllerOptions {
  std::size_t channels_per_member = 64;     // what one agent can follow
  std::size_t channels_per_mesh = 1'024;    // bounds the snapshot
  std::size_t meshes = 1'000;               // made at run time: each costs memory on every shard
  std::size_t sources_per_mesh = 10'000;    // bounds the snapshot; revoked ones count
  std::size_t subjects_per_mesh = 10'000;   // members without a key, whoever made them
  std::size_t token_revocations = 100'000;  // of one mesh: bounds the snapshot
  bool allow_sample_secrets = false;        // dev only: everybody can look these secrets up
};

// Who a new source is.
struct SourceOptions {
  std::optional<crypto::PublicKey> member;  // one that is there; none: a new member without a key
  std::vector<std::string> tags;            // of a new member
  std::string display_name;                 // of a new member; empty: the name of the source
  crypto::SecretText secret;                // one that its clients have already; empty: a fresh one
};

// What only the answer to its maker shows: nothing else tells a secret.
struct NewSecret {
  crypto::SecretText secret;
  std::string member_id;
};

struct MeshDeclaration {
  std::string slug;
  std::string id;  // empty: a random one for a new mesh, the present one for a known mesh
  std::optional<crypto::PublicKey> owner;
  std::string root_key;  // empty: keep, or make a random one
  std::int64_t max_connections = 10'000;
  bool legacy_join = false;
  std::string_view by = "configuration";  // on whose word, for the log; of static storage
};

struct MadeMesh {
  std::string id;
  bool is_new = false;
};

struct Joined {
  std::string member_id;
  bool already = false;
};
using JoinOutcome = std::variant<JoinRefusal, Joined>;

class Controller {
 public:
  // Shows a snapshot to every shard; `narrowed` are the members whose standing, role or tags
  // changed, whose source was revoked, or whose shared secret shows a name less: their sessions may
  // have to close or may do less. Called on the control thread.
  using Publish = std::function<void(std::shared_ptr<const membership::MembershipSnapshot>,
                                     std::vector<MemberNumber> narrowed)>;

  // `control`, `store` and `clock` must outlive the controller. Call before control.start().
  Controller(const ControllerOptions& options, ControlThread& control, store::Store& store,
             const Clock& clock, Publish publish);

  const membership::MembershipTable& table() const { return table_; }

  // Makes the mesh, or brings a known one (by slug) up to what is declared.
  void declare_mesh(const MeshDeclaration& declaration,
                    std::function<void(Result<std::string>)> answer);

  // Makes the mesh, once: the same slug, owner and id again change nothing. REQUIRES: an owner.
  // Fails kConflict when the slug is that of a mesh without an owner, which only a declaration
  // gives it, or with another owner or id, or the id that of a
  // mesh with another slug; kOverloaded when there are too many meshes.
  void create_mesh(const MeshDeclaration& declaration,
                   std::function<void(Result<MadeMesh>)> answer);

  struct JoinRequest {
    membership::InviteClaim claim;
    std::string token;
    crypto::PublicKey key;
    std::string display_name;
  };
  void join(JoinRequest request, std::function<void(JoinOutcome)> answer);
  void join_without_invite(const std::string& mesh_id, const crypto::PublicKey& key,
                           const std::string& display_name,
                           std::function<void(JoinOutcome)> answer);

  // Registers a link that the owner signed. Fails kForbidden when its signature is not the owner's.
  void add_invite(const membership::InviteClaim& claim, std::string_view token,
                  std::int64_t max_uses, std::function<void(Status)> answer);
  void revoke_invite(const crypto::Digest32& digest, std::function<void(Status)> answer);

  // Fails kNotFound for no such member, kForbidden for a revoked one: revocation is final. A role
  // that another commit's revocation is quicker than fails kConflict.
  void set_standing(MeshNumber mesh, const crypto::PublicKey& key, membership::Standing standing,
                    std::function<void(Status)> answer);
  void set_role(MeshNumber mesh, const crypto::PublicKey& key, membership::Role role,
                std::vector<std::string> tags, std::function<void(Status)> answer);
  // The same of a member that may have no key.
  void set_standing(MeshNumber mesh, MemberNumber member, membership::Standing standing,
                    std::function<void(Status)> answer);
  void set_role(MeshNumber mesh, MemberNumber member, membership::Role role,
                std::vector<std::string> tags, std::function<void(Status)> answer);

  // Fails kOverloaded over a limit; two that open one channel at the same moment count as two.
  // Joining twice and leaving what was not joined are fine.
  void join_channel(MeshNumber mesh, MemberNumber member, std::string channel,
                    std::function<void(Status)> answer);
  void leave_channel(MeshNumber mesh, MemberNumber member, std::string channel,
                     std::function<void(Status)> answer);

  using SecretAnswer = std::function<void(Result<NewSecret>)>;

  // controller_sources.cc: the secrets of sources. One change of a source at a time: another that
  // comes before the store has answered fails kConflict. All fail kNotFound for no such mesh and
  // kMalformed for a name that is none.

  // Makes the source and, where no member is named, its member, whose id is the source's name; or
  // gives one that was revoked a new secret, for the member that it had. Fails kConflict where the
  // source is there or the id is taken, kNotFound for no such member, kForbidden for a revoked one,
  // kMalformed for a given secret that is none and for tags of a member that is there, kOverloaded
  // over sources_per_mesh.
  void add_source(MeshNumber mesh, const std::string& source, const SourceOptions& options,
                  SecretAnswer answer);

  // Draws a new secret; the one that held holds until `overlap` from now, and the one of before the
  // last rotation no more. Fails kNotFound for no such source, kForbidden for a revoked one.
  void rotate_source(MeshNumber mesh, const std::string& source, std::chrono::milliseconds overlap,
                     SecretAnswer answer);

  // Sets a secret that the clients have already, at once; a source that is missing is made as by
  // add_source. The same secret again changes nothing. Fails kMalformed for one that is none,
  // kForbidden for a revoked source.
  void set_source_secret(MeshNumber mesh, const std::string& source,
                         const crypto::SecretText& secret, SecretAnswer answer);

  // Sets the secret that any source of the mesh may show, and makes the member that it proves. Of
  // the configuration, so it also brings one that was revoked back. The same again changes nothing.
  void declare_shared_secret(MeshNumber mesh, const crypto::SecretText& secret,
                             std::function<void(Status)> answer);

  // Ends the secrets of a source (kSharedSource: the shared one) and forgets them; the member
  // stays. Done for one that was revoked before; kNotFound for no such source.
  void revoke_source(MeshNumber mesh, const std::string& source,
                     std::function<void(Status)> answer);

  // controller_subjects.cc: members that tokens and client certificates prove.

  // The member that is called `subject`, made when there is none: without a key, on the word of
  // `by` ("token", "certificate"). Fails kForbidden when a member with a key of its own has that
  // id, it is the shared secret's or that of a node which may not connect, and kOverloaded over
  // subjects_per_mesh.
  using SubjectAnswer = std::function<void(Result<MemberNumber>)>;
  void admit_subject(MeshNumber mesh, const std::string& subject, std::string_view by,
                     SubjectAnswer answer);

  // One of that name who is nobody yet, for a commit of its maker's as new_member: where nothing
  // proves the name, it is never a member that is there, or on its way. Fails as admit_subject, and
  // kForbidden for each id that is taken.
  Result<membership::Member> new_subject(MeshNumber mesh, const std::string& subject);

  // Tokens hold no more, of every shard's sessions within a turn. Fails kNotFound for no such mesh,
  // kMalformed for a revocation that names neither or both, kOverloaded over token_revocations.
  void revoke_tokens(MeshNumber mesh, membership::TokenRevocation revocation,
                     std::function<void(Status)> answer);

  // Commits rows of another owner on this thread together with changes of membership, and applies
  // these as its own. The owner's answer comes before the snapshot is shown, so that what it keeps
  // in memory is never behind what shards know. Fails as the store does.
  void commit_sealed(store::CommitSealed what, std::function<void(const Status&)> answer);

  // A member of that mesh with a number and an id of its own, for a commit of its maker's: it is
  // none before that.
  membership::Member new_member(MeshNumber mesh, membership::Role role,
                                const crypto::PublicKey& key, const std::string& display_name);

  // What an operator's word makes of a member's standing; none: it is so already. Fails kNotFound
  // for no such member, kForbidden for a revoked one.
  Result<std::optional<membership::StandingChanged>> standing_change(
      MeshNumber mesh, MemberNumber member, membership::Standing standing) const;

  // Takes upon itself, by answering true, an operator's word on a member of which more is kept than
  // its standing: then that word and what follows from it are one commit, which it answers.
  using TakeStanding = std::function<bool(MeshNumber, MemberNumber, membership::Standing,
                                          std::function<void(Status)>)>;
  void at_standing(TakeStanding take) { takes_standing_ = std::move(take); }

  // Asked before a member without a key is made or admitted: is it the namesake of a node that may
  // not connect?
  using KeepOut = std::function<bool(MeshNumber, const std::string& id)>;
  void at_subject(KeepOut is_out) { keeps_out_ = std::move(is_out); }

  // Hears in each turn, before its snapshot is shown, whose standing, role, tags or source changed.
  void at_narrowed(std::function<void(const std::vector<MemberNumber>&)> hear) {
    hears_narrowed_.push_back(std::move(hear));
  }

 private:
  // `settled` runs as soon as the changes are in the table or refused, `answer` once they are
  // shown.
  void commit(std::vector<membership::Change> changes, std::string_view by,
              std::function<void(Status)> answer, std::function<void()> settled = {});
  void try_create(const MeshDeclaration& declaration, int tries,
                  std::function<void(Result<MadeMesh>)> answer);
  const membership::MeshSnapshot* mesh_by_slug(std::string_view slug) const;
  void add_member(MeshNumber mesh, membership::Role role, const crypto::PublicKey& key,
                  const std::string& display_name, std::optional<crypto::Digest32> invite,
                  std::function<void(Result<std::string>)> answer);
  void try_join(JoinRequest request, int tries, std::function<void(JoinOutcome)> answer);
  void apply(const membership::Change& change);
  void on_keyless(const membership::Member& member);
  void narrow_shared(MeshNumber mesh);
  MemberNumber number_of(MeshNumber mesh, const crypto::PublicKey& key) const;
  // The shared secret for its name. Borrowed until the next change; nullptr where there is none.
  const membership::SourceSecret* source_of(MeshNumber mesh, std::string_view source) const;
  void reply(std::function<void()> answer) { replies_.push_back(std::move(answer)); }
  Status check_source(MeshNumber mesh, std::string_view source) const;
  Status check_secret(const crypto::SecretText& secret) const;
  Result<const membership::Member*> member_for(const membership::MeshSnapshot& mesh,
                                               const std::string& source,
                                               const SourceOptions& options) const;
  membership::Member keyless_member(MeshNumber mesh, std::string id, const SourceOptions& options);
  void on_subject(MeshNumber mesh, const std::string& subject, const Status& status);
  Status check_name(MeshNumber mesh, const std::string& id) const;
  void commit_source(std::vector<membership::Change> before, membership::SourceSecret secret,
                     std::string member_id, SecretAnswer answer);
  void end_turn();

  const ControllerOptions options_;
  ControlThread& control_;
  store::Store& store_;
  const Clock& clock_;
  const Publish publish_;
  membership::MembershipTable table_;
  bool changed_ = true;  // the first turn publishes what was loaded
  std::vector<MemberNumber> narrowed_;
  std::vector<std::function<void(const std::vector<MemberNumber>&)>> hears_narrowed_;
  TakeStanding takes_standing_;
  KeepOut keeps_out_;
  std::vector<std::function<void()>> replies_;  // wait for the end of the turn
  // Joins of channels that the store has not answered: of a member, and of new channels in a mesh.
  std::unordered_map<MemberNumber, std::size_t> joining_;
  std::unordered_map<MeshNumber, std::size_t> new_channels_;
  // Sources whose change the store has not answered: what is decided next must know its outcome.
  std::set<std::pair<MeshNumber, std::string>> changing_sources_;
  // Who waits for a member that is being made.
  std::map<std::pair<MeshNumber, std::string>, std::vector<SubjectAnswer>> new_subjects_;
};

}  // namespace signet::controller
