// Which path answers which method.
#include "admin/story_for_test.h"

namespace signet::admin {
namespace {

TEST_F(AdminStory, EachPathAnswersItsMethods) {
  start_admin();
  const struct {
    const char* name;
    const char* method;
    const char* path;
    int status;
    const char* allow;
  } rows[] = {
      {"health", "GET", "/health", 200, "none"},
      {"health to HEAD", "HEAD", "/health", 200, "none"},
      {"health to POST", "POST", "/health", 405, "GET, HEAD, OPTIONS"},
      {"readiness", "GET", "/readyz", 200, "none"},
      {"metrics", "GET", "/metrics", 200, "none"},
      {"metrics to DELETE", "DELETE", "/metrics", 405, "GET, HEAD, OPTIONS"},
      {"metrics with a query", "GET", "/metrics?x=1", 200, "none"},
      {"a join is posted", "GET", "/join", 405, "POST, OPTIONS"},
      {"and not asked by HEAD", "HEAD", "/join", 405, "POST, OPTIONS"},
      {"a hook too", "PUT", "/hook/set-status", 405, "POST, OPTIONS"},
      {"the front", "GET", "/", 200, "none"},
      {"no such path", "GET", "/nothing", 404, "none"},
      {"a longer path", "GET", "/health/", 404, "none"},
      {"an encoded path", "GET", "/%68ealth", 404, "none"},
      {"in capitals", "GET", "/HEALTH", 404, "none"},
      {"the operator's root without its slash", "GET", "/api/signet/v1", 404, "none"},
  };
  for (const auto& row : rows) {
    const auto response = answer(row.method, row.path);
    EXPECT_EQ(response.status, row.status) << row.name;
    EXPECT_EQ(header(response, "Allow"), row.allow) << row.name;
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*") << row.name;
  }
}

TEST_F(AdminStory, PagesOfOtherOriginsMayAskFirst) {
  start_admin();
  for (const char* path : {"/join", "/hook/set-status", "/health"}) {
    const auto response = answer("OPTIONS", path);
    EXPECT_EQ(response.status, 204) << path;
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(response, "Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
    EXPECT_EQ(header(response, "Access-Control-Allow-Headers"), "Content-Type");
    EXPECT_EQ(response.body, "");
  }
  EXPECT_EQ(answer("OPTIONS", "/api/signet/v1/meshes").status, 401) << "but not the operator's";
}

// The mark of a local peer is the listener's; nothing that a peer sends makes him one.
TEST_F(AdminStory, TheUnixSocketIsForTheOperatorAlone) {
  const struct {
    const char* name;
    const char* method;
    const char* path;
    int local;
    int remote;
  } rows[] = {
      {"the operator's API", "GET", "/api/signet/v1/meshes", 200, 401},
      {"a change", "POST", "/api/signet/v1/meshes", 400, 401},
      {"no such call", "GET", "/api/signet/v1/x", 404, 401},
      {"health", "GET", "/health", 200, 200},
      {"health to HEAD", "HEAD", "/health", 200, 200},
      {"readiness", "GET", "/readyz", 200, 200},
      {"metrics", "GET", "/metrics", 200, 200},
      {"a join", "POST", "/join", 404, 400},
      {"a join by GET", "GET", "/join", 404, 405},
      {"a hook", "POST", "/hook/set-status", 404, 200},
      {"a preflight", "OPTIONS", "/join", 404, 204},
      {"the front", "GET", "/", 200, 200},
      {"no such path", "GET", "/nothing", 404, 404},
  };
  start_admin();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    broker::HttpCall call = call_of(row.method, row.path, "{}");
    call.host = "localhost";
    call.peer = net::PeerAddress{};
    call.peer.local_user = 0;
    EXPECT_EQ(answer(call).status, row.local);
    for (const char* address : {"127.0.0.1:1", "[::1]:1", "[::]:0", "0.0.0.0:0", "10.0.0.1:1"}) {
      call.peer = *net::parse_address(address);
      const bool hook_from_afar =
          std::string(row.path) == "/hook/set-status" && !call.peer.is_loopback();
      EXPECT_EQ(answer(call).status, hook_from_afar ? 403 : row.remote) << address;
    }
  }
}

TEST_F(AdminStory, EachDoorServesItsOwn) {
  admin_options_.public_operator = false;
  const struct {
    const char* name;
    const char* method;
    const char* path;
    int at_public;
    int at_operators;
    int local;
  } rows[] = {
      {"health", "GET", "/health", 200, 200, 200},
      {"readiness", "GET", "/readyz", 200, 200, 200},
      {"metrics", "GET", "/metrics", 404, 200, 200},
      {"metrics to HEAD", "HEAD", "/metrics", 404, 200, 200},
      {"metrics to POST", "POST", "/metrics", 404, 405, 405},
      {"the operator's API", "GET", "/api/signet/v1/meshes", 404, 200, 200},
      {"a change", "POST", "/api/signet/v1/meshes", 404, 400, 400},
      {"no such call", "GET", "/api/signet/v1/x", 404, 404, 404},
      {"a preflight of a call", "OPTIONS", "/api/signet/v1/meshes", 204, 404, 404},
      {"a join", "POST", "/join", 400, 404, 404},
      {"a hook", "POST", "/hook/set-status", 200, 404, 404},
      {"a preflight", "OPTIONS", "/join", 204, 404, 404},
      {"the front", "GET", "/", 200, 404, 200},
      {"no such path", "GET", "/nothing", 404, 404, 404},
  };
  start_admin();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    broker::HttpCall call = call_of(row.method, row.path, "{}");
    call.authorization = operator_bearer();
    EXPECT_EQ(answer(call).status, row.at_public);
    call.door = net::Door::kOperator;
    EXPECT_EQ(answer(call).status, row.at_operators);
    call.door = net::Door::kPublic;
    call.peer = net::PeerAddress{};
    call.peer.local_user = 0;
    EXPECT_EQ(answer(call).status, row.local);
  }
}

TEST_F(AdminStory, TheOperatorsDoorWantsATokenAndANameOfThisMachine) {
  admin_options_.public_operator = false;
  admin_options_.hosts = {"broker.internal"};
  start_admin();
  broker::HttpCall call = call_of("GET", "/api/signet/v1/meshes");
  call.door = net::Door::kOperator;
  EXPECT_EQ(answer(call).status, 401);
  call.authorization = crypto::SecretText("Bearer wrong");
  EXPECT_EQ(answer(call).status, 403);
  for (const char* path : {"/metrics", "/health"}) {
    broker::HttpCall asked = call_of("GET", path);
    asked.door = net::Door::kOperator;
    for (const char* host : {"127.0.0.1:8089", "localhost", "[::1]:8089", "broker.internal:1"}) {
      asked.host = host;
      EXPECT_EQ(answer(asked).status, 200) << host;
    }
    for (const char* host : {"evil.example:8089", "localhost.evil.example", "evil.localhost", ""}) {
      asked.host = host;
      EXPECT_EQ(answer(asked).status, 403) << host;
    }
  }
}

TEST_F(AdminStory, NoPeerSpeaksOnTheUnixSocketAndNoRateHoldsThere) {
  options_.requests_per_second = 1;
  options_.requests_burst = 1;
  start_admin();
  broker::FakeConnection& local = shards_[0]->accept();
  local.peer_address = {};
  local.peer_address.local_user = 1'000;
  request(local, "GET", "/ws", true);
  request(local, "GET", "/ws", false);
  for (int i = 0; i < 20; ++i) request(local, "GET", "/health", false);
  request(local, "GET", "/livez", false);
  settle();
  EXPECT_FALSE(local.is_websocket);
  std::map<int, int> statuses;
  for (const auto& response : local.responses) ++statuses[response.status];
  EXPECT_EQ(statuses, (std::map<int, int>{{200, 21}, {404, 2}}));

  broker::FakeConnection& remote = shards_[0]->accept();
  for (int i = 0; i < 3; ++i) request(remote, "GET", "/health", false);
  settle();
  EXPECT_EQ(remote.responses[0].status, 429) << "answered first";
}

}  // namespace
}  // namespace signet::admin
