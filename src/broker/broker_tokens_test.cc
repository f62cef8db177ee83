// Stories of tokens and client certificates: whom they prove, what they grant, and how they end.
#include "broker/tokens_for_test.h"
#include "trust/jws.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using crypto::TokenAlgorithm;
using membership::Standing;
using trust::SigningKey;
using trust::TokenFacts;

class Tokens : public TokenStory {};

TEST_F(Tokens, OneOfAKnownMemberOpensAtOnce) {
  put_keyless(20, "gauge");
  start();
  FakeConnection& gauge = connect(0, "/ws/mesh/a");
  say(gauge, hello("gauge", token("gauge")));
  EXPECT_EQ(heard(gauge), "handshake_ok");
  settle();
  EXPECT_FALSE(gauge.closed);
  EXPECT_TRUE(gauge.is_proven);
  EXPECT_FALSE(gauge.deadline);
  EXPECT_TRUE(store_.committed.empty());
  EXPECT_TRUE(store_.hellos.empty()) << "a token holds more than once";
  EXPECT_EQ(answer(hello("gauge", token("gauge")), "/ws/node/gauge"), "handshake_ok");
}

TEST_F(Tokens, WhoIsNewBecomesAMember) {
  start();
  FakeConnection& ann = listener("ann", 1, {"a"});
  FakeConnection& gauge = connect(0, "/ws/mesh/a");
  say(gauge, hello("gauge", token("gauge")));
  say(gauge, pulse("early"));
  EXPECT_EQ(heard(gauge), "") << "not before the store has it";
  settle();
  EXPECT_EQ(heard(gauge), "handshake_ok");
  EXPECT_EQ(heard(ann), "pulse a early") << "what it said meanwhile is heard";
  ASSERT_NE(member("gauge"), nullptr);
  EXPECT_FALSE(member("gauge")->key.has_value());
  EXPECT_EQ(store_.words, std::vector<std::string>{"token"});
  come("gauge", token("gauge"), "/ws/mesh/b", 1);
  EXPECT_EQ(store_.committed.size(), 1U) << "once";
}

// Whoever has the mesh's one secret may say to be anybody who is nobody else.
TEST_F(Tokens, WhomOneProvesIsNotToBeHadWithTheSharedSecret) {
  set_policy("[[rule]]\nid = \"all\"\nallow = [\"connect\", \"publish\", \"subscribe\"]\n");
  put_keyless(20, "gauge");
  add_source(21, "*");
  start();
  HandshakeFields shared;
  shared.signed_with = secret_of("*");
  FakeConnection& gauge = come("gauge", token("gauge"), "/ws/node/gauge");
  EXPECT_EQ(answer(handshake("gauge", shared), "/ws/node/gauge"), "bad_signature and closed 4003");
  EXPECT_EQ(answer(handshake("gauge", shared)), "bad_signature and closed 4003");
  EXPECT_FALSE(gauge.closed) << "nobody took its place";

  FakeConnection& topic = source("meter", "a", 0, shared);  // nobody's so far
  FakeConnection& other = source("other", "a", 1, shared);
  FakeConnection& node = connect(1, "/ws/node/meter");
  EXPECT_EQ(ask(node, handshake("meter", shared)), "handshake_ok");
  come("meter", token("meter"), "/ws/mesh/a");
  for (FakeConnection* each : {&topic, &node}) {
    ASSERT_TRUE(each->closed) << "it is somebody's by now";
    EXPECT_EQ(each->closed->reason, CloseReason::kNotPermitted);
  }
  EXPECT_FALSE(other.closed);
  EXPECT_EQ(answer(handshake("meter", shared)), "bad_signature and closed 4003");
}

TEST_F(Tokens, SeveralThatComeAtOnceAreOneMember) {
  start();
  std::vector<FakeConnection*> connections;
  for (const std::size_t shard : {0U, 1U, 0U, 1U}) {
    connections.push_back(&connect(shard, "/ws/mesh/a"));
    say(*connections.back(), hello("gauge", token("gauge")));
  }
  settle();
  for (FakeConnection* each : connections) EXPECT_EQ(heard(*each), "handshake_ok");
  EXPECT_EQ(store_.committed.size(), 1U);
}

