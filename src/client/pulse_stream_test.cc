#include "client/pulse_stream.h"

#include <gtest/gtest.h>

#include <random>

namespace signet::client {
namespace {

using dialects::PulseAnswer;

PulseAnswer pulse(const std::string& topic, std::uint64_t topic_number, std::uint64_t number,
                  std::size_t bytes = 2) {
  return {topic, number, topic_number, "ada", "then", std::string(bytes, '{')};
}

// What comes out, as "topic:topic_number", with "+missed" and "!" for a gap.
std::string all_of(PulseStream& stream) {
  std::string out;
  while (const auto next = stream.next()) {
    out += next->topic + ":" + std::to_string(next->topic_number);
    if (next->missed > 0) out += "+" + std::to_string(next->missed);
    if (next->gap) out += "!";
    out += " ";
  }
  return out;
}

TEST(PulseStream, CountsWhatIsMissingOfEachTopic) {
  // clang-format off
  const struct { const char* name; std::vector<PulseAnswer> live; const char* out; } rows[] = {
      {"the first says nothing of those before", {pulse("a", 7, 20)}, "a:7 "},
      {"one after the other", {pulse("a", 7, 20), pulse("a", 8, 21)}, "a:7 a:8 "},
      {"two are missing", {pulse("a", 7, 20), pulse("a", 10, 23)}, "a:7 a:10+2 "},
      {"a mesh of one topic", {pulse("a", 7, 7), pulse("a", 10, 10)}, "a:7 a:10+2 "},
      {"each topic by itself", {pulse("a", 7, 20), pulse("b", 1, 21), pulse("a", 8, 22),
       pulse("b", 3, 24)}, "a:7 b:1 a:8 b:3+1 "},
      {"the same again", {pulse("a", 7, 20), pulse("a", 7, 20), pulse("a", 8, 21)}, "a:7 a:8 "},
      {"an older one", {pulse("a", 7, 20), pulse("a", 6, 19)}, "a:7 "},
      {"a topic that the broker forgot", {pulse("a", 7, 20), pulse("a", 900, 900)}, "a:7 a:900! "},
      {"what the broker does not count", {pulse("a", 7, 20), pulse("a", 0, 0), pulse("a", 0, 0),
       pulse("a", 8, 21)}, "a:7 a:0 a:0 a:8 "},
      {"numbers that went back", {pulse("a", 7, 20), pulse("a", 8, 3)}, "a:7 a:8! "},
      {"the largest numbers", {pulse("a", 1, 1), pulse("a", INT64_MAX, INT64_MAX)},
       "a:1 a:9223372036854775807+9223372036854775805 "},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    PulseStream stream({});
    for (const auto& each : row.live) stream.on_live(each);
    EXPECT_EQ(all_of(stream), row.out);
  }
}

TEST(PulseStream, MissesNothingThatItPublishedItself) {
  PulseStream stream({});
  stream.on_live(pulse("a", 7, 20));
  stream.on_own("a", 8);
  stream.on_own("b", 9);
  stream.on_own("a", 10);
  stream.on_live(pulse("a", 11, 24));
  EXPECT_EQ(all_of(stream), "a:7 a:11+1 ") << "9 is missing";
  stream.on_own("a", 12);
  stream.on_history({pulse("a", 12, 25), pulse("a", 13, 26)});
  EXPECT_EQ(all_of(stream), "a:13 ") << "nor hears it by history";
}

TEST(PulseStream, DropsTheOldestAndCountsThem) {
  // clang-format off
  const struct { const char* name; PulseStreamOptions options; const char* out; } rows[] = {
      {"all fit", {.max_pulses = 6}, "a:1 b:1 a:2 b:2 a:3 b:3 "},
      {"four fit", {.max_pulses = 4}, "a:2+1 b:2+1 a:3 b:3 "},
      {"two fit", {.max_pulses = 2}, "a:3+2 b:3+2 "},
      {"one fits", {.max_pulses = 1}, "b:3+2 "},
      {"by their bytes", {.max_pulses = 6, .max_bytes = 5}, "a:3+2 b:3+2 "},
      {"one that is too long comes all the same", {.max_pulses = 6, .max_bytes = 1}, "b:3+2 "},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    PulseStream stream(row.options);
    for (std::uint64_t i = 1; i <= 3; ++i) {
      stream.on_live(pulse("a", i, 2 * i));
      stream.on_live(pulse("b", i, 2 * i + 1));
    }
    EXPECT_EQ(all_of(stream), row.out);
  }
}

TEST(PulseStream, PutsHistoryBeforeWhatComesMeanwhile) {
  PulseStream stream({});
  stream.on_live(pulse("a", 1, 1));
  EXPECT_EQ(stream.last(), 1U);
  stream.hold();
  stream.on_live(pulse("a", 3, 3));
  stream.on_live(pulse("a", 4, 4));
  EXPECT_EQ(stream.last(), 1U) << "what is held may be lost with the connection";
  EXPECT_EQ(all_of(stream), "a:1 ");
  stream.on_history({pulse("a", 2, 2), pulse("a", 3, 3)});
  EXPECT_EQ(all_of(stream), "a:2 a:3 ");
  stream.release();
  EXPECT_EQ(all_of(stream), "a:4 ");
  EXPECT_EQ(stream.last(), 4U);
}

TEST(PulseStream, SaysAGapOnceAndCountsAnewBehindIt) {
  PulseStream stream({});
  stream.on_live(pulse("a", 1, 1));
  stream.mark_gap();
  stream.on_live(pulse("a", 50, 90));
  stream.on_live(pulse("a", 52, 92));
  EXPECT_EQ(all_of(stream), "a:1 a:50! a:52+1 ");
  // A broker that began anew: its numbers may be lower.
  stream.mark_gap();
  stream.on_live(pulse("a", 3, 3));
  EXPECT_EQ(all_of(stream), "a:3! ");
}

TEST(PulseStream, SaysAGapAlsoWhereThePulseBehindItIsDropped) {
  PulseStream stream({.max_pulses = 1});
  stream.on_live(pulse("a", 1, 1));
  EXPECT_EQ(all_of(stream), "a:1 ");
  stream.mark_gap();
  stream.on_live(pulse("a", 5, 5));
  stream.on_live(pulse("a", 6, 6));
  EXPECT_EQ(all_of(stream), "a:6+1! ");
  stream.on_live(pulse("a", 7, 7));
  EXPECT_EQ(all_of(stream), "a:7 ");
}

TEST(PulseStream, RemembersOnlySoManyTopics) {
  PulseStream stream({.max_topics = 2});
  for (const char* topic : {"a", "b", "c"}) stream.on_live(pulse(topic, 1, 1));
  stream.on_live(pulse("c", 3, 5));
  stream.on_live(pulse("a", 3, 5));
  EXPECT_EQ(all_of(stream), "a:1 b:1 c:1 c:3+1 a:3 ") << "of a nothing is known any more";
}

// Whatever is dropped on the way or in the queue: of each topic, what came and what was missed add
// up.
TEST(PulseStream, AccountsForEveryPulse) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    PulseStream stream({.max_pulses = 3 + random() % 8});
    std::map<std::string, std::uint64_t> sent, heard;
    const auto read = [&] {
      while (const auto next = stream.next()) {
        heard[next->topic] += 1 + next->missed;
        EXPECT_EQ(heard[next->topic], next->topic_number);
        EXPECT_FALSE(next->gap);
      }
    };
    const std::string topics[] = {"a", "b", "c"};
    std::uint64_t number = 0;
    for (const std::string& topic : topics) stream.on_live(pulse(topic, ++sent[topic], ++number));
    read();
    for (int i = 0; i < 100; ++i) {
      const std::string& topic = topics[random() % 3];
      const auto next = pulse(topic, ++sent[topic], ++number);
      if (random() % 4 > 0) stream.on_live(next);  // else the broker drops it
      if (random() % 4 == 0) read();
    }
  }
}

}  // namespace
}  // namespace signet::client
