// Stories of Hub's users: who they are, that they are here, and how they end.
#include "broker/hub_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class HubUsers : public HubStory {
 protected:
  std::string first_events(const std::string& name, const std::string& role = "user") {
    return "connected, auth_context " + name + " " + role + ", engine_status none, agent_nonce, " +
           "presence_update " + name + ":active";
  }
  std::string connected(const std::string& frame, std::size_t shard = 0) {
    return tell(begin_on_socket(shard), frame);
  }
  // Presence as the connection hears it within the time.
  std::string presence_within(std::chrono::milliseconds time, FakeConnection& connection) {
    hears(connection);
    pass(time);
    return hears(connection);
  }
  void expect_nobody(const std::string& after) {
    EXPECT_EQ(metric("signet_hub_users"), 0) << after;
    EXPECT_EQ(metric("signet_hub_engines"), 0) << after;
    EXPECT_EQ(metric("signet_hub_sessions"), 0) << after;
    EXPECT_EQ(shared_->loads.count({1}), 0) << after;
  }
};

TEST_F(HubUsers, TheFirstFourEventsComeInOrder) {
  start();
  for (const std::size_t shard : {0U, 1U}) {
    const std::string name = shard == 0 ? "uma" : "vic";
    EXPECT_EQ(connected(connect_with(token(name)), shard), first_events(name));
  }
  EXPECT_EQ(connected(connect_with(token("new"))), first_events("new")) << "who is made a member";
  EXPECT_EQ(connected(connect_with(with_roles("uma", {"editor", "admin"}))).substr(0, 36),
            "connected, auth_context uma editor, ");
}

TEST_F(HubUsers, NothingOfOthersComesBeforeTheFirstFour) {
  start();
  FakeConnection& vic = begin_on_socket(0);
  FakeConnection& gpu = begin_on_socket(1);
  say(gpu, connect_with(engine_token("gpu-1"), "/engine,"));
  say(vic, connect_with(token("vic")));
  settle();
  EXPECT_EQ(hears(vic),
            "connected, auth_context vic user, engine_status healthy, agent_nonce, "
            "presence_update vic:active");
}

TEST_F(HubUsers, EveryRefusalSaysWhy) {
  options_.hub.sockets_per_user = 1;
  rules_.otherwise.tokens = door_of({key_text_of("one")});
  start();
  user("ada");
  trust::TokenFacts issuer = facts("uma");
  issuer.issuer = "another";
  const struct {
    const char* name;
    std::string frame;
    const char* word;
  } rows[] = {
      {"no data", "40", "AUTH_REQUIRED"},
      {"no token", "40{}", "AUTH_REQUIRED"},
      {"an empty one", R"(40{"token":""})", "AUTH_REQUIRED"},
      {"a number", R"(40{"token":5})", "AUTH_REQUIRED"},
      {"no token of the format", connect_with("abc"), "INVALID_TOKEN"},
      {"of another key", connect_with(signed_by("two", facts("uma"))), "INVALID_TOKEN"},
      {"of another issuer", connect_with(signed_by("one", issuer)), "INVALID_TOKEN"},
      {"an old one", connect_with(token("uma", -31s)), "INVALID_TOKEN"},
      {"of an engine", connect_with(engine_token("uma")), "INVALID_TOKEN_PAYLOAD"},
      {"of who can be nobody", connect_with(token("a b")), "INVALID_TOKEN_PAYLOAD"},
      {"of who has a key", connect_with(token("member-ann")), "NOT_PERMITTED"},
      {"one socket too many", connect_with(token("ada")), "RATE_LIMITED"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(connected(row.frame), std::string("refused ") + row.word + ", close") << row.name;
  }
  EXPECT_EQ(metric("signet_hub_users"), 1);
  EXPECT_EQ(metric("signet_hub_connects_refused_total{reason=\"AUTH_REQUIRED\"}"), 4);
  EXPECT_EQ(metric("signet_hub_connects_refused_total{reason=\"INVALID_TOKEN\"}"), 4);
}

TEST_F(HubUsers, WhomTheStoreCantKeepComesLater) {
  store_.commit_answers = {Error{ErrorCode::kUnavailable, ""}, Error{ErrorCode::kOverloaded, ""}};
  start();
  EXPECT_EQ(connected(connect_with(token("new"))), "refused UNAVAILABLE, close");
  EXPECT_EQ(connected(connect_with(token("new"))), "refused UNAVAILABLE, close");
  EXPECT_EQ(connected(connect_with(token("new"))), first_events("new"));
}

TEST_F(HubUsers, AnAddressThatGuessesMustWaitAndOneWhoseTokenIsOldNeedNot) {
  options_.penalty_failures = 3;
  start();
  for (int i = 0; i < 6; ++i) connected(connect_with(token("uma", -31s)));
  EXPECT_EQ(connected("40"), "refused AUTH_REQUIRED, close");
  FakeConnection& begun = begin_on_socket();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(connected(connect_with("abc")), "refused INVALID_TOKEN, close");
  }
  EXPECT_EQ(tell(begun, connect_with(token("uma"))), "refused RATE_LIMITED, close")
      << "before its token is looked at";
  EXPECT_EQ(asked(0, {}).substr(0, 4), "429 ");
  pass(2s);
  EXPECT_EQ(connected(connect_with(token("uma"))), first_events("uma"));
}

