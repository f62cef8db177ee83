// Stories of the hello: who gets in, who does not, and what happens meanwhile.
#include <algorithm>

#include "base/captured_log_for_test.h"
#include "broker/story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using membership::Standing;

class Admission : public Story {
 protected:
  // What a fresh connection hears to `frame`, and why it was closed.
  std::string answer(const std::string& frame) {
    FakeConnection& connection = connect();
    const std::string words = ask(connection, frame);
    if (!connection.closed) return words;
    EXPECT_EQ(connection.closed->reason, CloseReason::kPolicy);
    EXPECT_EQ(connection.closed->text, words) << "the reason text is the code";
    return words + " and closed";
  }
};

TEST_F(Admission, AMemberIsAdmitted) {
  start();
  FakeConnection& ann = connect();
  EXPECT_EQ(ann.deadline, 10s);
  say(ann, hello("ann"));
  EXPECT_EQ(heard(ann), "") << "not before the store has answered";
  EXPECT_FALSE(ann.is_proven);
  settle();
  const std::string ack = ann.texts.at(0);
  EXPECT_NE(ack.find("\"memberDisplayName\":\"ann\""), std::string::npos);
  EXPECT_EQ(heard(ann), "hello_ack");
  EXPECT_TRUE(ann.is_proven);
  EXPECT_FALSE(ann.deadline);
  EXPECT_EQ(metric("broker_connections_total"), 1);
  EXPECT_EQ(metric("broker_connections_active"), 1);
  shards_[0]->hang_up(ann);
  EXPECT_EQ(metric("broker_connections_active"), 0);
  EXPECT_EQ(shared_->loads.count({1}), 0);
}

TEST_F(Admission, EverythingWaitsForTheHello) {
  start();
  const std::string frames[] = {message("m1", "*", "x"), status("idle"), R"({"type":"list_peers"})",
                                R"({"type":"channel_list"})",
                                receipt(std::string(32, '0'), "read")};
  for (const std::string& frame : frames) {
    FakeConnection& connection = connect();
    EXPECT_EQ(ask(connection, frame), "no_hello") << frame;
    EXPECT_FALSE(connection.closed);
    EXPECT_EQ(ask(connection, hello("ann")), "hello_ack") << "it may still say it";
  }
  EXPECT_TRUE(store_.published.empty());
}

TEST_F(Admission, NoiseBeforeTheHelloIsABadFrame) {
  start();
  EXPECT_EQ(answer("{"), "bad_frame");
  EXPECT_EQ(answer("[]"), "bad_frame");
}

