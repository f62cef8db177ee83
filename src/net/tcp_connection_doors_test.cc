// Who comes to which door: pages by their origin, clients behind a proxy, operators by their own.
#include "base/captured_log_for_test.h"
#include "net/loopback_test.h"

namespace signet::net {
namespace {

class Doors : public Loopback {
 protected:
  // Answers who asks, so that a test sees whom the owner sees.
  void start_answering_who(std::size_t shards = 1) {
    prepare = [](Owner& owner) {
      owner.request = [&owner](Connection& connection, const HttpRequest& request) {
        if (request.upgrade) return connection.accept_websocket({}, owner.limits);
        const std::string door = connection.door() == Door::kOperator ? "operator " : "public ";
        connection.respond({200, "text/plain", {}, door + connection.peer().text()});
      };
    };
    start(shards);
  }
  void start_with(std::vector<std::string> origins) {
    options.any_origin = false;
    options.origins = std::move(origins);
    start_answering_who();
  }
  static std::string get(std::string_view extra = {}) { return ask("GET /x", extra); }
  static std::string ask(std::string_view what, std::string_view extra = {}) {
    return std::string(what) + " HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n" +
           std::string(extra) + "\r\n";
  }
  std::string answer_to(const std::string& request) {
    Peer peer = connected();
    EXPECT_TRUE(peer.send(request));
    return peer.answer();
  }
};

TEST_F(Doors, APageIsRefusedUnlessItsOriginIsListed) {
  start_with({"https://app.example", "loopback"});
  const struct {
    const char* name;
    std::string request;
    int status;
  } cases[] = {
      {"no page", Peer::handshake(), 101},
      {"a listed page", Peer::handshake("Origin: https://app.example\r\n"), 101},
      {"a page of this machine", Peer::handshake("Origin: http://localhost:3000\r\n"), 101},
      {"another page", Peer::handshake("Origin: https://evil.example\r\n"), 403},
      {"its header in another case", Peer::handshake("oRiGiN: https://evil.example\r\n"), 403},
      {"a sandboxed page", Peer::handshake("Origin: null\r\n"), 403},
      {"an empty origin", Peer::handshake("Origin:\r\n"), 403},
      {"two origins in one",
       Peer::handshake("Origin: https://app.example, https://app.example\r\n"), 403},
      {"two headers",
       Peer::handshake("Origin: https://app.example\r\nOrigin: https://app.example\r\n"), 400},
      {"what every page may ask", get("Origin: https://evil.example\r\n"), 200},
      {"what no page may ask", ask("POST /x", "Origin: https://evil.example\r\n"), 403},
      {"a listed one may", ask("POST /x", "Origin: https://app.example\r\n"), 200},
      {"and no page", ask("POST /x"), 200},
  };
  int refused = 0;
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string answer = answer_to(c.request);
    EXPECT_EQ(answer.substr(9, 3), std::to_string(c.status)) << answer;
    if (c.status != 403) continue;
    ++refused;
    EXPECT_TRUE(answer.ends_with("\r\n\r\norigin not allowed\n")) << answer;
    EXPECT_EQ(answer.find("Access-Control"), std::string::npos) << "no page reads why";
  }
  EXPECT_EQ(metric("signet_net_origins_refused_total"), refused);
}

TEST_F(Doors, AnOriginIsLoggedOnceASecondCutAndEscaped) {
  start_with({});
  set_log_level(LogLevel::kWarn);
  CapturedLog log;
  const std::string override_mark = "\xe2\x80\xae";  // turns the direction of what follows
  const std::string origin = "https://" + override_mark + std::string(4'000, 'a');
  for (int i = 0; i < 3; ++i) {
    const std::string answer = answer_to(Peer::handshake("Origin: " + origin + "\r\n"));
    EXPECT_NE(answer.find("HTTP/1.1 403"), std::string::npos) << answer;
  }
  const std::string text = log.take();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find("\"event\":\"origin.refused\""), std::string::npos) << text;
  EXPECT_NE(text.find("\\u202e" + std::string(117, 'a')), std::string::npos) << text;
  EXPECT_EQ(text.find(std::string(118, 'a')), std::string::npos) << text;
  EXPECT_EQ(text.find(override_mark), std::string::npos) << text;
}

TEST_F(Doors, OriginsChangeWhileOpenPagesStay) {
  start_with({"https://old.example"});
  const auto status = [&](const char* origin) {
    return answer_to(Peer::handshake("Origin: " + std::string(origin) + "\r\n")).substr(9, 3);
  };
  Peer page = connected();
  ASSERT_TRUE(page.send(Peer::handshake("Origin: https://old.example\r\n")));
  ASSERT_NE(page.answer().find("101"), std::string::npos);

  ASSERT_TRUE(network->allow_origins({"https://new.example"}).ok());
  on_shard(0, [](Shard&) {});
  EXPECT_EQ(status("https://old.example"), "403");
  EXPECT_EQ(status("https://new.example"), "101");
  ASSERT_TRUE(page.say("still here"));
  EXPECT_EQ(page.next_frame().payload, "still here");

  EXPECT_FALSE(network->allow_origins({"https://other.example", "no origin"}).ok());
  on_shard(0, [](Shard&) {});
  EXPECT_EQ(status("https://new.example"), "101") << "the last good list is kept";
  EXPECT_EQ(status("https://other.example"), "403");
}

TEST_F(Doors, NoPageComesToTheOperators) {
  start_with({"https://app.example", "loopback"});
  const auto listening = network->listen(*parse_address("127.0.0.1:0"), Door::kOperator);
  ASSERT_TRUE(listening.ok());
  address = *listening;
  EXPECT_NE(answer_to(get()).find("operator 127.0.0.1"), std::string::npos);
  for (const char* origin : {"https://evil.example", "https://app.example", "http://localhost"}) {
    const std::string answer = answer_to(get("Origin: " + std::string(origin) + "\r\n"));
    EXPECT_EQ(answer.substr(9, 3), "403") << origin;
  }
}

TEST_F(Doors, ATrustedProxySaysWhoAsksEachTime) {
  options.trusted_proxies = {"127.0.0.1", "10.0.0.0/8"};
  start_answering_who();
  Peer proxy = connected();
  const struct {
    const char* lines;
    const char* who;
  } steps[] = {
      {"X-Forwarded-For: 203.0.113.9\r\n", "public 203.0.113.9:0"},
      {"x-forwarded-for: 203.0.113.10, 10.0.0.1\r\n", "public 203.0.113.10:0"},
      {"", "public 127.0.0.1:"},
      {"X-Forwarded-For: 1.1.1.1\r\nX-FORWARDED-FOR: 203.0.113.11\r\n", "public 203.0.113.11:0"},
      {"X-Forwarded-For: unknown\r\n", "public 127.0.0.1:"},
      {"X-Forwarded-For: 2001:db8::1\r\n", "public [2001:db8::1]:0"},
  };
  for (const auto& step : steps) {
    ASSERT_TRUE(proxy.send(get(step.lines)));
    const std::string answer = proxy.answer();
    EXPECT_NE(answer.find(step.who), std::string::npos) << step.lines << answer;
  }
}

TEST_F(Doors, NobodyElseIsBelieved) {
  options.trusted_proxies = {"10.0.0.0/8"};
  start_answering_who();
  const std::string answer = answer_to(get("X-Forwarded-For: 203.0.113.9\r\n"));
  EXPECT_NE(answer.find("public 127.0.0.1:"), std::string::npos) << answer;
}

TEST_F(Doors, ATrustedProxyHasNoLimitPerAddressAndIsCountedToItsEnd) {
  options.trusted_proxies = {"127.0.0.1"};
  options.max_connections_per_address = 1;
  options.max_connections = 3;
  options.reserve_percent = 0;
  start_answering_who(2);
  for (int round = 0; round < 3; ++round) {  // what leaves is given back, whomever it forwarded
    std::vector<Peer> proxies;
    for (int i = 0; i < 3; ++i) {
      proxies.push_back(connected());
      ASSERT_TRUE(proxies.back().send(get("X-Forwarded-For: 203.0.113.9\r\n")));
      ASSERT_NE(proxies.back().answer().find("203.0.113.9"), std::string::npos) << round;
    }
    const std::int64_t before = refused("capacity");
    Peer over = connected();
    EXPECT_TRUE(over.ended());
    EXPECT_EQ(refused("capacity"), before + 1);
    proxies.clear();
    ASSERT_TRUE(eventually([&] { return metric("signet_connections") == 0; }));
    on_shard(1, [](Shard&) {});
    on_shard(0, [](Shard&) {});
  }
  EXPECT_EQ(refused("address"), 0);
}

TEST_F(Doors, FaultySettingsAreToldAtStart) {
  const auto create = [&] {
    return Network::create(1, options, metrics, system_clock(), [this](Shard&) {
      owners.push_back(std::make_unique<Owner>());
      return owners.back().get();
    });
  };
  options.origins = {"https://app.example/"};
  EXPECT_FALSE(create().ok());
  options.origins = {};
  options.trusted_proxies = {"10.0.0.0/40"};
  EXPECT_FALSE(create().ok());
}

}  // namespace
}  // namespace signet::net