TEST_F(HubUsers, WhereNobodyMustPayOneMayFailAsOftenAsOneLikes) {
  start();
  for (int i = 0; i < 9; ++i) {
    EXPECT_EQ(connected(connect_with("abc")), "refused INVALID_TOKEN, close");
  }
  EXPECT_EQ(connected(connect_with("abc", "/engine,")), "disconnected /engine, close");
  EXPECT_EQ(connected(connect_with(token("uma"))), first_events("uma"));
}

TEST_F(HubUsers, WhoAsksForItIsAUserWithoutATokenWhereTheMeshSimulatesThem) {
  const std::string asks = R"(40{"simulated":true})";
  start();
  EXPECT_EQ(connected(asks), "refused AUTH_REQUIRED, close");
  door_.simulated = true;
  set_door();
  show_rules();
  EXPECT_EQ(connected(asks), first_events("simulated"));
  for (const char* other : {"40", "40{}", R"(40{"simulated":false})"}) {
    EXPECT_EQ(connected(other), "refused AUTH_REQUIRED, close") << other;
  }
  FakeConnection& far = shards_[0]->accept();
  far.peer_address.ip[12] = 10;
  ask_on(far, socket());
  EXPECT_EQ(tell(far, asks), "open, refused AUTH_REQUIRED, close") << "on this machine alone";
  FakeConnection& one = begin_on_socket();
  one.texts.clear();
  say(one, asks);
  settle();
  bool is_told = false;
  for (const std::string& text : one.take_texts()) {
    is_told = is_told || text.find(R"("isSimulated":true)") != std::string::npos;
  }
  EXPECT_TRUE(is_told);
  EXPECT_EQ(connected(connect_with("abc")), "refused INVALID_TOKEN, close");
}

TEST_F(HubUsers, AKeyIsToldOnlyWhereNobodyElseReadsIt) {
  start();
  const struct {
    const char* name;
    bool encrypted, loopback, told;
  } rows[] = {{"loopback", false, true, true},
              {"TLS", true, false, true},
              {"both", true, true, true},
              {"the open network", false, false, false}};
  for (const auto& row : rows) {
    FakeConnection& connection = shards_[0]->accept();
    connection.encrypted = row.encrypted;
    if (!row.loopback) connection.peer_address.ip[12] = 10;
    ask_on(connection, socket());
    connection.take_texts();
    say(connection, connect_with(token("uma")));
    settle();
    bool told_key = false;
    for (const std::string& text : connection.take_texts()) {
      told_key = told_key || text.find("actionKey") != std::string::npos;
    }
    EXPECT_EQ(told_key, row.told) << row.name;
  }
}

TEST_F(HubUsers, TwoSocketsAreOneUserWhoIsGoneWithTheLast) {
  start();
  FakeConnection& ada = user("ada", 1, {"admin"});
  FakeConnection& first = user("uma", 0);
  FakeConnection& second = user("uma", 1);
  EXPECT_EQ(hears(first), "presence_update uma:active") << "the other one came";
  EXPECT_EQ(presence_within(1s, ada), "presence_update ada:active uma:active");
  shards_[0]->hang_up(first);
  settle();
  EXPECT_EQ(hears(second), "presence_update uma:active");
  EXPECT_EQ(presence_within(1s, ada), "presence_update ada:active uma:active");
  tell(second, "41");
  EXPECT_EQ(presence_within(1s, ada), "presence_update ada:active") << "no ghosts";
}

