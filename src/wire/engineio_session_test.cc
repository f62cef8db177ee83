#include "wire/engineio_session.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <iostream>
#include <random>
#include <string>

#include "wire/engineio_client_for_test.h"
#include "wire/engineio_story_for_test.h"

namespace signet::wire {
namespace {

using std::chrono::milliseconds;

// What else the server of the format does.

TEST_F(EngineStory, EndsWithWhatMayNotComeByARequest) {
  // clang-format off
  const struct { const char* name; std::string body; Lines said; } rows[] = {
      {"an open", "0", {"1 400 ", "closed bad payload"}},
      {"a heartbeat in the wrong direction", "2", {"1 400 ", "closed bad payload"}},
      {"a probe by request", "2probe", {"1 400 ", "closed bad payload"}},
      {"an upgrade by request", "5", {"1 400 ", "closed bad payload"}},
      {"a noop", "6", {"1 400 ", "closed bad payload"}},
      {"no body", "", {"1 400 ", "closed bad payload"}},
      {"behind a message, which counts", "4a\x1e" "6\x1e" "4b", {"message a", "1 400 ", "closed bad payload"}},
      {"what can't be read takes the whole body along", "4a\x1e" "x", {"1 400 ", "closed bad payload"}},
      {"bad base64", "bA", {"1 400 ", "closed bad payload"}},
      {"no UTF-8", "4\xff", {"1 400 ", "closed bad payload"}},
      {"nothing counts behind a close", "4a\x1e" "1\x1e" "4b", {"message a", "1 200 ok", "closed by peer"}},
  };
  // clang-format on
  for (const auto& row : rows) {
    EngineSession one(options, *this, "sid");
    one.open_by_poll(99, now);
    said();
    one.on_post(1, row.body, now);
    EXPECT_EQ(said(), row.said) << row.name;
    EXPECT_TRUE(one.is_closed()) << row.name;
  }
}

TEST_F(EngineStory, EndsWithWhatMayNotComeOnItsWebSocket) {
  // clang-format off
  const struct { const char* name; std::string text; } rows[] = {
      {"an open", "0"}, {"a ping", "2"}, {"a probe", "2probe"}, {"a second upgrade", "5"},
      {"a noop", "6"}, {"an empty frame", ""}, {"no type", "7"}, {"base64", "bAQIDBA=="},
  };
  // clang-format on
  for (const auto& row : rows) {
    EngineSession one(options, *this, "sid");
    one.open_by_socket(now);
    said();
    one.on_frame(kCarrier, false, row.text, now);
    EXPECT_EQ(said(), (Lines{"drop carrier", "closed bad payload"})) << row.name;
  }
}

TEST_F(EngineStory, EndsAPollThatWaitsWithItsReason) {
  // clang-format off
  const struct { const char* name; std::function<void(EngineSession&)> end; Lines said; } rows[] = {
      {"bad body", [this](EngineSession& one) { one.on_post(2, "abc", now); },
       {"1 200 1", "2 400 ", "closed bad payload"}},
      {"closed by the server", [](EngineSession& one) { one.close(); },
       {"1 200 1", "closed by server"}},
      {"closed by the server with something to say", [](EngineSession& one) { one.send(false, "bye"); one.close(); },
       {"1 200 4bye\x1e" "1", "closed by server"}},
      {"no pong", [this](EngineSession& one) { one.on_time(now + milliseconds(300)); one.on_poll(2, now + milliseconds(301)); one.on_time(now + milliseconds(500)); },
       {"1 200 2", "2 200 1", "closed ping timeout"}},
  };
  // clang-format on
  for (const auto& row : rows) {
    EngineSession one(options, *this, "sid");
    one.open_by_poll(99, now);
    one.on_poll(1, now);
    said();
    row.end(one);
    EXPECT_EQ(said(), row.said) << row.name;
  }
}

TEST_F(EngineStory, SaysCloseOnAWebSocketOnlyOnItsOwn) {
  begin_on_socket();
  session.close();
  EXPECT_EQ(said(), (Lines{"carrier 1", "drop carrier", "closed by server"}));
  session.close();
  session.send(false, "late");
  session.flush();
  session.on_time(now + milliseconds(1'000));
  frame("4late");
  session.on_socket_closed(kCarrier);
  EXPECT_FALSE(session.offer_socket(now));
  post(1, "4late");
  EXPECT_EQ(line(), "1 400 ");
}

TEST_F(EngineStory, EndsWhenItsWebSocketCloses) {
  begin_upgraded();
  session.on_socket_closed(kProbe);  // there is none any more
  EXPECT_EQ(said(), Lines{});
  session.on_socket_closed(kCarrier);
  EXPECT_EQ(line(), "closed socket closed");
}

TEST_F(EngineStory, LosesNothingByTheConnectionOfARequestThatHasItsAnswer) {
  begin_polling();
  poll(1);
  session.send(false, "a");
  session.flush();
  session.on_gone(1);
  session.on_gone(0);
  session.on_gone(7);
  EXPECT_EQ(line(), "1 200 4a");
  EXPECT_FALSE(session.is_closed());
}

TEST_F(EngineStory, SaysInOneAnswerWhatATurnSaid) {
  begin_polling();
  poll(1);
  session.send(false, "a");
  session.send(true, "b");
  EXPECT_EQ(said(), Lines{});
  session.flush();
  EXPECT_EQ(line(),
            "1 200 4a\x1e"
            "bYg==");
  session.flush();
  session.send(false, "c");
  EXPECT_EQ(session.buffered(), 2u);
  poll(2);
  EXPECT_EQ(line(), "2 200 4c");
  EXPECT_EQ(session.buffered(), 0u);
}

TEST_F(EngineStory, LetsNobodyMakeTwoPacketsOfOneText) {
  begin_polling();
  session.send(false,
               "a\x1e"
               "1");
  poll(1);
  EXPECT_EQ(line(),
            "1 200 4a\xef\xbf\xbd"
            "1");
}

TEST_F(EngineStory, AnswersABodyThoughItsOwnMessageEndsTheSession) {
  begin_polling();
  poll(1);
  when_told = [this](bool, std::string_view) { session.close(); };
  post(2,
       "4a\x1e"
       "4b");
  EXPECT_EQ(said(), (Lines{"message a", "1 200 1", "2 200 ok", "closed by server"}));
}

// Heartbeats.

TEST_F(EngineStory, CountsTheIntervalFromThePong) {
  begin_on_socket();
  EXPECT_EQ(session.due(), now + milliseconds(300));
  sleep(milliseconds(300));
  EXPECT_EQ(session.due(), now + milliseconds(200));
  sleep(milliseconds(50));
  frame("3");
  EXPECT_EQ(session.due(), now + milliseconds(300));
}

TEST_F(EngineStory, IsNotPutOffByPongsThatNobodyAskedFor) {
  begin_on_socket();
  sleep(milliseconds(290));
  frame("3");
  sleep(milliseconds(10));
  EXPECT_EQ(line(), "carrier 2");
}

TEST_F(EngineStory, FindsALatePongThoughNoTimerWentOff) {
  begin_on_socket();
  sleep(milliseconds(300));
  said();
  now = now + milliseconds(200);
  frame("3");
  EXPECT_EQ(said(), (Lines{"drop carrier", "closed ping timeout"}));
}

TEST_F(EngineStory, GivesTheClientItsWholeTimeAfterALateTimer) {
  begin_polling();
  now = now + milliseconds(5'000);
  poll(1);
  EXPECT_EQ(line(), "1 200 2");
  EXPECT_EQ(session.due(), now + milliseconds(200));
}

TEST_F(EngineStory, TakesOnTheWebSocketThePongOfAPingBeforeIt) {
  begin_probing();
  sleep(milliseconds(300));
  poll(1);
  EXPECT_EQ(line(), "1 200 2");
  probe("5");
  frame("3");
  EXPECT_EQ(line(), "upgraded");
  EXPECT_EQ(session.due(), now + milliseconds(300));
}

TEST_F(EngineStory, KeepsAPingForTheWebSocketThatIsToCome) {
  begin_probing();
  sleep(milliseconds(300));
  probe("5");
  EXPECT_EQ(said(), (Lines{"upgraded", "carrier 2"}));
}

// The upgrade and its races.

TEST_F(EngineStory, LetsGoOfThePollThatWaitsWhenTheProbePings) {
  begin_polling();
  poll(1);
  EXPECT_TRUE(session.offer_socket(now));
  EXPECT_EQ(said(), Lines{});
  probe("2probe");
  EXPECT_EQ(said(), (Lines{"probe 3probe", "1 200 6"}));
}

TEST_F(EngineStory, LetsPollsWaitUntilTheProbePings) {
  begin_polling();
  EXPECT_TRUE(session.offer_socket(now));
  poll(1);
  EXPECT_EQ(said(), Lines{});
  session.send(false, "a");
  session.flush();
  EXPECT_EQ(line(), "1 200 4a");
}

TEST_F(EngineStory, AnswersPollsOfAProbeWithWhatIsKept) {
  begin_probing();
  session.send(false, "a");
  session.flush();
  EXPECT_EQ(said(), Lines{});
  poll(1);
  EXPECT_EQ(line(), "1 200 4a");
  poll(2);
  EXPECT_EQ(line(), "2 200 6");
}

TEST_F(EngineStory, SendsOnTheWebSocketWhatWasSaidBetweenProbeAndUpgrade) {
  begin_probing();
  session.send(false, "a");
  session.send(true, std::string_view("\0\xff", 2));
  session.send(false, "");
  session.send(false, "bYQ==");
  probe("5");
  session.send(false, "last");
  EXPECT_EQ(said(), (Lines{"upgraded", "carrier 4a", std::string("carrier b:\0\xff", 12),
                           "carrier 4", "carrier 4bYQ==", "carrier 4last"}));
  EXPECT_EQ(session.buffered(), 0u);
}

TEST_F(EngineStory, KeepsTheOrderWhereEventsSayMore) {
  begin_probing();
  session.send(false, "a");
  session.send(false, "b");
  when_upgraded = [this] { session.send(false, "c"); };
  int more = 2;
  on_frame_sent = [&] {
    if (more > 0) session.send(false, "more" + std::to_string(more--));
  };
  probe("5");
  EXPECT_EQ(said(), (Lines{"upgraded", "carrier 4a", "carrier 4b", "carrier 4c", "carrier 4more2",
                           "carrier 4more1"}));
}

TEST_F(EngineStory, EndsInTheMiddleOfAnUpgradeWhereAnEventSaysSo) {
  begin_probing();
  session.send(false, "a");
  when_upgraded = [this] { session.close(); };
  probe("5");
  EXPECT_EQ(said(), (Lines{"upgraded", "carrier 1", "drop carrier", "closed by server"}));
}

TEST_F(EngineStory, TakesAnUpgradeWithoutAPingAndLetsGoOfThePoll) {
  begin_polling();
  poll(1);
  session.send(false, "a");  // not flushed yet
  EXPECT_TRUE(session.offer_socket(now));
  probe("5");
  EXPECT_EQ(said(), (Lines{"1 200 6", "upgraded", "carrier 4a"}));
}

TEST_F(EngineStory, TakesABodyWhileAProbeIsUnderWay) {
  begin_polling();
  poll(1);
  EXPECT_TRUE(session.offer_socket(now));
  post(2, "4a");
  EXPECT_EQ(said(), (Lines{"message a", "2 200 ok"}));
  probe("2probe");
  EXPECT_EQ(said(), (Lines{"probe 3probe", "1 200 6"}));
  echo();
  post(3, "4b");
  EXPECT_EQ(said(), (Lines{"message b", "3 200 ok"}));
  probe("5");
  EXPECT_EQ(said(), (Lines{"upgraded", "carrier 4b"}));
}

TEST_F(EngineStory, LetsAPollOfWhoDoesNotGoOverWait) {
  begin_polling();
  poll(1);
  EXPECT_TRUE(session.offer_socket(now));
  probe("2probe");
  EXPECT_EQ(said(), (Lines{"probe 3probe", "1 200 6"}));
  poll(2);
  EXPECT_EQ(line(), "2 200 6") << "it was on its way";
  poll(3);
  EXPECT_EQ(said(), Lines{});
  EXPECT_EQ(session.due(), now + options.noop_interval);
  probe("2probe");
  EXPECT_EQ(line(), "probe 3probe") << "asking again lets it go no sooner";
  sleep(options.noop_interval - milliseconds(1));
  EXPECT_EQ(said(), Lines{});
  sleep(milliseconds(1));
  EXPECT_EQ(line(), "3 200 6");
  poll(4);
  session.send(false, "a");
  session.flush();
  EXPECT_EQ(line(), "4 200 4a") << "what there is to say waits for nothing";
  poll(5);
  probe("5");
  EXPECT_EQ(said(), (Lines{"5 200 6", "upgraded"}));
}

TEST_F(EngineStory, HasOneProbeAtATime) {
  begin_polling();
  EXPECT_TRUE(session.offer_socket(now));
  EXPECT_FALSE(session.offer_socket(now));
  session.on_socket_closed(kProbe);
  EXPECT_TRUE(session.offer_socket(now));
}

TEST_F(EngineStory, GoesOnByPollingWhenTheProbeCloses) {
  begin_probing();
  session.on_socket_closed(kProbe);
  poll(1);
  EXPECT_EQ(said(), Lines{});
  session.send(false, "a");
  session.flush();
  EXPECT_EQ(line(), "1 200 4a");
  probe("5");  // of the one that closed
  EXPECT_FALSE(session.is_on_socket());
}

TEST_F(EngineStory, EndsTheProbeOnlyWhenItSaysSomethingElse) {
  // clang-format off
  const struct { const char* name; bool binary; std::string payload; } rows[] = {
      {"a plain ping", false, "2"}, {"another ping", false, "2prob"}, {"a longer one", false, "2probes"},
      {"a message", false, "4a"}, {"a pong", false, "3"}, {"a close", false, "1"}, {"an open", false, "0"},
      {"a noop", false, "6"}, {"nothing", false, ""}, {"no packet", false, "abc"}, {"bytes", true, "2probe"},
      {"an upgrade in bytes", true, "5"},
  };
  // clang-format on
  for (const auto& row : rows) {
    EngineSession one(options, *this, "sid");
    one.open_by_poll(99, now);
    EXPECT_TRUE(one.offer_socket(now));
    said();
    one.on_frame(kProbe, row.binary, row.payload, now);
    EXPECT_EQ(said(), Lines{"drop probe"}) << row.name;
    one.on_poll(1, now);
    one.send(false, "a");
    one.flush();
    EXPECT_EQ(said(), Lines{"1 200 4a"}) << row.name;
    EXPECT_TRUE(one.offer_socket(now)) << row.name;
  }
}

TEST_F(EngineStory, EndsAProbeThatDoesNotGoOn) {
  options.upgrade_timeout = milliseconds(100);
  begin_probing();
  EXPECT_EQ(session.due(), now + milliseconds(100));
  sleep(milliseconds(99));
  EXPECT_EQ(said(), Lines{});
  sleep(milliseconds(1));
  EXPECT_EQ(line(), "drop probe");
  EXPECT_EQ(session.due(), now + milliseconds(200));
  EXPECT_TRUE(session.offer_socket(now));
}

TEST_F(EngineStory, TakesNoUpgradeAfterItsTime) {
  options.upgrade_timeout = milliseconds(100);
  begin_probing();
  now = now + milliseconds(100);
  probe("5");
  EXPECT_EQ(line(), "drop probe");
  EXPECT_FALSE(session.is_on_socket());
}

TEST_F(EngineStory, DropsItsProbeWhenItEnds) {
  begin_probing();
  session.close();
  EXPECT_EQ(said(), (Lines{"drop probe", "closed by server"}));
}

TEST_F(EngineStory, HasNoProbeWhereItBeganOnAWebSocket) {
  begin_on_socket();
  EXPECT_FALSE(session.offer_socket(now));
  probe("2probe");
  probe("5");
  EXPECT_EQ(said(), Lines{});
}

// Bounds.

TEST_F(EngineStory, EndsWithABodyOrAFrameOverTheLimits) {
  options.max_payload = 5;
  options.max_packets = 2;
  // clang-format off
  const struct { const char* name; std::string body; bool ok; } rows[] = {
      {"as long as may be", "4abcd", true},
      {"longer", "4abcde", false},
      {"as many packets as may be", "4\x1e" "4", true},
      {"more", "4\x1e" "4\x1e" "4", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    EngineSession one(options, *this, "sid");
    one.open_by_poll(99, now);
    one.on_post(1, row.body, now);
    EXPECT_EQ(one.is_closed(), !row.ok) << row.name;
  }
  begin_on_socket();
  frame("4abcd");
  session.on_frame(kCarrier, true, "abcde", now);
  EXPECT_FALSE(session.is_closed());
  said();
  session.on_frame(kCarrier, true, "abcdef", now);
  EXPECT_EQ(said(), (Lines{"drop carrier", "closed bad payload"}));
}

TEST_F(EngineStory, EndsWhenMoreIsKeptThanMayBe) {
  options.max_buffered = 10;
  begin_polling();
  session.send(false, "abc");
  session.send(false, "def");
  EXPECT_EQ(session.buffered(), 9u);
  session.send(false, "");
  EXPECT_EQ(line(), "closed slow");
  EXPECT_EQ(session.buffered(), 0u);
}

TEST_F(EngineStory, MakesRoomByThePollThatWaits) {
  options.max_buffered = 10;
  begin_polling();
  poll(1);
  session.send(false, "abcdef");
  session.send(false, "ghi");
  EXPECT_EQ(line(), "1 200 4abcdef");
  EXPECT_EQ(session.buffered(), 4u);
}

TEST_F(EngineStory, CountsWhatASeparatorAndBase64Add) {
  options.max_buffered = 10;
  // clang-format off
  const struct { const char* name; std::string data; bool binary, fits; } rows[] = {
      {"text", "12345678", false, true}, {"longer text", "123456789", false, false},
      {"bytes", "123456", true, true}, {"more bytes", "1234567", true, false},
      {"separators", "\x1e\x1e", false, true}, {"more separators", "\x1e\x1e\x1e", false, false},
  };
  // clang-format on
  for (const auto& row : rows) {
    EngineSession one(options, *this, "sid");
    one.open_by_poll(99, now);
    one.send(row.binary, row.data);
    EXPECT_EQ(one.is_closed(), !row.fits) << row.name;
  }
}

TEST_F(EngineStory, KeepsNothingOnItsWebSocket) {
  options.max_buffered = 10;
  begin_on_socket();
  for (int i = 0; i < 100; ++i) session.send(false, "abcdef");
  EXPECT_EQ(session.buffered(), 0u);
  EXPECT_EQ(said().size(), 100u);
}

TEST_F(EngineStory, SaysNothingBeforeItBegins) {
  session.send(false, "early");
  session.flush();
  poll(1);
  post(2, "4a");
  EXPECT_EQ(said(), (Lines{"1 400 ", "2 400 "}));
  EXPECT_EQ(session.buffered(), 0u);
}

// Any interleaving: see engineio_client_for_test.h for what is promised.

struct Counts {
  std::size_t arrived = 0, taken = 0, upgraded = 0;
  std::array<std::size_t, 7> closed{};
  void add(const EngineClient& client) {
    arrived += client.arrived();
    taken += client.taken();
    upgraded += client.is_on_socket() ? 1 : 0;
    if (client.closed()) ++closed.at(static_cast<std::size_t>(*client.closed()));
  }
};

TEST(EngineSession, BringsEachMessageOnceAndInOrderToAFairClient) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  Counts counts;
  for (int round = 0; round < 400; ++round) {
    EngineClient client(EngineOptions{}, random() % 8 == 0);
    for (int i = 0; i < 200; ++i) {
      const auto step = static_cast<EngineStep>(random() % kEngineSteps);
      if (client.is_fair(step)) client.play(step, static_cast<std::uint8_t>(random()));
      client.keep_alive();
      ASSERT_EQ(client.fault(), "") << "seed " << seed << " round " << round << " step " << i;
      ASSERT_FALSE(client.is_closed()) << "seed " << seed << " round " << round << " step " << i;
    }
    client.settle();
    ASSERT_EQ(client.fault(), "") << "seed " << seed << " round " << round;
    ASSERT_EQ(client.refused(), 0u) << "seed " << seed << " round " << round;
    counts.add(client);
  }
  EXPECT_GT(counts.upgraded, 100u);  // else the steps are too tame to show anything
  EXPECT_GT(counts.arrived, 4'000u);
  EXPECT_GT(counts.taken, 4'000u);
}

TEST(EngineSession, BreaksNoPromiseWhateverAClientDoes) {
  static constexpr std::string_view kRaw[] = {"4x", "5", "2",  "2probe",    "1",         "3",
                                              "6",  "",  "7x", "4\x1e\x33", "4\x1e\x35", "bAA=="};
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  Counts counts;
  for (int round = 0; round < 4'000; ++round) {
    EngineOptions options;
    if (random() % 2 == 0) options.max_buffered = 500;
    if (random() % 8 == 0) options.max_packets = 3;
    EngineClient client(options, random() % 8 == 0);
    for (int i = 0; i < 60; ++i) {
      const auto step = static_cast<EngineStep>(random() % kEngineSteps);
      const bool sends = step == EngineStep::kSend || step == EngineStep::kSendAndFlush;
      if (!client.is_fair(step) && !sends && random() % 8 != 0) continue;
      client.play(step, static_cast<std::uint8_t>(random()), kRaw[random() % std::size(kRaw)]);
      ASSERT_EQ(client.fault(), "") << "seed " << seed << " round " << round << " step " << i;
    }
    client.settle();
    ASSERT_EQ(client.fault(), "") << "seed " << seed << " round " << round;
    counts.add(client);
  }
  for (std::size_t why = 0; why < counts.closed.size(); ++why) {
    EXPECT_GT(counts.closed.at(why), 5u) << name_of(static_cast<EngineClosed>(why));
  }
  EXPECT_GT(counts.upgraded, 50u);
  EXPECT_GT(counts.arrived, 2'000u);
}

}  // namespace
}  // namespace signet::wire
