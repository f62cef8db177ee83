// The nodes of a mesh: what they submit, and how they come and go.
#include <limits>
#include <utility>

#include "base/log.h"
#include "controller/epochs.h"
#include "controller/overlay_entries.h"
#include "overlay/wireguard_config.h"

namespace signet::controller {

using overlay::Node;
using overlay::Submission;

namespace {

constexpr std::string_view kByNobody = "overlay";  // on no word that is proven

}  // namespace

// True when the call has to wait for a step or for another write of this node; it is then kept.
bool Epochs::wait_for(const std::string& name, Task task) {
  const auto found = nodes_.find(name);
  const bool free =
      !stepping_ && !step_wanted_ && (found == nodes_.end() || !found->second.writing);
  if (free) return false;
  waiting_.push_back(std::move(task));
  return true;
}

void Epochs::run_waiting() {
  if (step_wanted_ && writing_ == 0) {
    step_wanted_ = false;
    turn();
  }
  if (stepping_) return;
  for (Task& task : std::exchange(waiting_, {})) task();  // each may have to wait again
}

void Epochs::submit(Submission submission, const std::string& path_name,
                    std::function<void(SubmissionAnswer)> answer) {
  auto shared = std::make_shared<const Submission>(std::move(submission));
  auto told = [this, answer = std::move(answer)](const SubmissionAnswer& result) {
    if (const auto* why = std::get_if<SubmissionRefusal>(&result)) {
      refused_[*why].add();
    } else {
      submitted_.add();
    }
    answer(result);
  };
  submit_now(shared, path_name, told);
}

void Epochs::submit_now(const std::shared_ptr<const Submission>& submission,
                        const std::string& path_name,
                        const std::function<void(SubmissionAnswer)>& answer) {
  if (!loaded_ || waiting_.size() >= options_.waiting) {
    return answer(SubmissionRefusal::kUnavailable);
  }
  const bool waits = wait_for(path_name, [this, submission, path_name, answer] {
    submit_now(submission, path_name, answer);
  });
  if (waits) return;
  const Node* known = node(path_name);
  const bool names_it = known != nullptr && submission->node == path_name;
  if (names_it && standing_of(*known) == membership::Standing::kRevoked) {
    return answer(SubmissionRefusal::kRevoked);
  }
  const auto refused =
      overlay::check(*submission, path_name, known, options_.submissions, clock_.wall());
  if (refused) return answer(*refused);
  if (known == nullptr) return submit_of_new(submission, path_name, answer);
  // After the proof, so that nobody uses up the rate of another.
  if (!rates_.take(path_name, clock_.elapsed())) return answer(SubmissionRefusal::kRateLimited);
  Node after = *known;
  overlay::apply(*submission, after);
  overlay::forget_reports(after, oldest_kept(clock_.wall()));  // of suites that it left
  if (!submission->signature) unsigned_.add();
  keep(after, *submission, {}, answer);
}

// An original node, which is believed on its own word where the mesh allows that. It is made with
// its member, in one commit: who is a member already (a user of Hub, a source) is not what whoever
// reaches the port says, or anybody's bad report would cut it off every plane.
void Epochs::submit_of_new(const std::shared_ptr<const Submission>& submission,
                           const std::string& path_name,
                           const std::function<void(SubmissionAnswer)>& answer) {
  // A listed name is of the key that it is listed with, and of nobody's word.
  const bool is_listed = options_.doors.listed.contains(path_name);
  if (is_listed) return answer(SubmissionRefusal::kUnsigned);
  if (nodes_.size() >= options_.nodes) return answer(SubmissionRefusal::kTooManyNodes);
  auto member = controller_.new_subject(mesh_, path_name);
  if (!member.ok()) {
    const bool taken = member.error().code == ErrorCode::kForbidden;
    return answer(taken ? SubmissionRefusal::kUnsigned : SubmissionRefusal::kUnavailable);
  }
  if (!rates_.take(path_name, clock_.elapsed())) return answer(SubmissionRefusal::kRateLimited);
  Node made;
  made.name = path_name;
  made.member = member->number;
  overlay::apply(*submission, made);
  unsigned_.add();
  Beside beside;
  beside.by = kByNobody;
  beside.changes.emplace_back(membership::MemberAdded{*std::move(member), std::nullopt});
  keep(made, *submission, std::move(beside), [path_name, answer](const SubmissionAnswer& result) {
    if (std::holds_alternative<Received>(result)) {
      log(LogLevel::kWarn, "overlay.unsigned_node", {{"node", path_name}});
    }
    answer(result);
  });
}

void Epochs::keep(const Node& after, const Submission& submission, Beside beside,
                  const std::function<void(SubmissionAnswer)>& answer) {
  std::string report = submission.signed_text;
  if (submission.signature) report += "\n" + to_hex(*submission.signature);
  beside.reports = {vault_.seal_report(after.name, submission.timestamp, report)};
  write(after, std::move(beside), [this, answer](const Status& status) {
    if (!status.ok()) return answer(SubmissionRefusal::kUnavailable);
    answer(Received{state().decided});
  });
}

void Epochs::write(const Node& after, Beside beside, std::function<void(const Status&)> done) {
  Entry& entry = nodes_[after.name];
  if (entry.version == 0) entry.node = after;
  entry.writing = true;
  entry.wanted_key = after.wireguard;
  entry.wanted_signer = after.key;
  ++writing_;
  store::CommitSealed what;
  what.mesh = mesh_;
  what.by = beside.by;
  what.rows = {vault_.seal(kNodeRows, after.name, entry.version + 1, overlay::encode(after))};
  what.reports = std::move(beside.reports);
  what.changes = std::move(beside.changes);
  what.drafts = std::move(beside.drafts);
  if (log_ && entry.version == 0) {
    what.drafts.push_back(entry_of_registration(mesh_, log_->pseudonyms, after));
  }
  controller_.commit_sealed(std::move(what),
                            [this, after, done = std::move(done)](const Status& status) {
                              const auto found = nodes_.find(after.name);
                              --writing_;
                              found->second.writing = false;
                              found->second.wanted_key.reset();
                              found->second.wanted_signer.reset();
                              if (status.ok()) {
                                ++found->second.version;
                                if (found->second.node.wireguard != after.wireguard) {
                                  table_.forget(after.name);
                                }
                                found->second.node = after;
                              } else if (found->second.version == 0) {
                                if (after.address != 0) places_.forget(after.name);
                                nodes_.erase(found);
                              }
                              done(status);
                              run_waiting();
                            });
}

void Epochs::forget(const std::string& name, const std::function<void(NodeAnswer)>& answer) {
  if (!loaded_) return answer(NodeRefusal::kUnavailable);
  if (wait_for(name, [this, name, answer] { forget(name, answer); })) return;
  const auto found = nodes_.find(name);
  if (found == nodes_.end()) return answer(NodeRefusal::kBadName);
  found->second.writing = true;
  ++writing_;
  store::CommitSealed what;
  what.mesh = mesh_;
  what.by = "operator";
  what.rows = {{std::string(kNodeRows), name, 0, {}}, {std::string(kVerdictRows), name, 0, {}}};
  if (log_) {
    what.drafts.push_back(entry_of_forgetting(mesh_, log_->pseudonyms, found->second.node));
  }
  what.forget = {{name, {std::numeric_limits<std::int64_t>::max()}}};
  controller_.commit_sealed(std::move(what), [this, name, answer](const Status& status) {
    --writing_;
    nodes_.find(name)->second.writing = false;
    if (status.ok()) {
      nodes_.erase(name);
      places_.forget(name);
      table_.forget(name);
    }
    answer(status.ok() ? NodeAnswer(Done{}) : NodeAnswer(NodeRefusal::kUnavailable));
    run_waiting();
  });
}

// Of who may not connect nothing is counted: what it loses then is what ended it, and the rule has
// said its word.
void Epochs::add_signals(MemberNumber member, const overlay::Signals& signals) {
  for (auto& [name, entry] : nodes_) {
    if (entry.node.member == member) count(signals, entry);
  }
}

// A subject has no key, so it is never the member of a node that registered; its token was issued
// under the node's name.
void Epochs::add_engine_signals(MemberNumber member, const overlay::Signals& signals) {
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const membership::Member* subject = mesh == nullptr ? nullptr : mesh->member(member);
  const auto named = subject == nullptr || subject->key ? nodes_.end() : nodes_.find(subject->id);
  if (named == nodes_.end() || named->second.node.member == member) {
    return add_signals(member, signals);
  }
  count(signals, named->second);
}

void Epochs::count(const overlay::Signals& signals, Entry& entry) const {
  if (!may_connect(standing_of(entry.node))) return;
  const auto add = [](std::uint32_t more, std::uint32_t& sum) {
    if (__builtin_add_overflow(sum, more, &sum)) sum = std::numeric_limits<std::uint32_t>::max();
  };
  add(signals.failed_proofs, entry.seen.failed_proofs);
  add(signals.replays, entry.seen.replays);
  add(signals.lost_leases, entry.seen.lost_leases);
}

}  // namespace signet::controller
