// The steps of a mesh's epochs: a decision with all that follows from it, and the changes of keys.
#include <algorithm>

#include "base/log.h"
#include "controller/epochs.h"

namespace signet::controller {
namespace {

using overlay::Decision;
using overlay::EpochState;
using overlay::EpochStep;
using overlay::Verdict;

constexpr std::string_view kByRule = "rule";

store::SealedRow gone(std::string_view kind, std::uint64_t epoch) {
  return {std::string(kind), std::to_string(epoch), 0, {}};
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

// A member that may not connect any more leaves the overlay now and not at the boundary.
void Epochs::on_standing() {
  if (!loaded_) return;
  const bool stale = std::any_of(nodes_.begin(), nodes_.end(), [this](const auto& entry) {
    const overlay::Node& node = entry.second.node;
    return node.verdict == Verdict::kAllowed && !may_connect(standing_of(node));
  });
  if (stale && wants_decision_.empty()) wants_decision_.emplace_back([](const Status&) {});
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
          for (auto& answer : std::exchange(wants_decision_, {})) answer(status);
        }
        run_waiting();
      });
}

void Epochs::decide() {
  const WallTime now = clock_.wall();
  const EpochState after = table_.behind(EpochStep::kDecide, now);
  std::map<std::string, Decision> decisions;
  for (auto& [name, entry] : nodes_) {
    overlay::Node node = entry.node;
    node.signals = std::exchange(entry.seen, {});  // a step that fails forgives them
    Decision decision = overlay::decide(node, standing_of(node), rule_, after.decided, now);
    const bool unheard = decision.because == overlay::Because::kTooOld && !table_.settled(now);
    if (unheard && node.verdict == Verdict::kAllowed) {
      keep_allowed(node, "the controller was away", decision);
    }
    // A member that was none of the overlay yet has nothing to lose there, and keeps its sockets.
    const bool newcomer = node.verdict != Verdict::kAllowed && !node.denied_by_rule;
    if (newcomer && decision.standing == membership::Standing::kQuarantined) {
      decision.standing = standing_of(node);
    }
    decisions.emplace(name, std::move(decision));
  }
  hold_back_many(decisions);
  store::CommitSealed what = with_state(after);
  if (rule_ != rule_kept_) {
    what.rows.push_back(
        vault_.seal(kRuleRows, std::to_string(after.decided), 1, overlay::encode(rule_)));
  }
  auto changed = std::make_shared<std::vector<overlay::Node>>();
  for (const auto& [name, decision] : decisions) {
    const Entry& entry = nodes_.find(name)->second;
    overlay::Node node = entry.node;
    const membership::Standing standing = standing_of(node);
    overlay::apply(decision, after.decided, node);
    if (decision.standing != standing && standing != membership::Standing::kUnknown) {
      what.changes.emplace_back(
          membership::StandingChanged{node.member, standing, decision.standing});
    }
    if (node == entry.node) continue;
    what.rows.push_back(vault_.seal(kNodeRows, name, entry.version + 1, overlay::encode(node)));
    changed->push_back(std::move(node));
  }
  const WallTime oldest = now - options_.report_retention;
  what.forget.push_back({"", oldest});
  const std::uint64_t missed = after.skipped;
  commit(std::move(what), after, [this, changed, missed] {
    rule_kept_ = rule_;
    std::int64_t allowed = 0, denied = 0;
    for (overlay::Node& node : *changed) {
      Entry& entry = nodes_.find(node.name)->second;
      ++entry.version;
      if (node.verdict != entry.node.verdict) {
        log(LogLevel::kInfo, "overlay.verdict",
            {{"node", node.name}, {"verdict", name_of(node.verdict)}, {"reason", node.reason}});
      }
      if (node.verdict != Verdict::kAllowed) table_.forget(node.name);
      entry.node = std::move(node);
    }
    for (const auto& [name, entry] : nodes_) {
      ++(entry.node.verdict == Verdict::kAllowed ? allowed : denied);
    }
    allowed_.set(allowed);
    denied_.set(denied);
    decided_.add();
    if (missed > 0) {
      skipped_.add(static_cast<std::int64_t>(missed));
      log(LogLevel::kWarn, "overlay.epochs_skipped", {{"count", missed}});
    }
    for (auto& answer : std::exchange(wants_decision_, {})) answer(Done{});
  });
}

void Epochs::keep_allowed(const overlay::Node& node, std::string_view because,
                          Decision& decision) const {
  decision.verdict = Verdict::kAllowed;
  decision.standing = standing_of(node);
  decision.reason += " [" + std::string(because) + "]";
}

// Of more denials at once than a step may bring, none is carried out but those of members whose
// standing ends it: they stay allowed, and the operators are told.
void Epochs::hold_back_many(std::map<std::string, Decision>& decisions) {
  std::size_t members = 0;
  std::vector<std::string> would_go;
  for (const auto& [name, decision] : decisions) {
    const overlay::Node& node = nodes_.find(name)->second.node;
    if (node.verdict != Verdict::kAllowed) continue;
    ++members;
    const bool by_rule = decision.verdict != Verdict::kAllowed && may_connect(standing_of(node));
    if (by_rule) would_go.push_back(name);
  }
  const bool many = would_go.size() * 1'000 > members * options_.mass_denial_permille;
  const bool few_anyway = would_go.size() < 2;  // one node of two is no mass
  held_.clear();
  if (many && !few_anyway && !std::exchange(mass_denial_allowed_, false)) {
    held_ = std::move(would_go);
    log(LogLevel::kError, "overlay.mass_denial_held",
        {{"would_go", held_.size()},
         {"members", members},
         {"do", "look at the clock and the threshold; operators may let it happen"}});
  }
  for (const std::string& name : held_) {
    keep_allowed(nodes_.find(name)->second.node, "denial held for operators",
                 decisions.find(name)->second);
  }
  held_back_.set(static_cast<std::int64_t>(held_.size()));
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