TEST_F(HubUsers, AdminsSeeEverybodyAndOthersThemselves) {
  set_policy(R"(
[[rule]]
id = "all"
allow = ["connect"]

[[rule]]
id = "chiefs"
roles = ["chief"]
allow = ["see_presence"]

[role.chief]
token_roles = ["chief"]
)");
  start();
  user("uma");
  FakeConnection& vic = user("vic", 0, {"admin"});
  FakeConnection& ada = user("ada", 1, {"admin", "chief"});
  hears(vic);
  EXPECT_EQ(presence_within(1s, ada), "presence_update ada:active uma:active vic:active");
  tell(ada, event("presence", "\"idle\""));
  EXPECT_EQ(presence_within(1s, vic), "") << "the policy has a word in it, too";
  EXPECT_EQ(tell(vic, event("presence", "\"idle\"")), "presence_update vic:idle");
}

// Of one user, some sockets may be an admin's and others not: each is shown what its token is for.
TEST_F(HubUsers, ThePlainSocketOfAnAdminSeesItselfAlone) {
  start();
  user("uma");
  FakeConnection& admin = user("ada", 0, {"admin"});
  FakeConnection& near = user("ada", 0, {"user"});
  FakeConnection& far = begin_on_socket(1);
  EXPECT_EQ(tell(far, connect_with(with_roles("ada", {"user"}))), first_events("ada"));
  const std::string own = "presence_update ada:active";
  const std::string all = own + " uma:active";
  const std::string acted = ", action_update click";
  EXPECT_EQ(hears(near), own) << "the other one came";
  pass(1s);
  EXPECT_EQ(hears(admin), all);
  EXPECT_EQ(hears(near) + hears(far), "") << "the map goes past them";
  EXPECT_EQ(tell(admin, action()), all + acted);
  EXPECT_EQ(hears(near), own + acted);
  EXPECT_EQ(hears(far), own + acted);
  EXPECT_EQ(tell(far, action()), own + acted);
  EXPECT_EQ(hears(admin), all + acted);
  EXPECT_EQ(hears(near), own + acted);
  EXPECT_EQ(tell(near, event("presence", "\"idle\"")), "presence_update ada:idle");
  EXPECT_EQ(hears(far), "presence_update ada:idle");
  EXPECT_EQ(presence_within(1s, admin), "presence_update ada:idle uma:active");
  EXPECT_EQ(hears(near) + hears(far), "");
  shards_[0]->hang_up(admin);
  settle();
  EXPECT_EQ(hears(near), "presence_update ada:idle");
  EXPECT_EQ(hears(far), "presence_update ada:idle");
}

// The map of so many is told once a second; what an admin does, its own entry goes before.
TEST_F(HubUsers, AnAdminOfManyHearsOfItselfAtOnceAndOfAllInTime) {
  constexpr std::int64_t kMany = 65;  // with the admin more than a small map has
  for (std::int64_t i = 0; i < kMany; ++i) put_keyless(100 + i, "user" + std::to_string(i));
  start();
  for (std::int64_t i = 0; i < kMany; ++i) user("user" + std::to_string(i));
  FakeConnection& ada = user("ada", 1, {"admin"});
  pass(1s);
  hears(ada);
  EXPECT_EQ(tell(ada, action()), "presence_update ada:active, action_update click");
  const std::string map = presence_within(1s, ada);
  EXPECT_NE(map.find(" user0:"), std::string::npos) << map;
  EXPECT_NE(map.find(" user64:"), std::string::npos) << map;
}

TEST_F(HubUsers, WhatTheyDoAndSayIsTheirState) {
  start();
  FakeConnection& uma = user("uma");
  hears(uma);
  EXPECT_EQ(presence_within(4s, uma), "");
  EXPECT_EQ(presence_within(1s, uma), "presence_update uma:idle");
  EXPECT_EQ(tell(uma, action()), "presence_update uma:active, action_update click");
  EXPECT_EQ(tell(uma, event("presence", "\"idle\"")), "presence_update uma:idle");
  EXPECT_EQ(tell(uma, event("presence", "\"idle\"")), "");
  EXPECT_EQ(tell(uma, event("presence", "\"asleep\"")), "") << "no such state";
  EXPECT_EQ(tell(uma, event("presence", "{}")), "");
  EXPECT_EQ(tell(uma, event("presence", "\"active\"")), "presence_update uma:active");
}

