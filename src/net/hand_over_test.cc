// Connections that go from one shard to another while their request waits for its answer.
#include <thread>

#include "net/loopback_test.h"
#include "net/tls_peer_test.h"

namespace signet::net {
namespace {

std::string get(const std::string& target, std::string_view extra = {}) {
  return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + std::string(extra) + "\r\n";
}

std::string upgrade_at(std::uint32_t shard) {
  return Peer::handshake({}, "/" + std::to_string(shard));
}

// A request for "/1…" is answered by shard 1, wherever it arrives.
void answer_where_asked(Owner& owner, const std::function<Shard&(const Connection&)>& shard_of) {
  const auto answer = owner.request;
  owner.request = [answer, shard_of](Connection& connection, const HttpRequest& request) {
    const auto wanted = static_cast<std::uint32_t>(request.head.path.at(1) - '0');
    if (connection.id().shard == wanted) return answer(connection, request);
    shard_of(connection).hand_over(connection, wanted);
  };
}

template <class Base>
class Moves : public Base {
 protected:
  Moves() {
    this->prepare = [this](Owner& owner) {
      answer_where_asked(owner, [this](const Connection& c) -> Shard& { return shard_of(c); });
    };
  }
  Shard& shard_of(const Connection& connection) {
    return *this->network->shards()[connection.id().shard];
  }
  std::size_t connections(std::size_t shard) {
    return this->network->shards()[shard]->connections();
  }
};

class HandOver : public Moves<Loopback> {};
class HandOverTls : public Moves<TlsServer> {};

TEST_F(HandOver, GoesOnAtTheOtherShardWithTheSameRequest) {
  start(2);
  Peer peer = connected();
  ASSERT_TRUE(peer.send("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"));
  EXPECT_NE(peer.answer().find("POST /1 hello"), std::string::npos);
  EXPECT_EQ(owner(0).requests, 1);
  EXPECT_EQ(owner(1).requests, 1);
  EXPECT_EQ(connections(0), 0u);
  EXPECT_EQ(connections(1), 1u);
  EXPECT_EQ(metric("signet_connections"), 1);
  EXPECT_EQ(metric("signet_net_http_requests_total"), 1) << "it is one request";

  ASSERT_TRUE(peer.send(get("/1")));
  EXPECT_NE(peer.answer().find("GET /1"), std::string::npos);
  EXPECT_EQ(owner(1).requests, 2);
  ASSERT_TRUE(peer.send(get("/0")));
  EXPECT_NE(peer.answer().find("GET /0"), std::string::npos);
  EXPECT_EQ(connections(0), 1u);

  peer.hang_up();
  EXPECT_TRUE(eventually([&] { return metric("signet_connections") == 0; }));
  EXPECT_EQ(owner(0).closes, 1);
  EXPECT_EQ(owner(1).closes, 0) << "it left without a word";
}

TEST_F(HandOver, TakesARequestThatCameInPieces) {
  start(2);
  const std::string request = "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t cut = 1; cut < request.size(); cut += 3) {
    SCOPED_TRACE(cut);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(request.substr(0, cut)));
    std::this_thread::sleep_for(milliseconds(2));
    ASSERT_TRUE(peer.send(request.substr(cut) + get("/0")));
    EXPECT_NE(peer.answer().find("POST /1 hello"), std::string::npos);
    EXPECT_NE(peer.answer().find("GET /0"), std::string::npos);
  }
}

TEST_F(HandOver, KeepsWhatWasPipelinedBehindTheRequest) {
  start(2);
  Peer peer = connected();
  std::string many;
  for (int i = 0; i < 100; ++i) many += get("/" + std::to_string(i % 3 / 2) + std::to_string(i));
  ASSERT_TRUE(peer.send(many));
  for (int i = 0; i < 100; ++i) {
    const std::string wanted = "GET /" + std::to_string(i % 3 / 2) + std::to_string(i) + " ";
    ASSERT_NE(peer.answer().find(wanted), std::string::npos) << i;
  }
}

TEST_F(HandOver, UpgradesThereWithTheFramesThatCameEarly) {
  start(2);
  Peer peer = connected();
  ASSERT_TRUE(peer.send(upgrade_at(1) + Peer::frame(wire::Opcode::kText, "early")));
  EXPECT_NE(peer.answer().find(" 101 "), std::string::npos);
  EXPECT_EQ(peer.next_frame().payload, "early");
  ASSERT_TRUE(peer.say("late"));
  EXPECT_EQ(peer.next_frame().payload, "late");
  EXPECT_EQ(owner(1).messages, 2);
  EXPECT_EQ(owner(0).messages, 0);
}