TEST_F(Tokens, WhomAStoreRefusesIsNotLetIn) {
  store_.commit_answers = {Error{ErrorCode::kOverloaded, ""}, Error{ErrorCode::kUnavailable, ""},
                           Error{ErrorCode::kConflict, ""}};
  start();
  FakeConnection& first = connect(0, "/ws/mesh/a");
  EXPECT_EQ(ask(first, hello("gauge", token("gauge"))), "unavailable");
  EXPECT_TRUE(first.closed);
  EXPECT_EQ(ask(connect(0, "/ws/mesh/a"), hello("gauge", token("gauge"))), "unavailable");
  EXPECT_EQ(answer(hello("gauge", token("gauge"))), "not_permitted and closed 4004");
  EXPECT_EQ(answer(hello("gauge", token("gauge"))), "handshake_ok");
}

TEST_F(Tokens, EachRuleHasItsCodeAndItsCounter) {
  start();
  ASSERT_TRUE(revoke({"taken-back", "", {}, clock_.wall() + 2h}).ok());
  const TokenFacts good = facts("gauge");
  const auto changed = [&](const auto& change) {
    TokenFacts made = good;
    change(made);
    return signed_by("one", made);
  };
  const auto raw = [](const std::string& header, const std::string& payload) {
    return to_base64url(bytes_of(header)) + "." + to_base64url(bytes_of(payload)) + "." +
           to_base64url(bytes_of(std::string(64, 'x')));
  };
  const std::string hs256 = SigningKey::generate(TokenAlgorithm::kHs256, "one");
  const std::string impostor = SigningKey::generate(TokenAlgorithm::kEdDsa, "one");
  const auto no_expiry = trust::sign_jws(R"({"alg":"EdDSA","kid":"one"})",
                                         R"({"iss":"issuer","sub":"gauge"})", key_named("one"));
  ASSERT_TRUE(no_expiry.ok());
  struct Row {
    TokenRefusal rule;
    std::string token;
    const char* answer;
  };
  // clang-format off
  const Row rows[] = {
      {TokenRefusal::kTooLong, std::string(9'000, 'a'), "bad_token and closed 4003"},
      {TokenRefusal::kMalformed, "a.b", "bad_token and closed 4003"},
      {TokenRefusal::kUnsupportedAlgorithm, *trust::sign_token(good, signing(hs256)), "bad_token and closed 4003"},
      {TokenRefusal::kUnsupportedHeader, raw(R"({"alg":"EdDSA","kid":"one","crit":["exp"]})", "{}"), "bad_token and closed 4003"},
      {TokenRefusal::kUnknownKey, signed_by("three", good), "bad_token and closed 4003"},
      {TokenRefusal::kBadSignature, *trust::sign_token(good, signing(impostor)), "bad_token and closed 4003"},
      {TokenRefusal::kWrongType, *trust::sign_token(good, key_named("one"), "secevent+jwt"), "bad_token and closed 4003"},
      {TokenRefusal::kMissingClaim, *no_expiry, "bad_token and closed 4003"},
      {TokenRefusal::kBadClaim, changed([](TokenFacts& f) { f.subject = "a b"; }), "bad_token and closed 4003"},
      {TokenRefusal::kWrongIssuer, changed([](TokenFacts& f) { f.issuer = "another"; }), "bad_token and closed 4003"},
      {TokenRefusal::kWrongAudience, changed([](TokenFacts& f) { f.audience = {"other"}; }), "bad_token and closed 4003"},
      {TokenRefusal::kNotYetValid, changed([](TokenFacts& f) { f.not_before = *f.issued + 60s; }), "bad_token and closed 4003"},
      {TokenRefusal::kExpired, changed([](TokenFacts& f) { f.expires = *f.issued - 31s; *f.issued = f.expires; }), "token_expired and closed 4003"},
      {TokenRefusal::kLivesTooLong, changed([](TokenFacts& f) { f.expires = *f.issued + 25h; }), "bad_token and closed 4003"},
      {TokenRefusal::kRevoked, changed([](TokenFacts& f) { f.id = "taken-back"; }), "token_revoked and closed 4003"},
  };
  // clang-format on
  EXPECT_EQ(std::size(rows), kTokenRefusalCount);
  for (const Row& row : rows) {
    const std::string rule(name_of(row.rule));
    FakeConnection& connection = connect(0, "/ws/mesh/a");
    say(connection, hello("gauge", row.token));
    ASSERT_EQ(connection.texts.size(), 1U) << rule;
    EXPECT_NE(connection.texts[0].find("(" + rule + ": "), std::string::npos)
        << connection.texts[0];
    EXPECT_EQ(ended(connection), row.answer) << rule;
    EXPECT_EQ(metric("signet_tokens_refused_total{rule=\"" + rule + "\"}"), 1) << rule;
  }
  EXPECT_EQ(member("gauge"), nullptr) << "who proved nothing makes no member";
  expect_nobody_is_left("all were refused");
  EXPECT_EQ(answer(hello("gauge", signed_by("one", good))), "handshake_ok");
}

TEST_F(Tokens, AnAudienceNamesTheMeshOrWhatTheDoorSays) {
  start();
  TokenFacts of_team = facts("gauge");
  of_team.audience = {"x", "team"};
  EXPECT_EQ(answer(hello("gauge", signed_by("one", of_team))), "handshake_ok");
  TokenDoor door = *rules_.otherwise.tokens;
  door.rules.audience = "broker.example";
  rules_.otherwise.tokens = std::make_shared<const TokenDoor>(door);
  show_rules();
  EXPECT_EQ(answer(hello("gauge", signed_by("one", of_team))), "bad_token and closed 4003");
}

TEST_F(Tokens, WithoutADoorNoneOpens) {
  rules_.otherwise.tokens = nullptr;
  start();
  EXPECT_EQ(answer(hello("gauge", token("gauge"))), "bad_token and closed 4003");
  EXPECT_EQ(metric("signet_tokens_refused_total{rule=\"unknown_key\"}"), 1);
}

TEST_F(Tokens, WhoMayNotBeNamedByOne) {
  add_source(13, membership::kSharedSource.data());
  put_keyless(14, "quiet").standing = Standing::kQuarantined;
  start();
  EXPECT_EQ(answer(hello("sage", token("gauge"))), "wrong_subject and closed 4003");
  EXPECT_EQ(answer(hello("member-ann", token("member-ann"))), "not_permitted and closed 4004")
      << "a member with a key proves itself by it";
  EXPECT_EQ(answer(hello("legacy-shared", token("legacy-shared"))), "not_permitted and closed 4004")
      << "nor is anybody the one whom the shared secret proves";
  EXPECT_EQ(answer(hello("quiet", token("quiet"))), "not_permitted and closed 4004");
  EXPECT_EQ(answer(hello("gauge", token("gauge")), "/ws/node/sage"), "wrong_node and closed 4004");
  expect_nobody_is_left("all were refused");
}

// Whoever shows a token is judged by it and by nothing else.
TEST_F(Tokens, NoSecretBesideABadOneHelps) {
  add_source(11, "sage");
  start();
  std::string frame = handshake("sage");
  frame.pop_back();
  EXPECT_EQ(answer(frame + R"(,"token":"a.b.c"})"), "bad_token and closed 4003");
  EXPECT_EQ(answer(handshake("sage")), "handshake_ok");
  EXPECT_EQ(answer(hello("sage", token("sage"))), "handshake_ok") << "a source may have both";
}

TEST_F(Tokens, WhoGuessesWaits) {
  options_.penalty_failures = 3;
  start();
  std::vector<FakeConnection*> opened;
  for (int i = 0; i < 8; ++i) opened.push_back(&connect(0, "/ws/mesh/a"));
  std::string answers;
  for (FakeConnection* each : opened) answers += ask(*each, hello("sage", "a.b.c")) + " ";
  EXPECT_TRUE(answers.starts_with("bad_token bad_token bad_token ")) << answers;
  EXPECT_TRUE(answers.ends_with("rate_limited rate_limited ")) << answers;
}

TEST_F(Tokens, ATokenWhoseTimeIsNotNowIsNoGuess) {
  options_.penalty_failures = 3;
  start();
  TokenFacts over = facts("gauge");
  over.expires = over.expires + -std::chrono::hours(2);
  over.issued = over.expires + -std::chrono::hours(1);
  const std::string late = signed_by("one", over);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(answer(hello("gauge", late)), "token_expired and closed 4003") << i;
  }
}

TEST_F(Tokens, WhomThePolicyKeepsOutIsMadeNoMember) {
  set_policy(R"(
[role.pilot]
token_roles = ["pilot"]

[[rule]]
id = "pilots"
roles = ["pilot"]
allow = ["connect", "subscribe"]
)");
  start();
  EXPECT_EQ(answer(hello("gauge", token("gauge"))), "not_permitted and closed 4004");
  EXPECT_EQ(member("gauge"), nullptr);
  EXPECT_TRUE(store_.committed.empty());
  come("sage", with_roles("sage", {"pilot"}));
  EXPECT_NE(member("sage"), nullptr);
}

TEST_F(Tokens, TheirRolesDecideByThePolicy) {
  set_policy(R"(
[role.pilot]
token_roles = ["pilot"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "subscribe"]

[[rule]]
id = "pilots"
roles = ["pilot"]
allow = ["publish"]
)");
  start();
  FakeConnection& ann = listener("ann", 1, {"a"});
  FakeConnection& gauge = come("gauge", token("gauge"));
  FakeConnection& pilot = come("sage", with_roles("sage", {"x", "pilot"}));
  EXPECT_EQ(ask(gauge, pulse("no")), "denied");
  EXPECT_EQ(ask(pilot, pulse("yes")), "");
  EXPECT_EQ(heard(ann), "pulse a yes");

  EXPECT_EQ(ask(gauge, refresh(with_roles("gauge", {"pilot"}))), "pulse a yes, token_ok");
  EXPECT_EQ(ask(gauge, pulse("now")), "") << "a new token brings new roles";
  EXPECT_EQ(ask(pilot, refresh(token("sage"))), "pulse a now, token_ok");
  EXPECT_EQ(ask(pilot, pulse("no")), "denied") << "and takes old ones";
  EXPECT_EQ(heard(ann), "pulse a now");
}

TEST_F(Tokens, ASessionEndsWithItsToken) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge", 10s));
  FakeConnection& gone = come("gauge", token("gauge", 10s), "/ws/mesh/b");
  FakeConnection& sage = come("sage", token("sage", 1h), "/ws/mesh/a", 1);
  FakeConnection& node = come("gauge", token("gauge", 11s), "/ws/node/gauge", 1);
  shards_[0]->hang_up(gone);
  clock_.advance(9s);
  settle();
  EXPECT_EQ(ended(gauge), "open");
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
  EXPECT_EQ(ended(node), "open");
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(node), "session_expired and closed 4010");
  EXPECT_EQ(ended(sage), "open");
}

