// Bodies over what every request may have: who allows them, and what bounds them.
#include <algorithm>

#include "net/loopback_test.h"

namespace signet::net {
namespace {

std::string post(const std::string& target, std::size_t bytes) {
  return "POST " + target + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) +
         "\r\n\r\n";
}

// Bodies of 1,000 bytes are for all, a million for "/large".
class LargeBodies : public Loopback {
 protected:
  static constexpr std::size_t kMost = 1'000'000;

  LargeBodies() {
    options.max_body_bytes = 1'000;
    prepare = [](Owner& owner) {
      owner.max_body = [](const wire::RequestHead& head) {
        return head.path == "/large" ? kMost : 10;
      };
      owner.request = [](Connection& connection, const HttpRequest& request) {
        const auto sum = std::count(request.body.begin(), request.body.end(), 'x');
        connection.respond({200, "", {}, "[" + std::to_string(sum) + "]"});
      };
    };
  }
  bool arrived(std::size_t bytes) {
    return eventually(
        [&] { return metric("signet_net_bytes_in_total") >= static_cast<std::int64_t>(bytes); });
  }
  bool is_taken(std::size_t bytes) {
    Peer peer = connected();
    return peer.send(post("/large", bytes) + std::string(bytes, 'x')) &&
           peer.answer().ends_with("[" + std::to_string(bytes) + "]");
  }
};

TEST_F(LargeBodies, AreTakenWhereTheOwnerSaysSo) {
  start();
  const struct {
    const char* name;
    const char* target;
    std::size_t bytes;
    const char* status;
  } rows[] = {
      {"what every request may have", "/other", 1'000, "200"},
      {"a byte more", "/other", 1'001, "413"},
      {"the owner allows more", "/large", 1'001, "200"},
      {"all that the owner allows", "/large", kMost, "200"},
      {"a byte more than that", "/large", kMost + 1, "413"},
      {"beyond all bounds", "/large", std::size_t{1} << 40, "413"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(post(row.target, row.bytes)));
    if (row.bytes <= kMost) peer.send(std::string(row.bytes, 'x'));
    const std::string answer = peer.answer();
    EXPECT_EQ(answer.substr(9, 3), row.status);
    EXPECT_TRUE(*row.status == '4' || answer.ends_with("[" + std::to_string(row.bytes) + "]"));
  }
}

TEST_F(LargeBodies, FollowEachOtherOnOneConnection) {
  start();
  Peer peer = connected();
  const std::string one = post("/large", 300'000) + std::string(300'000, 'x');
  const std::string small = post("/other", 3) + "xxx";
  std::thread sender([&, all = one + one + small + one + small] { peer.send(all); });
  for (const char* sum : {"[300000]", "[300000]", "[3]", "[300000]", "[3]"}) {
    EXPECT_TRUE(peer.answer().ends_with(sum));
  }
  sender.join();
}

TEST_F(LargeBodies, ThatAreTooSlowAreEndedAndLeaveTheirPlace) {
  options.head_timeout = milliseconds(150);
  options.large_body_bytes = 1'000'000;
  start();
  for (int round = 0; round < 3; ++round) {
    Peer slow = connected();
    ASSERT_TRUE(slow.send(post("/large", 700'000) + std::string(450'000, 'x')));
    EXPECT_EQ(slow.answer().substr(0, 12), "HTTP/1.1 408");
  }
  EXPECT_TRUE(is_taken(300'000));
}

TEST_F(LargeBodies, ThatAreTooManyAreRefused) {
  constexpr std::size_t kHeld = 100'000;
  options.large_body_bytes = 10 * kHeld;
  start();
  std::vector<Peer> peers;
  for (std::size_t i = 1; i <= 11; ++i) {
    peers.push_back(connected());
    ASSERT_TRUE(peers.back().send(post("/large", kHeld + 1'000) + std::string(kHeld, 'x')));
    ASSERT_TRUE(arrived(i * kHeld));
  }
  EXPECT_TRUE([&] {
    Peer small = connected();
    return small.send(post("/other", 3) + "xxx") && small.answer().ends_with("[3]");
  }()) << "others are served meanwhile";
  std::size_t taken = 0, refused = 0;
  for (Peer& peer : peers) {
    peer.send(std::string(1'000, 'x'));
    const std::string answer = peer.answer();
    taken += answer.ends_with("[101000]") ? 1 : 0;
    refused += answer.starts_with("HTTP/1.1 503") ? 1 : 0;
  }
  EXPECT_EQ(taken + refused, 11u);
  EXPECT_GE(taken, 4u);  // a text that grows holds up to twice what is in it
  EXPECT_GE(refused, 1u);
  peers.clear();
  EXPECT_TRUE(is_taken(300'000)) << "their places are free again";
}

TEST_F(LargeBodies, ThatAreOnlyAnnouncedTakeNoPlace) {
  options.large_body_bytes = 1'000'000;
  start();
  std::vector<Peer> idle;
  for (int i = 0; i < 20; ++i) {
    idle.push_back(connected());
    ASSERT_TRUE(idle.back().send(post("/large", kMost) + "x"));
  }
  ASSERT_TRUE(arrived(20 * post("/large", kMost).size()));
  EXPECT_TRUE(is_taken(400'000));
}

TEST_F(LargeBodies, LeaveTheirPlaceWhenThePeerGoes) {
  options.large_body_bytes = 600'000;
  start();
  for (std::size_t round = 1; round <= 10; ++round) {
    Peer peer = connected();
    ASSERT_TRUE(peer.send(post("/large", kMost) + std::string(250'000, 'x')));
    ASSERT_TRUE(arrived(round * 250'000));
    peer.hang_up();
    ASSERT_TRUE(eventually([&] { return metric("signet_connections") == 0; }));
  }
  EXPECT_TRUE(is_taken(200'000));
}

TEST_F(LargeBodies, MoveToAnotherShard) {
  const auto before = prepare;
  prepare = [this, before](Owner& owner) {
    before(owner);
    const auto answer = owner.request;
    owner.request = [this, answer](Connection& connection, const HttpRequest& request) {
      if (connection.id().shard == 1) return answer(connection, request);
      network->shards()[0]->hand_over(connection, 1);
    };
  };
  options.large_body_bytes = 3 * kMost;
  start(2);
  for (int i = 0; i < 6; ++i) EXPECT_TRUE(is_taken(kMost)) << i;
}

}  // namespace
}  // namespace signet::net
