// Controller is the one writer of membership and standing. A command is decided by the pure rules
// of `membership`, committed by the store under its condition, applied to the table, and shown to
// every shard as an immutable snapshot, at most once per turn: a storm of joins is one copy.
//
// Everything runs on the control thread. An answer is given after the snapshot that holds its
// effect was posted to every shard, so that whoever acts on the answer meets a broker that knows.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "controller/control_thread.h"
#include "membership/invite.h"
#include "store/store.h"

namespace signet::controller {

struct ControllerOptions {
  std::size_t channels_per_member = 64;   // what one agent can follow
  std::size_t channels_per_mesh = 1'024;  // bounds the snapshot
  std::size_t meshes = 1'000;             // made at run time: each costs memory on every shard
};

struct MeshDeclaration {
  std::string slug;
  std::string id;  // empty: a random one for a new mesh, the present one for a known mesh
  std::optional<crypto::PublicKey> owner;
  std::string root_key;  // empty: keep, or make a random one
  std::int64_t max_connections = 10'000;
  bool legacy_join = false;
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
  // Shows a snapshot to every shard; `narrowed` are the members whose standing changed: their
  // sessions may have to close. Called on the control thread.
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
  // Fails kConflict when the slug is that of a mesh with another owner or id, or the id that of a
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

  // Fails kNotFound for no such member, kForbidden for a revoked one: revocation is final.
  void set_standing(MeshNumber mesh, const crypto::PublicKey& key, membership::Standing standing,
                    std::function<void(Status)> answer);
  void set_role(MeshNumber mesh, const crypto::PublicKey& key, membership::Role role,
                std::vector<std::string> tags, std::function<void(Status)> answer);

  // Fails kOverloaded over a limit; two that open one channel at the same moment count as two.
  // Joining twice and leaving what was not joined are fine.
  void join_channel(MeshNumber mesh, MemberNumber member, std::string channel,
                    std::function<void(Status)> answer);
  void leave_channel(MeshNumber mesh, MemberNumber member, std::string channel,
                     std::function<void(Status)> answer);

 private:
  void commit(std::vector<membership::Change> changes, std::function<void(Status)> answer);
  void try_create(const MeshDeclaration& declaration, int tries,
                  std::function<void(Result<MadeMesh>)> answer);
  const membership::MeshSnapshot* mesh_by_slug(std::string_view slug) const;
  void add_member(MeshNumber mesh, membership::Role role, const crypto::PublicKey& key,
                  const std::string& display_name, std::optional<crypto::Digest32> invite,
                  std::function<void(Result<std::string>)> answer);
  void try_join(JoinRequest request, int tries, std::function<void(JoinOutcome)> answer);
  void apply(const membership::Change& change);
  void reply(std::function<void()> answer) { replies_.push_back(std::move(answer)); }
  void end_turn();

  const ControllerOptions options_;
  ControlThread& control_;
  store::Store& store_;
  const Clock& clock_;
  const Publish publish_;
  membership::MembershipTable table_;
  bool changed_ = true;  // the first turn publishes what was loaded
  std::vector<MemberNumber> narrowed_;
  std::vector<std::function<void()>> replies_;  // wait for the end of the turn
  // Joins of channels that the store has not answered: of a member, and of new channels in a mesh.
  std::unordered_map<MemberNumber, std::size_t> joining_;
  std::unordered_map<MeshNumber, std::size_t> new_channels_;
};

}  // namespace signet::controller
