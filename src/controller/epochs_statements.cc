// What m of n operators say together: checked against who decides here, and carried out once. The
// serial, the evidence, the entries in the log and the effect are one commit; the row of the quorum
// has a version, so that no two statements are ever carried out over the same state
// (tests/models/quorum.pml).
#include <algorithm>
#include <charconv>
#include <utility>

#include "base/log.h"
#include "controller/epochs.h"

namespace signet::controller {
namespace {

using membership::OperatorAction;
using membership::OperatorStatement;
using membership::SignedStatement;
using membership::Standing;

constexpr std::string_view kQuorumName = "state";
constexpr std::string_view kByMany = "operators";
constexpr std::string_view kByOneInEmergency = "operator_in_emergency";
constexpr std::string_view kBySettings = "configuration";
constexpr std::size_t kMostStatements = 64;  // that wait: each may cost 32 signatures to check

// Of the text and who signed it: an auditor who has the evidence finds it in the log.
crypto::Digest32 digest_of_kept(const KeptStatement& kept) {
  std::string signers;
  for (const auto& each : kept.signatures) signers += crypto::to_hex(each.signer) + "\n";
  return crypto::digest32("signet operator statement", {kept.statement.text(), signers});
}

// One of the statement, and one of each who signed; of keys the hash that the log has of any.
std::vector<audit::Draft> entries_of_statement(MeshNumber mesh, const KeptStatement& kept,
                                               std::string_view by) {
  audit::Draft decided;
  decided.event = audit::Event::kOperatorsDecided;
  decided.mesh = mesh;
  decided.code =
      std::string(name_of(kept.statement.action)) + ":" + std::to_string(kept.statement.serial);
  decided.by = by;
  decided.hash = digest_of_kept(kept);
  std::vector<audit::Draft> drafts{std::move(decided)};
  for (const auto& each : kept.signatures) {
    audit::Draft draft;
    draft.event = audit::Event::kOperatorSigned;
    draft.mesh = mesh;
    draft.code = std::to_string(kept.statement.serial);
    draft.by = by;
    draft.hash = crypto::digest32("signet audit key", {text_of(each.signer.bytes)});
    drafts.push_back(std::move(draft));
  }
  return drafts;
}

audit::Draft entry_of_settings(MeshNumber mesh, const QuorumState& state) {
  audit::Draft draft;
  draft.event = audit::Event::kOperatorsDecided;
  draft.mesh = mesh;
  draft.code = "set_up";
  draft.by = kBySettings;
  draft.hash = crypto::digest32("signet operators", {encode(state)});
  return draft;
}

void log_statement(const KeptStatement& kept) {
  std::string signers;
  for (const auto& each : kept.signatures) {
    signers += (signers.empty() ? "" : " ") + crypto::to_hex(each.signer);
  }
  log(LogLevel::kWarn, "operators.decided",
      {{"action", name_of(kept.statement.action)},
       {"target", kept.statement.target},
       {"serial", kept.statement.serial},
       {"signers", signers},
       {"emergency", kept.emergency}});
}

const membership::Member* member_called_by_id(const membership::MeshSnapshot* mesh,
                                              const std::string& id) {
  const membership::Member* found = nullptr;
  if (mesh == nullptr) return found;
  mesh->each_member([&](const membership::Member& each) {
    if (each.id == id) found = &each;
  });
  return found;
}

std::set<crypto::PublicKey> as_set(const std::vector<crypto::PublicKey>& keys) {
  return {keys.begin(), keys.end()};
}

// REQUIRES: the statement is well-formed, so that its target is what its action asks for.
crypto::PublicKey key_of_target(std::string_view target) {
  return crypto::public_key_from_hex(target).value_or(crypto::PublicKey{});
}

std::size_t number_of_target(std::string_view target) {
  std::size_t number = 0;
  std::from_chars(target.data(), target.data() + target.size(), number);
  return number;
}

// REQUIRES: the row was read, so that its name is its serial.
std::uint64_t serial_of_row(std::string_view name) {
  std::uint64_t serial = 0;
  std::from_chars(name.data(), name.data() + name.size(), serial);
  return serial;
}

overlay::Score score_of_target(std::string_view target) {
  double value = 0;
  std::from_chars(target.data(), target.data() + target.size(), value);
  return overlay::Score::from(value).value_or(overlay::Score{overlay::Score::kOne});
}

StatementRefusal refusal_as_of(NodeRefusal why) {
  return why == NodeRefusal::kUnproven ? StatementRefusal::kUnknownTarget
                                       : StatementRefusal::kNotPossible;
}

}  // namespace

std::string Epochs::mesh_id() const {
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  return mesh == nullptr ? std::string() : mesh->mesh().id;
}

membership::OperatorQuorum Epochs::rules_of_signing() const {
  membership::OperatorQuorum rules;
  rules.operators = quorum_->operators;
  rules.needed = quorum_->needed;
  rules.emergency = options_.operators.emergency;
  rules.last_serial = quorum_->last_serial;
  rules.policy_version = quorum_->policy_version;
  rules.longest_life = options_.operators.longest_life;
  return rules;
}

void Epochs::carry_out(SignedStatement said, std::function<void(StatementAnswer)> answer) {
  if (!loaded_ || statements_.size() >= kMostStatements) {
    return answer(StatementRefusal::kUnavailable);
  }
  if (!quorum_) return answer(StatementRefusal::kNoOperators);
  // Before it waits, or who signs nothing would keep those waiting who decide.
  if (const auto why = refusal_of(said, clock_.wall())) return answer(*why);
  statements_.push_back({std::move(said), std::move(answer)});
  turn();
}

// REQUIRES: nothing is being committed, and one waits.
void Epochs::carry_out_next() {
  WaitingStatement next = std::move(statements_.front());
  statements_.pop_front();
  Judged judged = judge(next.said);
  if (const auto* why = std::get_if<StatementRefusal>(&judged)) return next.answer(*why);
  auto effect = std::make_shared<StatementEffect>(std::get<StatementEffect>(std::move(judged)));
  seal_statement(*effect);
  stepping_ = true;
  auto done = [this, effect, answer = std::move(next.answer)](const Status& status) {
    stepping_ = false;
    if (status.ok()) {
      ++quorum_version_;
      quorum_ = effect->after;
      const KeptStatement& kept = effect->kept;
      if (kept.statement.action == OperatorAction::kRevoke) {
        revocations_.emplace(kept.statement.serial, kept);
      }
      log_statement(kept);
      effect->apply();
      if (effect->decides) wants_decision_.emplace_back();
      answer(CarriedOut{kept.statement.action, kept.statement.serial});
    } else {
      log(LogLevel::kError, "operators.not_kept", {{"why", status.error().detail}});
      answer(StatementRefusal::kUnavailable);
    }
    run_waiting();
    turn();
  };
  controller_.commit_sealed(std::move(effect->what), std::move(done));
}

// REQUIRES: there are operators.
std::optional<StatementRefusal> Epochs::refusal_of(const SignedStatement& said,
                                                   WallTime now) const {
  const auto statement = OperatorStatement::of(said.text);
  if (!statement) return StatementRefusal::kMalformed;
  return membership::check(*statement, said.signatures, mesh_id(), rules_of_signing(), now);
}

// At its turn, under what holds then.
Epochs::Judged Epochs::judge(const SignedStatement& said) {
  const WallTime now = clock_.wall();
  if (const auto why = refusal_of(said, now)) return *why;
  const auto statement = OperatorStatement::of(said.text);
  if (!statement) return StatementRefusal::kMalformed;
  StatementEffect effect;
  effect.kept.statement = *statement;
  effect.kept.signatures = said.signatures;
  effect.kept.at = now;
  effect.kept.emergency = options_.operators.emergency;
  effect.after = *quorum_;
  effect.after.last_serial = statement->serial;
  effect.what.mesh = mesh_;
  effect.what.by = effect.kept.emergency ? kByOneInEmergency : kByMany;
  if (const auto cannot = add_effect(effect)) return *cannot;
  return effect;
}

void Epochs::seal_statement(StatementEffect& effect) const {
  const std::string serial = std::to_string(effect.kept.statement.serial);
  effect.what.rows.push_back(vault_.seal(kQuorumRows, std::string(kQuorumName), quorum_version_ + 1,
                                         encode(effect.after)));
  effect.what.rows.push_back(vault_.seal(kStatementRows, serial, 1, encode(effect.kept)));
  for (audit::Draft& draft : entries_of_statement(mesh_, effect.kept, effect.what.by)) {
    effect.what.drafts.push_back(std::move(draft));
  }
}

std::optional<StatementRefusal> Epochs::add_effect(StatementEffect& effect) {
  switch (effect.kept.statement.action) {
    case OperatorAction::kRevoke:
      return revoke_member(effect);
    case OperatorAction::kDenyMany:
      return allow_denials(effect);
    case OperatorAction::kThreshold:
      return set_threshold(effect);
    case OperatorAction::kPolicyOwner:
      return set_owner(effect);
    case OperatorAction::kOperatorAdd:
    case OperatorAction::kOperatorRemove:
    case OperatorAction::kQuorum:
      return change_operators(effect);
    case OperatorAction::kRekey:
      return replace_key(effect);
  }
  return StatementRefusal::kMalformed;
}

// Also of a member that was revoked before there were operators: then it is on their list. Of one
// whose node changed its signing key since, the member that it is now is revoked with it: a node
// must not be quicker than those who sign. What they say of a namesake itself is no node's to give
// back any more.
std::optional<StatementRefusal> Epochs::revoke_member(StatementEffect& effect) {
  const std::string& id = effect.kept.statement.target;
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const auto* member = member_called_by_id(mesh, id);
  if (member == nullptr) return StatementRefusal::kUnknownTarget;
  const overlay::Node* heir = successor_of(member->number);
  const auto* living = heir == nullptr ? member : mesh->member(heir->member);
  if (living == nullptr) return StatementRefusal::kUnknownTarget;
  const bool listed = std::any_of(revocations_.begin(), revocations_.end(), [&](const auto& each) {
    return each.second.statement.target == id;
  });
  if (listed && living->standing == Standing::kRevoked) return StatementRefusal::kAlreadySo;
  const auto revoke = [&](const membership::Member& each) {
    if (each.standing == Standing::kRevoked) return;
    effect.what.changes.emplace_back(
        membership::StandingChanged{each.number, each.standing, Standing::kRevoked});
  };
  revoke(*member);
  if (living != member) revoke(*living);
  for (const auto& [name, entry] : nodes_) {
    if (entry.node.member != living->number) continue;
    effect.kept.wireguard = entry.node.wireguard;
    overlay::Node after = entry.node;
    narrow_namesake(Standing::kRevoked, after, effect.what.changes);
    if (after != entry.node) add_node(after, effect);
  }
  if (const overlay::Node* its = node_of_namesake(*member); its != nullptr && its->namesake_was) {
    overlay::Node after = *its;
    after.namesake_was.reset();
    add_node(after, effect);
  }
  return std::nullopt;
}

// What was signed are these names; another that would go by then is held again.
std::optional<StatementRefusal> Epochs::allow_denials(StatementEffect& effect) const {
  const bool is_held = !held_.empty() && held_digest() == effect.kept.statement.target;
  if (!is_held) return StatementRefusal::kNotHeld;
  effect.after.may_deny = {held_.begin(), held_.end()};
  effect.decides = true;
  return std::nullopt;
}

std::optional<StatementRefusal> Epochs::set_threshold(StatementEffect& effect) {
  overlay::RuleParameters rule = rule_;
  rule.threshold = score_of_target(effect.kept.statement.target);
  if (rule.threshold == quorum_->threshold) return StatementRefusal::kAlreadySo;
  if (!check(rule).ok()) return StatementRefusal::kNotPossible;
  rule.version = rule_kept_.version + 1;
  effect.after.threshold = rule.threshold;
  ++effect.after.policy_version;
  effect.apply = [this, rule] { rule_ = rule; };
  effect.decides = true;
  return std::nullopt;
}

std::optional<StatementRefusal> Epochs::set_owner(StatementEffect& effect) const {
  const crypto::PublicKey key = key_of_target(effect.kept.statement.target);
  const membership::MeshSnapshot* known = controller_.table().mesh(mesh_);
  if (known == nullptr) return StatementRefusal::kUnknownTarget;
  membership::Mesh mesh = known->mesh();
  if (mesh.owner == key && quorum_->owner == key) return StatementRefusal::kAlreadySo;
  if (!crypto::is_enrollable(key)) return StatementRefusal::kNotPossible;
  effect.after.owner = key;
  ++effect.after.policy_version;
  mesh.owner = key;
  effect.what.changes.emplace_back(membership::MeshSettingsChanged{std::move(mesh)});
  return std::nullopt;
}

std::optional<StatementRefusal> Epochs::change_operators(StatementEffect& effect) const {
  const OperatorStatement& statement = effect.kept.statement;
  QuorumState& after = effect.after;
  ++after.policy_version;
  if (statement.action == OperatorAction::kQuorum) {
    after.needed = number_of_target(statement.target);
    if (after.needed == quorum_->needed) return StatementRefusal::kAlreadySo;
    if (after.needed > after.operators.size()) return StatementRefusal::kNotPossible;
    return std::nullopt;
  }
  const crypto::PublicKey key = key_of_target(statement.target);
  const auto found = std::find(after.operators.begin(), after.operators.end(), key);
  const bool is_one = found != after.operators.end();
  if (statement.action == OperatorAction::kOperatorAdd) {
    if (is_one) return StatementRefusal::kAlreadySo;
    const bool fits = after.operators.size() < kMostOperators && crypto::is_enrollable(key);
    if (!fits) return StatementRefusal::kNotPossible;
    after.operators.push_back(key);
    return std::nullopt;
  }
  if (!is_one) return StatementRefusal::kUnknownTarget;
  if (after.operators.size() <= after.needed) return StatementRefusal::kNotPossible;
  after.operators.erase(found);
  return std::nullopt;
}

// The node's key is replaced by the operators' word, as its own would (epochs_rekey.cc).
std::optional<StatementRefusal> Epochs::replace_key(StatementEffect& effect) {
  const std::string_view target = effect.kept.statement.target;
  const std::size_t space = target.find(' ');
  NodeRekeyed wanted;
  wanted.name = target.substr(0, space);
  wanted.key = key_of_target(target.substr(space + 1));
  if (const auto why = refusal_of(wanted)) return refusal_as_of(*why);
  const overlay::Node& known = *node(wanted.name);
  if (known.key == wanted.key) return StatementRefusal::kAlreadySo;
  overlay::Node after = known;
  Beside beside;
  succeed(wanted, after, beside);
  after.fresh_key.reset();
  effect.what.changes = std::move(beside.changes);
  effect.what.drafts = std::move(beside.drafts);
  add_node(after, effect);
  return std::nullopt;
}

// REQUIRES: of one node a statement, whose row is written once.
void Epochs::add_node(const overlay::Node& after, StatementEffect& effect) {
  const Entry& entry = nodes_.find(after.name)->second;
  effect.what.rows.push_back(
      vault_.seal(kNodeRows, after.name, entry.version + 1, overlay::encode(after)));
  effect.apply = [this, after] {
    Entry& its = nodes_.find(after.name)->second;
    ++its.version;
    its.node = after;
  };
}

Status Epochs::take_operators(const store::SealedRow& row, std::string_view plain) {
  const Error bad{ErrorCode::kMalformed,
                  "the overlay's row " + row.kind + " " + row.name + " says what can't be"};
  if (row.kind == kQuorumRows) {
    quorum_ = decode_quorum(plain);
    quorum_version_ = row.version;
    return quorum_ && row.name == kQuorumName ? Status(Done{}) : Status(bad);
  }
  auto kept = decode_statement(plain);
  if (!kept || std::to_string(kept->statement.serial) != row.name) return bad;
  if (kept->statement.action == OperatorAction::kRevoke) {
    const std::uint64_t serial = kept->statement.serial;
    revocations_.emplace(serial, *std::move(kept));
  }
  return Done{};
}

// Each statement that was carried out left its row for ever, and the last of them its serial with
// the quorum: where they differ, somebody took rows away.
Status Epochs::check_operators(const std::vector<store::SealedRow>& rows) const {
  std::uint64_t highest = 0;
  for (const store::SealedRow& row : rows) {
    if (row.kind == kStatementRows) highest = std::max(highest, serial_of_row(row.name));
  }
  if (highest == (quorum_ ? quorum_->last_serial : 0)) return Done{};
  return Error{ErrorCode::kMalformed,
               "the overlay's rows of operators end with statement " + std::to_string(highest) +
                   (quorum_ ? ", and their state says another" : ", and their state is missing")};
}

// What operators set holds over what the settings say, or one who can write those would be enough.
void Epochs::adopt_threshold() {
  if (!quorum_ || !quorum_->threshold || rule_.threshold == *quorum_->threshold) return;
  log(LogLevel::kError, "operators.setting_ignored",
      {{"setting", "overlay.threshold"},
       {"set", rule_.threshold.text()},
       {"holds", quorum_->threshold->text(rule_.threshold)},
       {"because", "the operators set it; it changes by their statement"}});
  rule_.threshold = *quorum_->threshold;
  if (check(rule_).ok()) return;
  rule_.return_threshold = {};
  log(LogLevel::kError, "operators.setting_ignored",
      {{"setting", "overlay.return_threshold"}, {"because", "it does not fit the threshold"}});
}

// The mesh's owner is the one that the operators set, whatever was declared since.
void Epochs::add_owner(store::CommitSealed& what) const {
  const membership::MeshSnapshot* known = controller_.table().mesh(mesh_);
  const bool differs =
      known != nullptr && quorum_ && quorum_->owner && known->mesh().owner != quorum_->owner;
  if (!differs) return;
  log(LogLevel::kError, "operators.setting_ignored",
      {{"setting", "the owner of " + mesh_id()}, {"because", "the operators set another one"}});
  membership::Mesh mesh = known->mesh();
  mesh.owner = quorum_->owner;
  what.changes.emplace_back(membership::MeshSettingsChanged{std::move(mesh)});
}

void Epochs::keep_owner(std::function<void(Status)> answer) {
  if (wait_for({}, [this, answer] { keep_owner(answer); })) return;
  store::CommitSealed what;
  what.mesh = mesh_;
  what.by = kByMany;
  add_owner(what);
  if (what.changes.empty()) return answer(Done{});
  controller_.commit_sealed(std::move(what), std::move(answer));
}

// At start: the operators of the settings become the mesh's where it has none, and what the
// settings say otherwise of those that it has is ignored, loudly.
void Epochs::settle_operators(const std::function<void(Status)>& answer) {
  const OperatorOptions& said = options_.operators;
  if (!quorum_ && said.keys.empty()) return answer(Done{});
  if (said.emergency) {
    log(LogLevel::kError, "operators.emergency",
        {{"mesh", mesh_id()},
         {"detail", "one operator is enough for everything; unset operators.emergency soon"}});
  }
  const bool is_new = !quorum_;
  const QuorumState settings{said.keys, said.needed, 0, 1, {}, {}, {}};
  QuorumState state = is_new ? settings : *quorum_;
  const bool differs = as_set(state.operators) != as_set(said.keys) || state.needed != said.needed;
  if (differs) {
    log(LogLevel::kError, "operators.setting_ignored",
        {{"setting", "operators"},
         {"set", std::to_string(said.needed) + " of " + std::to_string(said.keys.size())},
         {"holds", std::to_string(state.needed) + " of " + std::to_string(state.operators.size())},
         {"because", "operators change by their own statements alone"}});
  }
  store::CommitSealed what;
  what.mesh = mesh_;
  what.by = is_new ? kBySettings : kByMany;
  if (!is_new) add_owner(what);
  if (!is_new && what.changes.empty()) return answer(Done{});
  if (is_new) {
    what.rows.push_back(vault_.seal(kQuorumRows, std::string(kQuorumName), 1, encode(state)));
    what.drafts.push_back(entry_of_settings(mesh_, state));
  }
  controller_.commit_sealed(std::move(what), [this, answer, is_new, state](const Status& status) {
    if (status.ok() && is_new) {
      quorum_ = state;
      quorum_version_ = 1;
      log(LogLevel::kWarn, "operators.set_up",
          {{"needed", state.needed}, {"operators", state.operators.size()}});
    }
    answer(status);
  });
}

// A permission to deny holds for one decision.
void Epochs::spend_permission(store::CommitSealed& what) const {
  if (!quorum_ || quorum_->may_deny.empty()) return;
  QuorumState after = *quorum_;
  after.may_deny.clear();
  what.rows.push_back(
      vault_.seal(kQuorumRows, std::string(kQuorumName), quorum_version_ + 1, encode(after)));
}

void Epochs::permission_spent() {
  if (!quorum_ || quorum_->may_deny.empty()) return;
  quorum_->may_deny.clear();
  ++quorum_version_;
}

}  // namespace signet::controller