TEST_F(Admission, RefusesInTheWordsOfThePage) {
  start();
  HelloFields stolen, other_mesh, no_mesh, other_member, pipe;
  stolen.signed_by = "bob";
  other_mesh.mesh = "mesh-other";
  no_mesh.mesh = "mesh-none";
  other_member.member = "member-bob";
  pipe.member = "member|ann";
  EXPECT_EQ(answer(hello("ann", stolen)), "bad_signature and closed");
  EXPECT_EQ(answer(hello("ann", other_mesh)), "unauthorized and closed");
  EXPECT_EQ(answer(hello("ann", no_mesh)), "unauthorized and closed");
  EXPECT_EQ(answer(hello("ann", other_member)), "unauthorized and closed");
  EXPECT_EQ(answer(hello("ann", pipe)), "malformed and closed");
  EXPECT_EQ(answer(hello("zoe")), "unauthorized and closed");
  EXPECT_EQ(answer(R"({"type":"hello"})"), "timestamp_skew and closed");
  const std::string old = hello("ann");
  clock_.advance(60'001ms);
  EXPECT_EQ(answer(old), "timestamp_skew and closed");
  EXPECT_EQ(metric("broker_connections_rejected_total{reason=\"unauthorized\"}"), 4);
  EXPECT_EQ(metric("broker_connections_rejected_total{reason=\"timestamp_skew\"}"), 2);
  EXPECT_EQ(metric("broker_connections_total"), 0);
}

TEST_F(Admission, AHelloIsGoodOnce) {
  start();
  const std::string once = hello("ann");
  EXPECT_EQ(answer(once), "hello_ack");
  EXPECT_EQ(answer(once), "replayed and closed");
}

TEST_F(Admission, ReplayedComesBeforeUnauthorized) {
  start();
  const std::string once = hello("bob");
  EXPECT_EQ(answer(once), "hello_ack");
  ASSERT_TRUE(set_standing("bob", Standing::kRevoked).ok());
  EXPECT_EQ(answer(once), "replayed and closed");
  EXPECT_EQ(answer(hello("bob")), "unauthorized and closed");
  EXPECT_FALSE(store_.hellos.back().remember) << "what is not admitted is not remembered";
}

TEST_F(Admission, TheStoreMustHaveWrittenIt) {
  start();
  store_.hello_outcomes = {store::HelloOutcome::kUnavailable};
  EXPECT_EQ(answer(hello("ann")), "unavailable and closed");
}

TEST_F(Admission, CapacityComesFirst) {
  membership::Mesh mesh = membership::mesh_named(1, "team");
  mesh.max_connections = 1;
  store_.at_start.push_back(membership::MeshSettingsChanged{mesh});
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(answer(R"({"type":"hello","meshId":"mesh-team"})"), "capacity and closed");
  EXPECT_EQ(answer(hello("bob")), "capacity and closed");
  shards_[0]->hang_up(ann);
  EXPECT_EQ(answer(hello("bob")), "hello_ack");
}

// Both pass the first look; only one may take the place.
TEST_F(Admission, TwoThatProveAtOnceDoNotShareTheLastPlace) {
  membership::Mesh mesh = membership::mesh_named(1, "team");
  mesh.max_connections = 1;
  store_.at_start.push_back(membership::MeshSettingsChanged{mesh});
  start();
  FakeConnection& ann = connect(0);
  FakeConnection& bob = connect(1);
  say(ann, hello("ann"));
  say(bob, hello("bob"));
  settle();
  EXPECT_EQ(heard(ann) + " " + heard(bob), "hello_ack capacity");
  EXPECT_EQ(shared_->loads.count({1}), 1);
}

TEST_F(Admission, FramesThatComeWhileTheHelloIsProvenWaitTheirTurn) {
  start();
  FakeConnection& ann = connect();
  say(ann, hello("ann"));
  say(ann, message("m1", key_text("bob"), "one"));
  say(ann, message("m2", key_text("bob"), "two"));
  EXPECT_TRUE(store_.published.empty());
  settle();
  EXPECT_EQ(heard(ann), "hello_ack, ack m1 for 1, ack m2 for 1");
}

TEST_F(Admission, WhatIsHeldHasABound) {
  options_.held_bytes = 1'000;
  start();
  FakeConnection& ann = connect();
  say(ann, hello("ann"));
  for (int i = 0; i < 10; ++i) say(ann, message("m" + std::to_string(i), "*", "0123456789"));
  const std::string meanwhile = heard(ann);
  EXPECT_NE(meanwhile.find("no_hello"), std::string::npos);
  settle();
  EXPECT_LT(store_.published.size(), 10u);
  EXPECT_GT(store_.published.size(), 0u);
}

TEST_F(Admission, EmptyFramesAreHeldWithinTheBoundToo) {
  options_.held_bytes = 1'000;
  start();
  FakeConnection& ann = connect();
  say(ann, hello("ann"));
  for (int i = 0; i < 2'000; ++i) say(ann, "");
  EXPECT_GT(ann.take_texts().size(), 1'000u) << "most were answered and not kept";
}

TEST_F(Admission, AHeldHelloIsASecondOne) {
  start();
  FakeConnection& ann = connect();
  say(ann, hello("ann"));
  EXPECT_EQ(ask(ann, hello("ann")), "hello_ack, already_hello");
  EXPECT_EQ(ask(ann, hello("ann")), "already_hello");
  EXPECT_FALSE(ann.closed);
}

TEST_F(Admission, RevokedWhileProvingIsNotAdmitted) {
  start();
  FakeConnection& bob = connect();
  say(bob, hello("bob"));
  control_.run_and_wait([&] {
    controller_->set_standing({1}, membership::key_of("bob").public_key(), Standing::kRevoked,
                              [](const Status&) {});
  });
  settle();
  if (!bob.closed) {  // the hello's answer came first; then the snapshot closes it
    FAIL() << "still here";
  }
  EXPECT_EQ(metric("broker_connections_active"), 0);
}

TEST_F(Admission, ThePeerThatWentWhileProvingIsForgotten) {
  start();
  FakeConnection& ann = connect();
  say(ann, hello("ann"));
  shards_[0]->hang_up(ann);
  settle();
  EXPECT_EQ(metric("broker_connections_active"), 0);
  EXPECT_EQ(shared_->loads.count({1}), 0);
}

TEST_F(Admission, NoHelloInTimeIsTheEnd) {
  start();
  FakeConnection& silent = connect();
  brokers_[0]->on_deadline(silent);
  EXPECT_EQ(heard(silent), "hello_timeout");
  ASSERT_TRUE(silent.closed);
  EXPECT_EQ(silent.closed->text, "hello_timeout");
  FakeConnection& ann = peer("ann");
  brokers_[0]->on_deadline(ann);
  EXPECT_FALSE(ann.closed) << "an admitted one has no deadline";
}

TEST_F(Admission, ClosedOnesAreNotListenedTo) {
  start();
  FakeConnection& connection = connect();
  EXPECT_EQ(ask(connection, hello("zoe")), "unauthorized");
  EXPECT_EQ(ask(connection, hello("ann")), "");
  EXPECT_EQ(metric("broker_connections_total"), 0);
}

TEST_F(Admission, BinaryIsNoLanguageHere) {
  start();
  FakeConnection& ann = peer("ann");
  brokers_[0]->on_message(ann, wire::MessageKind::kBinary, "{}");
  ASSERT_TRUE(ann.closed);
  EXPECT_EQ(ann.closed->reason, CloseReason::kUnsupportedData);
  EXPECT_EQ(metric("broker_connections_active"), 0);
}

TEST_F(Admission, HellosOfOneAddressHaveARate) {
  options_.hellos_per_second = 1;
  options_.hellos_burst = 3;
  start();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer(hello("zoe")), "unauthorized and closed");
  EXPECT_EQ(answer(hello("ann")), "rate_limited and closed");
  clock_.advance(1s);
  EXPECT_EQ(answer(hello("ann")), "hello_ack");
}

TEST_F(Admission, HellosOfOneMemberHaveARateOnAllShards) {
  options_.hellos_per_second_member = 1;
  options_.hellos_burst_member = 2;
  start();
  peer("ann", 0);
  peer("ann", 1);
  EXPECT_EQ(answer(hello("ann")), "rate_limited and closed");
  EXPECT_EQ(answer(hello("bob")), "hello_ack") << "others are not touched";
}

TEST_F(Admission, AFloodOfRefusalsIsCountedExactlyAndToldOnceASecond) {
  options_.hellos_per_second = 0;
  start();
  CapturedLog captured;
  set_log_level(LogLevel::kInfo);
  FakeConnection& silent = connect();
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(answer(hello("ann", {.signed_by = "bob"})), "bad_signature and closed");
    EXPECT_EQ(ask(silent, status("idle")), "no_hello");
  }
  const std::string first = captured.take();
  EXPECT_EQ(lines(first), 2) << first;
  EXPECT_NE(first.find(R"("event":"hello.rejected","reason":"bad_signature","repeated":0)"),
            std::string::npos);
  clock_.advance(1s);
  answer(hello("ann", {.signed_by = "bob"}));
  EXPECT_EQ(ask(silent, status("idle")), "no_hello");
  const std::string second = captured.take();
  EXPECT_EQ(lines(second), 2) << second;
  EXPECT_NE(second.find(R"("reason":"bad_signature","repeated":99)"), std::string::npos) << second;
  EXPECT_EQ(metric(R"(broker_connections_rejected_total{reason="bad_signature"})"), 101);
  EXPECT_EQ(metric(R"(broker_messages_rejected_total{reason="no_hello"})"), 101);
}

TEST_F(Admission, RevocationClosesEverySessionOfTheMember) {
  start();
  FakeConnection& first = peer("bob", 0);
  FakeConnection& second = peer("bob", 1);
  FakeConnection& ann = peer("ann", 0);
  ASSERT_TRUE(set_standing("bob", Standing::kRevoked).ok());
  for (FakeConnection* connection : {&first, &second}) {
    ASSERT_TRUE(connection->closed);
    EXPECT_EQ(connection->closed->reason, CloseReason::kRevoked);
  }
  EXPECT_FALSE(ann.closed);
  EXPECT_EQ(metric("broker_connections_active"), 1);
  EXPECT_EQ(ask(ann, message("m1", key_text("bob"), "x")), "no_such_member m1");
  EXPECT_EQ(ask(first, message("m2", "*", "x")), "") << "it is not listened to";
  shards_[0]->hang_up(first);
  EXPECT_EQ(metric("broker_connections_active"), 1) << "and counted once";
}

TEST_F(Admission, AWidenedStandingClosesNothing) {
  start();
  FakeConnection& bob = peer("bob");
  ASSERT_TRUE(set_standing("bob", Standing::kProbation).ok());
  EXPECT_FALSE(bob.closed);
  EXPECT_EQ(ask(bob, message("m1", "*", "x")), "ack m1 for 2");
}

TEST_F(Admission, OtherPathsAreAnswered) {
  start();
  struct Case {
    const char* path;
    bool upgrade;
    int status;
  };
  const Case cases[] = {{"/ws", false, 426}, {"/other", true, 404}, {"/livez", false, 200}};
  for (const Case& row : cases) {
    FakeConnection& connection = shards_[0]->accept();
    request(connection, "GET", row.path, row.upgrade);
    ASSERT_EQ(connection.responses.size(), 1u) << row.path;
    EXPECT_EQ(connection.responses[0].status, row.status) << row.path;
    EXPECT_FALSE(connection.is_websocket);
  }
}

TEST_F(Admission, ARequestHasTheNameOfACertificateWhileThatHolds) {
  start();
  std::vector<HttpCall> calls;
  shared_->http = [&](HttpCall call) { calls.push_back(std::move(call)); };
  FakeConnection& connection = shards_[0]->accept();
  connection.certificate = "ada";
  connection.certificate_end = clock_.wall() + std::chrono::seconds(1);
  request(connection, "GET", "/health", false);
  clock_.advance(std::chrono::seconds(1));
  request(connection, "GET", "/health", false);
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].certificate, "ada");
  EXPECT_EQ(calls[1].certificate, "");
}

