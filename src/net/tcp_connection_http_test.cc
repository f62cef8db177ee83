#include <optional>

#include "net/loopback_test.h"

namespace signet::net {
namespace {

class HttpConnection : public Loopback {};

const std::string kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(std::size_t bytes, std::string_view extra = {}) {
  return "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(bytes) + "\r\n" +
         std::string(extra) + "\r\n";
}

TEST_F(HttpConnection, AnswersARequestInWhateverPiecesItComes) {
  start();
  const std::string request = post(5) + "hello";
  for (std::size_t cut = 1; cut < request.size(); ++cut) {
    SCOPED_TRACE(cut);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(request.substr(0, cut)));
    std::this_thread::sleep_for(milliseconds(2));  // most cuts then come in two reads
    ASSERT_TRUE(peer.send(request.substr(cut)));
    EXPECT_NE(peer.answer().find("POST /b hello"), std::string::npos);
  }
}

TEST_F(HttpConnection, AnswersARequestByteByByte) {
  start();
  Peer peer = connected();
  for (const char byte : kGet) ASSERT_TRUE(peer.send({&byte, 1}));
  EXPECT_NE(peer.answer().find("GET /a"), std::string::npos);
}

TEST_F(HttpConnection, AnswersPipelinedRequestsInOrder) {
  start();
  Peer peer = connected();
  std::string many;
  for (int i = 0; i < 200; ++i)
    many += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_TRUE(peer.send(many));
  for (int i = 0; i < 200; ++i) {
    const std::string wanted = "\r\n\r\nGET /" + std::to_string(i) + " ";
    ASSERT_NE(peer.answer().find(wanted), std::string::npos) << i;
  }
}

TEST_F(HttpConnection, ReadsTheNextRequestOnlyAfterTheAnswer) {
  std::optional<ConnectionId> asking;
  prepare = [&](Owner& o) {
    o.request = [&](Connection& connection, const HttpRequest&) { asking = connection.id(); };
  };
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(kGet + kGet + post(3) + "abc"));
  for (int answered = 1; answered <= 3; ++answered) {
    ASSERT_TRUE(eventually([&] { return owner().requests == answered; }));
    std::this_thread::sleep_for(milliseconds(10));
    EXPECT_EQ(owner().requests, answered);
    on_shard(0, [&](Shard& shard) {
      shard.find(*asking)->respond({200, "", {}, "n" + std::to_string(answered)});
    });
    EXPECT_NE(peer.answer().find("n" + std::to_string(answered)), std::string::npos);
  }
}

TEST_F(HttpConnection, RefusesWhatItCannotTake) {
  options.max_body_bytes = 100;
  start();
  const struct {
    const char* name;
    std::string request;
    const char* status;
    const char* part;
  } cases[] = {
      {"body over the limit", post(101), "413", "payload too large"},
      {"with the header for other origins", post(101), "413", "Access-Control-Allow-Origin: *"},
      {"body length of 30 digits",
       "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000000000000000000000000\r\n\r\n",
       "413", "payload too large"},
      {"no HTTP", "\x16\x03\x01\x02\r\n\r\n", "400", ""},
      {"chunked", "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "501", ""},
      {"head too long", "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a'), "431", ""},
      {"old WebSocket version",
       "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n\r\n",
       "426", "Sec-WebSocket-Version: 13"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(c.request));
    const std::string answer = peer.answer();
    EXPECT_EQ(answer.substr(0, 12), std::string("HTTP/1.1 ") + c.status);
    EXPECT_NE(answer.find(c.part), std::string::npos) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    EXPECT_TRUE(peer.ended());
  }
}

TEST_F(HttpConnection, LetsAClientThatStillSendsReadItsRefusal) {
  start();
  Peer peer = connected();
  const std::string body(1'000'000, 'x');
  ASSERT_TRUE(peer.send(post(body.size()) + body));
  EXPECT_EQ(peer.answer().substr(0, 12), "HTTP/1.1 413");
  EXPECT_TRUE(peer.ended());
}

TEST_F(HttpConnection, ClosesAfterALastRequest) {
  start();
  for (const char* request : {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                              "GET / HTTP/1.0\r\nHost: x\r\n\r\n"}) {
    SCOPED_TRACE(request);
    Peer peer = connected();
    ASSERT_TRUE(peer.send(request + kGet));
    EXPECT_NE(peer.answer().find("Connection: close"), std::string::npos);
    EXPECT_TRUE(peer.ended());
  }
}

TEST_F(HttpConnection, AnswersAHalfClosedClient) {
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(kGet));
  peer.end_writing();
  EXPECT_NE(peer.answer().find("GET /a"), std::string::npos);
  EXPECT_TRUE(peer.ended());
}

TEST_F(HttpConnection, AnswersHeadWithoutABody) {
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + kGet));
  const std::string head = peer.take_until("\r\n\r\n");
  EXPECT_NE(head.find("Content-Length: 8"), std::string::npos);
  EXPECT_EQ(peer.answer().substr(0, 12), "HTTP/1.1 200");
}

