// Stories of PulseMesh: how many of a source there may be, and that none who shares a secret takes
// what is another's.
#include "broker/secrets_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

TEST_F(Secrets, ASourceHasSoManyConnectionsAndTheSharedSecretAnyNumber) {
  options_.connections_per_source = 2;
  start();
  FakeConnection& first = source("sage", "a", 0);
  source("sage", "b", 1);
  EXPECT_EQ(answer("/ws/mesh/c", handshake("sage")), "too_many_connections and closed 4008");
  EXPECT_EQ(answer("/ws/node/sage", handshake("sage")), "too_many_connections and closed 4008");
  source("core", "a");
  for (int i = 0; i < 5; ++i) anybody("x" + std::to_string(i));
  shards_[0]->hang_up(first);
  source("sage", "c");
}

TEST_F(Secrets, WhoShareASecretLeaveRoomForTheOthers) {
  mesh().max_connections = 4;
  start();
  FakeConnection& first = anybody("x1");
  anybody("x2", 1);
  EXPECT_EQ(answer("/ws/mesh/public.a", handshake("x3", with(secret_of(kShared)))),
            "too_many_connections and closed 4008");
  source("sage", "a");
  source("core", "a");
  shards_[0]->hang_up(first);
  anybody("x3");
}

TEST_F(Secrets, WhoShareASecretShareARateOfHandshakes) {
  options_.shared_hellos_per_second = 1;
  options_.shared_hellos_burst = 1;
  start();
  anybody("x1");
  EXPECT_EQ(answer("/ws/mesh/public.a", handshake("x2", with(secret_of(kShared)))),
            "rate_limited and closed 4008");
  source("sage", "a");
  clock_.advance(1s);
  anybody("x3");
}

TEST_F(Secrets, WhoSharesASecretAndIsTooFastSilencesNobodyElse) {
  options_.pulses_per_second = 1;
  options_.pulses_burst = 2;
  start();
  FakeConnection& fast = anybody("fast", 0);
  FakeConnection& again = anybody("fast", 1);
  FakeConnection& good = anybody("good", 1);
  FakeConnection& elsewhere = connect(0, "/ws/mesh/public.b");
  elsewhere.peer_address.ip[15] = 9;
  EXPECT_EQ(ask(elsewhere, handshake("fast", with(secret_of(kShared)))), "handshake_ok");
  say(fast, pulse("1"));
  say(again, pulse("2"));
  say(again, pulse("3"));
  settle();
  EXPECT_EQ(heard(fast), "pulse public.a 2");
  EXPECT_NE(heard(again).find("rate_limited"), std::string::npos) << "one rate on all its sockets";
  EXPECT_EQ(heard(good), "pulse public.a 2, pulse public.a 1") << "its own shard's first";
  EXPECT_EQ(ask(good, pulse("4")), "");
  EXPECT_EQ(ask(good, pulse("5")), "");
  EXPECT_EQ(ask(good, pulse("6")), "rate_limited");
  EXPECT_EQ(ask(elsewhere, pulse("7")), "") << "who says so elsewhere is somebody else";
}

TEST_F(Secrets, WhoSharesASecretPaysForItsOwnDeliveriesAlone) {
  options_.deliveries_per_second = 1;
  options_.deliveries_burst = 2;
  start();
  FakeConnection& loud = anybody("loud", 0);
  for (const std::size_t shard : {0U, 1U, 1U}) anybody("h" + std::to_string(shard), shard);
  FakeConnection& good = source("good", "public.b", 0, with(secret_of(kShared)));
  EXPECT_EQ(ask(loud, pulse("1")), "");
  EXPECT_EQ(ask(loud, pulse("2")), "rate_limited") << "one more than it may cause";
  EXPECT_EQ(ask(good, pulse("3")), "");
}

TEST_F(Secrets, AMeshHasSoManyConnections) {
  mesh().max_connections = 1;
  start();
  FakeConnection& core = source("core", "a");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "too_many_connections and closed 4008");
  shards_[0]->hang_up(core);
  expect_nobody_is_left("refused after its source was counted");
}

}  // namespace
}  // namespace signet::broker