TEST_F(HubUsers, WhatTheySayOfThemselvesCountsLikeAnAction) {
  options_.hub.actions_per_second = 1;
  options_.hub.actions_burst = 2;
  start();
  FakeConnection& first = user("uma", 0);
  FakeConnection& second = user("uma", 1);
  hears(first);
  EXPECT_EQ(tell(first, event("presence", "\"idle\"")), "presence_update uma:idle");
  EXPECT_EQ(tell(first, event("presence", "\"active\"")), "presence_update uma:active");
  hears(second);
  EXPECT_EQ(tell(second, event("presence", "\"idle\"")), "") << "all its sockets together";
  EXPECT_EQ(tell(first, action()), "action_error rate_limited");
  pass(1s);
  hears(second);
  EXPECT_EQ(tell(second, event("presence", "\"idle\"")), "presence_update uma:idle");
}

TEST_F(HubUsers, AnotherTokenShowsAnAdminMoreAndAUserLess) {
  start();
  user("vic", 1);
  FakeConnection& uma = user("uma", 0);
  const auto refresh_with = [&](std::vector<std::string> roles) {
    const std::string token = with_roles("uma", std::move(roles));
    return tell(uma, event("token_refresh", R"({"token":")" + token + "\"}"));
  };
  EXPECT_EQ(refresh_with({"admin"}), "token_ok");
  EXPECT_EQ(presence_within(1s, uma), "presence_update uma:active vic:active");
  EXPECT_EQ(tell(uma, event("presence", "\"idle\"")), "");
  EXPECT_EQ(presence_within(1s, uma), "presence_update uma:idle vic:active");
  EXPECT_EQ(refresh_with({"user"}), "token_ok, presence_update uma:idle");
  EXPECT_EQ(presence_within(1s, uma), "") << "nothing of others from now on";
}

TEST_F(HubUsers, AnotherTokenShowsOthersAnotherRole) {
  start();
  FakeConnection& ada = user("ada", 1, {"admin"});
  FakeConnection& uma = user("uma", 0);
  const auto refresh_with = [&](std::vector<std::string> roles) {
    const std::string token = with_roles("uma", std::move(roles));
    return tell(uma, event("token_refresh", R"({"token":")" + token + "\"}"));
  };
  const auto shows = [&](const std::string& role) {
    return told("uma").find(R"("role":")" + role + '"') != std::string::npos;
  };
  presence_within(1s, ada);
  EXPECT_TRUE(shows("user")) << last_event_;
  EXPECT_EQ(refresh_with({"user"}), "token_ok") << "the same role is no news";
  EXPECT_EQ(refresh_with({"moderator", "user"}), "token_ok, presence_update uma:active");
  EXPECT_TRUE(shows("moderator")) << last_event_;
  EXPECT_EQ(presence_within(1s, ada), "presence_update ada:active uma:active");
  EXPECT_TRUE(shows("moderator")) << last_event_;
}

TEST_F(HubUsers, WhoIsNotHeardIsInactiveAndThenGone) {
  start();
  FakeConnection& uma = user("uma");
  tell(uma, event("presence", "\"idle\""));
  EXPECT_EQ(presence_within(44s, uma), "");
  EXPECT_EQ(presence_within(1s, uma), "presence_update uma:inactive");
  hears(uma);
  EXPECT_EQ(tell(uma, event("heartbeat", R"({"ts":7})")),
            "heartbeat_result, presence_update uma:idle");
  EXPECT_EQ(presence_within(45s, uma), "presence_update uma:inactive");
  EXPECT_EQ(presence_within(74s, uma), "");
  EXPECT_EQ(presence_within(1s, uma), "disconnected, close");
  EXPECT_TRUE(uma.closed);
  settle();
  expect_nobody("120 s");
}

