// Stories of what a shard tells the overlay's rule of Hub's users and engines, and what it does
// not.
#include "broker/hub_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class HubSignals : public HubStory {
 protected:
  void begin() {
    start();
    control_.run_and_wait([this] {
      shared_->hear_signals = [this](const SeenOfMembers& seen) {
        for (const SeenOfMember& of : seen) add(heard_, word_of(of));
      };
    });
  }
  static std::string word_of(const SeenOfMember& of) {
    return (of.as_engine ? "engine " : "user ") + std::to_string(of.member.value) + ":" +
           std::to_string(of.failed_proofs) + "/" + std::to_string(of.replays) + "/" +
           std::to_string(of.lost_leases);
  }
  // Failed proofs, replays and lost leases of each, as they are told within a second.
  std::string heard() {
    pass(1s);
    std::string words;
    control_.run_and_wait([&] { words = std::exchange(heard_, {}); });
    return words;
  }

  std::string heard_;  // on the control thread
};

TEST_F(HubSignals, WhatIsSignedBadlyOrTwiceInAProvenSessionIsTold) {
  begin();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1");
  EXPECT_EQ(heard(), "");
  ActionFields used;
  used.nonce = "used";
  for (int i = 0; i < 3; ++i) tell(uma, action(used));
  ActionFields forged;
  forged.key = "guess";
  tell(uma, action(forged));
  const std::string payload = R"({"job_id":"j1","timestamp":1})";
  tell(gpu, packet("job_ack", payload, forged));
  tell(gpu, packet("job_ack", payload, used));
  tell(gpu, packet("job_ack", payload, used));
  EXPECT_EQ(heard(), "user 20:1/2/0, engine 30:1/1/0");
  EXPECT_EQ(heard(), "") << "once";
}

TEST_F(HubSignals, WhoOnlyNamesAMemberIsNotTold) {
  begin();
  FakeConnection& uma = user("uma");
  ActionFields late;
  late.off_ms = -60'000;
  tell(uma, action(late));
  tell(uma, event("action", "{}"));
  EXPECT_EQ(heard(), "user 20:1/0/0") << "an action without a signature is none that holds";
  FakeConnection& stranger = begin_on_socket();
  tell(stranger, R"(40/engine,{"token":"of nobody"})");
  tell(stranger, R"(40{"token":"of nobody"})");
  EXPECT_EQ(heard(), "");
}

// A clock that was fast and is put right is nobody's replay.
TEST_F(HubSignals, WhereTheStoreCannotTellNobodyIsToBlame) {
  using store::NonceOutcome;
  begin();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1");
  hears(uma);  // that an engine came
  for (const NonceOutcome outcome : {NonceOutcome::kForgotten, NonceOutcome::kUnavailable}) {
    store_.nonce_outcomes = {outcome, outcome};
    EXPECT_EQ(tell(uma, action()), "action_error unavailable");
    EXPECT_EQ(tell(gpu, packet("job_ack", R"({"job_id":"j1"})")),
              "job_ack_rejected ENGINE_UNAVAILABLE");
  }
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(metric("signet_hub_actions_refused_total{reason=\"replay_detected\"}"), 0);
  EXPECT_EQ(metric("signet_hub_engines_refused_total{reason=\"ENGINE_NONCE_REPLAY\"}"), 0);
}

// The next daemon reads the jobs as they are on disk, and queues them again.
TEST_F(HubSignals, WhoIsSentAwayAtTheEndOfTheDaemonLosesNothing) {
  begin();
  FakeConnection& uma = user("uma");
  FakeConnection& gpu = ready_engine("gpu-1");
  tell(uma, world());
  hears(gpu);
  tell(gpu, packet("job_started", about_job()));
  const auto before = store_.job_rows;
  ASSERT_EQ(before.size(), 3U);
  shared_->stopping = true;
  shards_[0]->hang_up(gpu);
  settle();
  EXPECT_EQ(heard(), "");
  for (const auto& [id, row] : store_.job_rows) {
    EXPECT_EQ(row.state, before.at(id).state) << id;
    EXPECT_EQ(row.version, before.at(id).version) << id;
    EXPECT_EQ(row.retries, 0U) << id;
  }
}

TEST_F(HubSignals, ALeaseIsLostByWhoLeftItOrWasTooSlowAndByNobodyElse) {
  begin();
  FakeConnection& uma = user("uma");
  FakeConnection& gone = ready_engine("gpu-1");
  tell(uma, world());
  hears(gone);
  EXPECT_EQ(heard(), "");
  shards_[0]->hang_up(gone);
  settle();
  EXPECT_EQ(heard(), "engine 30:0/0/3");
  FakeConnection& slow = ready_engine("gpu-2");
  hears(slow);
  for (int i = 0; i < 7; ++i) {
    pass(5s);
    tell(slow, engine_event("engine_heartbeat", "{}"));
    tell(uma, event("heartbeat", "{}"));
  }
  const std::string lost = heard();
  EXPECT_TRUE(lost.starts_with("engine 31:0/0/")) << lost;
}

}  // namespace
}  // namespace signet::broker