TEST_F(HandOver, TakesAlongWhatThePeerHasNotReadYet) {
  constexpr std::size_t kAnswer = 6 << 20;  // more than the kernel holds
  options.high_water_bytes = 8 << 20;
  prepare = [this](Owner& owner) {
    owner.request = [](Connection& connection, const HttpRequest&) {
      connection.respond({200, "", {}, std::string(kAnswer, 'y')});
    };
    answer_where_asked(owner, [this](const Connection& c) -> Shard& { return shard_of(c); });
  };
  start(2);
  Peer peer(8 * 1024);
  ASSERT_TRUE(peer.connect(address));
  ASSERT_TRUE(peer.send(get("/0")));
  ASSERT_TRUE(eventually([&] { return metric("signet_net_bytes_out_total") > 0; }));
  ASSERT_TRUE(peer.send(get("/1")));
  ASSERT_TRUE(eventually([&] { return owner(1).requests == 1; }));
  for (int i = 0; i < 2; ++i) {
    const std::string answer = peer.answer();
    EXPECT_EQ(answer.substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_EQ(answer.size() - answer.find("\r\n\r\n") - 4, kAnswer);
  }
}

TEST_F(HandOver, MayAskTheSameShardAgain) {
  prepare = [this](Owner& owner) {
    const auto answer = owner.request;
    owner.request = [this, answer, &owner](Connection& connection, const HttpRequest& request) {
      if (owner.requests == 3) return answer(connection, request);
      shard_of(connection).hand_over(connection, 0);
    };
  };
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(get("/a")));
  EXPECT_NE(peer.answer().find("GET /a"), std::string::npos);
  EXPECT_EQ(owner().requests, 3);
}

// ---- what its owner sees

struct Marked final : Attachment {
  explicit Marked(std::atomic<bool>& flag) : gone(flag) {}
  ~Marked() override { gone = true; }
  std::atomic<bool>& gone;
};

TEST_F(HandOver, EndsHereWithItsAttachmentAndItsId) {
  std::atomic<bool> gone{false};
  ConnectionId before;
  prepare = [&](Owner& owner) {
    const auto answer = owner.request;
    owner.request = [&, answer](Connection& connection, const HttpRequest& request) {
      if (connection.id().shard == 1) {
        EXPECT_EQ(connection.attachment(), nullptr);
        return answer(connection, request);
      }
      before = connection.id();
      connection.attach(std::make_unique<Marked>(gone));
      connection.set_deadline(milliseconds(1));
      Shard& shard = shard_of(connection);
      shard.hand_over(connection, 1);
      EXPECT_FALSE(gone) << "this callback still has it";
      EXPECT_EQ(shard.find(before), nullptr);
      shard.hand_over(connection, 0);
      connection.respond({500, "", {}, "not from here"});
      connection.close(CloseReason::kPolicy);
    };
  };
  start(2);
  Peer peer = connected();
  ASSERT_TRUE(peer.send(get("/a")));
  EXPECT_NE(peer.answer().find("GET /a"), std::string::npos);
  EXPECT_TRUE(gone);
  EXPECT_EQ(owner(0).closes, 0);
  on_shard(0, [&](Shard& shard) {
    EXPECT_EQ(shard.find(before), nullptr);
    shard.each_connection([](Connection&) { ADD_FAILURE() << "it is not here"; });
  });
}

TEST_F(HandOver, ClosesWhatIsHandedOverAgainstTheRules) {
  ConnectionId waiting;  // used on the shard's thread
  prepare = [&](Owner& owner) {
    owner.request = [&](Connection& connection, const HttpRequest& request) {
      waiting = connection.id();
      if (request.head.path == "/unknown") shard_of(connection).hand_over(connection, 1);
      if (request.head.path == "/answered") {
        connection.respond({200, "", {}, "answer"});
        shard_of(connection).hand_over(connection, 0);
      }
    };
  };
  start();
  int times = 0;
  for (const std::string path : {"/unknown", "/answered", "/later"}) {
    SCOPED_TRACE(path);
    ++times;
    Peer peer = connected();
    ASSERT_TRUE(peer.send(get(path)));
    ASSERT_TRUE(eventually([&] { return owner().requests == times; }));
    if (path == "/later") {
      on_shard(0, [&](Shard& shard) { shard.hand_over(*shard.find(waiting), 0); });
    }
    EXPECT_TRUE(eventually([&] { return owner().closes == times; }));
    EXPECT_EQ(closed("internal"), times);
    EXPECT_EQ(owner().requests, times);
  }
}