TEST_F(Tokens, NoTokenMakesASessionLongerThanOneMayBe) {
  options_.session_ttl = 10s;
  start();
  FakeConnection& gauge = come("gauge", token("gauge", 1h));
  clock_.advance(10s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
}

TEST_F(Tokens, ASessionEndsWithItsTokenThoughTheClockIsSetMeanwhile) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge", 1h));
  FakeConnection& sage = come("sage", token("sage", 2h), "/ws/mesh/a", 1);
  clock_.step_wall(59min);  // it was slow
  clock_.advance(59s);
  settle();
  EXPECT_EQ(ended(gauge), "open");
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
  EXPECT_EQ(ended(sage), "open");

  clock_.step_wall(-30min);  // and is set back: nobody's time is longer for it
  clock_.advance(60min);
  settle();
  EXPECT_EQ(ended(sage), "session_expired and closed 4010");
  expect_nobody_is_left("expired");
}

TEST_F(Tokens, WhoIsJudgedAfterTheClockWasSetHasExpired) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge", 1h));
  clock_.step_wall(1h);
  show_rules();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
}

TEST_F(Tokens, ASessionEndsWithItsCertificate) {
  start();
  FakeConnection& gauge = come_by_certificate("gauge", 10s);
  FakeConnection& sage = come_by_certificate("sage", 11s);
  FakeConnection& core = come_by_certificate("core");
  clock_.advance(9s);
  settle();
  EXPECT_EQ(ended(gauge), "open");
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
  EXPECT_EQ(ended(sage), "open");

  clock_.step_wall(-1h);  // set back: no session is longer for it
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(sage), "session_expired and closed 4010");
  EXPECT_EQ(ended(core), "open");
  clock_.step_wall(24h * 90 + 1h);  // and set forth: it is over
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(core), "session_expired and closed 4010");
  expect_nobody_is_left("expired");
}

