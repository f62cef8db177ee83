// Stories of the relay: a key that proves itself, and envelopes that go from key to key.
#include "broker/story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class Relay : public Story {
 protected:
  Relay() { rules_.otherwise.relay_open = true; }

  static std::string reason(const FakeConnection& connection) {
    return connection.closed ? std::to_string(number_of(connection.closed->reason)) : "open";
  }
  void expect_nobody_is_left(const std::string& after) {
    settle();
    EXPECT_EQ(shared_->loads.count({1}), 0) << after;
    EXPECT_EQ(shared_->guest_loads.count({1}), 0) << after;
    EXPECT_EQ(metric("signet_relay_sessions"), 0) << after;
    EXPECT_EQ(metric("broker_connections_active"), 0) << after;
    for (auto& broker : brokers_) EXPECT_EQ(broker->names().names(), 0U) << after;
  }
};

TEST_F(Relay, ChallengesFirstAndRegistersWhoAnswers) {
  start();
  FakeConnection& ann = connect_relay("ann");
  EXPECT_EQ(ann.deadline, 10s);
  ASSERT_EQ(ann.texts.size(), 1U);
  const std::string server = to_base64url(shared_->relay_key.public_key());
  EXPECT_NE(ann.texts[0].find(R"({"type":"CHALLENGE","from":")" + server), std::string::npos);
  FakeConnection& other = connect_relay("ann", 1);
  EXPECT_NE(ann.texts[0], other.texts.at(0)) << "each connection has its own";
  EXPECT_EQ(ask(ann, response(ann, relay_key_of("ann"))), "REGISTER_SUCCESS");
  EXPECT_TRUE(ann.is_proven);
  EXPECT_FALSE(ann.deadline);
  EXPECT_EQ(metric("signet_relay_sessions"), 1);
  EXPECT_EQ(shared_->loads.count({1}), 1);
}

TEST_F(Relay, TellsWhyItRegistersNobody) {
  start();
  FakeConnection& other = connect_relay("ann");
  const std::string of_another = response(other, relay_key_of("ann"));
  const auto answer = [&](const std::string& frame) {
    FakeConnection& connection = connect_relay("ann");
    heard(connection);
    const std::string words = ask(connection, frame);
    EXPECT_EQ(reason(connection), "1008") << words;
    return words;
  };
  EXPECT_EQ(answer("x"), "refused: malformed response");
  EXPECT_EQ(answer(R"({"type":"FOO"})"), "refused: Unexpected message type: FOO");
  EXPECT_EQ(answer(R"({"type":"CHALLENGE_RESPONSE","publicKey":"k","signedNonce":"n"})"),
            "refused: unsupported response");
  EXPECT_EQ(answer(envelope("ann", "bob", "x")), "refused: Unexpected message type: MESSAGE");
  EXPECT_EQ(answer(of_another), "refused: the response names another nonce");
  FakeConnection& liar = connect_relay("ann");
  std::string forged = response(liar, relay_key_of("bob"));
  const std::string bobs = relay_name("bob");
  forged.replace(forged.find(bobs), bobs.size(), relay_name("ann"));
  EXPECT_EQ(ask(liar, forged), "refused: the response does not open");
  FakeConnection& silent = connect_relay("ann");
  heard(silent);
  broker_of(silent).on_deadline(silent);
  EXPECT_EQ(heard(silent), "refused: Registration timed out");
  expect_nobody_is_left("nobody proved anything");
}

TEST_F(Relay, AStrangerRegistersWhereTheMeshIsOpenAndElsewhereNot) {
  rules_.otherwise.relay_open = false;
  start();
  FakeConnection& stranger = connect_relay("ann");
  EXPECT_EQ(ask(stranger, response(stranger, relay_key_of("ann"))), "refused: not a member");
  EXPECT_EQ(reason(stranger), "1008");
  rules_.otherwise.relay_open = true;
  show_rules();
  FakeConnection& guest = relay("ann", 1);
  rules_.otherwise.relay_open = false;
  show_rules();
  EXPECT_EQ(reason(guest), "4004") << "it is closed to those who are in";
  expect_nobody_is_left("closed by new rules");
}

TEST_F(Relay, WhoMayNotConnectIsNotRegistered) {
  set_policy(R"(
[[rule]]
id = "members"
roles = ["member"]
allow = ["connect"]
)");
  start();
  FakeConnection& guest = connect_relay("ann");
  EXPECT_EQ(ask(guest, response(guest, relay_key_of("ann"))), "refused: not permitted");
  expect_nobody_is_left("not permitted");
}

// The rules of the moment in which it is let in count, and not those by which it proved itself.
TEST_F(Relay, WhoClaimsItsKeyWhileTheRelayIsClosedIsNotLetIn) {
  start();
  for (const std::size_t shard : {0U, 1U}) {
    rules_.otherwise.relay_open = true;
    show_rules();
    FakeConnection& guest = connect_relay("ann", shard);
    say(guest, response(guest, relay_key_of("ann")));
    rules_.otherwise.relay_open = false;
    show_rules();
    EXPECT_EQ(heard(guest), "");
    EXPECT_EQ(reason(guest), "4004");
    expect_nobody_is_left("claimed while the relay was closed");
  }
}

TEST_F(Relay, TheNewerConnectionOfAKeyTakesOver) {
  start();
  FakeConnection& bob = relay("bob", 1);
  FakeConnection* before = &relay("ann", 0);
  for (const std::size_t shard : {0U, 1U, 0U}) {
    FakeConnection& now = relay("ann", shard);
    EXPECT_EQ(reason(*before), "4006");
    ask(bob, envelope("bob", "ann", "1"));
    EXPECT_EQ(heard(now), "MESSAGE 1");
    EXPECT_EQ(heard(*before), "");
    shards_[before->id().shard]->hang_up(*before);  // it takes no name with it
    ask(bob, envelope("bob", "ann", "2"));
    EXPECT_EQ(heard(now), "MESSAGE 2");
    before = &now;
  }
  EXPECT_EQ(metric("signet_relay_sessions"), 2);
}

TEST_F(Relay, AnEnvelopeArrivesAsItWasSent) {
  start();
  FakeConnection& ann = relay("ann", 0);
  for (const std::size_t shard : {0U, 1U}) {
    FakeConnection& bob = relay("bob", shard);
    std::string frame = envelope("ann", "bob", "caf\\u00e9");
    frame.insert(1, R"( "own" : 1.0, )");
    EXPECT_EQ(ask(ann, frame), "");
    EXPECT_EQ(bob.take_texts(), std::vector<std::string>{frame});
    EXPECT_TRUE(bob.pings.empty()) << "nobody asked whether it was heard";
  }
  EXPECT_EQ(metric("signet_relayed_total"), 2);
}

TEST_F(Relay, KeysOfAnotherMeshAreNotFound) {
  rules_.bindings = {{"simpatico", "other.example", "", "other"}, {"simpatico", "", "", "team"}};
  start();
  FakeConnection& ann = relay("ann", 0, true);
  FakeConnection& bob = shards_[1]->accept();
  request(bob, "GET", "/relay/" + relay_name("bob"), true, {}, "other.example");
  EXPECT_EQ(ask(bob, response(bob, relay_key_of("bob"))), "REGISTER_SUCCESS");
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "x")), "RECIPIENT_NOT_AVAILABLE x");
}

