// EpochsStory is a mesh's overlay on a controller's story: ann, bob and eve (revoked) are members
// of the mesh, and each may be a node, "node-ann", under its own key.
#pragma once

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "controller/epochs.h"
#include "controller/story_for_test.h"

namespace signet::controller {

class EpochsStory : public ControllerStory {
 protected:
  EpochsStory() { vault_key_.fill(7); }
  ~EpochsStory() override { control_.stop(); }

  void begin() {
    if (epochs_ == nullptr) start();
    on_control([&] {
      all_.push_back(std::make_unique<Epochs>(overlay_, MeshNumber{1},
                                              OverlayVault(vault_key_, {1}), control_, store_,
                                              clock_, *controller_, metrics_));
      epochs_ = all_.back().get();
    });
    loaded_ = ask<Status>([&](auto answer) { epochs_->load(answer); });
    quiet();
  }
  // All that is due now.
  void quiet() {
    for (int i = 0; i < 8; ++i) {
      on_control([&] { epochs_->turn(); });
      settle();
    }
  }
  void pass(std::chrono::milliseconds time) {
    on_control([&] { clock_.advance(time); });  // where it is read
    quiet();
  }
  // begin() makes another one on the same rows.
  void restart() {
    on_control([&] { epochs_->end_for_test(); });
  }

  template <class Refusal, class Good>
  std::string word(const std::variant<Refusal, Good>& answer) {
    const auto* why = std::get_if<Refusal>(&answer);
    return why == nullptr ? "ok" : std::string(name_of(*why));
  }
  static overlay::WireGuardKey wireguard_of(const std::string& name) {
    return crypto::digest32("test-wireguard", {name});
  }
  NewNode node_of(const std::string& member) {
    return {"node-" + member, membership::key_of(member).public_key(), wireguard_of(member), ""};
  }
  std::string join(const NewNode& node) {
    std::optional<NodeAnswer> got;
    on_control([&] { epochs_->register_node(node, [&](NodeAnswer answer) { got = answer; }); });
    settle();
    return got ? word(*got) : "no answer";
  }
  overlay::Submission submission(const std::string& member, double overall) {
    overlay::Submission made;
    made.node = "node-" + member;
    made.timestamp = clock_.wall();
    made.suite = "poc-0.1";
    made.scores.emplace("overall", *overlay::Score::from(overall));
    made.sequence = ++sequence_;
    made.nonce = "n" + std::to_string(sequence_);
    made.signed_text = "what " + member + " said " + made.nonce;
    made.signature = membership::key_of(member).sign(bytes_of(made.signed_text));
    return made;
  }
  std::string submit(const overlay::Submission& submission) {
    std::optional<SubmissionAnswer> got;
    on_control([&] {
      epochs_->submit(submission, submission.node, [&](SubmissionAnswer answer) { got = answer; });
    });
    settle();
    return got ? word(*got) : "no answer";
  }
  std::string submit(const std::string& member, double overall) {
    return submit(submission(member, overall));
  }
  std::string verdict(const std::string& member) {
    const overlay::Node* node = epochs_->node("node-" + member);
    return node == nullptr ? "no node" : std::string(name_of(node->verdict)) + " " + node->reason;
  }
  membership::Standing standing(const std::string& name) { return member(name)->standing; }
  void set_standing(const std::string& name, membership::Standing standing) {
    EXPECT_TRUE(status_of([&](auto answer) {
                  controller_->set_standing({1}, membership::key_of(name).public_key(), standing,
                                            answer);
                }).ok());
  }
  std::size_t rows_of(const std::string& kind) {
    std::size_t count = 0;
    for (const auto& [place, row] : store_.sealed_rows) count += place.first == kind ? 1 : 0;
    return count;
  }
  // ann and bob are allowed in the first epoch.
  void begin_with_two() {
    begin();
    ASSERT_EQ(join(node_of("ann")), "ok");
    ASSERT_EQ(join(node_of("bob")), "ok");
    ASSERT_EQ(submit("ann", 0.92), "ok");
    ASSERT_EQ(submit("bob", 0.80), "ok");
    pass(std::chrono::minutes(1));
    ASSERT_EQ(verdict("ann"), "ALLOWED score 0.92 >= 0.70, fresh");
    ASSERT_EQ(verdict("bob"), "ALLOWED score 0.80 >= 0.70, fresh");
  }

  OverlayOptions overlay_;
  std::array<unsigned char, 32> vault_key_{};
  MetricRegistry metrics_;
  std::vector<std::unique_ptr<Epochs>> all_;
  Epochs* epochs_ = nullptr;
  Status loaded_ = Done{};
  std::uint64_t sequence_ = 0;
};

}  // namespace signet::controller
