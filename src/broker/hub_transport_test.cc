// Stories of Hub's transport: sessions of Engine.IO over requests and WebSockets on any shard.
#include "broker/hub_story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

class HubTransport : public HubStory {
 protected:
  std::string first_events(const std::string& name) {
    return "connected, auth_context " + name + " user, engine_status none, agent_nonce, " +
           "presence_update " + name + ":active";
  }
};

TEST_F(HubTransport, AHandshakeTellsTheFormat) {
  options_.hub.engine.ping_interval = 25s;
  start();
  for (const std::size_t shard : {0U, 1U}) {
    FakeConnection& connection = ask_transport(shard, {});
    ASSERT_EQ(connection.responses.size(), 1U) << "at once";
    const net::HttpResponse& response = connection.responses[0];
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.content_type, "text/plain; charset=UTF-8");
    const std::string sid = sid_in(response.body.substr(1));
    EXPECT_EQ(response.body, R"(0{"sid":")" + sid +
                                 R"(","upgrades":["websocket"],"pingInterval":25000,)" +
                                 R"("pingTimeout":20000,"maxPayload":1000000})");
    EXPECT_EQ(sid.size(), 25U) << "a shard, and 144 bits that nobody guesses";
    EXPECT_EQ(sid[0], shard == 0 ? 'A' : 'B');
  }
  FakeConnection& connection = ask_transport(1, socket());
  ASSERT_TRUE(connection.is_websocket);
  ASSERT_EQ(connection.texts.size(), 1U);
  EXPECT_NE(connection.texts[0].find(R"("upgrades":[])"), std::string::npos);
  settle();
  EXPECT_EQ(metric("signet_hub_sessions"), 3);
}

TEST_F(HubTransport, WhatIsNoRequestOfItIsRefusedInTheFormatsWords) {
  start();
  const std::string sid = begin_polling();
  const std::string polling = "EIO=4&transport=polling";
  const struct {
    const char* name;
    HubAsk ask;
    std::string answer;
  } rows[] = {
      {"no transport", {"EIO=4"}, fault(400, 0, "Transport unknown")},
      {"another transport", {"EIO=4&transport=pigeon"}, fault(400, 0, "Transport unknown")},
      {"a sid nobody has", poll("AAAAAAAAAAAAAAAAAAAAAAAAA"), unknown_sid()},
      {"a sid of no shard", poll("zAAAAAAAAAAAAAAAAAAAAAAAA"), unknown_sid()},
      {"a sid of no alphabet", poll("!" + sid), unknown_sid()},
      {"a begin by POST", {polling, "POST", "40"}, fault(400, 2, "Bad handshake method")},
      {"an upgrade to polling", {polling, "GET", "", true}, fault(400, 3, "Bad request")},
      {"a WebSocket that is none", {"EIO=4&transport=websocket"}, fault(400, 3, "Bad request")},
      {"another method", {polling + "&sid=" + sid, "DELETE"}, fault(400, 3, "Bad request")},
      {"version 3", {"EIO=3&transport=polling"}, fault(400, 5, "Unsupported protocol version")},
      {"no version", {"transport=polling"}, fault(400, 5, "Unsupported protocol version")},
  };
  for (const auto& row : rows) {
    for (const std::size_t shard : {0U, 1U})
      EXPECT_EQ(asked(shard, row.ask), row.answer) << row.name;
  }
  EXPECT_EQ(metric("signet_hub_sessions"), 1);
}

TEST_F(HubTransport, WhereNothingIsBoundOrHubIsOffThereIsNone) {
  start();
  const auto bound = std::exchange(rules_.bindings, {});
  show_rules();
  EXPECT_EQ(asked(0, {}), fault(404, 4, "no mesh is bound to this path"));
  rules_.bindings = bound;
  rules_.otherwise.hub = nullptr;
  show_rules();
  EXPECT_EQ(asked(0, socket()), fault(404, 4, "no mesh is bound to this path"));
  set_door();
  show_rules();
  EXPECT_EQ(asked(0, {}).substr(0, 4), "200 ");
}

TEST_F(HubTransport, AnAddressBeginsOnlySoManySessions) {
  options_.hellos_per_second = 1;
  options_.hellos_burst = 2;
  start();
  begin_polling();
  begin_polling();
  FakeConnection& third = ask_transport(0, {});
  EXPECT_EQ(answer_of(third), fault(429, 4, "too many sessions from this address"));
  HubAsk elsewhere;
  elsewhere.address = 9;
  EXPECT_EQ(asked(0, elsewhere).substr(0, 4), "200 ");
  pass(1s);
  begin_polling();
}

