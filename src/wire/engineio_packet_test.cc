#include "wire/engineio_packet.h"

#include <gtest/gtest.h>

#include <iostream>
#include <random>
#include <string>

#include "base/encoding.h"

namespace signet::wire {
namespace {

using Type = EnginePacketType;
using std::string_literals::operator""s;

std::string shown(const EnginePacket& packet) {
  return std::to_string(static_cast<int>(packet.type)) + (packet.binary ? "b" : "t") + ":" +
         std::string(packet.data);
}

// The packets with a space between them, or the rule that was broken.
std::string read(std::string_view body, std::size_t max_packets = 100) {
  std::string bytes;
  const auto packets = read_engine_payload(body, max_packets, bytes);
  if (!packets.ok()) {
    EXPECT_EQ(packets.error().code, ErrorCode::kMalformed);
    return "rule " + packets.error().detail;
  }
  std::string out;
  for (const EnginePacket& packet : *packets) out += (out.empty() ? "" : " ") + shown(packet);
  return out;
}

TEST(EnginePacket, ReadsOneTextFrame) {
  // clang-format off
  const struct { const char* name; std::string text, packet; } rows[] = {
      {"open with data",          "0{\"sid\":\"a\"}", "0t:{\"sid\":\"a\"}"},
      {"close",                   "1",        "1t:"},
      {"ping",                    "2",        "2t:"},
      {"probe",                   "2probe",   "2t:probe"},
      {"pong of a probe",         "3probe",   "3t:probe"},
      {"message",                 "4hello",   "4t:hello"},
      {"empty message",           "4",        "4t:"},
      {"message that is a digit", "44",       "4t:4"},
      {"message with a separator", "4a\x1e" "4b", "4t:a\x1e" "4b"},
      {"message with a zero",     "4a\0b"s,   "4t:a\0b"s},
      {"upgrade",                 "5",        "5t:"},
      {"noop",                    "6",        "6t:"},
      {"nothing",                 "",         "none"},
      {"one below the types",     "/",        "none"},
      {"one beyond the types",    "7",        "none"},
      {"a letter",                "abc",      "none"},
      {"base64 belongs to bodies", "bAQIDBA==", "none"},
      {"a space first",           " 4hello",  "none"},
      {"a zero byte",             "\0"s,      "none"},
      {"a byte above ASCII",      "\xb4",     "none"},
  };
  // clang-format on
  for (const auto& row : rows) {
    const auto packet = read_engine_packet(row.text);
    EXPECT_EQ(packet ? shown(*packet) : "none", row.packet) << row.name;
  }
}

TEST(EnginePacket, IsWrittenAsTypeAndData) {
  std::string out = "before";
  append_engine_packet(out, Type::kPong, "probe");
  append_engine_packet(out, Type::kMessage, "");
  append_engine_packet(out, Type::kOpen, "{}");
  EXPECT_EQ(out, "before3probe40{}");
}

TEST(EnginePayload, ReadsPacketsOrNamesTheRuleThatIsBroken) {
  // clang-format off
  const struct { const char* name; std::string body, packets; } rows[] = {
      {"one plain text packet",       "4hello",                       "4t:hello"},
      {"several plain text packets",  "4test1\x1e" "4test2\x1e" "4test3", "4t:test1 4t:test2 4t:test3"},
      {"plain text and binary",       "4hello\x1e" "bAQIDBA==",       "4t:hello 4b:\x01\x02\x03\x04"},
      {"the example of the format",   "4hello\x1e" "2\x1e" "4world",  "4t:hello 2t: 4t:world"},
      {"binary first and last",       "bYQ==\x1e" "4x\x1e" "bYmM=",   "4b:a 4t:x 4b:bc"},
      {"two binary packets",          "bYWJj\x1e" "bZA==",            "4b:abc 4b:d"},
      {"empty binary between others", "bYQ==\x1e" "b\x1e" "bYg==",    "4b:a 4b: 4b:b"},
      {"empty messages",              "4\x1e" "4",                    "4t: 4t:"},
      {"characters beyond ASCII",     "4\xe2\x82\xac",                "4t:\xe2\x82\xac"},
      {"every type",                  "0\x1e" "1\x1e" "2\x1e" "3\x1e" "4\x1e" "5\x1e" "6",
                                      "0t: 1t: 2t: 3t: 4t: 5t: 6t:"},
      {"nothing",                     "",                             "rule empty"},
      {"only a separator",            "\x1e",                         "rule empty"},
      {"a separator first",           "\x1e" "4a",                    "rule empty"},
      {"a separator last",            "4a\x1e",                       "rule empty"},
      {"two separators",              "4a\x1e\x1e" "4b",              "rule empty"},
      {"no type",                     "abc",                          "rule type"},
      {"no type behind a good one",   "4a\x1e" "7",                   "rule type"},
      {"a body of revision 3",        "6:4hello",                     "6t::4hello"},
      {"a longer one of revision 3",  "10:4hello",                    "1t:0:4hello"},
      {"base64 without padding",      "bAQIDBA",                      "rule base64"},
      {"base64 of the URL alphabet",  "b-_-_",                        "rule base64"},
      {"base64 with stray bits",      "bYR==",                        "rule base64"},
      {"base64 with a space",         "bYQ ==",                       "rule base64"},
      {"base64 with padding within",  "bYQ==YQ==",                    "rule base64"},
      {"only padding",                "b====",                        "rule base64"},
      {"no UTF-8",                    "4\xff",                        "rule utf8"},
      {"a surrogate",                 "4\xed\xa0\x80",                "rule utf8"},
      {"a character cut by the end",  "4\xe2\x82",                    "rule utf8"},
      {"a character cut by a separator", "4\xe2\x82\x1e" "4\xac",     "rule utf8"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(read(row.body), row.packets) << row.name;
}

TEST(EnginePayload, CountsPacketsBeforeItReadsThem) {
  EXPECT_EQ(read("4\x1e"
                 "4",
                 2),
            "4t: 4t:");
  EXPECT_EQ(read("4\x1e"
                 "4\x1e"
                 "4",
                 2),
            "rule packets");
  EXPECT_EQ(read(std::string(1'000'000, kEngineSeparator), 1'000), "rule packets");
  EXPECT_EQ(read("4", 0), "rule packets");
}

TEST(EnginePayload, ForgetsWhatAnEarlierBodyDecoded) {
  std::string bytes = "left over";
  const auto packets = read_engine_payload("bYWJj", 1, bytes);
  ASSERT_TRUE(packets.ok());
  EXPECT_EQ(bytes, "abc");
  EXPECT_EQ(packets->front().data.data(), bytes.data());
}

TEST(EnginePayload, IsWrittenWithSeparatorsAndBase64) {
  // clang-format off
  const struct { const char* name; std::vector<EnginePacket> packets; std::string body; } rows[] = {
      {"one", {{Type::kMessage, false, "hello"}}, "4hello"},
      {"text and binary", {{Type::kMessage, false, "hello"}, {Type::kMessage, true, "\x01\x02\x03\x04"}},
       "4hello\x1e" "bAQIDBA=="},
      {"ping before a message", {{Type::kPing, false, ""}, {Type::kMessage, false, "a"}}, "2\x1e" "4a"},
      {"empty ones", {{Type::kMessage, false, ""}, {Type::kMessage, true, ""}}, "4\x1e" "b"},
      {"a separator in text is replaced", {{Type::kMessage, false, "a\x1e" "4b\x1e"}},
       "4a\xef\xbf\xbd" "4b\xef\xbf\xbd"},
      {"a separator in bytes is base64", {{Type::kMessage, true, "\x1e"}}, "bHg=="},
  };
  // clang-format on
  for (const auto& row : rows) {
    std::string body;
    std::size_t cost = 0;
    for (const EnginePacket& packet : row.packets) {
      append_to_engine_payload(body, packet);
      cost += engine_payload_cost(packet);
    }
    EXPECT_EQ(body, row.body) << row.name;
    EXPECT_EQ(body.size() + 1, cost) << row.name;  // the first has no separator
  }
}

TEST(EnginePayload, ReadsBackWhatItWrote) {
  const std::uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2'000; ++round) {
    std::vector<std::string> data(1 + random() % 8);
    std::vector<EnginePacket> packets;
    std::string body, expected;
    for (std::string& one : data) {
      const bool binary = random() % 2 == 0;
      for (auto left = random() % 40; left > 0; --left) {
        const auto byte = static_cast<unsigned char>(random() % (binary ? 256 : 128));
        one += !binary && byte == kEngineSeparator ? 'x' : static_cast<char>(byte);
      }
      const EnginePacket packet{binary ? Type::kMessage : static_cast<Type>(random() % 7), binary,
                                one};
      append_to_engine_payload(body, packet);
      expected += (expected.empty() ? "" : " ") + shown(packet);
    }
    ASSERT_EQ(read(body), expected) << "seed " << seed << " round " << round;
  }
}

}  // namespace
}  // namespace signet::wire
