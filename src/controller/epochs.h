// Epochs is the one writer of a mesh's overlay: its nodes and what they submitted, who is a member
// in each epoch, and where the keys are. The pure rules of `overlay` decide; each step is committed
// by the store, with what follows from it for the standing of members, before anybody hears of it.
//
// Everything runs on the control thread. While a step is being committed, calls wait for it, so
// that no two of them write over one version of a row.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/log_limiter.h"
#include "base/metrics.h"
#include "controller/controller.h"
#include "controller/operator_record.h"
#include "controller/overlay_vault.h"
#include "membership/invite.h"
#include "overlay/address_plan.h"
#include "overlay/epoch_table.h"
#include "overlay/judgement.h"
#include "overlay/mass_denial.h"
#include "overlay/rule.h"
#include "overlay/submission_check.h"
#include "trust/rate_limit.h"

namespace signet::controller {

// What lets a node in whose name nobody has. Who has it by the same key needs none.
struct RegistrationDoors {
  bool members = true;        // the key of a member of the mesh
  bool invites = true;        // an invite: its key becomes a member, and a use is counted
  bool certificates = false;  // a client certificate whose common name is the node's name
  // Of a name the key that it is listed with.
  std::map<std::string, crypto::PublicKey, std::less<>> listed;
};

// Who decides together what is too grave for one. They are the mesh's from its first start with
// them on; then they change by their own statements alone.
struct OperatorOptions {
  std::vector<crypto::PublicKey> keys;  // distinct; empty: none
  std::size_t needed = 2;               // m: 1 to as many as there are
  bool emergency = false;               // one is enough; loud
  // Of a statement: who signs today can't know what will be true next week.
  std::chrono::milliseconds longest_life{std::chrono::hours{24}};
};

struct OverlayOptions {
  overlay::SubmissionRules submissions;
  overlay::RuleParameters rule;
  overlay::EpochOptions epochs;
  overlay::Subnet subnet;
  std::size_t nodes = 10'000;                    // of a mesh: what a decision costs
  std::size_t waiting = 10'000;                  // calls that wait for a commit: bounds memory
  double submissions_per_second = 10.0 / 60.0;   // of a node: the page's
  double submissions_burst = 10;                 // the page's
  std::chrono::hours report_retention{24 * 30};  // scores are personal data
  // More members than that denied in one step, of the mesh and of a group in it that one hand let
  // in (overlay/mass_denial.h), wait for the operators' word: a broken clock or a bad threshold
  // must not take a mesh apart. 1000: never.
  std::uint32_t mass_denial_permille = 300;
  RegistrationDoors doors;
  OperatorOptions operators;
  // Nodes that one invite, or the authority of certificates, may bring; 0: any number. A link that
  // leaked must not fill the mesh, whose subnet has 253 addresses unless it was given more.
  std::size_t nodes_per_owner = 100;
  // Reports that ran out between boundaries make one decision in so long: that of many nodes which
  // stop together, and no denial comes much later than its report's end.
  std::chrono::milliseconds silence_every{1'000};
};

// Who asks to be a node.
struct NewNode {
  std::string name;
  crypto::PublicKey key;  // of a member of the mesh
  overlay::WireGuardKey wireguard{};
  std::string endpoint;  // an overlay::Endpoint's text, or empty
  // When it was signed: an older one than the node's newest is a replay. none: it is not looked at.
  std::optional<WallTime> signed_at = {};
  struct Invite {
    membership::InviteClaim claim;
    std::string token;
  };
  std::optional<Invite> invite = {};
  std::string certificate = {};  // the common name that TLS verified; empty: none was shown
};

// Who gets other keys. None of both: nothing changes.
struct NodeRekeyed {
  std::string name;
  std::optional<overlay::WireGuardKey> wireguard;  // none: it stays
  std::optional<crypto::PublicKey> key;            // that signs; none: it stays
  // The node's own word: the key that signed it, and when. none: m of n operators say so.
  struct Word {
    crypto::PublicKey by;
    WallTime at;
  };
  std::optional<Word> word = {};
};

struct Received {
  std::uint64_t epoch = 0;  // the last that was decided
};
using SubmissionAnswer = std::variant<SubmissionRefusal, Received>;
using NodeAnswer = std::variant<NodeRefusal, Done>;
struct CarriedOut {
  membership::OperatorAction action{};
  std::uint64_t serial = 0;
};
using StatementAnswer = std::variant<StatementRefusal, CarriedOut>;

// What a node submitted, as it signed it.
struct KeptReport {
  std::uint64_t number = 0;  // in the order of their coming
  WallTime at;
  std::string signed_text;  // the format's first line and the body; empty: it does not open
  std::string signature;    // hex; empty: it was not signed
};
using ReportsAnswer = std::function<void(Result<std::vector<KeptReport>>)>;

// What one node and its peers have in common.
struct PeerKeys {
  overlay::WireGuardKey key{};
  std::uint32_t address = 0;  // the place in the subnet
  std::string endpoint;
  overlay::PresharedKey current;
  std::optional<overlay::PresharedKey> other;  // of the offer's next or previous epoch
};
struct NodeConfiguration {
  std::optional<bool> allowed;  // none: no decision yet
  std::string reason;
  std::uint64_t epoch = 0;
  std::uint32_t address = 0;
  overlay::KeyOffer keys;
  std::vector<PeerKeys> peers;                    // of a node with keys that is allowed
  std::optional<overlay::PresharedKey> original;  // of one without, that is allowed
};

class Epochs {
 public:
  // All must outlive it. The mesh is there. Call before the control thread starts; load() next.
  Epochs(const OverlayOptions& options, MeshNumber mesh, OverlayVault vault, ControlThread& control,
         store::Store& store, const Clock& clock, Controller& controller, MetricRegistry& metrics);

