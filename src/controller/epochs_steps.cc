// The steps of a mesh's epochs: a decision with all that follows from it, and the changes of keys.
#include <algorithm>

#include "base/log.h"
#include "controller/epochs.h"
#include "controller/overlay_entries.h"
#include "overlay/rule_steps.h"

namespace signet::controller {
namespace {

using overlay::Decision;
using overlay::EpochState;
using overlay::EpochStep;
using overlay::Judgement;
using overlay::Verdict;

constexpr std::string_view kByRule = "rule";

store::SealedRow gone(std::string_view kind, std::uint64_t epoch) {
  return {std::string(kind), std::to_string(epoch), 0, {}};
}

// Who is gone was a member, and counts as one that goes now.
void add_gone(const std::map<std::string, std::size_t>& gone, overlay::DenialsByGroup& groups) {
  for (const auto& [group, nodes] : gone) {
    overlay::Denials& denials = groups[group];
    denials.members += nodes;
    denials.going += nodes;
  }
}

}  // namespace

void Epochs::step(EpochStep step) {
  if (step == EpochStep::kDecide) return decide();
  if (step == EpochStep::kStage) return stage();
  change_keys(step);
}

overlay::KeyHolders Epochs::holders() const {
  overlay::KeyHolders holders;
  for (const auto& [name, entry] : nodes_) {
    const overlay::Node& node = entry.node;
    const bool has_keys = node.wireguard && node.verdict == Verdict::kAllowed;
    if (has_keys && may_connect(standing_of(node))) holders.emplace(name, node.verdict_since);
  }
  return holders;
}

void Epochs::decide_now(std::function<void(Status)> answer) {
  wants_decision_.push_back(std::move(answer));
  turn();
}

// A member that may not connect any more leaves the overlay now and not at the boundary, and so
// does a namesake that came while its node was being narrowed.
void Epochs::on_standing() {
  if (!loaded_) return;
  const bool stale = std::any_of(nodes_.begin(), nodes_.end(), [this](const auto& entry) {
    const overlay::Node& node = entry.second.node;
    const bool is_stale = node.verdict == Verdict::kAllowed && !may_connect(standing_of(node));
    return is_stale || has_namesake_left(node);
  });
  if (stale && wants_decision_.empty()) wants_decision_.emplace_back();
}

// A new report only puts it off, and who may be next is known behind each decision, so all are
// looked at when the earliest moment is there and not in each turn.
bool Epochs::is_overdue(WallTime now) {
  if (!table_.settled(now) || (silence_at_ && now < *silence_at_)) return false;
  constexpr std::chrono::milliseconds kBehind{1};  // exactly the age is allowed
  silence_at_ = now + rule_.max_age;
  bool is_one = false;
  for (const auto& [name, entry] : nodes_) {
    const overlay::Node& node = entry.node;
    const bool is_held = std::binary_search(held_.begin(), held_.end(), name);
    if (node.verdict != Verdict::kAllowed || is_held || !may_connect(standing_of(node))) continue;
    const overlay::Steps steps = overlay::steps_of(node, rule_, now);
    if (!steps.reported()) continue;
    is_one = is_one || steps.age > rule_.max_age;
    silence_at_ = std::min(*silence_at_, now + (rule_.max_age - steps.age) + kBehind);
  }
  return is_one;
}

bool Epochs::may_decide_for_silence(WallTime now) {
  const bool is_early =
      silence_decided_ && clock_.elapsed() - *silence_decided_ < options_.silence_every;
  return !is_early && is_overdue(now);
}

store::CommitSealed Epochs::with_state(const EpochState& after) const {
  store::CommitSealed what;
  what.mesh = mesh_;
  what.by = kByRule;
  what.rows.push_back(vault_.seal(kEpochRows, "state", state_version_ + 1, overlay::encode(after)));
  return what;
}

// Nothing is true before the store says so; what it could not keep is tried again at the next turn.
void Epochs::commit(store::CommitSealed what, const EpochState& after,
                    std::function<void()> apply) {
  stepping_ = true;
  controller_.commit_sealed(
      std::move(what), [this, after, apply = std::move(apply)](const Status& status) {
        stepping_ = false;
        if (status.ok()) {
          ++state_version_;
          table_.apply(after);
          apply();
        } else {
          postponed_.add();
          log(LogLevel::kWarn, "overlay.step_failed", {{"why", status.error().detail}});
          answer_deciding(status);
        }
        run_waiting();
      });
}

void Epochs::add_rows(const overlay::Node& after, const Judgement& judged,
                      store::CommitSealed& what) const {
  const Entry& entry = nodes_.find(after.name)->second;
  what.rows.push_back(
      vault_.seal(kNodeRows, after.name, entry.version + 1, overlay::encode(after)));
  what.rows.push_back(
      vault_.seal(kVerdictRows, after.name, entry.judged_version + 1, overlay::encode(judged)));
}

// What the rule says of each node, with what it is said of; what many at once would lose is held.
Epochs::Judgements Epochs::judge(const EpochState& after, WallTime now,
                                 std::map<std::string, Decision>& decisions) {
  const std::uint64_t epoch = after.decided;
  const WallTime forgotten = oldest_kept(now);
  Judgements judgements;
  for (auto& [name, entry] : nodes_) {
    Judgement judged;
    judged.node = entry.node;
    // Who is still a member is held, or nobody could report: that is no reason to forget.
    const bool has_left = judged.node.verdict != Verdict::kAllowed;
    if (has_left && judged.node.newest < forgotten) {
      overlay::forget_reports(judged.node, forgotten);
    }
    judged.node.signals = std::exchange(entry.seen, {});  // a step that fails forgives them
    judged.epoch = epoch;
    judged.at = now;
    judged.rule = rule_.version;
    judged.standing = standing_of(entry.node);
    Decision decision = overlay::decide(judged.node, judged.standing, rule_, epoch, now);
    const bool unheard = decision.because == overlay::Because::kTooOld && !table_.settled(now);
    if (unheard && judged.node.verdict == Verdict::kAllowed) {
      overlay::keep_allowed(judged.standing, "the controller was away", decision);
    }
    overlay::spare_newcomer(judged.node, judged.standing, decision);
    decisions.emplace(name, std::move(decision));
    judgements.emplace(name, std::move(judged));
  }
  hold_back_many(decisions, after.boundary != state().boundary);
  for (auto& [name, judged] : judgements) overlay::conclude(decisions.find(name)->second, judged);
  return judgements;
}

void Epochs::decide() {
  const WallTime now = clock_.wall();
  deciding_for_ = std::exchange(wants_decision_, {});
  const EpochState after = table_.behind(EpochStep::kDecide, now);
  std::map<std::string, Decision> decisions;
  Judgements judgements = judge(after, now, decisions);
  store::CommitSealed what = with_state(after);
  if (rule_ != rule_kept_) {
    what.rows.push_back(
        vault_.seal(kRuleRows, std::to_string(after.decided), 1, overlay::encode(rule_)));
  }
  auto changed = std::make_shared<std::vector<std::pair<overlay::Node, Judgement>>>();
  if (log_) what.drafts = entries_of_epoch(mesh_, log_->pseudonyms, judgements);
  for (const auto& [name, decision] : decisions) {
    const Entry& entry = nodes_.find(name)->second;
    Judgement& judged = judgements.find(name)->second;
    overlay::Node node = judged.node;
    const membership::Standing standing = standing_of(node);
    overlay::apply(decision, after.decided, node);
    if (decision.standing != standing && standing != membership::Standing::kUnknown) {
      what.changes.emplace_back(
          membership::StandingChanged{node.member, standing, decision.standing});
    }
    narrow_namesake(decision.standing, node, what.changes);
    if (node == entry.node) continue;
    add_rows(node, judged, what);
    changed->emplace_back(std::move(node), std::move(judged));
  }
  spend_permission(what);
  const WallTime oldest = now - options_.report_retention;
  what.forget.push_back({"", oldest});
  const std::uint64_t missed = after.skipped;
  const bool is_boundary = after.boundary != state().boundary;
  commit(std::move(what), after, [this, changed, missed, is_boundary] {
    count_gone(is_boundary);
    permission_spent();
    rule_kept_ = rule_;
    rules_[rule_.version] = rule_;
    for (auto& [node, judged] : *changed) take_change(std::move(node), std::move(judged));
    if (missed > 0) {
      skipped_.add(static_cast<std::int64_t>(missed));
      log(LogLevel::kWarn, "overlay.epochs_skipped", {{"count", missed}});
    }
    on_decided();
  });
}

void Epochs::take_change(overlay::Node node, Judgement judged) {
  Entry& entry = nodes_.find(node.name)->second;
  ++entry.version;
  ++entry.judged_version;
  entry.judged = std::move(judged);
  if (node.verdict != entry.node.verdict) {
    log(LogLevel::kInfo, "overlay.verdict",
        {{"node", node.name}, {"verdict", name_of(node.verdict)}, {"reason", node.reason}});
  }
  if (node.verdict != Verdict::kAllowed) table_.forget(node.name);
  entry.node = std::move(node);
}

void Epochs::on_decided() {
  std::int64_t allowed = 0, denied = 0;
  for (const auto& [name, entry] : nodes_) {
    ++(entry.node.verdict == Verdict::kAllowed ? allowed : denied);
  }
  allowed_.set(allowed);
  denied_.set(denied);
  decided_.add();
  silence_at_.reset();
  for (const auto& hear : hears_decided_) hear();
  answer_deciding(Done{});
}

// Whoever asked before the decision was judged. Who waits for no answer is still to be decided on
// where it failed.
void Epochs::answer_deciding(const Status& status) {
  for (const auto& answer : std::exchange(deciding_for_, {})) {
    if (answer) {
      answer(status);
    } else if (!status.ok() && wants_decision_.empty()) {
      wants_decision_.emplace_back();
    }
  }
}

// Of more denials at once than a step may bring, none is carried out but those of members whose
// standing ends it: they stay allowed, and the operators are told.
void Epochs::hold_back_many(std::map<std::string, Decision>& decisions, bool is_boundary) {
  // With those that went one by one since the boundary: a mass that comes in drops is one, too.
  // What went at the one before was another step than this boundary's.
  overlay::DenialsByGroup groups;
  if (!is_boundary) add_gone(gone_at_boundary_, groups);
  add_gone(gone_since_boundary_, groups);
  std::size_t members = 0;
  std::vector<std::pair<std::string, std::string>> would_go;  // with their groups
  for (const auto& [name, decision] : decisions) {
    const overlay::Node& node = nodes_.find(name)->second.node;
    if (node.verdict != Verdict::kAllowed) continue;
    ++members;
    const std::string group(overlay::group_of(node));
    overlay::Denials& denials = groups[group];
    ++denials.members;
    const bool by_rule = decision.verdict != Verdict::kAllowed && may_connect(standing_of(node));
    if (!by_rule || may_deny(name)) continue;
    ++denials.going;
    would_go.emplace_back(name, group);
  }
  auto held = overlay::held_groups(groups, options_.mass_denial_permille);
  if (std::exchange(mass_denial_allowed_, false)) held.clear();
  held_.clear();
  going_.clear();
  for (const auto& [name, group] : would_go) {
    if (held.contains(group)) {
      overlay::keep_allowed(standing_of(nodes_.find(name)->second.node),
                            "denial held for operators", decisions.find(name)->second);
      held_.push_back(name);
    } else {
      ++going_[group];
    }
  }
  if (!held_.empty()) {
    log(LogLevel::kError, "overlay.mass_denial_held",
        {{"would_go", held_.size()},
         {"members", members},
         {"do", "look at the clock and the threshold; operators may let it happen"}});
  }
  held_back_.set(static_cast<std::int64_t>(held_.size()));
}

void Epochs::count_gone(bool is_boundary) {
  if (is_boundary) {
    gone_at_boundary_ = going_;
    gone_since_boundary_.clear();
    return;
  }
  for (const auto& [group, gone] : going_) gone_since_boundary_[group] += gone;
}

void Epochs::stage() {
  const EpochState after = table_.behind(EpochStep::kStage, clock_.wall());
  const std::uint64_t epoch = after.other ? *after.other : after.current;
  auto secret = std::make_shared<overlay::EpochSecret>(overlay::EpochSecret::random());
  store::CommitSealed what = with_state(after);
  what.rows.push_back(vault_.seal(kSecretRows, std::to_string(epoch), 1, secret->reveal()));
  commit(std::move(what), after,
         [this, epoch, secret] { secrets_.emplace(epoch, std::move(*secret)); });
}

void Epochs::change_keys(EpochStep step) {
  const EpochState before = state();
  const EpochState after = table_.behind(step, clock_.wall());
  store::CommitSealed what = with_state(after);
  const bool forgets =
      before.other && after.other != before.other && after.current != *before.other;
  if (forgets) what.rows.push_back(gone(kSecretRows, *before.other));
  commit(std::move(what), after, [this, before, after, forgets] {
    if (forgets) secrets_.erase(*before.other);
    if (after.current != before.current) {
      log(LogLevel::kInfo, "overlay.keys_switched", {{"epoch", after.current}});
    }
  });
}

}  // namespace signet::controller