TEST_F(Tokens, NoCertificateMakesASessionLongerThanOneMayBe) {
  options_.session_ttl = 10s;
  start();
  FakeConnection& gauge = come_by_certificate("gauge");
  clock_.advance(10s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
}

TEST_F(Tokens, ACertificateThatIsOverProvesNobodyOnTheConnectionThatShowedIt) {
  start();
  FakeConnection& late = connect(0, "/ws/mesh/a");
  late.certificate = "gauge";
  late.certificate_end = clock_.wall() + 1s;
  clock_.advance(1s);
  EXPECT_EQ(answer_on(late, without_proof("gauge")), "missing_proof and closed 4001");
}

// Clocks differ: what is a little past its end opens, and no longer than the leeway.
TEST_F(Tokens, WithinTheLeewayASessionIsShort) {
  start();
  TokenFacts late = facts("gauge");
  late.issued = clock_.wall() - 1h;
  late.expires = clock_.wall() - 10s;
  FakeConnection& gauge = come("gauge", signed_by("one", late));
  clock_.advance(19s);
  settle();
  EXPECT_EQ(ended(gauge), "open");
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
}

TEST_F(Tokens, ARefreshExtendsTheSession) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge", 10s));
  clock_.advance(5s);
  say(gauge, refresh(token("gauge", 10s)));
  ASSERT_EQ(gauge.texts.size(), 1U);
  EXPECT_NE(gauge.texts[0].find(R"("exp":)" + std::to_string(clock_.wall().ms / 1'000 + 10)),
            std::string::npos)
      << gauge.texts[0];
  EXPECT_EQ(heard(gauge), "token_ok");
  clock_.advance(9s);
  settle();
  EXPECT_EQ(ended(gauge), "open");
  clock_.advance(1s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
  expect_nobody_is_left("expired");
}

TEST_F(Tokens, ARefreshMayShortenTheSession) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge", 1h));
  EXPECT_EQ(ask(gauge, refresh(token("gauge", 5s))), "token_ok");
  clock_.advance(5s);
  settle();
  EXPECT_EQ(ended(gauge), "session_expired and closed 4010");
}

TEST_F(Tokens, ABadRefreshEndsTheSession) {
  start();
  ASSERT_TRUE(revoke({"taken-back", "", {}, clock_.wall() + 2h}).ok());
  FakeConnection& ann = listener("ann", 1, {">"});
  TokenFacts expired = facts("gauge");
  expired.issued = clock_.wall() - 1h;
  expired.expires = clock_.wall() - 31s;
  struct Row {
    const char* name;
    std::string token;
    const char* answer;
  };
  const Row rows[] = {
      {"nothing", "", "bad_token and closed 4003"},
      {"no token", "a.b.c", "bad_token and closed 4003"},
      {"of another", token("sage"), "wrong_subject and closed 4003"},
      {"of a stranger's key", signed_by("three", facts("gauge")), "bad_token and closed 4003"},
      {"expired", signed_by("one", expired), "token_expired and closed 4003"},
      {"revoked", with_id("gauge", "taken-back"), "token_revoked and closed 4003"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(answer_on(come("gauge", token("gauge")), refresh(row.token)), row.answer) << row.name;
  }
  for (const std::string& text : ann.take_texts()) {
    EXPECT_EQ(text.find("token_refresh"), std::string::npos) << "nobody sees a token: " << text;
  }
  shards_[1]->hang_up(ann);
  expect_nobody_is_left("refused");
}

TEST_F(Tokens, WhoCameOtherwiseHasNothingToRefresh) {
  add_source(11, "sage");
  start();
  FakeConnection& sage = source("sage", "a");
  FakeConnection& gauge = come_by_certificate("gauge");
  EXPECT_EQ(ask(sage, refresh(token("sage"))), "unknown_type");
  EXPECT_EQ(ask(gauge, refresh(token("gauge"))), "unknown_type");
  EXPECT_FALSE(sage.closed);
  EXPECT_FALSE(gauge.closed);
}

TEST_F(Tokens, OneThatIsTakenBackEndsItsSessionsAndNoOthers) {
  add_source(11, "sage");
  start();
  FakeConnection& first = come("gauge", with_id("gauge", "t-1"));
  FakeConnection& again = come("gauge", with_id("gauge", "t-1"), "/ws/node/gauge", 1);
  FakeConnection& second = come("gauge", with_id("gauge", "t-2"), "/ws/mesh/a", 1);
  FakeConnection& other = come("core", with_id("core", "t-3"));
  FakeConnection& sage = source("sage", "a", 1);
  FakeConnection& ann = peer("ann", 1);
  ASSERT_TRUE(revoke({"t-1", "", {}, clock_.wall() + 2h}).ok());
  EXPECT_EQ(ended(first), "token_revoked and closed 4003");
  EXPECT_EQ(ended(again), "token_revoked and closed 4003");
  for (FakeConnection* each : {&second, &other, &sage, &ann}) EXPECT_FALSE(each->closed);
  EXPECT_EQ(answer(hello("gauge", with_id("gauge", "t-1"))), "token_revoked and closed 4003");
  EXPECT_EQ(metric("signet_tokens_refused_total{rule=\"revoked\"}"), 3);
}

TEST_F(Tokens, ThoseOfASubjectFromBeforeAMomentAreTakenBack) {
  start();
  FakeConnection& early = come("gauge", token("gauge"));
  FakeConnection& other = come("core", token("core"));
  TokenFacts whenever = facts("gauge");
  whenever.issued.reset();
  FakeConnection& timeless = come("gauge", signed_by("one", whenever), "/ws/mesh/a", 1);
  clock_.advance(10s);
  FakeConnection& late = come("gauge", token("gauge"), "/ws/mesh/a", 1);
  ASSERT_TRUE(revoke({"", "gauge", clock_.wall() - 5s, clock_.wall() + 2h}).ok());
  EXPECT_EQ(ended(early), "token_revoked and closed 4003");
  EXPECT_EQ(ended(timeless), "token_revoked and closed 4003") << "it may be from before";
  EXPECT_EQ(ended(late), "open");
  EXPECT_EQ(ended(other), "open");
  ASSERT_TRUE(revoke({"", "gauge", clock_.wall() + 1s, clock_.wall() + 2h}).ok());
  EXPECT_EQ(ended(late), "token_revoked and closed 4003") << "a later moment means more";
}

TEST_F(Tokens, OneThatIsTakenBackWhileItIsLookedAtOpensNothing) {
  start();
  FakeConnection& gauge = connect(0, "/ws/mesh/a");
  say(gauge, hello("gauge", with_id("gauge", "t-1")));  // its member is not made yet
  control_.run_and_wait([&] {
    controller_->revoke_tokens({1}, {"t-1", "", {}, clock_.wall() + 2h}, [](const Status&) {});
  });
  settle();
  EXPECT_EQ(ended(gauge), "not_permitted and closed 4004");
  expect_nobody_is_left("taken back while its member was made");
}

TEST_F(Tokens, AKeyThatLeavesTheSetEndsItsSessions) {
  start();
  FakeConnection& one = come("gauge", token("gauge"));
  FakeConnection& two = come("gauge", signed_by("two", facts("gauge")), "/ws/mesh/b", 1);
  rules_.otherwise.tokens = door_of({key_text_of("two"), key_text_of("three")});
  show_rules();
  EXPECT_EQ(ended(one), "bad_token and closed 4003");
  EXPECT_EQ(ended(two), "open");
  EXPECT_EQ(answer(hello("gauge", signed_by("three", facts("gauge")))), "handshake_ok");

  rules_.otherwise.tokens = door_of({SigningKey::generate(TokenAlgorithm::kEdDsa, "two")});
  show_rules();
  EXPECT_EQ(ended(two), "bad_token and closed 4003") << "another key of its name is not its key";
}

TEST_F(Tokens, ADoorThatIsClosedEndsAllOfThem) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge"));
  FakeConnection& sage = come_by_certificate("sage");
  rules_.otherwise.tokens = nullptr;
  show_rules();
  EXPECT_EQ(ended(gauge), "bad_token and closed 4003");
  EXPECT_EQ(ended(sage), "open");
}

TEST_F(Tokens, WhoLosesItsStandingIsClosed) {
  start();
  FakeConnection& gauge = come("gauge", token("gauge"));
  FakeConnection& sage = come_by_certificate("sage");
  FakeConnection& core = come("core", token("core"));
  for (const char* name : {"gauge", "sage"}) {
    control_.run_and_wait([&] {
      controller_->set_standing({1}, member(name)->number, Standing::kQuarantined,
                                [](const Status&) {});
    });
    settle();
  }
  EXPECT_EQ(ended(gauge), "not_permitted and closed 4004");
  EXPECT_EQ(ended(sage), "not_permitted and closed 4004");
  EXPECT_EQ(ended(core), "open");
  EXPECT_EQ(answer(hello("gauge", token("gauge"))), "not_permitted and closed 4004");
}

TEST_F(Tokens, WhoGoesWhileItsMemberIsMadeIsCountedNowhere) {
  start();
  FakeConnection& gauge = connect(0, "/ws/mesh/a");
  say(gauge, hello("gauge", token("gauge")));
  shards_[0]->hang_up(gauge);
  expect_nobody_is_left("gone");
  EXPECT_NE(member("gauge"), nullptr);

  FakeConnection& late = connect(0, "/ws/node/sage");
  say(late, hello("sage", token("sage")));
  broker_of(late).on_deadline(late);
  settle();
  EXPECT_TRUE(late.closed);
  expect_nobody_is_left("too late");
}

TEST_F(Tokens, ACertificateProvesWhomItNames) {
  start();
  FakeConnection& ann = listener("ann", 1, {"a"});
  FakeConnection& gauge = come_by_certificate("gauge");
  EXPECT_EQ(store_.words, std::vector<std::string>{"certificate"});
  EXPECT_EQ(ask(gauge, pulse("hi")), "");
  EXPECT_EQ(heard(ann), "pulse a hi");
  struct Row {
    const char* name;
    const char* certificate;
    std::string frame;
    const char* answer;
  };
  const Row rows[] = {
      {"another name", "gauge", without_proof("sage"), "wrong_subject and closed 4003"},
      {"no certificate", "", without_proof("gauge"), "missing_proof and closed 4001"},
      {"no message", "gauge", "{}", "missing_proof and closed 4001"},
      {"no source", "gauge", R"({"message":{"target":"gauge"}})", "missing_proof and closed 4001"},
      {"a member with a key", "member-ann", without_proof("member-ann"),
       "not_permitted and closed 4004"},
      {"a bad token beside it", "gauge", hello("gauge", "a.b.c"), "bad_token and closed 4003"},
      {"a token of another beside it", "gauge", hello("sage", token("sage")), "handshake_ok"},
      {"a signature beside it", "gauge", handshake("gauge"), "bad_signature and closed 4003"},
  };
  for (const Row& row : rows) {
    FakeConnection& connection = connect(0, "/ws/mesh/a");
    connection.certificate = row.certificate;
    EXPECT_EQ(answer_on(connection, row.frame), row.answer) << row.name;
  }
}

}  // namespace
}  // namespace signet::broker
