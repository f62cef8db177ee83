// Stories of what users and their agents sign: the guard, its order, and who hears of it.
#include "base/captured_log_for_test.h"
#include "broker/hub_story_for_test.h"
#include "trust/signed_action.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kLate = -15'001;  // beyond the window

class HubActions : public HubStory {
 protected:
  // `agentId|ts|body` under the secret, unless a signature is given.
  std::string agent(const std::string& id, const std::string& body,
                    const ActionFields& fields = {}) {
    const std::string nonce = fields.nonce.empty() ? next_nonce() : fields.nonce;
    const std::string ts = std::to_string(clock_.wall().ms + fields.off_ms);
    const std::string sig =
        fields.sig.empty() ? hmac(kActionSecret, id + "|" + ts + "|" + body) : fields.sig;
    return event("agent_heartbeat", R"({"agentId":")" + id + R"(","ts":)" + ts + R"(,"nonce":")" +
                                        nonce + R"(","body":)" + body + R"(,"sig":")" + sig +
                                        R"(","alg":"HMAC-SHA-256"})");
  }
  static std::string key_of(const std::string& user, const std::string& socket) {
    return std::string(trust::session_action_key(kActionSecret, user, socket).reveal());
  }
  static ActionFields signed_with(const std::string& key) {
    ActionFields fields;
    fields.key = key;
    return fields;
  }
};

TEST_F(HubActions, OneIsHeardOnAllSocketsOfItsUserOnBothShards) {
  start();
  FakeConnection& first = user("uma", 0);
  const std::string socket = last_socket_;
  FakeConnection& second = user("uma", 1);
  FakeConnection& vic = user("vic", 0);
  hears(first);
  clock_.advance(1s);
  ActionFields fields;
  fields.type = "nav_home";
  fields.off_ms = -500;
  EXPECT_EQ(tell(first, action(fields)), "presence_update uma:active, action_update nav_home");
  EXPECT_EQ(hears(second), "presence_update uma:active, action_update nav_home");
  EXPECT_EQ(last_event_, R"(["action_update",{"userId":"uma","sessionId":")" + socket +
                             R"(","type":"nav_home","payload":{"x":1},"clientTs":)" +
                             std::to_string(clock_.wall().ms - 500) + R"(,"serverTs":)" +
                             std::to_string(clock_.wall().ms) + R"(,"category":"nav"}])");
  EXPECT_EQ(hears(vic), "") << "another user";
  EXPECT_EQ(metric("signet_hub_actions_total"), 1);
}

TEST_F(HubActions, AnAdminSeesEverybodyWithItsOwnAction) {
  start();
  user("uma");
  FakeConnection& ada = user("ada", 0, {"admin"});
  pass(1s);
  hears(ada);
  EXPECT_EQ(tell(ada, action()), "presence_update ada:active uma:active, action_update click");
}