TEST_F(HttpConnection, TellsAClientThatAsksToSendItsBody) {
  start();
  Peer peer = connected();
  ASSERT_TRUE(peer.send(post(3, "Expect: 100-continue\r\n")));
  EXPECT_EQ(peer.take_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  ASSERT_TRUE(peer.send("abc"));
  EXPECT_NE(peer.answer().find("POST /b abc"), std::string::npos);
}

TEST_F(HttpConnection, ClosesWhoIsTooSlowWithARequest) {
  options.head_timeout = milliseconds(120);
  options.idle_http_timeout = milliseconds(240);
  start();
  const struct {
    const char* name;
    std::string start;
    const char* answer;
  } cases[] = {
      {"says nothing", "", ""},
      {"half a head", "GET / HTTP/1.1\r\nHo", "HTTP/1.1 408"},
      {"half a body", post(5) + "he", "HTTP/1.1 408"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto begun = std::chrono::steady_clock::now();
    Peer peer = connected();
    ASSERT_TRUE(peer.send(c.start));
    EXPECT_EQ(peer.take_all().substr(0, 12), c.answer);
    const auto took = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(took, milliseconds(120));
    EXPECT_LT(took, milliseconds(4'000));
  }

  // The deadline is absolute: bytes do not move it.
  Peer trickle = connected();
  ASSERT_TRUE(trickle.send(kGet));
  EXPECT_EQ(trickle.answer().substr(0, 12), "HTTP/1.1 200");
  for (int i = 0; i < 20; ++i) {
    if (!trickle.send("G")) break;
    std::this_thread::sleep_for(milliseconds(10));
  }
  EXPECT_EQ(trickle.take_all().substr(0, 12), "HTTP/1.1 408");

  Peer idle = connected();
  ASSERT_TRUE(idle.send(kGet));
  EXPECT_EQ(idle.answer().substr(0, 12), "HTTP/1.1 200");
  const auto answered = std::chrono::steady_clock::now();
  EXPECT_TRUE(idle.ended());
  EXPECT_GE(std::chrono::steady_clock::now() - answered, milliseconds(220));
}

TEST_F(HttpConnection, AsksAPeerThatDoesNotReadForNoMore) {
  options.high_water_bytes = 64 * 1024;
  prepare = [](Owner& o) {
    o.request = [](Connection& connection, const HttpRequest&) {
      connection.respond({200, "", {}, std::string(60'000, 'y')});
    };
  };
  start();
  Peer peer(8 * 1024);
  ASSERT_TRUE(peer.connect(address));
  std::string many;
  for (int i = 0; i < 1'000; ++i) many += kGet;
  ASSERT_TRUE(peer.send(many));
  std::this_thread::sleep_for(milliseconds(100));
  const int begun = owner().requests;
  EXPECT_LT(begun, 200) << "60 MB of answers were made for nobody";
  on_connection([](Shard&, Connection& c) { EXPECT_LT(c.queued_bytes(), 200'000u); });
  for (int i = 0; i < 1'000; ++i) ASSERT_GT(peer.answer().size(), 60'000u) << i;
  EXPECT_EQ(owner().requests, 1'000);
}

}  // namespace
}  // namespace signet::net
