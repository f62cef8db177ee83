// Requests that wait long for their answer, as a long poll does.
#include "net/loopback_test.h"
#include "net/tls_peer_test.h"

namespace signet::net {
namespace {

const std::string kGet = "GET /poll HTTP/1.1\r\nHost: x\r\n\r\n";

template <class Base>
class Waits : public Base {
 protected:
  Waits() {
    this->prepare = [this](Owner& owner) {
      owner.request = [this](Connection& connection, const HttpRequest&) {
        asking = connection.id();
      };
    };
  }
  bool is_asked(int times = 1) {
    return this->eventually([&] { return this->owner().requests == times; });
  }
  void answer(const std::string& body) {
    this->on_shard(0, [&](Shard& shard) {
      Connection* const waiting = shard.find(asking);
      ASSERT_NE(waiting, nullptr);
      waiting->respond({200, "", {}, body});
    });
  }

  ConnectionId asking;  // used on the shard's thread
};

class WaitingRequest : public Waits<Loopback> {};
class WaitingRequestTls : public Waits<TlsServer> {};

TEST_F(WaitingRequest, OutlastsTheTimesOfHeadsAndOfIdleConnections) {
  options.head_timeout = options.idle_http_timeout = milliseconds(40);
  start();
  Peer peer = connected();
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(peer.send(kGet));
    ASSERT_TRUE(is_asked(i));
    std::this_thread::sleep_for(milliseconds(150));
    answer("late");
    const std::string answered = peer.answer();
    EXPECT_TRUE(answered.ends_with("late"));
    EXPECT_EQ(answered.find("Connection: close"), std::string::npos);
  }
}

TEST_F(WaitingRequest, IsRefusedWhenItsOwnerForgetsIt) {
  options.answer_timeout = milliseconds(60);
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(kGet));
  EXPECT_EQ(peer.answer().substr(0, 12), "HTTP/1.1 503");
  EXPECT_TRUE(peer.ended());
  peer.hang_up();
  EXPECT_TRUE(eventually([&] { return owner().closes == 1; }));
}

TEST_F(WaitingRequest, OfAProvenPeerMakesNoRoomForNewcomers) {
  options.max_unproven = options.unproven_start = 1;
  options.unproven_share_percent = 0;
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(kGet));
  ASSERT_TRUE(is_asked());
  on_connection([](Shard& shard, Connection& connection) { shard.proven(connection); });
  std::vector<Peer> silent;
  silent.reserve(10);
  for (int i = 0; i < 10; ++i) silent.push_back(connected());
  ASSERT_TRUE(eventually([&] { return refused("unproven") > 0; }));
  answer("here");
  EXPECT_TRUE(peer.answer().ends_with("here"));
}

TEST_F(WaitingRequest, EndsAtOnceWithItsPeer) {
  start();
  const struct {
    const char* name;
    std::string sent;
    std::function<void(Peer&)> go;
  } rows[] = {
      {"closes", kGet, [](Peer& peer) { peer.hang_up(); }},
      {"resets", kGet, [](Peer& peer) { peer.reset(); }},
      {"ends its side", kGet, [](Peer& peer) { peer.end_writing(); }},
      {"closes behind another request", kGet + kGet, [](Peer& peer) { peer.hang_up(); }},
      {"closes behind more than is read", kGet + std::string(60'000, 'x'),
       [](Peer& peer) { peer.hang_up(); }},
  };
  int times = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(row.sent));
    ASSERT_TRUE(is_asked(++times));
    EXPECT_EQ(owner().closes, times - 1);
    row.go(peer);
    EXPECT_TRUE(eventually([&] { return owner().closes == times; }));
    EXPECT_EQ(closed("lost"), times);
  }
}

TEST_F(WaitingRequestTls, EndsAtOnceWithItsPeer) {
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.write(kGet));
  ASSERT_TRUE(is_asked());
  SSL_shutdown(peer.ssl());
  peer.push();
  peer.wire.hang_up();
  EXPECT_TRUE(eventually([&] { return owner().closes == 1; }));
}

// The end of input is watched for only while the request waits.
TEST_F(WaitingRequest, IsAnsweredWithoutTurningRound) {
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(kGet + kGet));
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(is_asked(i));
    const int before = owner().turns;
    std::this_thread::sleep_for(milliseconds(30));
    EXPECT_LT(owner().turns - before, 10);
    answer("n" + std::to_string(i));
    EXPECT_TRUE(peer.answer().ends_with("n" + std::to_string(i)));
  }
}

TEST_F(WaitingRequest, DoesNotHoldUpTheEnd) {
  options.close_timeout = milliseconds(60);
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(kGet));
  ASSERT_TRUE(is_asked());
  std::thread reads([&] { EXPECT_EQ(peer.answer().substr(0, 12), "HTTP/1.1 503"); });
  const auto begun = std::chrono::steady_clock::now();
  network->stop(milliseconds(0), milliseconds(60'000));
  EXPECT_LT(std::chrono::steady_clock::now() - begun, milliseconds(30'000));
  reads.join();
  EXPECT_EQ(owner().closes, 1);
}

}  // namespace
}  // namespace signet::net