TEST_F(Relay, WhatIsNoEnvelopeOfThisKeyGoesNowhere) {
  start();
  FakeConnection& ann = relay("ann", 0, true);
  FakeConnection& quiet = relay("cid", 1);
  FakeConnection& bob = relay("bob", 1);
  const auto without = [&](const std::string& member) {
    std::string frame = envelope("ann", "bob", "x");
    const auto at = frame.find("\"" + member + "\"");
    return frame.replace(at, member.size() + 2, "\"other\"");
  };
  struct Row {
    std::string frame;
    const char* answer;
  };
  const Row rows[] = {
      {"[]", "MISSING_TYPE_MESSAGE"},
      {"x", "MISSING_TYPE_MESSAGE"},
      {envelope("bob", "bob", "x"), "MISMATCHED_SOCKET_PUBLIC_KEY"},
      {without("from"), "MISMATCHED_SOCKET_PUBLIC_KEY"},
      {without("message"), "MISSING_CONTENT_FIELD"},
      {without("type"), "MISSING_TYPE_MESSAGE"},
      {without("to"), "RECIPIENT_NOT_AVAILABLE"},
      {envelope("ann", "nobody", "x"), "RECIPIENT_NOT_AVAILABLE"},
  };
  for (const Row& row : rows) {
    say(ann, row.frame);
    settle();
    ASSERT_EQ(ann.texts.size(), 1U) << row.frame;
    const std::string expected = "\"error\":\"" + std::string(row.answer) + "\"}";
    EXPECT_TRUE(ann.take_texts()[0].ends_with(expected)) << row.frame;
    EXPECT_EQ(ask(quiet, row.frame), "") << "who did not ask is told nothing";
  }
  EXPECT_EQ(heard(bob), "");
  EXPECT_FALSE(ann.closed);
  EXPECT_FALSE(quiet.closed);
}

