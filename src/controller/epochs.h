// Epochs is the one writer of a mesh's overlay: its nodes and what they submitted, who is a member
// in each epoch, and where the keys are. The pure rules of `overlay` decide; each step is committed
// by the store, with what follows from it for the standing of members, before anybody hears of it.
//
// Everything runs on the control thread. While a step is being committed, calls wait for it, so
// that no two of them write over one version of a row.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/metrics.h"
#include "controller/controller.h"
#include "controller/overlay_vault.h"
#include "overlay/address_plan.h"
#include "overlay/epoch_table.h"
#include "overlay/rule.h"
#include "overlay/submission_check.h"
#include "trust/rate_limit.h"

namespace signet::controller {

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
  // More members than that denied in one step wait for the operators' word: a broken clock or a bad
  // threshold must not take a mesh apart. 1000: never.
  std::uint32_t mass_denial_permille = 300;
};

// Who asks to be a node.
struct NewNode {
  std::string name;
  crypto::PublicKey key;  // of a member of the mesh
  overlay::WireGuardKey wireguard{};
  std::string endpoint;  // an overlay::Endpoint's text, or empty
};

struct Received {
  std::uint64_t epoch = 0;  // the last that was decided
};
using SubmissionAnswer = std::variant<SubmissionRefusal, Received>;
using NodeAnswer = std::variant<NodeRefusal, Done>;

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

  // Reads what is on disk; decides nothing before. Fails kMalformed, in a sentence, where a row
  // does not open under this key or says what can't be: then nothing is decided at all.
  void load(std::function<void(Status)> answer);

  // epochs_nodes.cc
  void submit(overlay::Submission submission, const std::string& path_name,
              std::function<void(SubmissionAnswer)> answer);
  // Done also for the same node again. Its proof is the caller's business.
  void register_node(const NewNode& node, const std::function<void(NodeAnswer)>& answer);
  // Forgets the node and all that it ever submitted. Its member stays.
  void forget(const std::string& name, const std::function<void(NodeAnswer)>& answer);
  // What the broker saw of a member since; counted in the next decision.
  void add_signals(MemberNumber member, const overlay::Signals& signals);
  // What a node says of itself: it has the keys of this epoch; it uses those of that one.
  void ready(const std::string& name, std::uint64_t epoch) { table_.ready(name, epoch); }
  void uses(const std::string& name, std::uint64_t epoch) { table_.uses(name, epoch); }

  // Decides now, ahead of the boundary. Waits its turn; kUnavailable when the store can't.
  void decide_now(std::function<void(Status)> answer);
  // Lets the next decision deny as many as it would: m of n operators, or one in an emergency.
  void allow_mass_denial() { mass_denial_allowed_ = true; }

  bool is_loaded() const { return loaded_; }
  const overlay::EpochState& state() const { return table_.state(); }
  WallTime expires() const { return table_.ends(); }
  std::string secret_hash() const;  // of the newest keys; empty: none yet
  // Borrowed until the next turn; nullptr for no such node.
  const overlay::Node* node(std::string_view name) const;
  void each_node(const std::function<void(const overlay::Node&)>& visit) const;
  membership::Standing standing_of(const overlay::Node& node) const;
  NodeConfiguration configuration(std::string_view name) const;
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
  void keep(const overlay::Node& after, const overlay::Submission& submission,
            const std::function<void(SubmissionAnswer)>& answer);
  std::variant<NodeRefusal, overlay::Node> node_for(const NewNode& wanted);
  void write(const overlay::Node& after, std::vector<store::SealedReport> reports,
             std::function<void(const Status&)> done);
  bool wait_for(const std::string& name, Task task);
  void run_waiting();

  // epochs_steps.cc
  void step(overlay::EpochStep step);
  void decide();
  void keep_allowed(const overlay::Node& node, std::string_view because,
                    overlay::Decision& decision) const;
  void hold_back_many(std::map<std::string, overlay::Decision>& decisions);
  void stage();
  void change_keys(overlay::EpochStep step);
  void commit(store::CommitSealed what, const overlay::EpochState& after,
              std::function<void()> apply);
  store::CommitSealed with_state(const overlay::EpochState& after) const;
  overlay::KeyHolders holders() const;
  void on_standing();

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
  trust::RateLimiter<std::string, crypto::KeyedHash> rates_;
  std::vector<std::string> held_;
  bool mass_denial_allowed_ = false;
  bool loaded_ = false;
  bool stepping_ = false;     // a step is being committed
  bool step_wanted_ = false;  // and waits for the writes under way
  std::size_t writing_ = 0;
  std::vector<std::function<void(Status)>> wants_decision_;
  std::deque<Task> waiting_;

  CodeCounters<SubmissionRefusal> refused_;
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