TEST_F(HubUsers, AHeartbeatIsEchoedAndCountsWhenItCame) {
  start();
  FakeConnection& uma = user("uma");
  const struct {
    const char* name;
    const char* data;
    const char* ts;
  } rows[] = {{"a number", R"({"ts":1700000000000})", "1700000000000"},
              {"of tomorrow", R"({"ts":1e99})", "1e99"},
              {"a text", R"({"ts":"now"})", "now"},
              {"none", "{}", ""},
              {"no object", "5", ""}};
  for (const auto& row : rows) {
    EXPECT_EQ(tell(uma, event("heartbeat", row.data)), "heartbeat_result") << row.name;
    EXPECT_EQ(told("ts"), row.ts) << row.name;
    EXPECT_EQ(told("userId"), "uma") << row.name;
  }
}

TEST_F(HubUsers, WhatIsMalformedIsAnsweredAndChangesNothing) {
  start();
  FakeConnection& uma = user("uma");
  const struct {
    const char* frame;
    const char* word;
  } rows[] = {
      {R"(42["action"])", "action_error malformed"},
      {R"(42["action",5])", "action_error malformed"},
      {R"(42["action",{"a":1,"a":2}])", "action_error malformed"},
      {R"(42["agent_heartbeat"])", "agent_heartbeat_result malformed"},
      {R"(42["generate_world"])", "job_error invalid_payload"},
      {R"(42["generate_world",{}])", "job_error missing_config"},
      {R"(42["token_refresh"])", "token_error malformed"},
      {R"(42["presence"])", ""},
      {R"(42["nobody listens",{}])", ""},
  };
  for (const auto& row : rows) EXPECT_EQ(tell(uma, row.frame), row.word) << row.frame;
  EXPECT_FALSE(uma.closed);
  EXPECT_TRUE(store_.nonces.empty());
}

TEST_F(HubUsers, ATokenEndsItsSocketsUnlessItIsRefreshed) {
  start();
  FakeConnection& uma = begin_on_socket(0);
  FakeConnection& vic = begin_on_socket(1);
  tell(uma, connect_with(token("uma", 30s)));
  tell(vic, connect_with(token("vic", 30s)));
  pass(20s);
  hears(vic);
  EXPECT_EQ(tell(vic, event("token_refresh", R"({"token":")" + token("vic", 60s) + "\"}")),
            "token_ok");
  EXPECT_EQ(told("exp"), std::to_string((clock_.wall() + 60s).ms / 1'000));
  hears(uma);
  pass(10s);
  EXPECT_EQ(hears(uma), "auth_expired, disconnected, close");
  EXPECT_TRUE(uma.closed);
  EXPECT_FALSE(vic.closed);
  hears(vic);
  EXPECT_EQ(presence_within(51s, vic), "auth_expired, disconnected, close");
  settle();
  expect_nobody("both tokens are over");
}

// A clock that is set back gives nobody more time than the token said when it was shown.
TEST_F(HubUsers, ATokenEndsByTimeThatPassesWhateverTheClockSays) {
  start();
  FakeConnection& uma = begin_on_socket(0);
  FakeConnection& vic = begin_on_socket(1);
  tell(uma, connect_with(token("uma", 30s)));
  tell(vic, connect_with(token("vic", 30s)));
  pass(10s);
  clock_.step_wall(-10s);
  tell(vic, event("token_refresh", R"({"token":")" + token("vic", 60s) + "\"}"));
  clock_.step_wall(-2h);
  pass(19s);
  EXPECT_FALSE(uma.closed);
  hears(uma);
  hears(vic);
  pass(1s);
  EXPECT_EQ(hears(uma), "auth_expired, disconnected, close");
  pass(39s);
  EXPECT_FALSE(vic.closed) << "of the newer one";
  hears(vic);
  EXPECT_EQ(presence_within(1s, vic), "auth_expired, disconnected, close");
  settle();
  expect_nobody("both tokens are over");
}

TEST_F(HubUsers, ARefreshThatDoesNotHoldChangesNothing) {
  start();
  FakeConnection& uma = user("uma");
  const struct {
    const char* name;
    std::string token;
    const char* word;
  } rows[] = {{"another's", token("vic"), "bad_claim"},
              {"an old one", token("uma", -31s), "expired"},
              {"no token", "abc", "malformed"},
              {"of another key", signed_by("three", facts("uma")), "unknown_key"},
              {"an engine's", engine_token("uma"), "missing_claim"}};
  for (const auto& row : rows) {
    EXPECT_EQ(tell(uma, event("token_refresh", R"({"token":")" + row.token + "\"}")),
              std::string("token_error ") + row.word)
        << row.name;
  }
  EXPECT_FALSE(uma.closed);
}