TEST_F(HubActions, TheFirstFaultIsTheOneThatIsTold) {
  set_policy(R"(
[[rule]]
id = "all"
allow = ["connect"]

[[rule]]
id = "clicks"
allow = ["publish"]
topics = ["hub.action.ui"]
)");
  start();
  FakeConnection& uma = user("uma");
  ActionFields used;
  used.nonce = "used";
  tell(uma, action(used));
  const std::string bad(64, 'a');
  const std::string now = std::to_string(clock_.wall().ms);
  const struct {
    const char* name;
    ActionFields fields;
    const char* word;
  } rows[] = {
      {"late, badly signed and used", {"click", "1", kLate, "used", "", bad}, "timestamp_expired"},
      {"early and used", {"click", "1", 15'001, "used"}, "timestamp_expired"},
      {"badly signed and used", {"click", "1", 0, "used", "", bad}, "invalid_signature"},
      {"of another secret", {"click", "1", 0, "new", "guess"}, "invalid_signature"},
      {"no nonce", {"click", "1", 0, "a|b"}, "invalid_signature"},
      {"badly signed and denied", {"nav_home", "1", 0, "new", "", bad}, "invalid_signature"},
      {"denied and used", {"nav_home", "1", 0, "used"}, "denied"},
      {"used", {"click", "1", 0, "used"}, "replay_detected"},
      {"used for another type", {"scroll", "2", -14'000, "used"}, "replay_detected"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(tell(uma, action(row.fields)), std::string("action_error ") + row.word) << row.name;
  }
  EXPECT_EQ(tell(uma, event("action", R"({"type":"click","ts":)" + now + "}")),
            "action_error invalid_signature");
  EXPECT_EQ(store_.nonces.size(), 3U) << "a nonce is spent only by a good signature";
  EXPECT_EQ(metric("signet_hub_actions_total"), 1);
  EXPECT_EQ(metric("signet_hub_actions_refused_total{reason=\"replay_detected\"}"), 2);
  FakeConnection& vic = user("vic");
  EXPECT_EQ(tell(vic, action(used)), "presence_update vic:active, action_update click")
      << "nonces are a user's own";
  const auto other_socket = [&] { return tell(user("uma", 1), action(used)); };
  EXPECT_EQ(other_socket(), "action_error replay_detected") << "on whatever socket";
}

TEST_F(HubActions, TheEdgesOfTheWindowAreInIt) {
  start();
  FakeConnection& uma = user("uma");
  for (const std::int64_t off : {15'000, -15'000}) {
    ActionFields fields;
    fields.off_ms = off;
    EXPECT_EQ(tell(uma, action(fields)), "presence_update uma:active, action_update click") << off;
  }
}

TEST_F(HubActions, WhatTheStoreSaysOfANonceIsTold) {
  using store::NonceOutcome;
  start();
  FakeConnection& uma = user("uma");
  const struct {
    NonceOutcome outcome;
    const char* word;
  } rows[] = {{NonceOutcome::kUsed, "action_error replay_detected"},
              {NonceOutcome::kFull, "action_error rate_limited"},
              {NonceOutcome::kForgotten, "action_error unavailable"},
              {NonceOutcome::kUnavailable, "action_error unavailable"},
              {NonceOutcome::kNew, "presence_update uma:active, action_update click"}};
  for (const auto& row : rows) {
    store_.nonce_outcomes.push_back(row.outcome);
    EXPECT_EQ(tell(uma, action()), row.word);
  }
  ASSERT_FALSE(store_.nonces.empty());
  EXPECT_EQ(store_.nonces[0].until, clock_.wall() + options_.hub.nonce_memory);
  say(uma, action());
  turn_shards();
  EXPECT_EQ(hears(uma), "") << "not before the store knows";
  shards_[0]->hang_up(uma);
  settle();
  EXPECT_EQ(metric("signet_hub_actions_total"), 1) << "who went meanwhile did nothing";
}

TEST_F(HubActions, AUserHasOneRateOnAllSockets) {
  options_.hub.actions_per_second = 1;
  options_.hub.actions_burst = 2;
  start();
  FakeConnection& first = user("uma", 0);
  FakeConnection& second = user("uma", 1);
  tell(first, action());
  tell(second, action());
  hears(first);
  EXPECT_EQ(tell(first, action()), "action_error rate_limited");
  EXPECT_EQ(told("retryAfterMs"), "1000");
  const ActionFields forged{"click", "1", kLate, "", "", std::string(64, 'a')};
  EXPECT_EQ(tell(first, action(forged)), "action_error rate_limited") << "the rate comes first";
  hears(second);
  EXPECT_EQ(tell(second, agent("HintAgent", "1")), "agent_heartbeat_result unavailable");
  EXPECT_EQ(tell(second, world()), "job_error rate_limited");
  pass(1s);
  hears(first);
  EXPECT_EQ(tell(first, action()), "presence_update uma:active, action_update click");
}

TEST_F(HubActions, APolicyMayDenyAKindAndSaysWhereToLook) {
  set_policy(R"(
[[rule]]
id = "all"
allow = ["connect"]

[[rule]]
id = "clicks"
allow = ["publish"]
topics = ["hub.action.ui"]
)");
  start();
  FakeConnection& uma = user("uma");
  EXPECT_EQ(tell(uma, action()), "presence_update uma:active, action_update click");
  ActionFields fields;
  fields.type = "nav_home";
  EXPECT_EQ(tell(uma, action(fields)), "action_error denied");
  const std::string ref = told("ref");
  std::optional<RefusedDecision> kept;
  control_.run_and_wait([&] {
    if (const RefusedDecision* found = shared_->decisions.find(ref)) kept = *found;
  });
  ASSERT_TRUE(kept) << ref;
  EXPECT_EQ(kept->who, "uma");
  EXPECT_EQ(kept->on, "hub.action.nav");
  EXPECT_EQ(store_.nonces.size(), 1U) << "what is denied spends nothing";
  EXPECT_EQ(tell(uma, world()), "job_error denied");
  EXPECT_EQ(told("ref").size(), 12U);
}

TEST_F(HubActions, WithoutTheSharedSecretOnlyASessionsOwnKeySigns) {
  door_.shared_actions = false;
  set_door();
  start();
  FakeConnection& first = user("uma");
  const std::string own = key_of("uma", last_socket_);
  FakeConnection& second = user("uma");
  const std::string other = key_of("uma", last_socket_);
  hears(first);
  const std::string good = "presence_update uma:active, action_update click";
  EXPECT_EQ(tell(first, action(signed_with(own))), good);
  EXPECT_EQ(tell(first, action(signed_with(other))), "action_error invalid_signature");
  EXPECT_EQ(tell(first, action()), "action_error invalid_signature") << "the shared one";
  hears(second);
  EXPECT_EQ(tell(second, action(signed_with(other))), good);

  door_.shared_actions = true;
  set_door();
  show_rules();
  hears(first);
  EXPECT_EQ(tell(first, action()), good) << "from now on";
  EXPECT_EQ(tell(first, action(signed_with(own))), good);
}

TEST_F(HubActions, WhereThereIsNoSecretNothingIsSigned) {
  door_.action_secret = {};
  set_door();
  start();
  FakeConnection& uma = user("uma");
  ActionFields fields;
  fields.sig = hmac("", R"(click|{"x":1}|)" + std::to_string(clock_.wall().ms) + "|n");
  fields.nonce = "n";
  EXPECT_EQ(tell(uma, action(fields)), "action_error invalid_signature");
}

TEST_F(HubActions, AnAgentsHeartbeatIsGoodOnce) {
  using store::NonceOutcome;
  start();
  FakeConnection& uma = user("uma");
  const std::string bad(64, 'a');
  const std::string first = agent("HintAgent", R"({"a":1})", {"", "", 0, "used"});
  const std::string result = "agent_heartbeat_result ";
  EXPECT_EQ(tell(uma, first), result + "ok");
  EXPECT_EQ(tell(uma, first), result + "replay_detected");
  EXPECT_EQ(tell(uma, agent("HintAgent", R"({"a":1})")), result + "replay_detected")
      << "what is signed must be new as well, whatever nonce stands beside it";
  EXPECT_EQ(tell(uma, agent("NavAgent", "2", {"", "", 0, "used"})), result + "ok")
      << "each agent has nonces of its own";
  EXPECT_EQ(tell(uma, agent("HintAgent", "3", {"", "", kLate, "used", "", bad})),
            result + "timestamp_skew");
  EXPECT_EQ(tell(uma, agent("HintAgent", "3", {"", "", 0, "used", "", bad})),
            result + "signature_failed");
  store_.nonce_outcomes = {NonceOutcome::kNew, NonceOutcome::kUnavailable};
  EXPECT_EQ(tell(uma, agent("HintAgent", "4")), result + "unavailable");
  store_.nonce_outcomes = {NonceOutcome::kForgotten, NonceOutcome::kForgotten};
  EXPECT_EQ(tell(uma, agent("HintAgent", "5")), result + "unavailable");
  EXPECT_EQ(metric("signet_hub_agents_refused_total{reason=\"replay_detected\"}"), 2);
}

TEST_F(HubActions, WhatUsersAreRefusedIsInTheLog) {
  start();
  FakeConnection& uma = user("uma");
  const std::string socket = last_socket_;
  CapturedLog captured;
  set_log_level(LogLevel::kWarn);
  const auto expect_line = [&](std::initializer_list<std::string> parts) {
    const std::string line = captured.take();
    for (const std::string& part : parts) EXPECT_NE(line.find(part), std::string::npos) << line;
  };
  ActionFields bad;
  bad.sig = std::string(64, 'a');
  tell(uma, action(bad));
  expect_line({R"("event":"hub.action_refused")", R"("reason":"invalid_signature")",
               R"("repeated":0)", R"("user":"uma")", R"("socket":")" + socket + '"',
               R"("peer":"127.)"});
  for (int i = 0; i < 3; ++i) tell(uma, action(bad));
  EXPECT_EQ(captured.take(), "") << "one line a second for each reason";
  ActionFields late;
  late.off_ms = kLate;
  tell(uma, action(late));
  expect_line({R"("event":"hub.action_refused")", R"("reason":"timestamp_expired")"});
  tell(uma, agent("HintAgent", "1", bad));
  expect_line({R"("event":"hub.agent_refused")", R"("reason":"signature_failed")",
               R"("user":"uma")", R"("peer":"127.)"});
  tell(begin_on_socket(), connect_with("abc"));
  expect_line({R"("event":"hub.connect_refused")", R"("reason":"INVALID_TOKEN")",
               R"("rule":"malformed")", R"("peer":"127.)"});
  tell(uma, event("token_refresh", R"({"token":"abc"})"));
  expect_line({R"("event":"hub.renewal_refused")", R"("reason":"malformed")", R"("namespace":"/")",
               R"("subject":"uma")"});
  pass(1s);
  captured.take();
  tell(uma, action(bad));
  expect_line({R"("reason":"invalid_signature")", R"("repeated":3)"});
}

}  // namespace
}  // namespace signet::broker
