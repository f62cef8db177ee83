// Stories of PulseMesh: who shows which secret, and how such a session ends.
#include "broker/secrets_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using membership::Standing;

TEST_F(Secrets, AllFormsOfAProofOpen) {
  options_.legacy_digest = true;
  start();
  HandshakeFields v1;
  v1.hmac = false;
  HandshakeFields browser;
  browser.hmac = false;
  browser.message = R"({"source":"sage","timestamp":")" + iso8601(clock_.wall()) + "\"}";
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "handshake_ok");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", v1)), "handshake_ok");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", browser)), "handshake_ok");
}

TEST_F(Secrets, TheDigestOfV1ProvesNothingWhereItIsOff) {
  start();
  HandshakeFields v1;
  v1.hmac = false;
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", v1)), "bad_signature and closed 4003");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "handshake_ok");
  EXPECT_EQ(metric("signet_handshakes_refused_total{reason=\"bad_signature\"}"), 1);
}

TEST_F(Secrets, AreAnsweredWhenTheStoreKnowsTheHandshakeAndNotBefore) {
  start();
  FakeConnection& sage = connect(0, "/ws/mesh/a");
  EXPECT_EQ(sage.deadline, 10s);
  say(sage, handshake("sage"));
  EXPECT_EQ(heard(sage), "");
  EXPECT_FALSE(sage.is_proven);
  settle();
  ASSERT_EQ(sage.texts.size(), 1U);
  EXPECT_NE(sage.texts[0].find(R"("client_id":"sage")"), std::string::npos) << sage.texts[0];
  EXPECT_TRUE(sage.is_proven);
  EXPECT_FALSE(sage.deadline);
  EXPECT_EQ(metric("signet_pulsemesh_sessions"), 1);
  ASSERT_EQ(store_.hellos.size(), 1U);
  EXPECT_EQ(store_.hellos[0].member, kSage);
  EXPECT_EQ(store_.hellos[0].timestamp_ms, clock_.wall().ms);
}

// A source with a secret of its own is not to be had with the one that everybody knows.
TEST_F(Secrets, ASecretShowsItsOwnSourceAndTheSharedOneTheOthers) {
  start();
  struct Row {
    const char* name;
    const char* source;
    std::string secret;
    const char* answer;
  };
  const Row rows[] = {
      {"its own", "sage", secret_of("sage"), "handshake_ok"},
      {"the shared one", "sage", secret_of(kShared), "bad_signature and closed 4003"},
      {"another's", "sage", secret_of("core"), "bad_signature and closed 4003"},
      {"shared, of nobody", "nobody", secret_of(kShared), "handshake_ok"},
      {"own, of nobody", "nobody", secret_of("sage"), "bad_signature and closed 4003"},
      {"what nobody has", "nobody", "there is no such source in this mesh",
       "bad_signature and closed 4003"},
      {"the name of the shared one", kShared, secret_of(kShared), "no_source and closed 4000"},
      {"the member of the shared one", "legacy-shared", secret_of(kShared), "handshake_ok"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(answer("/ws/mesh/public.a", handshake(row.source, with(row.secret))), row.answer)
        << row.name;
  }
}

TEST_F(Secrets, TheSharedSecretIsNoMember) {
  start();
  FakeConnection& ann = listener("ann", 1, {"public.a"});
  FakeConnection& somebody = anybody("sage2");
  EXPECT_EQ(answer("/ws/mesh/mirror.intent", handshake("x", with(secret_of(kShared)))),
            "not_permitted and closed 4004");
  ask(somebody, pulse("hi"));
  ASSERT_EQ(ann.texts.size(), 1U);
  EXPECT_NE(ann.texts[0].find(R"("from":"shared:sage2")"), std::string::npos)
      << "what it calls itself is not shown like a proven name: " << ann.texts[0];
}

TEST_F(Secrets, TheOldSecretHoldsUntilItsOverlapEnds) {
  sage_->previous = crypto::SecretText("the secret that sage had before");
  sage_->previous_until = clock_.wall() + 10s;
  start();
  const HandshakeFields old = with("the secret that sage had before");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", old)), "handshake_ok");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "handshake_ok");
  clock_.advance(10s);
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", old)), "bad_signature and closed 4003");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "handshake_ok");
}

TEST_F(Secrets, ARotationEndsNoSession) {
  start();
  FakeConnection& sage = source("sage", "a");
  control_.run_and_wait([&] { controller_->rotate_source({1}, "sage", 0ms, [](const auto&) {}); });
  settle();
  EXPECT_FALSE(sage.closed);
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "bad_signature and closed 4003");
}