  // What is counted of refused submissions. Alerts look at it, so it is there, at zero, where no
  // mesh has an overlay as well.
  static CodeCounters<SubmissionRefusal> refusals(MetricRegistry& metrics);

  // Reads what is on disk; decides nothing before. Fails kMalformed, in a sentence, where a row
  // does not open under this key or says what can't be: then nothing is decided at all.
  void load(std::function<void(Status)> answer);

  // From now on nodes, epochs and changes of verdicts are entries of this log. null: of none.
  void log_to(std::shared_ptr<const store::LogIdentity> log) { log_ = std::move(log); }
  // Hears of each decision, when it is on disk.
  void at_decided(std::function<void()> hear) { hears_decided_.push_back(std::move(hear)); }

  // epochs_nodes.cc
  void submit(overlay::Submission submission, const std::string& path_name,
              std::function<void(SubmissionAnswer)> answer);
  // Done also for the same node again. Its proof is the caller's business.
  void register_node(const NewNode& node, const std::function<void(NodeAnswer)>& answer);
  // epochs_rekey.cc: other keys for a node that stays what it is: address and standing. Under a new
  // key that signs, sequences begin anew; it is a new member's, which takes the place, standing,
  // role and tags of the old one; the old one is revoked in the same commit, so that nobody has two
  // for one and a stolen key opens nothing. Done also where nothing changes. Refuses kUnproven (no
  // such node, or its key is another by now), kRevoked, kReplayed, kBadKey, kKeyTaken,
  // kUnavailable; and kNotInvited a new key that signs, on the node's own word, while it is
  // quarantined or where it has overlay::kMostFormerMembers behind it: that takes the operators'
  // word.
  void rekey(const NodeRekeyed& wanted, const std::function<void(NodeAnswer)>& answer);
  // Forgets the node and all that it ever submitted. Its member stays.
  void forget(const std::string& name, const std::function<void(NodeAnswer)>& answer);
  // What the broker saw of a member since; counted in the next decision.
  void add_signals(MemberNumber member, const overlay::Signals& signals);
  // The same of an engine of Hub, whose token was issued under a name: also the node of that name.
  void add_engine_signals(MemberNumber member, const overlay::Signals& signals);
  // What a node says of itself: it has the keys of this epoch; it uses those of that one.
  void ready(const std::string& name, std::uint64_t epoch) { table_.ready(name, epoch); }
  void uses(const std::string& name, std::uint64_t epoch) { table_.uses(name, epoch); }

  // Decides now, ahead of the boundary. Waits its turn; kUnavailable when the store can't.
  void decide_now(std::function<void(Status)> answer);
  // Lets the next decision deny as many as it would: m of n operators, or one in an emergency.
  void allow_mass_denial() { mass_denial_allowed_ = true; }

  // epochs_statements.cc: what m of n operators say.