TEST_F(Relay, DeliveredIsSaidAfterThePongAndNotBefore) {
  start();
  for (const std::size_t shard : {0U, 1U}) {
    FakeConnection& ann = relay("ann", 0, true);
    FakeConnection& bob = relay("bob", shard);
    EXPECT_EQ(ask(ann, envelope("ann", "bob", "1")), "");
    EXPECT_EQ(ask(ann, envelope("ann", "bob", "2")), "");
    EXPECT_EQ(heard(bob), "MESSAGE 1, MESSAGE 2");
    EXPECT_EQ(bob.pings.size(), 1U) << "one ping is out at a time";
    const std::string first = bob.pings.back();
    broker_of(bob).on_pong(bob, "1234567");
    broker_of(bob).on_pong(bob, "12345678");
    settle();
    EXPECT_EQ(heard(ann), "") << "a pong to no ping of ours";
    pong(bob);
    EXPECT_EQ(heard(ann), "MESSAGE_DELIVERED 1");
    EXPECT_EQ(bob.pings.size(), 2U) << "now one for the second";
    broker_of(bob).on_pong(bob, first);
    settle();
    EXPECT_EQ(heard(ann), "") << "an old pong covers nothing new";
    pong(bob);
    EXPECT_EQ(heard(ann), "MESSAGE_DELIVERED 2");
  }
}

TEST_F(Relay, WhoGoesBeforeItsPongHeardNothing) {
  start();
  for (const std::size_t shard : {0U, 1U}) {
    FakeConnection& ann = relay("ann", 0, true);
    FakeConnection& bob = relay("bob", shard);
    for (const char* text : {"1", "2"}) ask(ann, envelope("ann", "bob", text));
    shards_[shard]->hang_up(bob);
    settle();
    EXPECT_EQ(heard(ann), "RECIPIENT_NOT_AVAILABLE 1, RECIPIENT_NOT_AVAILABLE 2");
    FakeConnection& again = relay("bob", shard);
    ask(ann, envelope("ann", "bob", "3"));
    relay("bob", 1 - shard);  // it is taken over
    EXPECT_EQ(reason(again), "4006");
    EXPECT_EQ(heard(ann), "RECIPIENT_NOT_AVAILABLE 3");
  }
}

TEST_F(Relay, WhoWaitsForItsOwnPongAndGoesIsToldNothing) {
  start();
  FakeConnection& ann = relay("ann", 0, true);
  ask(ann, envelope("ann", "ann", "note to self"));
  EXPECT_EQ(heard(ann), "");
  FakeConnection& bob = relay("bob", 1, true);
  ask(bob, envelope("bob", "ann", "1"));
  shards_[0]->hang_up(ann);
  shards_[1]->hang_up(bob);
  expect_nobody_is_left("gone with what waited");
}

TEST_F(Relay, WhatWaitsForAPongIsBounded) {
  const std::size_t size = envelope("ann", "bob", "1").size();
  options_.awaited_bytes = 2 * size;
  start();
  FakeConnection& ann = relay("ann", 0, true);
  FakeConnection& bob = relay("bob", 1);
  FakeConnection& quiet = relay("cid", 0);
  for (const char* text : {"1", "2"}) EXPECT_EQ(ask(ann, envelope("ann", "bob", text)), "");
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "3")), "RECIPIENT_NOT_AVAILABLE 3");
  EXPECT_EQ(ask(quiet, envelope("cid", "bob", "4")), "");
  EXPECT_EQ(heard(bob), "MESSAGE 1, MESSAGE 2, MESSAGE 4") << "what nobody waits for is not kept";
  pong(bob);
  pong(bob);
  EXPECT_EQ(heard(ann), "MESSAGE_DELIVERED 1, MESSAGE_DELIVERED 2");
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "5")), "") << "there is room again";
  EXPECT_EQ(heard(bob), "MESSAGE 5");
}

TEST_F(Relay, WhatDoesNotFitIsRefusedAndNotKept) {
  start();
  FakeConnection& ann = relay("ann", 0, true);
  FakeConnection& bob = relay("bob", 1);
  bob.next_sent = net::Sent::kDropped;
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "1")), "RECIPIENT_NOT_AVAILABLE 1");
  bob.next_sent = net::Sent::kQueued;
  EXPECT_EQ(heard(bob), "");
}

TEST_F(Relay, AGuestHasARate) {
  options_.relays_per_second = 1;
  options_.relays_burst = 2;
  start();
  FakeConnection& ann = relay("ann", 0, true);
  FakeConnection& bob = relay("bob", 1);
  for (const char* text : {"1", "2"}) EXPECT_EQ(ask(ann, envelope("ann", "bob", text)), "");
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "3")), "RATE_LIMITED 3");
  say(ann, "[]");
  settle();
  EXPECT_EQ(ann.take_texts(), std::vector<std::string>{R"({"error":"MISSING_TYPE_MESSAGE"})"});
  clock_.advance(1s);
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "4")), "");
  EXPECT_EQ(heard(bob), "MESSAGE 1, MESSAGE 2, MESSAGE 4");
}