TEST_F(Secrets, ARevokedSourceIsClosedAtOnceAndOthersAreNot) {
  start();
  FakeConnection& sage = source("sage", "a", 0);
  FakeConnection& sage_again = source("sage", "b", 1);
  FakeConnection& sage_node = node("sage", 1);
  FakeConnection& core = source("core", "a", 0);
  FakeConnection& somebody = anybody("x", 1);
  revoke("sage");
  for (FakeConnection* each : {&sage, &sage_again, &sage_node}) {
    EXPECT_EQ(heard(*each), "not_permitted");
    ASSERT_TRUE(each->closed);
    EXPECT_EQ(each->closed->reason, CloseReason::kNotPermitted);
  }
  EXPECT_FALSE(core.closed);
  EXPECT_FALSE(somebody.closed);
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "bad_signature and closed 4003");
  EXPECT_EQ(answer("/ws/mesh/public.a", handshake("sage", with(secret_of(kShared)))),
            "bad_signature and closed 4003")
      << "nor is it to be had with the shared one";
  revoke(kShared);
  EXPECT_TRUE(somebody.closed);
  EXPECT_FALSE(core.closed);
}

// Each moment between the proof and the answer is one in which a secret can be revoked.
TEST_F(Secrets, WhoIsRevokedWhileItProvesItselfIsNotLetIn) {
  start();
  FakeConnection& sage = connect(0, "/ws/mesh/a");
  control_.run_and_wait([&] { controller_->revoke_source({1}, "sage", [](const Status&) {}); });
  store_.work();
  say(sage, handshake("sage"));
  finish_control_turn();  // the shards are told now
  turn_shards();
  settle();
  EXPECT_EQ(heard(sage), "not_permitted");
  expect_nobody_is_left("revoked while the store was asked");
}

TEST_F(Secrets, WhoIsRevokedWhileItClaimsItsNodeIsNotLetIn) {
  start(1);
  FakeConnection& sage = connect(0, "/ws/node/sage");
  say(sage, handshake("sage"));
  store_.work();
  shards_[0]->turn();  // it has proven itself, and claims
  revoke_unseen("sage");
  settle();
  EXPECT_EQ(heard(sage), "not_permitted");
  expect_nobody_is_left("revoked while it claimed");
}

TEST_F(Secrets, WhoIsRevokedWhileItClaimsItsNodeAcrossShardsIsNotLetIn) {
  start(2);
  for (const std::size_t shard : {0U, 1U}) {
    const std::string name = shard == 0 ? "sage" : "core";
    FakeConnection& connection = connect(shard, "/ws/node/" + name);
    say(connection, handshake(name));
    store_.work();
    shards_[shard]->turn();
    revoke_unseen(name);
    settle();
    EXPECT_EQ(heard(connection), "not_permitted") << name;
    expect_nobody_is_left("revoked while it claimed across shards");
  }
}

TEST_F(Secrets, AMemberWithoutStandingIsNotLetInAndNotKept) {
  start();
  FakeConnection& sage = source("sage", "a");
  control_.run_and_wait(
      [&] { controller_->set_standing({1}, kSage, Standing::kRevoked, [](const Status&) {}); });
  settle();
  ASSERT_TRUE(sage.closed);
  EXPECT_EQ(sage.closed->reason, CloseReason::kNotPermitted);
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "not_permitted and closed 4004");
}

TEST_F(Secrets, ANodeIsItsSource) {
  start();
  EXPECT_EQ(answer("/ws/node/core", handshake("sage")), "wrong_node and closed 4004");
  expect_nobody_is_left("refused");
  EXPECT_EQ(answer("/ws/node/sage", handshake("sage")), "handshake_ok");
}

TEST_F(Secrets, AFrameGoesToTheNodeThatItNamesAsItIs) {
  start();
  FakeConnection& sage = node("sage", 0);
  for (const std::size_t shard : {0U, 1U}) {
    FakeConnection& core = node("core", shard);
    const std::string frame = R"({ "target":"core", "x": 1.0, "_mesh_topic":"kept" })";
    EXPECT_EQ(ask(sage, frame), "") << "nothing is said of what arrived";
    EXPECT_EQ(core.take_texts(), std::vector<std::string>{frame});
    EXPECT_EQ(ask(core, R"({"target":"sage"})"), "");
    EXPECT_EQ(sage.take_texts().size(), 1U);
    shards_[shard]->hang_up(core);
    settle();
  }
  EXPECT_EQ(ask(sage, R"({"target":"core"})"), "target_not_connected");
  EXPECT_EQ(ask(sage, R"({"target":"nobody"})"), "target_not_connected");
  EXPECT_EQ(ask(sage, R"({"no":"target"})"), "target_not_connected");
  EXPECT_FALSE(sage.closed);
  EXPECT_EQ(metric("signet_pulses_total"), 0) << "no topic hears of it";
}

