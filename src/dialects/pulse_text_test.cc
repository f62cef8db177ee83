#include "dialects/pulse_text.h"

#include <gtest/gtest.h>

#include <iostream>

#include "wire/vectors_for_test.h"

namespace signet::dialects {
namespace {

constexpr WallTime kAt{1'761'940'800'123};

TEST(PulseText, IsWhatWasSentAndTheServersStamps) {
  wire::JsonDocument document, sent, delivered;
  const wire::JsonValue vectors = wire::load_vectors(document, "pulsemesh.json")["pulses"];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    ASSERT_TRUE(sent.parse(*vectors[i]["frame"].string()).ok());
    const std::string pulse = stamp_pulse(open_pulse(sent.root()), kAt, "mirror.intent");
    EXPECT_EQ(pulse, *vectors[i]["pulse"].string());
    EXPECT_TRUE(delivered.parse(pulse).ok());  // no name twice
    EXPECT_EQ(delivered.root()["_mesh_topic"].string(), "mirror.intent");
  }
  EXPECT_GE(vectors.size(), 13U);
  std::cout << "pulses: " << vectors.size() << " vectors\n";
}

// What Signet says has a mark that nobody else's pulse can have, however it is written.
TEST(PulseText, OnlySignetSpeaksAsSignet) {
  wire::JsonDocument document;
  const std::string own = own_pulse("governance.decision", R"({"decision":"deny"})", kAt);
  EXPECT_EQ(own, R"({"source":"signet","topic":"governance.decision","intent":"govern",)"
                 R"("payload":{"decision":"deny"},"_mesh_timestamp":"2025-10-31T20:00:00.123000",)"
                 R"("_mesh_topic":"governance.decision","_mesh_from":"signet"})");
  for (const std::string& forged : {own, std::string(R"({"_mesh\u005ffrom":"signet"})"),
                                    std::string(R"({"a":1,"_mesh_from":{"x":[1]}})")}) {
    ASSERT_TRUE(document.parse(forged).ok());
    const std::string pulse = stamp_pulse(open_pulse(document.root()), kAt, "governance.decision");
    ASSERT_TRUE(document.parse(pulse).ok()) << pulse;
    EXPECT_FALSE(document.root()["_mesh_from"]) << pulse;
  }
}

TEST(PulseText, ATopicStaysAText) {
  wire::JsonDocument document;
  const std::string pulse = stamp_pulse("{", kAt, "a\"},\n");
  ASSERT_TRUE(document.parse(pulse).ok()) << pulse;
  EXPECT_EQ(document.root()["_mesh_topic"].string(), "a\"},\n");
}

TEST(PulseText, TimesHaveMicrosecondsAndNoZone) {
  EXPECT_EQ(pulse_time(kAt), "2025-10-31T20:00:00.123000");
  EXPECT_EQ(pulse_time({0}), "1970-01-01T00:00:00.000000");
}

}  // namespace
}  // namespace signet::dialects
