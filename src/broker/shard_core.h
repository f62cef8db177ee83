// ShardCore is what every conversation of a shard needs: the snapshots that the shard sees now, its
// sessions by their connection, the one way to say and to refuse, and the one place where a policy
// is asked. Lives on its shard's thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/log_limiter.h"
#include "broker/session.h"
#include "broker/shared.h"
#include "membership/mesh_snapshot.h"
#include "net/shard.h"
#include "trust/decision_cache.h"
#include "trust/rate_limit.h"
#include "trust/token.h"

namespace signet::broker {

using ConnectionId = net::ConnectionId;

// What is asked of a policy, for what is told when it says no.
struct Wish {
  trust::Action action;
  std::string_view on;  // topic or address; empty where the action has none
};

// A principal as it can be told to another shard, or comes from HTTP: that shard judges it by what
// it shows itself.
struct Principal {
  MeshNumber mesh;
  MemberNumber member;
  trust::Proof proof = trust::Proof::kNone;
  std::string source;
  std::shared_ptr<const HeldToken> token = nullptr;  // of Proof::kToken
  bool operates = false;                             // the operator may read everything
};

// Whose token it is.
enum class TokenUse {
  kMember,  // who is a member, or is made one
  kEngine,  // an engine of Hub: its issuers are HubDoor's too, its subject is the claim `engineId`
};

// A token whose time is not now was once good: no guess, for which its address would pay.
bool is_forgery(TokenRefusal rule);

class ShardCore {
 public:
  ShardCore(Shared& shared, net::Shard& shard);

  Shared& shared() { return shared_; }
  net::Shard& shard() { return shard_; }
  Mailbox& mailbox() { return shard_.mailbox(); }  // any thread

  const membership::MembershipSnapshot& snapshot() const { return *snapshot_; }
  const membership::MeshSnapshot* mesh_of(const Session& session) const {
    return snapshot_->mesh(session.mesh);
  }
  const membership::Member* member_of(const Session& session) const;

  // nullptr when it is gone, or told to go.
  Session* session_at(ConnectionId id);

  void say(Session& session, const dialects::Reply& reply);
  bool say_text(Session& session, std::string_view text);  // false: it is closed as slow
  void refuse(Session& session, Refusal code, std::string_view client_id,
              std::optional<std::chrono::nanoseconds> retry_after = std::nullopt,
              std::string_view detail = {}, std::string_view ref = {});

  // The policy's word, remembered. Good until the next call of the same mesh.
  const trust::Decision& decide(const Session& session, const Wish& wish);
  bool may(const Session& session, const Wish& wish) { return decide(session, wish).allowed; }
  // May it? If not, it is refused with `denied` and a reference by which the operator finds why.
  bool may_or_refuse(Session& session, const Wish& wish, std::string_view client_id = {});
  // Records a no, and answers its reference; empty when there were too many this second.
  // Whoever governs hears of it on `governance.decision`.
  std::string record_denial(const Session& session, const Wish& wish, std::string_view code);
  struct Denied {
    MeshNumber mesh;
    trust::Proof proof;
    trust::Roles roles;
    std::string name;
  };
  std::string record_denial(const Denied& who, const Wish& wish, std::string_view code);

  // Whatever this policy makes of the session's principal.
  trust::Roles roles_of(const Session& session) const { return roles_of(principal_of(session)); }
  trust::Roles roles_of(const Principal& who) const;
  Principal principal_of(const Session& session) const;
  bool may(const Principal& who, trust::Roles roles, const Wish& wish);
  // Would the policy let in who is no member yet? Who may not is made none, and leaves nothing.
  bool may_become_member(const Principal& who) const;
  trust::RoleLimits limits_of(const Session& session);
  const MeshRules& rules_of(MeshNumber mesh) const;
  const Rules& rules() const { return *rules_; }
  // Into the log that can't be changed unseen.
  void note(const Session& session, audit::Event event, std::string_view code);
  void note(MeshNumber mesh, MemberNumber member, const net::PeerAddress& peer, audit::Event event,
            std::string_view code) {
    trail_.note(event, mesh, member, peer, code);
  }
  // What a session whose proof was good did; the overlay's rule may hear of it.
  void saw(MeshNumber mesh, MemberNumber member, bool as_engine, Signal signal) {
    signals_.note(mesh, member, as_engine, signal);
  }
  // Whose rates what it does counts against.
  static Payer payer_of(const Session& session);
  // Who it is, in the words that other peers and the log hear: source or key.
  std::string name_of_principal(const Session& session) const;

  // shard_tokens.cc
  // What a token says that this mesh believes now, or the first rule that it breaks. Counts nothing
  // and tells nobody.
  std::variant<trust::TokenFacts, TokenRefusal> check_token(MeshNumber mesh, std::string_view token,
                                                            TokenUse use = TokenUse::kMember) const;
  // What to keep of it. REQUIRES: check_token() gave these facts of this mesh just now.
  HeldToken hold(MeshNumber mesh, const trust::TokenFacts& facts) const;
  // Is it past its end, by the wall clock as it is now or by the time that has passed since it was
  // taken? For sessions that look again and again; who sets a clock back makes none last longer.
  bool is_over(const HeldToken& held) const;
  // Why the token that `subject` came by holds no more: its key is gone, it was taken back, or the
  // wall clock says that it is over. nullopt: it holds. To be asked when a snapshot or rules are
  // shown, and when the clock was set.
  std::optional<TokenRefusal> lost_token(MeshNumber mesh, const std::string& subject,
                                         const HeldToken& held) const;

 protected:
  ~ShardCore() = default;

  // Signet's own word to who subscribed to that very topic.
  virtual void announce(MeshNumber mesh, const std::string& topic, const std::string& payload) = 0;

  struct MeshDecisions {
    explicit MeshDecisions(std::shared_ptr<const trust::Policy> policy)
        : cache(std::move(policy)) {}
    trust::DecisionCache cache;
    std::map<trust::Roles, trust::RoleLimits> limits;
  };
  MeshDecisions& decisions_of(MeshNumber mesh);

  Shared& shared_;
  net::Shard& shard_;
  std::shared_ptr<const membership::MembershipSnapshot> snapshot_;
  std::uint64_t shown_ = 0;  // how many snapshots there were
  std::shared_ptr<const Rules> rules_;
  std::unordered_map<MeshNumber, MeshDecisions> decisions_;
  trust::TokenBucket records_;
  AuditTrail trail_;
  MemberSignals signals_;
  LogLimiter<Refusal> refused_log_{kRefusalCount};
};

}  // namespace signet::broker