  // Does what the statement says, once: its serial, the evidence, the entries in the log and its
  // effect are one commit. Waits its turn behind steps and writes of nodes.
  void carry_out(membership::SignedStatement said, std::function<void(StatementAnswer)> answer);
  // Gives the mesh the owner again that the operators set, where it was declared otherwise since.
  // Waits its turn behind a statement that is being committed.
  void keep_owner(std::function<void(Status)> answer);
  // Who decides together; nullptr: nobody, and one operator may do everything. Borrowed until the
  // next turn.
  const QuorumState* quorum() const { return quorum_ ? &*quorum_ : nullptr; }
  // Does it take m of n here, so that one operator's token revokes nobody?
  bool takes_many() const { return quorum_ && !options_.operators.emergency; }
  // Who was revoked by statements, by serial. Borrowed likewise.
  const std::map<std::uint64_t, KeptStatement>& revocations() const { return revocations_; }
  // Of the list that they are on; 0: nobody is.
  std::uint64_t revocations_serial() const {
    return revocations_.empty() || !quorum_ ? 0 : quorum_->last_serial;
  }
  // Of the denials that are held: what `deny_many` has to name. Empty: none are.
  std::string held_digest() const {
    return held_.empty() ? "" : membership::digest_of_denials(held_);
  }

  bool is_loaded() const { return loaded_; }
  const overlay::EpochState& state() const { return table_.state(); }
  WallTime expires() const { return table_.ends(); }
  std::string secret_hash() const;  // of the newest keys; empty: none yet
  // Borrowed until the next turn; nullptr for no such node.
  const overlay::Node* node(std::string_view name) const;
  void each_node(const std::function<void(const overlay::Node&)>& visit) const;
  membership::Standing standing_of(const overlay::Node& node) const;
  // The node that was this member before it changed its signing key. Borrowed until the next turn;
  // nullptr: no node was.
  const overlay::Node* successor_of(MemberNumber former) const;
  NodeConfiguration configuration(std::string_view name) const;
  // epochs_view.cc: what operators look at.

  // The last decision that changed anything of the node, with its inputs; nullptr: none yet.
  // Borrowed until the next turn.
  const overlay::Judgement* judgement(std::string_view name) const;
  // What the broker saw of the node since; of none for no such node.
  overlay::Signals seen(std::string_view name) const;
  // The parameters of a version that decided, or nullptr. Borrowed likewise.
  const overlay::RuleParameters* rule_of(std::uint32_t version) const;
  // Who is missing for the next step of the keys.
  std::set<std::string> waits_for() const { return table_.waits_for(holders()); }
  // Reports beyond number `after`, the oldest first; kUnavailable where the store can't tell.
  void read_reports(const std::string& name, std::uint64_t after, std::size_t limit,
                    const ReportsAnswer& answer) const;
  // The last ones, the oldest of them first.
  void newest_reports(const std::string& name, std::size_t limit,
                      const ReportsAnswer& answer) const;
  MeshNumber mesh() const { return mesh_; }

  // Names whose denial waits for operators, sorted.
  const std::vector<std::string>& held_denials() const { return held_; }
  const OverlayOptions& options() const { return options_; }
  const overlay::RuleParameters& rule() const { return rule_; }

  // Does what is due, if anything. Called by a timer; a test calls it as well.
  void turn();

  // As if its daemon had ended.
  void end_for_test() { loaded_ = false; }

 private:
  struct Entry {
    overlay::Node node;
    std::uint64_t version = 0;  // of its row; 0: not on disk yet
    bool writing = false;
    overlay::Signals seen;  // since the last decision
    std::optional<overlay::Judgement> judged{};
    std::uint64_t judged_version = 0;  // of the row of `judged`; 0: none
    // On their way to the disk: nobody else's.
    std::optional<overlay::WireGuardKey> wanted_key{};
    std::optional<crypto::PublicKey> wanted_signer{};
  };
  using Task = std::function<void()>;

  Status take(const std::vector<store::SealedRow>& rows);
  Status take(const store::SealedRow& row);

