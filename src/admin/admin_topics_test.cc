// The HTTP of PulseMesh: who may read it, and what of it.
#include "admin/story_for_test.h"

namespace signet::admin {
namespace {

using namespace std::chrono_literals;

constexpr const char* kShared = "*";

class TopicsTest : public AdminStory {
 protected:
  // Readers of `open.>` only, and sage of everything.
  void start_team() {
    set_policy(R"(
[role.sage]
sources = ["sage"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish"]

[[rule]]
id = "shared"
roles = ["shared"]
allow = ["connect"]

[[rule]]
id = "open"
roles = ["member", "shared"]
allow = ["subscribe", "read_history"]
topics = ["open.>"]

[[rule]]
id = "sage"
roles = ["sage"]
allow = ["subscribe", "read_history"]
topics = [">"]

[[rule]]
id = "sage-sees"
roles = ["sage"]
allow = ["see_presence"]
)");
    add_source(11, "sage");
    add_source(12, "core");
    add_source(13, kShared);
    put_keyless(14, "gauge");
    start_admin();
  }

  net::HttpResponse get(const std::string& path, const std::string& authorization,
                        const std::string& from = "127.0.0.1:4000") {
    broker::HttpCall call = call_of("GET", path);
    call.authorization = crypto::SecretText(authorization);
    call.peer = *net::parse_address(from);
    return answer(std::move(call));
  }
  std::string operator_text() const { return std::string(operator_bearer().reveal()); }
  std::string as(const std::string& source) { return basic(source, secret_of(source)); }

  // The texts of the messages in an answer, and what stands behind them.
  static std::string history_of(const net::HttpResponse& response) {
    wire::JsonDocument document;
    if (!document.parse(response.body).ok()) return response.body;
    const wire::JsonValue root = document.root();
    std::string words;
    for (std::size_t i = 0; i < root["messages"].size(); ++i) {
      words += std::string(root["messages"][i]["say"].string().value_or("?")) + " ";
    }
    words += "of " + std::string(root["total"].raw());
    if (root["gap"].boolean() == true) words += " gap";
    if (root["more"].boolean() == true) words += " more";
    return words;
  }
  static std::string topics_of(const net::HttpResponse& response) {
    wire::JsonDocument document;
    if (!document.parse(response.body).ok()) return response.body;
    const wire::JsonValue topics = document.root()["topics"];
    std::string words;
    for (std::size_t i = 0; i < topics.size(); ++i) {
      words += std::string(topics[i]["name"].string().value_or("?")) + ":" +
               std::string(topics[i]["subscribers"].raw()) + " ";
    }
    return words;
  }
  void publish_some() {
    broker::FakeConnection& ann = peer("ann", 0);
    for (const char* topic : {"open.1", "shut.2", "open.3", "shut.4"}) {
      ask(ann, publish("", topic, topic));
    }
    shards_[0]->hang_up(ann);
  }
};

TEST_F(TopicsTest, NobodyReadsWithoutACredential) {
  start_team();
  struct Row {
    const char* name;
    std::string authorization;
    const char* from;
    int status;
  };
  const Row rows[] = {
      {"nobody", "", "127.0.0.11:4000", 401},
      {"nobody from afar", "", "192.0.2.12:4000", 401},
      {"the operator", operator_text(), "127.0.0.13:4000", 200},
      {"the operator from afar", operator_text(), "192.0.2.14:4000", 200},
      {"a wrong token", "Bearer wrong", "127.0.0.15:4000", 403},
      {"a source", as("sage"), "127.0.0.16:4000", 200},
      {"a source on IPv6", as("sage"), "[::1]:4000", 200},
      {"a source from afar", as("sage"), "192.0.2.17:4000", 403},
      {"the shared secret", basic("anybody", secret_of(kShared)), "127.0.0.18:4000", 200},
      {"the shared secret for a source", basic("sage", secret_of(kShared)), "127.0.0.19:4000", 403},
      {"the shared secret for a token's member", basic("gauge", secret_of(kShared)),
       "127.0.0.26:4000", 403},
      {"the shared one by its name", basic(kShared, "wrong"), "127.0.0.20:4000", 403},
      {"another's secret", basic("sage", secret_of("core")), "127.0.0.21:4000", 403},
      {"no secret", basic("sage", ""), "127.0.0.22:4000", 403},
      {"no colon", "Basic " + to_base64(bytes_of("sage")), "127.0.0.23:4000", 403},
      {"no base64", "Basic !!!", "127.0.0.24:4000", 403},
      {"another scheme", "Digest x", "127.0.0.25:4000", 403},
  };
  for (const Row& row : rows) {
    for (const char* path : {"/api/mesh/topics", "/api/mesh/history", "/api/mesh/schema"}) {
      EXPECT_EQ(get(path, row.authorization, row.from).status, row.status)
          << row.name << " at " << path;
    }
  }
}

TEST_F(TopicsTest, ARefusalSaysWhatWasWrongAndIsNoMatterOfTheOperators) {
  start_team();
  const struct {
    const char* name;
    std::string authorization;
    const char* from;
    const char* error;
  } rows[] = {
      {"nothing", "", "127.0.0.11:4000", "no_credential"},
      {"a wrong secret", basic("sage", "wrong"), "127.0.0.12:4000", "bad_secret"},
      {"of nobody", basic("nobody:at:all", "wrong"), "127.0.0.13:4000", "bad_secret"},
      {"a token where none is believed", "Bearer a.b.c", "127.0.0.14:4000", "bad_secret"},
      {"from afar in the clear", as("sage"), "192.0.2.15:4000", "not_private"},
  };
  for (const auto& row : rows) {
    const auto response = get("/api/mesh/topics", row.authorization, row.from);
    EXPECT_NE(response.body.find("\"" + std::string(row.error) + "\""), std::string::npos)
        << row.name << ": " << response.body;
  }
  EXPECT_EQ(metric(R"(signet_reads_refused_total{reason="no_credential"})"), 1);
  EXPECT_EQ(metric(R"(signet_reads_refused_total{reason="bad_secret"})"), 3);
  EXPECT_EQ(metric(R"(signet_reads_refused_total{reason="not_private"})"), 1);
  EXPECT_EQ(metric("signet_operator_denied_total"), 0);
}

TEST_F(TopicsTest, WhoShowsNothingIsToldBothWays) {
  start_team();
  std::string ways;
  for (const auto& [name, value] : get("/api/mesh/topics", "").headers) {
    if (name == "WWW-Authenticate") ways += value.substr(0, value.find(' ')) + " ";
  }
  EXPECT_EQ(ways, "Basic Bearer ");
  EXPECT_EQ(header(get("/api/mesh/topics", as("nobody")), "WWW-Authenticate"), "none");
}

// An old page that asks again and again is no attack.
TEST_F(TopicsTest, WhoShowsNothingGuessesNothing) {
  start_team();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(get("/api/mesh/topics", "").status, 401);
  EXPECT_EQ(get("/api/mesh/topics", as("sage")).status, 200);
}

TEST_F(TopicsTest, WhoMayReadNothingIsDenied) {
  set_policy(R"(
[role.hearer]
sources = ["hearer"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish"]

[[rule]]
id = "hearer"
roles = ["hearer"]
allow = ["subscribe"]
topics = ["open.>"]
)");
  add_source(11, "writer");
  add_source(12, "hearer");
  start_admin();
  for (const char* path : {"/api/mesh/topics", "/api/mesh/history", "/api/mesh/schema"}) {
    const auto denied = get(path, as("writer"));
    EXPECT_EQ(denied.status, 403) << path;
    EXPECT_NE(denied.body.find(R"("error":"denied")"), std::string::npos) << denied.body;
    EXPECT_NE(denied.body.find(R"("ref":")"), std::string::npos) << denied.body;
    EXPECT_EQ(get(path, operator_text()).status, 200) << path;
  }
  EXPECT_EQ(metric(R"(signet_reads_refused_total{reason="denied"})"), 3);
  EXPECT_EQ(get("/api/mesh/topics", as("hearer")).status, 200);
  EXPECT_EQ(get("/api/mesh/schema", as("hearer")).status, 200);
  EXPECT_EQ(get("/api/mesh/history", as("hearer")).status, 403) << "it hears, and reads nothing";
}

TEST_F(TopicsTest, WhoMayNotConnectIsToldNoCountAndNoTopic) {
  set_policy(R"(
[role.gone]
sources = ["gone"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish", "subscribe", "read_history"]

[[rule]]
id = "gone"
roles = ["gone"]
deny = ["connect"]
)");
  add_source(11, "gone");
  add_source(12, "here");
  start_admin();
  source("here", "open.a");
  EXPECT_EQ(get("/api/mesh/topics", as("gone")).status, 403);
  EXPECT_NE(get("/", as("gone")).body.find(R"("active_topics":0)"), std::string::npos);
  EXPECT_NE(get("/", as("here")).body.find(R"("active_topics":1)"), std::string::npos);
}

// A proxy on this machine hands on what came from anywhere, in the clear or not.
TEST_F(TopicsTest, NoSecretIsTakenFromWhatWasForwarded) {
  start_team();
  broker::HttpCall call = call_of("GET", "/api/mesh/history");
  call.authorization = crypto::SecretText(as("sage"));
  call.forwarded = true;
  EXPECT_EQ(answer(std::move(call)).status, 403);
}

TEST_F(TopicsTest, WhoGuessesWaits) {
  start_team();
  int guesses = 0;
  while (guesses < 10 && get("/api/mesh/topics", basic("sage", "wrong")).status == 403) ++guesses;
  EXPECT_GE(guesses, 5);
  EXPECT_LE(guesses, 6);
  EXPECT_EQ(get("/api/mesh/topics", as("sage")).status, 429);
  EXPECT_EQ(metric("signet_http_refused_total{reason=\"penalty\"}"), 2);
  EXPECT_EQ(get("/api/mesh/topics", as("sage"), "127.0.0.2:4000").status, 200);
  EXPECT_EQ(get("/api/mesh/topics", operator_text()).status, 200);
  advance(2s);
  EXPECT_EQ(get("/api/mesh/topics", as("sage")).status, 200);
}

TEST_F(TopicsTest, ARevokedSourceReadsNothing) {
  start_team();
  ASSERT_EQ(get("/api/mesh/history", as("sage")).status, 200);
  control_.run_and_wait([&] { controller_->revoke_source({1}, "sage", [](const Status&) {}); });
  settle();
  EXPECT_EQ(get("/api/mesh/history", as("sage")).status, 403);
  EXPECT_EQ(get("/api/mesh/history", as("core")).status, 200);
}

TEST_F(TopicsTest, WhereNoMeshIsBoundThereIsNothing) {
  rules_.bindings.clear();
  start_admin();
  EXPECT_EQ(get("/api/mesh/topics", operator_text()).status, 404);
  EXPECT_EQ(get("/api/mesh/history", "").status, 404);
}

TEST_F(TopicsTest, TheHistoryIsWhatWhoAsksMayRead) {
  start_team();
  publish_some();
  const auto read = [&](const std::string& query, const std::string& authorization) {
    return history_of(get("/api/mesh/history" + query, authorization));
  };
  EXPECT_EQ(read("", operator_text()), "open.1 shut.2 open.3 shut.4 of 4");
  EXPECT_EQ(read("", as("sage")), "open.1 shut.2 open.3 shut.4 of 4");
  EXPECT_EQ(read("", as("core")), "open.1 open.3 of 2");
  EXPECT_EQ(read("", basic("anybody", secret_of(kShared))), "open.1 open.3 of 2");
  EXPECT_EQ(read("?limit=1", as("core")), "open.3 of 2");
  EXPECT_EQ(read("?limit=0", as("core")), "of 2");
  EXPECT_EQ(read("?limit=999999999999", as("core")), "open.1 open.3 of 2");
  EXPECT_EQ(read("?after=0&limit=1", as("core")), "open.1 of 1 more");
  EXPECT_EQ(read("?after=0&limit=2", as("core")), "open.1 open.3 of 2");
}

TEST_F(TopicsTest, AReaderThatCameTooLateIsToldOfTheGap) {
  options_.history.max_pulses = 2;
  start_team();
  publish_some();
  EXPECT_EQ(history_of(get("/api/mesh/history?after=0", as("sage"))), "open.3 shut.4 of 2 gap");
  EXPECT_EQ(history_of(get("/api/mesh/history", as("sage"))), "open.3 shut.4 of 2");
}

TEST_F(TopicsTest, ABadNumberIsUnprocessable) {
  start_team();
  for (const char* query : {"?limit=", "?limit=x", "?limit=-1", "?limit=1.5", "?limit=1x",
                            "?limit=99999999999999999999999", "?after=x", "?after=-1"}) {
    EXPECT_EQ(get(std::string("/api/mesh/history") + query, as("sage")).status, 422) << query;
  }
  EXPECT_EQ(get("/api/mesh/history?limit=x", "").status, 401) << "who is it comes first";
}

TEST_F(TopicsTest, TheTopicsAreThoseThatWhoAsksMayHearOrRead) {
  start_team();
  broker::FakeConnection& core = source("core", "open.a", 0);
  source("sage", "open.a", 1);
  source("sage", "shut.b", 0);
  EXPECT_EQ(topics_of(get("/api/mesh/topics", operator_text())), "open.a:2 shut.b:1 ");
  EXPECT_EQ(topics_of(get("/api/mesh/topics", as("sage"))), "open.a:2 shut.b:1 ");
  EXPECT_EQ(topics_of(get("/api/mesh/topics", as("core"))), "open.a:2 ");
  shards_[0]->hang_up(core);
  EXPECT_EQ(topics_of(get("/api/mesh/topics", as("core"))), "open.a:1 ");
}

TEST_F(TopicsTest, TheSchemaIsJson) {
  start_team();
  const auto response = get("/api/mesh/schema", as("core"));
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(response.body).ok());
  EXPECT_TRUE(document.root()["properties"]["_mesh_topic"]);
}

TEST_F(TopicsTest, TheFrontSaysHowMuchGoesOnToWhoMayRead) {
  start_team();
  publish_some();
  source("sage", "shut.b", 1);
  EXPECT_EQ(get("/", "").body,
            R"({"service":"PulseMesh Relay","version":"1.2.3","status":"operational"})");
  EXPECT_EQ(get("/", "Bearer wrong").body, get("/", "").body);
  const std::string counted = get("/", operator_text()).body;
  EXPECT_TRUE(counted.ends_with(R"("active_topics":1,"active_connections":1,"message_count":4})"))
      << counted;
  const std::string of_core = get("/", as("core")).body;
  EXPECT_NE(of_core.find(R"("active_topics":0)"), std::string::npos)
      << "of those topics that it may read: " << of_core;
  EXPECT_EQ(of_core.find("message_count"), std::string::npos) << of_core;
  EXPECT_EQ(of_core.find("active_connections"), std::string::npos)
      << "how many are there is for who sees presence: " << of_core;
  const std::string of_sage = get("/", as("sage")).body;
  EXPECT_TRUE(of_sage.ends_with(R"("active_topics":1,"active_connections":1})")) << of_sage;
  broker::HttpCall browser = call_of("GET", "/");
  browser.accept = "text/html,application/xhtml+xml";
  EXPECT_NE(answer(std::move(browser)).body.find("<h1>"), std::string::npos);
}

TEST_F(TopicsTest, InDevModeTheFrontCountsForEverybody) {
  admin_options_.open_counts = true;
  start_team();
  EXPECT_NE(get("/", "").body.find(R"("message_count":0)"), std::string::npos);
  EXPECT_EQ(get("/api/mesh/topics", "").status, 401) << "but names nothing";
}

}  // namespace
}  // namespace signet::admin