TEST_F(Admission, OtherRequestsAreHandedOnAndTheirAnswerFindsItsWayBack) {
  options_.requests_per_second = 1;
  options_.requests_burst = 1;
  start();
  std::vector<HttpCall> calls;
  shared_->http = [&](HttpCall call) { calls.push_back(std::move(call)); };
  FakeConnection& connection = shards_[0]->accept();
  request(connection, "POST", "/join", false, "{}");
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].method + calls[0].path + calls[0].body, "POST/join{}");
  EXPECT_TRUE(calls[0].peer.is_loopback());
  calls[0].reply({201, "", {}, "done"});
  EXPECT_TRUE(connection.responses.empty()) << "only on its own shard";
  settle();
  ASSERT_EQ(connection.responses.size(), 1u);
  EXPECT_EQ(connection.responses[0].status, 201);

  request(connection, "POST", "/join", false, "{}");
  EXPECT_EQ(connection.responses.back().status, 429);
  EXPECT_EQ(metric("signet_http_refused_total{reason=\"rate_limited\"}"), 1);
  EXPECT_EQ(calls.size(), 1u);
  shards_[0]->hang_up(connection);
  calls[0].reply({200, "", {}, "late"});
  settle();  // nobody is there to hear it
}

}  // namespace
}  // namespace signet::broker