TEST_F(HubTransport, ASidOfAnotherShardIsServedByMessageWhereItCame) {
  start();
  const std::string sid = begin_polling(0);
  FakeConnection& waiting = ask_transport(1, poll(sid));
  settle();
  EXPECT_EQ(answer_of(waiting), "waits");
  EXPECT_EQ(asked(1, post(sid, connect_with(token("uma")))), "200 ok");
  const std::string answer = answer_of(waiting);
  EXPECT_EQ(words_of(answer.substr(4)) + ", " + polled(sid, 1), first_events("uma"));
  EXPECT_FALSE(waiting.handed_to) << "no request moves its connection";
  EXPECT_TRUE(waiting.is_proven);
  EXPECT_EQ(asked(1, post(sid, event("heartbeat", "{}"))), "200 ok");
  EXPECT_EQ(polled(sid, 0), "heartbeat_result");
}

TEST_F(HubTransport, AStolenSidIsUnknownElsewhere) {
  start();
  const std::string sid = begin_polling();
  asked(0, post(sid, connect_with(token("uma"))));
  for (HubAsk ask : {poll(sid), post(sid, "41"), socket(sid)}) {
    ask.address = 9;
    EXPECT_EQ(asked(0, ask), unknown_sid()) << ask.method << ask.query;
  }
  EXPECT_EQ(polled(sid), first_events("uma")) << "whose it is goes on";
}

TEST_F(HubTransport, AnUpgradeGoesToTheShardOfTheSession) {
  start();
  const std::string sid = begin_polling(0);
  FakeConnection& moved = ask_transport(1, socket(sid));
  EXPECT_EQ(moved.handed_to, 0U);
  EXPECT_FALSE(moved.is_websocket) << "its request is answered there";

  FakeConnection& probe = ask_transport(0, socket(sid));
  ASSERT_TRUE(probe.is_websocket);
  FakeConnection& waiting = ask_transport(1, poll(sid));
  EXPECT_EQ(tell(probe, "2probe"), "3probe");
  EXPECT_EQ(answer_of(waiting), "200 6") << "let go, so that the client can move";
  EXPECT_EQ(asked(0, post(sid, connect_with(token("uma")))), "200 ok");
  EXPECT_EQ(hears(probe), "") << "not before it says so";
  EXPECT_EQ(tell(probe, "5"), first_events("uma"));
  EXPECT_EQ(metric("signet_hub_upgrades_total"), 1);
  EXPECT_EQ(tell(probe, event("heartbeat", "{}")), "heartbeat_result");
  EXPECT_EQ(asked(0, socket(sid)), fault(400, 3, "Bad request"));
  EXPECT_EQ(asked(1, poll(sid)), fault(400, 3, "Bad request"));
  EXPECT_EQ(asked(1, post(sid, event("heartbeat", "{}"))), fault(400, 3, "Bad request"));
  EXPECT_EQ(tell(probe, event("heartbeat", "{}")), "heartbeat_result");
}

TEST_F(HubTransport, AProbeThatGoesLeavesTheSessionToItsRequests) {
  start();
  const std::string sid = begin_polling(0);
  asked(0, post(sid, connect_with(token("uma"))));
  FakeConnection& probe = ask_transport(0, socket(sid));
  EXPECT_EQ(tell(probe, "2probe"), "3probe");
  shards_[0]->hang_up(probe);
  settle();
  EXPECT_EQ(polled(sid), first_events("uma"));
  FakeConnection& next = ask_transport(0, socket(sid));
  EXPECT_TRUE(next.is_websocket);
  EXPECT_EQ(tell(next, "what is this"), "");
  EXPECT_TRUE(next.closed) << "what is no probe ends itself";
  EXPECT_EQ(asked(0, post(sid, event("heartbeat", "{}"))), "200 ok");
}

