#include <gtest/gtest.h>

#include "wire/engineio_story_for_test.h"

namespace signet::wire {
namespace {

using std::chrono::milliseconds;

// The format's conformance suite, case by case, as far as it is a session's business: what a query
// or a method says is its owner's.
using EngineConformance = EngineStory;

TEST_F(EngineConformance, HandshakePollingOpensASession) {
  session.open_by_poll(1, now);
  EXPECT_EQ(line(), R"(1 200 0{"sid":"sid-1","upgrades":["websocket"],"pingInterval":300,)"
                    R"("pingTimeout":200,"maxPayload":1000000})");
}

TEST_F(EngineConformance, HandshakeWebSocketOpensASession) {
  session.open_by_socket(now);
  EXPECT_EQ(line(), R"(carrier 0{"sid":"sid-1","upgrades":[],"pingInterval":300,)"
                    R"("pingTimeout":200,"maxPayload":1000000})");
}

TEST_F(EngineConformance, MessagePollingPayloadsComeBackAsTheyWent) {
  // clang-format off
  const struct { const char* name; std::string body; Lines messages; } rows[] = {
      {"one plain text packet", "4hello", {"message hello"}},
      {"several plain text packets", "4test1\x1e" "4test2\x1e" "4test3",
       {"message test1", "message test2", "message test3"}},
      {"plain text and binary packets", "4hello\x1e" "bAQIDBA==",
       {"message hello", "message b:\x01\x02\x03\x04"}},
  };
  // clang-format on
  echo();
  begin_polling();
  EngineRequest next = 1;
  for (const auto& row : rows) {
    const EngineRequest posted = next++, polled = next++;
    post(posted, row.body);
    Lines expected = row.messages;
    expected.push_back(std::to_string(posted) + " 200 ok");
    EXPECT_EQ(said(), expected) << row.name;
    poll(polled);
    EXPECT_EQ(line(), std::to_string(polled) + " 200 " + row.body) << row.name;
  }
}

TEST_F(EngineConformance, MessagePollingClosesUponInvalidPacketFormat) {
  begin_polling();
  post(1, "abc");
  EXPECT_EQ(said(), (Lines{"1 400 ", "closed bad payload"}));
  poll(2);
  EXPECT_EQ(line(), "2 400 ");
}

TEST_F(EngineConformance, MessagePollingClosesUponDuplicatePoll) {
  begin_polling();
  poll(1);
  poll(2);
  EXPECT_EQ(said(), (Lines{"2 400 ", "1 200 1", "closed two polls"}));
  poll(3);
  EXPECT_EQ(line(), "3 400 ");
}

TEST_F(EngineConformance, MessagePollingClosesUponCancelledPoll) {
  begin_polling();
  poll(1);
  session.on_gone(1);
  EXPECT_EQ(line(), "closed socket closed");
  poll(2);
  EXPECT_EQ(line(), "2 400 ");
}

TEST_F(EngineConformance, MessageWebSocketSendsAndReceivesAPlainTextPacket) {
  echo();
  begin_on_socket();
  frame("4hello");
  EXPECT_EQ(said(), (Lines{"message hello", "carrier 4hello"}));
}

TEST_F(EngineConformance, MessageWebSocketSendsAndReceivesABinaryPacket) {
  echo();
  begin_on_socket();
  session.on_frame(kCarrier, true, "\x01\x02\x03\x04", now);
  EXPECT_EQ(said(), (Lines{"message b:\x01\x02\x03\x04", "carrier b:\x01\x02\x03\x04"}));
}

TEST_F(EngineConformance, MessageWebSocketClosesUponInvalidPacketFormat) {
  begin_on_socket();
  frame("abc");
  EXPECT_EQ(said(), (Lines{"drop carrier", "closed bad payload"}));
}

TEST_F(EngineConformance, HeartbeatPollingSendsPingAndTakesPong) {
  begin_polling();
  for (int i = 0; i < 3; ++i) {
    poll(1);
    sleep(milliseconds(299));
    EXPECT_EQ(said(), Lines{});
    sleep(milliseconds(1));
    EXPECT_EQ(line(), "1 200 2");
    sleep(milliseconds(100));
    post(2, "3");
    EXPECT_EQ(line(), "2 200 ok");
  }
}

TEST_F(EngineConformance, HeartbeatPollingClosesUponPingTimeout) {
  begin_polling();
  sleep(milliseconds(499));
  EXPECT_EQ(said(), Lines{});
  sleep(milliseconds(1));
  EXPECT_EQ(line(), "closed ping timeout");
  poll(1);
  EXPECT_EQ(line(), "1 400 ");
}

TEST_F(EngineConformance, HeartbeatWebSocketSendsPingAndTakesPong) {
  begin_on_socket();
  for (int i = 0; i < 3; ++i) {
    sleep(milliseconds(300));
    EXPECT_EQ(line(), "carrier 2");
    sleep(milliseconds(199));
    frame("3");
    EXPECT_EQ(said(), Lines{});
  }
}

TEST_F(EngineConformance, HeartbeatWebSocketClosesUponPingTimeout) {
  begin_on_socket();
  sleep(milliseconds(500));
  EXPECT_EQ(said(), (Lines{"carrier 2", "drop carrier", "closed ping timeout"}));
}

TEST_F(EngineConformance, ClosePollingForcefullyClosesTheSession) {
  begin_polling();
  poll(1);
  post(2, "1");
  EXPECT_EQ(said(), (Lines{"1 200 6", "2 200 ok", "closed by peer"}));
  poll(3);
  EXPECT_EQ(line(), "3 400 ");
}

TEST_F(EngineConformance, CloseWebSocketForcefullyClosesTheSession) {
  begin_on_socket();
  frame("1");
  EXPECT_EQ(said(), (Lines{"drop carrier", "closed by peer"}));
}

TEST_F(EngineConformance, UpgradeGoesFromPollingToWebSocket) {
  echo();
  begin_polling();
  EXPECT_TRUE(session.offer_socket(now));
  probe("2probe");
  EXPECT_EQ(line(), "probe 3probe");
  poll(1);
  EXPECT_EQ(line(), "1 200 6");
  probe("5");
  EXPECT_EQ(line(), "upgraded");
  frame("4hello");
  EXPECT_EQ(said(), (Lines{"message hello", "carrier 4hello"}));
}

TEST_F(EngineConformance, UpgradeIgnoresRequestsWithTheSameSidAfterIt) {
  echo();
  begin_upgraded();
  poll(1);
  EXPECT_EQ(line(), "1 400 ");
  post(2, "4hello");
  EXPECT_EQ(line(), "2 400 ");
  frame("4hello");
  EXPECT_EQ(said(), (Lines{"message hello", "carrier 4hello"}));
}

TEST_F(EngineConformance, UpgradeIgnoresAWebSocketWithTheSameSidAfterIt) {
  echo();
  begin_upgraded();
  EXPECT_FALSE(session.offer_socket(now));
  frame("4hello");
  EXPECT_EQ(said(), (Lines{"message hello", "carrier 4hello"}));
}

}  // namespace
}  // namespace signet::wire