TEST_F(Secrets, TheNewerConnectionOfANodeTakesOver) {
  start();
  FakeConnection* before = &node("sage", 0);
  FakeConnection& core = node("core", 1);
  for (const std::size_t shard : {0U, 1U, 0U}) {
    FakeConnection& now = node("sage", shard);
    EXPECT_EQ(heard(*before), "replaced");
    ASSERT_TRUE(before->closed);
    EXPECT_EQ(before->closed->reason, CloseReason::kReplaced);
    EXPECT_EQ(ask(core, R"({"target":"sage","n":1})"), "");
    EXPECT_EQ(now.take_texts().size(), 1U);
    EXPECT_EQ(before->take_texts().size(), 0U);
    shards_[before->id().shard]->hang_up(*before);  // it takes no name with it
    EXPECT_EQ(ask(core, R"({"target":"sage","n":2})"), "");
    EXPECT_EQ(now.take_texts().size(), 1U);
    before = &now;
  }
  EXPECT_EQ(metric("signet_pulsemesh_sessions"), 2);
  EXPECT_FALSE(source("sage", "a").closed) << "on topics a source has many connections";
  EXPECT_FALSE(before->closed);
}

TEST_F(Secrets, AHandshakeOpensOnce) {
  options_.legacy_digest = true;
  start();
  const std::string frame = handshake("sage");
  EXPECT_EQ(answer("/ws/mesh/a", frame), "handshake_ok");
  EXPECT_EQ(answer("/ws/mesh/b", frame, 1), "replayed and closed 4003");
  HandshakeFields v1;
  v1.hmac = false;
  v1.message = R"({"source": "sage", "timestamp": ")" + iso8601(clock_.wall()) + "\"}";
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", v1)), "replayed and closed 4003")
      << "in another form it is the same handshake";
}

TEST_F(Secrets, WhatTheStoreDoesNotRememberIsNotLetIn) {
  store_.hello_outcomes = {store::HelloOutcome::kUnavailable};
  start();
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")).substr(0, 11), "unavailable");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage")), "handshake_ok");
}

TEST_F(Secrets, AStaleHandshakeOpensNothingUnlessTheMeshTakesAnyTime) {
  HandshakeFields old;
  old.message = R"({"source": "sage", "timestamp": "2020-01-01T00:00:00Z"})";
  HandshakeFields timeless;
  timeless.message = R"({"source": "sage"})";
  start();
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", old)), "stale and closed 4003");
  EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", timeless)), "stale and closed 4003");
  EXPECT_TRUE(store_.hellos.empty());
  rules_.otherwise.max_skew = 0ms;
  show_rules();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", old)), "handshake_ok");
    EXPECT_EQ(answer("/ws/mesh/a", handshake("sage", timeless)), "handshake_ok");
  }
  EXPECT_TRUE(store_.hellos.empty()) << "nothing is remembered";
}

TEST_F(Secrets, ASessionEndsWithItsTime) {
  options_.session_ttl = 10s;
  start();
  FakeConnection& first = source("sage", "a");
  FakeConnection& gone = source("sage", "a");
  clock_.advance(5s);
  FakeConnection& second = node("core", 0);
  shards_[0]->hang_up(gone);
  clock_.advance(4s);
  settle();
  EXPECT_FALSE(first.closed);
  clock_.advance(1s);
  settle();
  EXPECT_EQ(heard(first), "session_expired");
  ASSERT_TRUE(first.closed);
  EXPECT_EQ(first.closed->reason, CloseReason::kSessionExpired);
  EXPECT_FALSE(second.closed);
  clock_.advance(5s);
  settle();
  EXPECT_TRUE(second.closed);
  expect_nobody_is_left("expired");
}