TEST_F(HandOver, StillForwardsTheClientOfATrustedProxy) {
  options.trusted_proxies = {"127.0.0.1"};
  options.max_connections_per_address = 1;  // which does not count for proxies
  prepare = [this](Owner& owner) {
    owner.request = [](Connection& connection, const HttpRequest&) {
      connection.respond({200, "", {}, connection.peer().text()});
    };
    answer_where_asked(owner, [this](const Connection& c) -> Shard& { return shard_of(c); });
  };
  start(2);
  std::vector<Peer> peers;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(connected());
    for (const char* target : {"/0", "/1", "/0"}) {
      ASSERT_TRUE(peers.back().send(get(target, "X-Forwarded-For: 203.0.113.9\r\n")));
      EXPECT_TRUE(peers.back().answer().ends_with("203.0.113.9:0"));
    }
  }
}

// ---- limits

TEST_F(HandOver, CountsOnceForItsAddressAfterAThousandMoves) {
  options.max_connections_per_address = 1;
  start(2);
  Peer peer = connected();
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_TRUE(peer.send(get(i % 2 == 0 ? "/1" : "/0")));
    ASSERT_NE(peer.answer().find(" 200 "), std::string::npos) << i;
  }
  EXPECT_EQ(connections(0) + connections(1), 1u);
  EXPECT_TRUE(connected().ended());
  EXPECT_EQ(refused("address"), 1);
  peer.hang_up();
  EXPECT_TRUE(eventually([&] {
    Peer again;
    return again.connect(address) && again.send(get("/0")) && !again.answer().empty();
  }));
}

// Where counts per shard went wrong, a newcomer would be to end one where there is none.
TEST_F(HandOver, IsFoundAndEndedWhereItWentWhileItHasProvenNothing) {
  options.max_unproven = options.unproven_start = 1;
  options.unproven_share_percent = 0;
  start(2);
  for (int round = 0; round < 4; ++round) {
    SCOPED_TRACE(round);
    Peer peer = connected();
    const std::string there = round % 2 == 0 ? "/1" : "/0";
    for (int i = 0; i < 11; ++i) {
      ASSERT_TRUE(peer.send(get(i % 2 == 0 ? there : "/" + std::to_string(round % 2))));
      ASSERT_NE(peer.answer().find(" 200 "), std::string::npos) << i;
    }
    Peer newcomer = connected();
    EXPECT_TRUE(eventually([&] { return owner(0).closes + owner(1).closes == round + 1; }));
    EXPECT_EQ(refused("unproven"), round + 1);
    newcomer.hang_up();
    ASSERT_TRUE(eventually([&] { return metric("signet_connections") == 0; }));
    // A shard tells at the end of its turn who left; until then the next peer would be one too
    // many.
    for (const std::size_t shard : {1, 1, 0}) on_shard(shard, [](Shard&) {});
  }
}

TEST_F(HandOver, StaysProven) {
  options.max_unproven = options.unproven_start = 1;
  options.unproven_share_percent = 0;
  prepare = [this](Owner& owner) {
    const auto answer = owner.request;
    owner.request = [this, answer](Connection& connection, const HttpRequest& request) {
      if (connection.id().shard == 1) return answer(connection, request);
      shard_of(connection).proven(connection);
      shard_of(connection).hand_over(connection, 1);
    };
  };
  start(2);
  Peer peer = connected();
  ASSERT_TRUE(peer.send(get("/a")));
  EXPECT_NE(peer.answer().find("GET /a"), std::string::npos);
  for (int i = 0; i < 10; ++i) {
    Peer silent = connected();
    std::this_thread::sleep_for(milliseconds(2));
  }
  ASSERT_TRUE(peer.send(get("/b")));
  EXPECT_NE(peer.answer().find("GET /b"), std::string::npos);
}