TEST_F(Relay, AKeyMayBeDeniedToWriteToAnother) {
  set_policy(R"(
[[rule]]
id = "guests"
roles = ["guest"]
allow = ["connect"]
)");
  start();
  FakeConnection& ann = relay("ann", 0, true);
  FakeConnection& bob = relay("bob", 1);
  EXPECT_EQ(ask(ann, envelope("ann", "bob", "1")), "NOT_PERMITTED 1");
  EXPECT_EQ(heard(bob), "");
  bool is_recorded = false;
  control_.run_and_wait([&] {
    const auto latest = shared_->decisions.latest(1);
    is_recorded =
        latest.size() == 1 && latest[0]->who == relay_name("ann") && latest[0]->action == "send";
  });
  EXPECT_TRUE(is_recorded);
}

// What a peer says while its key is claimed is held, and more than that is refused in its own
// words.
TEST_F(Relay, WhatIsSaidWhileTheKeyIsClaimedIsHeldWithinABound) {
  options_.held_bytes = 2 * envelope("ann", "bob", "1").size();
  start();
  FakeConnection& bob = relay("bob", 1);
  for (const bool receipts : {false, true}) {
    FakeConnection& ann = connect_relay("ann", 0, receipts);
    say(ann, response(ann, relay_key_of("ann")));
    for (const char* text : {"1", "2", "3"}) say(ann, envelope("ann", "bob", text));
    EXPECT_EQ(heard(ann), receipts ? "RATE_LIMITED 2, RATE_LIMITED 3" : "");
    settle();
    EXPECT_EQ(heard(ann), "REGISTER_SUCCESS");
    EXPECT_EQ(heard(bob), "MESSAGE 1");
  }
}

TEST_F(Relay, WhoHasProvenNothingMaySayLittle) {
  start();
  FakeConnection& ann = connect_relay("ann");
  EXPECT_EQ(ann.frame_limits->max_message_bytes, options_.unproven_frame_bytes);
  say(ann, response(ann, relay_key_of("ann")));
  EXPECT_EQ(ann.frame_limits->max_message_bytes, options_.frames.max_message_bytes);
}

TEST_F(Relay, WhoIsGoneIsCountedNowhere) {
  start();
  for (const std::size_t shard : {0U, 1U}) {
    const std::string where = " on " + std::to_string(shard);
    const auto hang_up = [&](FakeConnection& connection) { shards_[shard]->hang_up(connection); };
    hang_up(connect_relay("ann", shard));
    expect_nobody_is_left("silent" + where);

    FakeConnection& claiming = connect_relay("ann", shard);
    say(claiming, response(claiming, relay_key_of("ann")));
    hang_up(claiming);
    expect_nobody_is_left("while it claimed" + where);

    FakeConnection& late = connect_relay("ann", shard);
    say(late, response(late, relay_key_of("ann")));
    broker_of(late).on_deadline(late);
    expect_nobody_is_left("too late" + where);
    EXPECT_EQ(heard(late), "refused: Registration timed out");
    hang_up(late);
    expect_nobody_is_left("and gone" + where);

    FakeConnection& binary = relay("ann", shard);
    broker_of(binary).on_message(binary, wire::MessageKind::kBinary, "x");
    EXPECT_EQ(reason(binary), "1003");
    expect_nobody_is_left("binary" + where);

    FakeConnection& before = relay("ann", shard);
    FakeConnection& after = relay("ann", 1 - shard);
    EXPECT_EQ(shared_->loads.count({1}), 1) << "replaced";
    hang_up(before);
    shards_[1 - shard]->hang_up(after);
    expect_nobody_is_left("replaced" + where);
  }
}

TEST_F(Relay, StrangersLeaveRoomForMembers) {
  std::get<membership::MeshAdded>(store_.at_start.front()).mesh.max_connections = 4;
  start();
  FakeConnection& ann = relay("ann", 0);
  FakeConnection& bob = relay("bob", 1);
  FakeConnection& cid = connect_relay("cid", 1);
  EXPECT_EQ(ask(cid, response(cid, relay_key_of("cid"))), "refused: too many connections");
  peer("ann");
  shards_[0]->hang_up(ann);
  settle();
  relay("cid", 0);
  EXPECT_FALSE(bob.closed);
}

TEST_F(Relay, AMeshHasSoManyConnections) {
  std::get<membership::MeshAdded>(store_.at_start.front()).mesh.max_connections = 1;
  start();
  FakeConnection& ann = relay("ann", 0);
  FakeConnection& bob = connect_relay("bob", 1);
  EXPECT_EQ(ask(bob, response(bob, relay_key_of("bob"))), "refused: too many connections");
  shards_[0]->hang_up(ann);
  expect_nobody_is_left("refused for its number");
}

}  // namespace
}  // namespace signet::broker
