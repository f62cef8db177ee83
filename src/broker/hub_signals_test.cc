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