TEST_F(Secrets, WhatIsSaidWhileTheProofIsLookedUpIsHeardInOrder) {
  options_.held_bytes = 200;
  start();
  FakeConnection& bob = listener("bob", 1, {"a"});
  FakeConnection& sage = connect(0, "/ws/mesh/a");
  say(sage, handshake("sage"));
  for (const char* text : {"1", "2", "3"}) say(sage, pulse(text));
  say(sage, pulse(std::string(200, 'x')));
  EXPECT_EQ(heard(sage), "no_hello") << "too much to hold";
  settle();
  EXPECT_EQ(heard(sage), "handshake_ok");
  EXPECT_EQ(heard(bob), "pulse a 1, pulse a 2, pulse a 3");
}

TEST_F(Secrets, WhoHasProvenNothingMaySayLittle) {
  start();
  FakeConnection& sage = connect(0, "/ws/mesh/a");
  FakeConnection& liar = connect(0, "/ws/mesh/a");
  const std::size_t little = options_.unproven_frame_bytes;
  EXPECT_EQ(sage.frame_limits->max_message_bytes, little);
  say(sage, handshake("sage"));
  EXPECT_EQ(sage.frame_limits->max_message_bytes, options_.frames.max_message_bytes)
      << "what comes with the handshake may be a pulse";
  say(liar, handshake("sage", with(secret_of("core"))));
  EXPECT_EQ(liar.frame_limits->max_message_bytes, little);
  EXPECT_EQ(connect().frame_limits->max_message_bytes, little);
}

TEST_F(Secrets, WhoGuessesWaits) {
  options_.penalty_failures = 3;
  start();
  const auto guess = [&] {
    FakeConnection& connection = shards_[0]->accept();
    request(connection, "GET", "/ws/mesh/a", true);
    if (!connection.is_websocket) return connection.responses.at(0).status;
    ask(connection, handshake("sage", with(secret_of("core"))));
    return 0;
  };
  int guesses = 0;
  while (guesses < 10 && guess() == 0) ++guesses;
  EXPECT_GE(guesses, 3);
  EXPECT_LE(guesses, 4);
  FakeConnection& turned_away = shards_[0]->accept();
  request(turned_away, "GET", "/" + relay_name("ann"), true);
  ASSERT_EQ(turned_away.responses.size(), 1U) << "whatever it would prove";
  EXPECT_EQ(turned_away.responses[0].status, 429);
  EXPECT_EQ(turned_away.responses[0].headers.back().first, "Retry-After");
  EXPECT_GE(metric("signet_penalties_total"), 2);
  EXPECT_GE(metric("signet_http_refused_total{reason=\"penalty\"}"), 2);

  FakeConnection& other = shards_[0]->accept();
  other.peer_address.ip[15] = 9;
  request(other, "GET", "/ws/mesh/a", true);
  EXPECT_TRUE(other.is_websocket) << "another address does not wait";
  peer("ann");  // nor do members, whose keys nobody guesses
  clock_.advance(2s);
  source("sage", "a");
}

TEST_F(Secrets, WhoOpensManyConnectionsFirstHasNoMoreGuesses) {
  options_.penalty_failures = 3;
  start();
  std::vector<FakeConnection*> opened;
  for (int i = 0; i < 10; ++i) opened.push_back(&connect(0, "/ws/mesh/a"));
  std::string answers;
  for (FakeConnection* each : opened) {
    answers += ask(*each, handshake("sage", with(secret_of("core")))) + " ";
  }
  EXPECT_TRUE(answers.starts_with("bad_signature bad_signature bad_signature ")) << answers;
  EXPECT_TRUE(answers.ends_with("rate_limited rate_limited ")) << answers;
  EXPECT_EQ(ask(connect(1, "/ws/mesh/a"), handshake("sage")), "handshake_ok")
      << "each shard counts for itself";
}

TEST_F(Secrets, WhatBeginsAsNoHandshakeIsToldWhy) {
  start();
  EXPECT_EQ(answer("/ws/mesh/a", "{"), "not_json and closed 4000");
  EXPECT_EQ(answer("/ws/mesh/a", "[]"), "not_an_object and closed 4000");
  EXPECT_EQ(answer("/ws/mesh/a", pulse("x")), "missing_proof and closed 4001");
  FakeConnection& binary = connect(0, "/ws/mesh/a");
  broker_of(binary).on_message(binary, wire::MessageKind::kBinary, "x");
  EXPECT_EQ(heard(binary), "binary_frame");
  EXPECT_EQ(binary.closed->reason, CloseReason::kBadHandshake);
  FakeConnection& silent = connect(0, "/ws/node/sage");
  broker_of(silent).on_deadline(silent);
  EXPECT_EQ(heard(silent), "handshake_timeout");
  EXPECT_EQ(silent.closed->reason, CloseReason::kBadHandshake);
  expect_nobody_is_left("nobody proved anything");
}