  // epochs_nodes.cc
  void submit_now(const std::shared_ptr<const overlay::Submission>& submission,
                  const std::string& path_name,
                  const std::function<void(SubmissionAnswer)>& answer);
  void submit_of_new(const std::shared_ptr<const overlay::Submission>& submission,
                     const std::string& path_name,
                     const std::function<void(SubmissionAnswer)>& answer);
  // What is committed with a node's row.
  struct Beside {
    std::vector<store::SealedReport> reports = {};
    std::vector<membership::Change> changes = {};
    std::vector<audit::Draft> drafts = {};
    std::string_view by = "node";  // on whose word
  };
  void keep(const overlay::Node& after, const overlay::Submission& submission, Beside beside,
            const std::function<void(SubmissionAnswer)>& answer);
  void write(const overlay::Node& after, Beside beside, std::function<void(const Status&)> done);
  const overlay::Node* other_with(const std::string& name, const crypto::PublicKey& key) const;
  const overlay::Node* other_with(const std::string& name, const overlay::WireGuardKey& key) const;

  // epochs_register.cc
  struct Entrance {
    membership::Member member;
    std::vector<membership::Change> changes = {};  // that make the member
    std::string_view by = "node";
    std::string brought_by = {};
  };
  struct Registered {
    overlay::Node node;
    Beside beside;
  };
  std::variant<NodeRefusal, Registered> node_for(const NewNode& wanted);
  std::variant<NodeRefusal, Entrance> entrance_for(const NewNode& wanted);
  std::optional<NodeRefusal> refusal_of_names(const NewNode& wanted) const;
  bool is_name_of_subject(const NewNode& wanted) const;
  bool has_brought_many(const std::string& owner) const;
  void tell_of_invite(const NewNode& wanted, JoinRefusal why);

  // epochs_rekey.cc
  std::optional<NodeRefusal> refusal_of(const NodeRekeyed& wanted) const;
  std::optional<NodeRefusal> refusal_of_signer(const NodeRekeyed& wanted,
                                               const overlay::Node& known) const;
  // Is it the key of a node that operators revoked? Then nobody is given it again.
  bool is_revoked(const overlay::WireGuardKey& key) const;
  void change_wireguard(overlay::Node& after, Beside& beside) const;
  void succeed(const NodeRekeyed& wanted, overlay::Node& after, Beside& beside);
  bool wait_for(const std::string& name, Task task);
  void run_waiting();
  void count(const overlay::Signals& signals, Entry& entry) const;

  // epochs_namesakes.cc
  // The member without a key that has the node's name; nullptr: there is none, or the node has no
  // key itself and is that member. Borrowed until the next change.
  const membership::Member* namesake_of(const overlay::Node& node) const;
  // The other way round. Borrowed until the next turn.
  const overlay::Node* node_of_namesake(const membership::Member& member) const;
  // Is the node out, and its namesake not?
  bool has_namesake_left(const overlay::Node& node) const;
  bool keeps_out(MeshNumber mesh, const std::string& id) const;
  // What follows for the namesake, where the node's standing becomes this: a change, beside that of
  // the node's member, and in `node` what there is to give back.
  void narrow_namesake(membership::Standing standing, overlay::Node& node,
                       std::vector<membership::Change>& changes) const;
  bool take_standing(MeshNumber mesh, MemberNumber number, membership::Standing standing,
                     const std::function<void(Status)>& answer);
  void keep_standing(const overlay::Node& before, bool is_own, membership::Standing standing,
                     const std::optional<membership::StandingChanged>& change,
                     const std::function<void(Status)>& answer);

  // epochs_statements.cc
  struct WaitingStatement {
    membership::SignedStatement said;
    std::function<void(StatementAnswer)> answer;
  };
  // What a statement comes to, before it is committed.
  struct StatementEffect {
    KeptStatement kept;
    QuorumState after;
    store::CommitSealed what;
    std::function<void()> apply = [] {};  // behind the commit
    bool decides = false;                 // a decision follows at once
  };
  using Judged = std::variant<StatementRefusal, StatementEffect>;
  void carry_out_next();
  Judged judge(const membership::SignedStatement& said);
  std::optional<StatementRefusal> refusal_of(const membership::SignedStatement& said,
                                             WallTime now) const;
  void seal_statement(StatementEffect& effect) const;
  std::optional<StatementRefusal> add_effect(StatementEffect& effect);
  std::optional<StatementRefusal> revoke_member(StatementEffect& effect);
  std::optional<StatementRefusal> allow_denials(StatementEffect& effect) const;
  std::optional<StatementRefusal> set_threshold(StatementEffect& effect);
  std::optional<StatementRefusal> set_owner(StatementEffect& effect) const;
  std::optional<StatementRefusal> change_operators(StatementEffect& effect) const;
  std::optional<StatementRefusal> replace_key(StatementEffect& effect);
  void add_node(const overlay::Node& after, StatementEffect& effect);
  membership::OperatorQuorum rules_of_signing() const;
  std::string mesh_id() const;
  Status take_operators(const store::SealedRow& row, std::string_view plain);
  Status check_operators(const std::vector<store::SealedRow>& rows) const;
  void settle_operators(const std::function<void(Status)>& answer);
  void add_owner(store::CommitSealed& what) const;
  void adopt_threshold();
  void spend_permission(store::CommitSealed& what) const;
  void permission_spent();
  bool may_deny(const std::string& name) const {
    return quorum_ && quorum_->may_deny.contains(name);
  }