TEST_F(HubTransport, PagesOfAListedOriginMayReadEveryAnswer) {
  start();
  const std::string sid = begin_polling(0);
  HubAsk unknown = poll("AAAAAAAAAAAAAAAAAAAAAAAAA");
  HubAsk preflight;
  preflight.method = "OPTIONS";
  const struct {
    const char* name;
    HubAsk ask;
    int status;
  } rows[] = {{"a handshake", {}, 200},
              {"a body from another shard", post(sid, "40"), 200},
              {"a poll from another shard", poll(sid), 200},
              {"a fault", {"EIO=3&transport=polling"}, 400},
              {"a fault from another shard", unknown, 400},
              {"a question before", preflight, 204}};
  using Header = std::pair<std::string, std::string>;
  const auto has = [](const net::HttpResponse& response, const Header& header) {
    return std::find(response.headers.begin(), response.headers.end(), header) !=
           response.headers.end();
  };
  for (const auto& row : rows) {
    HubAsk ask = row.ask;
    ask.origin = "https://page.example";
    FakeConnection& connection = ask_transport(1, ask);
    settle();
    ASSERT_EQ(connection.responses.size(), 1U) << row.name;
    const net::HttpResponse& response = connection.responses[0];
    EXPECT_EQ(response.status, row.status) << row.name;
    EXPECT_TRUE(has(response, {"Access-Control-Allow-Origin", ask.origin})) << row.name;
    EXPECT_TRUE(has(response, {"Access-Control-Allow-Credentials", "true"})) << row.name;
    EXPECT_TRUE(has(response, {"Vary", "Origin"})) << row.name;
  }
  FakeConnection& plain = ask_transport(1, {});
  EXPECT_FALSE(has(plain.responses.at(0), {"Vary", "Origin"})) << "a client that is no page";
}

TEST_F(HubTransport, WhoGoesWhileItsPollWaitsEndsTheSession) {
  start();
  const std::string sid = begin_polling(0);
  asked(1, post(sid, connect_with(token("uma"))));
  FakeConnection& answered = ask_transport(1, poll(sid));
  settle();
  EXPECT_NE(answer_of(answered), "waits");
  shards_[1]->hang_up(answered);
  settle();
  EXPECT_EQ(metric("signet_hub_sessions"), 1) << "its request was answered";

  FakeConnection& waiting = ask_transport(1, poll(sid));
  settle();
  shards_[1]->hang_up(waiting);
  settle();
  EXPECT_EQ(metric("signet_hub_sessions"), 0);
  EXPECT_EQ(metric("signet_hub_users"), 0);
  EXPECT_EQ(shared_->loads.count({1}), 0);
  EXPECT_EQ(polled(sid), unknown_sid());
  EXPECT_EQ(asked(1, post(sid, "41")), unknown_sid());
  EXPECT_EQ(asked(0, socket(sid)), unknown_sid());
}

TEST_F(HubTransport, ASecondPollEndsTheSessionAndSaysSoToTheFirst) {
  start();
  const std::string sid = begin_polling(0);
  FakeConnection& waiting = ask_transport(1, poll(sid));
  settle();
  EXPECT_EQ(polled(sid), fault(400, 3, "Bad request"));
  EXPECT_EQ(answer_of(waiting), "200 1");
  EXPECT_EQ(polled(sid), unknown_sid());
  EXPECT_EQ(metric("signet_hub_transport_total{reason=\"two_polls\"}"), 1);
}

// Each on a connection of its own, as clients that retry too soon have them.
TEST_F(HubTransport, ASecondBodyBeforeTheFirstIsAnsweredEndsTheSession) {
  start();
  for (const bool joined : {false, true}) {
    const std::string sid = begin_polling(0);
    if (joined) asked(1, post(sid, connect_with(token("uma"))));
    for (int i = 0; i < 20; ++i) {
      ASSERT_EQ(asked(i % 2, post(sid, "3")), "200 ok") << "one behind the other";
    }
    FakeConnection& waiting = ask_transport(0, poll(sid));
    const std::string heard = answer_of(waiting);
    EXPECT_EQ(joined ? words_of(heard.substr(4)) : heard, joined ? first_events("uma") : "waits");
    FakeConnection& first = ask_transport(1, post(sid, "3"));
    FakeConnection& second = ask_transport(1, post(sid, "3"));
    settle();
    EXPECT_EQ(answer_of(first), "200 ok");
    EXPECT_EQ(answer_of(second), fault(400, 3, "Bad request"));
    EXPECT_EQ(answer_of(waiting), joined ? "waits" : "200 1") << "it was answered before";
    EXPECT_EQ(asked(1, post(sid, "3")), unknown_sid());
  }
  EXPECT_EQ(metric("signet_hub_transport_total{reason=\"two_posts\"}"), 2);
  EXPECT_EQ(metric("signet_hub_sessions"), 0);
}

