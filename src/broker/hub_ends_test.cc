// Why Hub refuses requests and ends sessions: each has a reason that is counted, and is no other's.
#include "broker/hub_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class HubEnds : public HubStory {
 protected:
  static constexpr const char* kFamily = "signet_hub_transport_total";

  std::int64_t counted(TransportReason reason) {
    return metric(std::string(kFamily) + "{reason=\"" + std::string(name_of(reason)) + "\"}");
  }
  std::int64_t all() {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < kTransportReasonCount; ++i) {
      sum += counted(static_cast<TransportReason>(i));
    }
    return sum;
  }
  // What happens meanwhile is of this reason, and of no other.
  template <class Story>
  void expect_one(TransportReason reason, Story story) {
    SCOPED_TRACE(std::string(name_of(reason)));
    const std::int64_t its = counted(reason);
    const std::int64_t before = all();
    story();
    settle();
    EXPECT_EQ(counted(reason), its + 1);
    EXPECT_EQ(all(), before + 1);
  }
};

TEST_F(HubEnds, NamesAreWordsAndDiffer) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kTransportReasonCount; ++i) {
    names.insert(name_of(static_cast<TransportReason>(i)));
  }
  EXPECT_EQ(names.size(), kTransportReasonCount);
  EXPECT_EQ(name_of(TransportReason::kRevoked), "revoked");
}

TEST_F(HubEnds, ARefusedRequestIsCountedByItsReason) {
  start();
  const std::string sid = begin_polling();
  expect_one(TransportReason::kBadRequest, [&] { asked(0, {"EIO=3&transport=polling"}); });
  expect_one(TransportReason::kUnknownSid, [&] { asked(1, poll("AAAAAAAAAAAAAAAAAAAAAAAAA")); });
  expect_one(TransportReason::kUnknownSid, [&] { asked(1, poll("zAAAAAAAAAAAAAAAAAAAAAAAA")); });
  for (HubAsk ask : {poll(sid), post(sid, "3"), socket(sid)}) {
    ask.address = 9;
    expect_one(TransportReason::kStolenSid, [&] { asked(0, ask); });
  }
  ask_transport(0, socket(sid));
  expect_one(TransportReason::kBadUpgrade, [&] { asked(0, socket(sid)); });
  rules_.bindings.clear();
  show_rules();
  expect_one(TransportReason::kNoMesh, [&] { asked(0, {}); });
}

TEST_F(HubEnds, TooManySessionsOfAnAddressAreCounted) {
  options_.hellos_per_second = 1;
  options_.hellos_burst = 1;
  start();
  begin_polling();
  expect_one(TransportReason::kTooManySessions, [&] { asked(0, {}); });
}

TEST_F(HubEnds, AnEndedSessionIsCountedByItsReason) {
  options_.hub.packets_per_second = 1;
  options_.hub.packets_burst = 4;
  start();
  const auto say_to_new = [&](const std::string& frame) { tell(begin_on_socket(), frame); };
  expect_one(TransportReason::kMalformed, [&] { say_to_new("49"); });
  expect_one(TransportReason::kMalformed, [&] { say_to_new("9"); });
  expect_one(TransportReason::kTooEarly, [&] { say_to_new(event("heartbeat", "{}")); });
  expect_one(TransportReason::kTooEarly,
             [&] { say_to_new(R"(451-["x",{"_placeholder":true,"num":0}])"); });
  expect_one(TransportReason::kTooFast, [&] {
    FakeConnection& uma = user("uma");
    for (int i = 0; i < 4; ++i) tell(uma, event("heartbeat", "{}"));
  });
  expect_one(TransportReason::kTooLarge, [&] {
    asked(0, post(begin_polling(), std::string(options_.unproven_frame_bytes + 1, '4')));
  });
  expect_one(TransportReason::kTwoPolls, [&] {
    const std::string sid = begin_polling();
    ask_transport(0, poll(sid));
    asked(0, poll(sid));
  });
  expect_one(TransportReason::kBadProbe, [&] {
    const std::string sid = begin_polling();
    tell(ask_transport(0, socket(sid)), "what is this");
  });
  expect_one(TransportReason::kSlow, [&] {
    FakeConnection& uma = user("uma");
    uma.next_sent = net::Sent::kDropped;
    for (int i = 0; i < 2; ++i) tell(uma, event("heartbeat", "{}"));
  });
}

TEST_F(HubEnds, WhatDoesNotComeInTimeIsCountedByItsReason) {
  options_.hub.engine.ping_interval = 300s;
  start();
  expect_one(TransportReason::kJoinedNothing, [&] {
    begin_on_socket();
    pass(options_.hub.connect_timeout + 250ms);
  });
  expect_one(TransportReason::kIncomplete, [&] {
    tell(user("uma"), R"(451-["x",{"_placeholder":true,"num":0}])");
    pass(5'250ms);
  });
  expect_one(TransportReason::kBadProbe, [&] {
    ask_transport(0, socket(begin_polling()));
    pass(options_.hub.engine.upgrade_timeout + 250ms);
  });
  pass(options_.hub.connect_timeout);
  expect_one(TransportReason::kSilent, [&] {
    user("uma");
    pass(options_.hub.disconnect_after);
  });
  expect_one(TransportReason::kSilent, [&] {
    engine("gpu-1");
    pass(options_.hub.engine_silent_after);
  });
  expect_one(TransportReason::kTokenExpired, [&] {
    tell(begin_on_socket(), connect_with(token("uma", 30s)));
    pass(30s);
  });
  expect_one(TransportReason::kPingTimeout, [&] {
    FakeConnection& uma = user("uma");
    for (int i = 0; i < 12; ++i) {  // hundreds of seconds, and each a heartbeat
      pass(25s);
      tell(uma, event("heartbeat", "{}"));
    }
    pass(options_.hub.engine.ping_timeout);
  });
}

TEST_F(HubEnds, WhoMustGoIsCountedOnce) {
  start();
  user("uma");
  set_policy("[[rule]]\nid = \"see\"\nallow = [\"see_presence\"]\n");
  expect_one(TransportReason::kRevoked, [&] { show_rules(); });
}

// Who leaves of itself, or was told by a refused CONNECT, is not among them.
TEST_F(HubEnds, WhatNobodyDidWrongIsNotCounted) {
  start();
  FakeConnection& uma = user("uma");
  tell(uma, "1");
  shards_[0]->hang_up(user("vic"));
  tell(begin_on_socket(), "40");
  settle();
  EXPECT_EQ(metric("signet_hub_sessions"), 0);
  EXPECT_EQ(all(), 0);
}

// Its namespace, and in the same read its WebSocket: what is still said to it goes nowhere.
TEST_F(HubEnds, AGoodbyeIsNoSlowness) {
  start();
  FakeConnection& gpu = ready_engine("gpu-1");
  say(gpu, "41/engine,");
  gpu.close(CloseReason::kNormal, {});
  settle();
  EXPECT_EQ(metric("signet_hub_engines"), 0);
  FakeConnection& uma = user("uma");
  uma.close(CloseReason::kNormal, {});
  say(uma, event("heartbeat", "{}"));
  settle();
  EXPECT_EQ(all(), 0);
}

}  // namespace
}  // namespace signet::broker