TEST_F(HubUsers, ARevocationEndsThemAndNobodyElse) {
  start();
  FakeConnection& uma = user("uma", 0);
  FakeConnection& also = user("uma", 1);
  FakeConnection& vic = user("vic", 1);
  ASSERT_TRUE(revoke({"", "uma", clock_.wall() + 1s, {}}).ok());
  for (FakeConnection* each : {&uma, &also}) {
    const std::string words = hears(*each);
    EXPECT_NE(words.find("disconnected, close"), std::string::npos) << words;
    EXPECT_TRUE(each->closed);
  }
  EXPECT_FALSE(vic.closed);
  EXPECT_EQ(metric("signet_hub_users"), 1);
}

TEST_F(HubUsers, NewRulesAreHeldAgainstWhoIsHere) {
  const auto keys = rules_.otherwise.tokens;
  start();
  const auto all = [this] {
    user("uma", 0);
    user("vic", 1);
    engine("gpu-1", 0);
  };
  all();
  show_rules();
  EXPECT_EQ(metric("signet_hub_sessions"), 3) << "the same ones";

  rules_.otherwise.hub = nullptr;
  show_rules();
  expect_nobody("Hub is off");
  set_door();
  show_rules();

  all();
  rules_.otherwise.tokens = door_of({key_text_of("two")});
  show_rules();
  expect_nobody("the key is gone");
  rules_.otherwise.tokens = keys;
  show_rules();

  all();
  set_policy("[[rule]]\nid = \"see\"\nallow = [\"see_presence\"]\n");
  show_rules();
  expect_nobody("nobody may connect");
  EXPECT_EQ(connected(connect_with(token("uma"))), "refused NOT_PERMITTED, close");
  EXPECT_EQ(connected(connect_with(engine_token("gpu-1"), "/engine,")),
            "disconnected /engine, close");
}

// A newcomer's number takes a while: what is answered to a CONNECT that was given up joins nobody.
TEST_F(HubUsers, OnlyTheLastConnectOfASessionJoins) {
  start();
  FakeConnection& uma = begin_on_socket();
  say(uma, connect_with(token("first")));
  say(uma, "41");
  say(uma, connect_with(token("second")));
  say(uma, "41");
  say(uma, connect_with(token("uma")));
  settle();
  EXPECT_EQ(hears(uma), first_events("uma"));
  EXPECT_EQ(metric("signet_hub_users"), 1);
  EXPECT_EQ(shared_->loads.count({1}), 1);

  FakeConnection& vic = begin_on_socket();
  say(vic, connect_with(token("third")));
  say(vic, "41");
  say(vic, connect_with(token("fourth")));
  settle();
  EXPECT_EQ(hears(vic), first_events("fourth"));

  FakeConnection& gpu = begin_on_socket();
  say(gpu, connect_with(engine_token("gpu-8"), "/engine,"));
  say(gpu, "41/engine,");
  say(gpu, connect_with(engine_token("gpu-9"), "/engine,"));
  settle();
  EXPECT_EQ(hears(gpu), "connected /engine");
  EXPECT_EQ(metric("signet_hub_engines"), 1);
  EXPECT_EQ(shared_->loads.count({1}), 3);
}

// A newcomer's number takes a while; what is shown then counts.
TEST_F(HubUsers, WhoIsStillProvingItselfIsJudgedByWhatHoldsWhenItIsLetIn) {
  start();
  FakeConnection& late = begin_on_socket();
  FakeConnection& worker = begin_on_socket();
  say(late, connect_with(token("new")));
  say(worker, connect_with(engine_token("new-engine"), "/engine,"));
  rules_.otherwise.hub = nullptr;
  show_rules();
  EXPECT_EQ(hears(late), "refused NOT_PERMITTED, close");
  EXPECT_EQ(hears(worker), "disconnected /engine, close");
  set_door();
  show_rules();

  FakeConnection& again = begin_on_socket();
  say(again, connect_with(token("newer")));
  rules_.otherwise.tokens = door_of({key_text_of("two")});
  show_rules();
  EXPECT_EQ(hears(again), "refused NOT_PERMITTED, close");
  expect_nobody("nobody was let in");
}

}  // namespace
}  // namespace signet::broker