  // epochs_steps.cc
  void step(overlay::EpochStep step);
  void decide();
  using Judgements = std::map<std::string, overlay::Judgement>;
  Judgements judge(const overlay::EpochState& after, WallTime now,
                   std::map<std::string, overlay::Decision>& decisions);
  // What was reported before, by who is no member, is forgotten. No report that still counts.
  WallTime oldest_kept(WallTime now) const {
    return now - std::max<std::chrono::milliseconds>(options_.report_retention, rule_.max_age);
  }
  void take_change(overlay::Node node, overlay::Judgement judged);
  void on_decided();
  void answer_deciding(const Status& status);
  // The rows of a node that a decision changed.
  void add_rows(const overlay::Node& after, const overlay::Judgement& judged,
                store::CommitSealed& what) const;
  void hold_back_many(std::map<std::string, overlay::Decision>& decisions, bool is_boundary);
  // Of a decision that is on disk.
  void count_gone(bool is_boundary);
  void stage();
  void change_keys(overlay::EpochStep step);
  void commit(store::CommitSealed what, const overlay::EpochState& after,
              std::function<void()> apply);
  store::CommitSealed with_state(const overlay::EpochState& after) const;
  overlay::KeyHolders holders() const;
  void on_standing();
  // Has a member's report run out that no decision has seen yet?
  bool is_overdue(WallTime now);
  bool may_decide_for_silence(WallTime now);

  const OverlayOptions options_;
  const MeshNumber mesh_;
  const OverlayVault vault_;
  ControlThread& control_;
  store::Store& store_;
  const Clock& clock_;
  Controller& controller_;
  overlay::EpochTable table_;
  overlay::AddressPlan places_;
  std::map<std::string, Entry, std::less<>> nodes_;
  std::map<std::uint64_t, overlay::EpochSecret> secrets_;
  std::uint64_t state_version_ = 0;
  overlay::RuleParameters rule_;       // options_.rule, under the version that it has here
  overlay::RuleParameters rule_kept_;  // the newest on disk; version 0: none
  std::map<std::uint32_t, overlay::RuleParameters> rules_;  // on disk, by version
  trust::RateLimiter<std::string, crypto::KeyedHash> rates_;
  std::vector<std::string> held_;
  bool mass_denial_allowed_ = false;
  // Members that the rule denied, by their group: at the last boundary, since, and by the decision
  // that is being made.
  std::map<std::string, std::size_t> gone_at_boundary_, gone_since_boundary_, going_;
  std::optional<WallTime> silence_at_;  // when the next report runs out; none: to be looked up
  std::optional<Elapsed> silence_decided_;
  bool loaded_ = false;
  bool stepping_ = false;     // a step is being committed
  bool step_wanted_ = false;  // and waits for the writes under way
  std::size_t writing_ = 0;
  // Who wants a decision; empty functions hear nothing of it. Those that the step under way answers
  // are in the second.
  std::vector<std::function<void(Status)>> wants_decision_, deciding_for_;
  std::vector<std::function<void()>> hears_decided_;
  std::shared_ptr<const store::LogIdentity> log_;
  std::deque<Task> waiting_;
  std::optional<QuorumState> quorum_;  // none: the mesh has no operators
  std::uint64_t quorum_version_ = 0;   // of its row; 0: not on disk yet
  std::map<std::uint64_t, KeptStatement> revocations_;
  std::deque<WaitingStatement> statements_;

  CodeCounters<SubmissionRefusal> refused_;
  LogLimiter<JoinRefusal> invite_log_{kJoinRefusalCount};
  Counter& submitted_;
  Counter& decided_;
  Counter& skipped_;
  Counter& allowed_;  // gauges
  Counter& denied_;
  Counter& unsigned_;
  Counter& held_back_;
  Counter& postponed_;
};

}  // namespace signet::controller