TEST_F(Secrets, WhatIsLaterNoPulseEndsTheConversation) {
  start();
  for (const char* frame : {"[]", "x"}) {
    FakeConnection& sage = source("sage", "a");
    EXPECT_EQ(ask(sage, frame), "not_a_pulse");
    ASSERT_TRUE(sage.closed);
    EXPECT_EQ(sage.closed->reason, CloseReason::kNormal);
  }
}

// There are no tokens here: who sends one learns it, and nobody else sees the token.
TEST_F(Secrets, ATokenIsNotPublished) {
  start();
  FakeConnection& bob = listener("bob", 1, {">"});
  FakeConnection& sage = source("sage", "a");
  EXPECT_EQ(ask(sage, R"({"type":"token_refresh","token":"secret"})"), "unknown_type");
  EXPECT_EQ(heard(bob), "");
  EXPECT_FALSE(sage.closed);
}

TEST_F(Secrets, APathThatIsBoundToNoMeshOpensNothing) {
  rules_.bindings = {{"pulsemesh", "lab.example", "", "team"},
                     {"pulsemesh", "", "/ws/mesh/ops.", "team"},
                     {"pulsemesh", "gone.example", "", "no-such-mesh"}};
  start();
  const auto status = [&](std::string_view target, std::string_view host, bool upgrade) {
    FakeConnection& connection = shards_[0]->accept();
    request(connection, "GET", target, upgrade, {}, host);
    return connection.is_websocket ? 101 : connection.responses.at(0).status;
  };
  EXPECT_EQ(status("/ws/mesh/a", "lab.example:8088", true), 101);
  EXPECT_EQ(status("/ws/node/a", "lab.example", true), 101);
  EXPECT_EQ(status("/ws/mesh/a", "elsewhere.example", true), 404);
  EXPECT_EQ(status("/ws/mesh/ops.a", "elsewhere.example", true), 101);
  EXPECT_EQ(status("/ws/mesh/%6fps.a", "elsewhere.example", true), 101) << "spelled otherwise";
  EXPECT_EQ(status("/ws/mesh/a", "gone.example", true), 404);
  EXPECT_EQ(status("/ws/mesh/", "lab.example", true), 400);
  EXPECT_EQ(status("/ws/mesh/a%20b", "lab.example", true), 400);
  EXPECT_EQ(status("/ws/mesh/a", "lab.example", false), 426);
}

// However a session ends, at whatever moment, it is counted no more and found no more.
TEST_F(Secrets, WhoIsGoneIsCountedNowhere) {
  options_.hellos_per_second_member = 0;
  start();
  const auto connect_and_say = [&](std::size_t shard, const std::string& target) -> auto& {
    FakeConnection& connection = connect(shard, target);
    say(connection, handshake("sage"));
    return connection;
  };
  for (const std::size_t shard : {0U, 1U}) {
    for (const std::string target : {"/ws/mesh/a", "/ws/node/sage"}) {
      const std::string where = target + " on " + std::to_string(shard);
      const auto hang_up = [&](FakeConnection& connection) { shards_[shard]->hang_up(connection); };
      hang_up(connect(shard, target));
      expect_nobody_is_left("silent, " + where);

      hang_up(connect_and_say(shard, target));
      expect_nobody_is_left("while the store was asked, " + where);

      FakeConnection& claiming = connect_and_say(shard, target);
      store_.work();
      shards_[shard]->turn();
      hang_up(claiming);
      expect_nobody_is_left("while it claimed, " + where);

      FakeConnection& late = connect_and_say(shard, target);
      store_.work();
      shards_[shard]->turn();
      broker_of(late).on_deadline(late);
      settle();
      hang_up(late);
      expect_nobody_is_left("too late, " + where);

      FakeConnection& admitted = connect_and_say(shard, target);
      settle();
      hang_up(admitted);
      expect_nobody_is_left("admitted, " + where);

      FakeConnection& binary = connect_and_say(shard, target);
      settle();
      broker_of(binary).on_message(binary, wire::MessageKind::kBinary, "x");
      expect_nobody_is_left("closed by the broker, " + where);
      hang_up(binary);
      expect_nobody_is_left("and gone, " + where);
    }
  }
}

}  // namespace
}  // namespace signet::broker