// The answer went out on another shard, and the word of it is behind the next body: it is waited
// for, since the client did nothing wrong.
TEST_F(HubTransport, ABodyThatOvertakesTheWordOfAnAnswerIsTaken) {
  start();
  const std::string sid = begin_polling(0);
  FakeConnection& first = ask_transport(1, post(sid, "3"));
  while (first.responses.empty()) {
    shards_[0]->turn();
    shards_[1]->turn();
  }
  FakeConnection& second = ask_transport(0, post(sid, "3"));
  settle();
  EXPECT_EQ(answer_of(second), "200 ok");
}

TEST_F(HubTransport, WhoHasJoinedNothingMaySayLittle) {
  start();
  const std::string nobody = begin_polling(0);
  const std::string large =
      event("x", "\"" + std::string(options_.unproven_frame_bytes, 'x') + "\"");
  EXPECT_EQ(asked(0, post(nobody, large)), fault(400, 3, "Bad request"));
  EXPECT_EQ(polled(nobody), unknown_sid());

  const std::string sid = begin_polling(0);
  asked(0, post(sid, connect_with(token("uma"))));
  EXPECT_EQ(asked(0, post(sid, large)), "200 ok");

  FakeConnection& connection = begin_on_socket();
  EXPECT_EQ(connection.frame_limits->max_message_bytes, options_.unproven_frame_bytes);
  tell(connection, connect_with(token("vic")));
  EXPECT_EQ(connection.frame_limits->max_message_bytes, options_.hub.engine.max_payload);
  EXPECT_TRUE(connection.is_proven);
}

TEST_F(HubTransport, TheOldestThatJoinedNothingMakesRoom) {
  constexpr std::size_t kMost = 4'096;
  start(1);
  const std::string oldest = begin_polling();
  const std::string second = begin_polling();
  asked(0, post(second, connect_with(token("uma"))));
  for (std::size_t i = 2; i < kMost; ++i) ask_transport(0, {});
  settle();
  EXPECT_EQ(metric("signet_hub_sessions"), static_cast<std::int64_t>(kMost));
  begin_polling();
  EXPECT_EQ(polled(oldest), unknown_sid());
  EXPECT_EQ(metric("signet_hub_sessions"), static_cast<std::int64_t>(kMost));
  begin_polling();
  begin_polling();
  EXPECT_EQ(polled(second), first_events("uma")) << "who is somebody stays";
}

TEST_F(HubTransport, WhoJoinsNothingInTimeIsClosed) {
  start();
  const std::string sid = begin_polling(0);
  FakeConnection& waiting = ask_transport(0, poll(sid));
  FakeConnection& silent = begin_on_socket(1);
  FakeConnection& uma = user("uma", 1);
  hears(uma);
  pass(options_.hub.connect_timeout);
  EXPECT_EQ(answer_of(waiting), "waits");
  pass(250ms);
  EXPECT_EQ(answer_of(waiting), "200 1");
  EXPECT_EQ(hears(silent), "close");
  EXPECT_TRUE(silent.closed);
  EXPECT_FALSE(uma.closed);
  EXPECT_EQ(metric("signet_hub_sessions"), 1);
}

TEST_F(HubTransport, ARefusalClosesOnceItIsDeliveredOrAfterAWhile) {
  start();
  FakeConnection& connection = begin_on_socket();
  EXPECT_EQ(tell(connection, "40"), "refused AUTH_REQUIRED, close");
  EXPECT_TRUE(connection.closed);

  const std::string read = begin_polling();
  EXPECT_EQ(asked(0, post(read, "40")), "200 ok");
  EXPECT_EQ(polled(read), "refused AUTH_REQUIRED");
  EXPECT_EQ(polled(read), unknown_sid());

  const std::string unread = begin_polling();
  EXPECT_EQ(asked(0, post(unread, "40")), "200 ok");
  pass(options_.hub.refusal_delivery - 1ms);
  EXPECT_EQ(metric("signet_hub_sessions"), 1);
  pass(250ms);
  EXPECT_EQ(metric("signet_hub_sessions"), 0);

  const std::string again = begin_polling();
  EXPECT_EQ(asked(0, post(again, "40\x1e" + connect_with(token("uma")))), "200 ok");
  EXPECT_EQ(polled(again), "refused AUTH_REQUIRED, " + first_events("uma"))
      << "who joins meanwhile stays";
  pass(options_.hub.refusal_delivery + 250ms);
  EXPECT_NE(polled(again), unknown_sid());
}