TEST_F(HandOver, SettlesAfterManyAtOnce) {
  constexpr std::size_t kClients = 12;
  options.max_connections_per_address = kClients;
  options.unproven_share_percent = 0;
  start(3);
  std::vector<std::thread> clients;
  for (std::size_t client = 0; client < kClients; ++client) {
    clients.emplace_back([this, client] {
      Peer peer = connected();
      for (std::size_t i = 0; i < 60 + client; ++i) {
        const std::string target = "/" + std::to_string((i * (client + 1) + client / 3) % 3);
        ASSERT_TRUE(peer.send(get(target)));
        ASSERT_NE(peer.answer().find("GET " + target), std::string::npos);
      }
      // Half of them go while they are on their way.
      if (client % 2 == 0) peer.send(get("/0") + get("/1") + get("/2"));
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(eventually([&] { return metric("signet_connections") == 0; }));
  for (std::size_t shard = 0; shard < 3; ++shard) EXPECT_EQ(connections(shard), 0u);

  std::vector<Peer> again;
  ASSERT_TRUE(eventually([&] {
    Peer peer;
    if (!peer.connect(address) || !peer.send(get("/0")) || peer.answer().empty()) return false;
    again.push_back(std::move(peer));
    return again.size() == kClients;
  })) << "the places of all are free again";
  const auto before = refused("address");
  EXPECT_TRUE(connected().ended());
  EXPECT_EQ(refused("address"), before + 1);
}

// ---- the end

TEST_F(HandOver, IsClosedByAShardThatStops) {
  std::promise<void> asked, stopped;
  prepare = [&](Owner& owner) {
    const auto answer = owner.request;
    owner.request = [&, answer](Connection& connection, const HttpRequest& request) {
      if (request.upgrade) return answer(connection, request);
      asked.set_value();
      stopped.get_future().wait();
      shard_of(connection).hand_over(connection, 1);
    };
  };
  start(2);
  Peer moving = connected();
  Peer there = websocket();
  ASSERT_TRUE(moving.send(get("/1")));
  asked.get_future().wait();
  std::thread stops([&] { network->stop(milliseconds(0), milliseconds(10'000)); });
  EXPECT_EQ(there.next_frame().close_code(), 1001);
  there.hang_up();
  stopped.set_value();
  EXPECT_EQ(moving.take_all(), "");
  stops.join();
  EXPECT_EQ(owner(1).requests, 1);
  EXPECT_EQ(closed("going_away"), 2);
  EXPECT_EQ(metric("signet_connections"), 0);
}

TEST_F(HandOver, StopsInTheMidstOfMoves) {
  start(2);
  std::vector<std::thread> clients;
  clients.reserve(4);
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([this] {
      Peer peer = connected();
      for (int i = 0; peer.send(get(i % 2 == 0 ? "/1" : "/0")) && !peer.answer().empty(); ++i) {
      }
    });
  }
  ASSERT_TRUE(eventually([&] { return owner(0).requests > 100; }));
  network->stop(milliseconds(20), milliseconds(10'000));
  network.reset();  // what was on its way closes with it
  for (std::thread& client : clients) client.join();
}

// ---- TLS

TEST_F(HandOverTls, GoesOnWithItsSession) {
  start(2);
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  for (int i = 0; i < 100; ++i) ASSERT_NE(peer.get(i % 2 == 0 ? "/1" : "/0"), "") << i;
  EXPECT_EQ(metric("signet_tls_handshakes_total"), 1);
  peer.seal(get("/1") + get("/0") + get("/0/last"));
  ASSERT_TRUE(peer.push());
  EXPECT_NE(peer.read_until("GET /0/last"), "");
  SSL_shutdown(peer.ssl());
  peer.push();
  EXPECT_TRUE(peer.ended_orderly());
}

TEST_F(HandOverTls, UpgradesThereWithTheFramesThatCameEarly) {
  start(2);
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  // One record each, in one write: some are opened here and some may be left for there.
  peer.seal(upgrade_at(1));
  std::string text(16'000, 'x');
  for (int i = 0; i < 20; ++i) peer.seal(Peer::frame(wire::Opcode::kText, text));
  std::thread sender([&, records = peer.flight()] { peer.wire.send(records); });
  EXPECT_NE(peer.read_until("\r\n\r\n").find(" 101 "), std::string::npos);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(peer.read(16'004).substr(4) == text) << i;
  sender.join();
  EXPECT_EQ(owner(1).messages, 20);
}

TEST_F(HandOverTls, TakesAlongWhatThePeerHasNotReadYet) {
  constexpr std::size_t kAnswer = 6 << 20;
  options.high_water_bytes = 8 << 20;
  prepare = [this](Owner& owner) {
    owner.request = [](Connection& connection, const HttpRequest&) {
      EXPECT_TRUE(connection.is_encrypted());
      connection.respond({200, "", {}, std::string(kAnswer, 'y') + "END"});
    };
    answer_where_asked(owner, [this](const Connection& c) -> Shard& { return shard_of(c); });
  };
  start(2);
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.write(get("/0")));
  // Some went: the rest is in the midst of a record.
  ASSERT_TRUE(eventually([&] { return metric("signet_net_bytes_out_total") > 0; }));
  ASSERT_TRUE(peer.write(get("/1")));
  ASSERT_TRUE(eventually([&] { return owner(1).requests == 1; }));
  for (int i = 0; i < 2; ++i) EXPECT_GT(peer.read_until("END").size(), kAnswer);
}

}  // namespace
}  // namespace signet::net