TEST_F(HubTransport, WhoHasJoinedOneNamespaceMayBeRefusedAnother) {
  start();
  FakeConnection& uma = user("uma");
  EXPECT_EQ(tell(uma, "40/engine,"), "disconnected /engine");
  EXPECT_EQ(tell(uma, "40/admin,"), "refused /admin Invalid namespace");
  EXPECT_FALSE(uma.closed);
  EXPECT_EQ(tell(uma, "41"), "close") << "who has left all of them has no business here";
  EXPECT_TRUE(uma.closed);
  EXPECT_EQ(tell(begin_on_socket(), "40/admin,"), "refused /admin Invalid namespace, close");
}

TEST_F(HubTransport, APacketThatIsNoneEndsItsSessionAndNoOther) {
  start();
  FakeConnection& vic = user("vic", 1);
  const struct {
    const char* name;
    std::vector<std::string> frames;
  } rows[] = {
      {"no packet of Engine.IO", {"9"}},
      {"nothing at all", {""}},
      {"a handshake by a client", {"0{}"}},
      {"no packet of Socket.IO", {"49"}},
      {"an empty one", {"4"}},
      {"an event that is no array", {"42{}"}},
      {"an event of a reserved name", {R"(42["connect"])"}},
      {"too many attachments", {R"(4511-["x"])"}},
      {"a text where an attachment must be",
       {R"(451-["x",{"_placeholder":true,"num":0}])", "42[\"x\"]"}},
      {"a refusal by a client", {"44{}"}},
      {"an event of a namespace it is not in", {R"(42/engine,["engine_ready"])"}},
  };
  std::int64_t ended = 0;
  for (const auto& row : rows) {
    FakeConnection& uma = user("uma");
    for (const std::string& frame : row.frames) tell(uma, frame);
    EXPECT_TRUE(uma.closed) << row.name;
    EXPECT_EQ(metric("signet_hub_sessions"), 1) << row.name;
    const bool is_early = std::string_view(row.name) == "an event of a namespace it is not in";
    if (!is_early) ++ended;
    EXPECT_EQ(metric("signet_hub_transport_total{reason=\"malformed\"}"), ended) << row.name;
    EXPECT_EQ(metric("signet_hub_transport_total{reason=\"too_early\"}"), is_early) << row.name;
  }
  FakeConnection& nobody = begin_on_socket();
  EXPECT_EQ(tell(nobody, event("heartbeat", "{}")), "close") << "before CONNECT";
  hears(vic);
  EXPECT_EQ(tell(vic, event("heartbeat", "{}")), "heartbeat_result");
}

TEST_F(HubTransport, AttachmentsComeInTime) {
  start();
  FakeConnection& uma = user("uma");
  const std::string begun = R"(451-["x",{"_placeholder":true,"num":0}])";
  EXPECT_EQ(tell(uma, begun), "");
  broker_of(uma).on_message(uma, wire::MessageKind::kBinary, "bytes");
  pass(10s);
  EXPECT_FALSE(uma.closed);
  hears(uma);
  EXPECT_EQ(tell(uma, begun), "");
  pass(5s);
  EXPECT_FALSE(uma.closed);
  pass(250ms);
  EXPECT_TRUE(uma.closed);
}

TEST_F(HubTransport, WhoDoesNotAnswerAPingIsGone) {
  options_.hub.engine.ping_interval = 25s;
  start();
  FakeConnection& uma = user("uma");
  FakeConnection& vic = user("vic", 1);
  hears(uma);
  pass(25s);
  EXPECT_NE(hears(uma).find("ping"), std::string::npos);
  tell(uma, "3");
  pass(20s);
  EXPECT_FALSE(uma.closed);
  EXPECT_TRUE(vic.closed);
  EXPECT_EQ(metric("signet_hub_users"), 1);
}

TEST_F(HubTransport, WhoAsksForAnAcknowledgementHasOne) {
  start();
  FakeConnection& uma = user("uma");
  EXPECT_EQ(tell(uma, R"(4213["nobody listens"])"), "4313[]");
  FakeConnection& gpu = engine("gpu-1", 1);
  EXPECT_EQ(tell(gpu, R"(42/engine,0["nobody listens"])"), "43/engine,0[]");
}

TEST_F(HubTransport, OneSessionSaysOnlySoMuchASecond) {
  options_.hub.packets_per_second = 1;
  options_.hub.packets_burst = 4;
  start();
  FakeConnection& uma = user("uma");
  for (int i = 0; i < 3; ++i) tell(uma, event("heartbeat", "{}"));
  EXPECT_FALSE(uma.closed);
  tell(uma, event("heartbeat", "{}"));
  EXPECT_TRUE(uma.closed);
}

}  // namespace
}  // namespace signet::broker
