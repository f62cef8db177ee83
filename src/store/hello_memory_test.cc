#include "store/hello_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace signet::store {
namespace {

HelloMark mark(std::int64_t timestamp_ms, unsigned char digest = 0) {
  HelloMark made{timestamp_ms, {}};
  made.digest[0] = digest;
  return made;
}

struct Step {
  HelloMark hello;
  bool admitted;
};
struct Row {
  const char* name;
  std::vector<Step> steps;
  std::int64_t floor;
};

std::vector<Step> rising(int count, std::int64_t every_ms) {
  std::vector<Step> steps;
  for (int i = 0; i < count; ++i) steps.push_back({mark(1'000 + i * every_ms), true});
  return steps;
}
std::vector<Step> operator+(std::vector<Step> steps, const std::vector<Step>& more) {
  steps.insert(steps.end(), more.begin(), more.end());
  return steps;
}

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

// clang-format off
TEST(HelloMemory, DecidesEveryCase) {
  const std::vector<Row> rows = {
      {"the first is new", {{mark(5), true}}, HelloMemory::kNoFloor},
      {"the same again is not", {{mark(5), true}, {mark(5), false}}, HelloMemory::kNoFloor},
      {"another of that millisecond is", {{mark(5, 1), true}, {mark(5, 2), true}},
       HelloMemory::kNoFloor},
      {"an older one is new while nothing is forgotten", {{mark(9), true}, {mark(5), true}},
       HelloMemory::kNoFloor},
      {"64 are kept however old", rising(64, 60'000) + std::vector<Step>{{mark(1'000), false}},
       HelloMemory::kNoFloor},
      {"with 65, what is 240 s older than the newest goes",
       rising(64, 1'000) + std::vector<Step>{{mark(1'000 + 240'001), true}}, 1'000},
      {"exactly 240 s is not older",
       rising(64, 1'000) + std::vector<Step>{{mark(1'000 + 240'000), true}},
       HelloMemory::kNoFloor},
      {"what went is known by the floor",
       rising(64, 1'000) + std::vector<Step>{{mark(300'000), true}, {mark(1'000), false},
                                             {mark(999), false}}, 1'000},
      {"an older one that is let in is forgotten at once, and known",
       rising(64, 1'000) + std::vector<Step>{{mark(300'000), true}, {mark(1'500), true},
                                             {mark(1'500), false}}, 1'500},
      {"the floor is refused, one above is not",
       rising(64, 1'000) + std::vector<Step>{{mark(241'001), true}, {mark(1'000, 9), false},
                                             {mark(1'001), true}}, 1'000},
      {"the limit forgets fresh ones too",
       rising(100, 1) + std::vector<Step>{{mark(1'100), true}}, 1'000},
      {"extreme timestamps do not overflow", {{mark(kMax), true}, {mark(kMin + 1), true},
                                              {mark(kMax), false}}, HelloMemory::kNoFloor},
      {"extreme timestamps beyond the kept ones",
       rising(63, 1) + std::vector<Step>{{mark(kMin + 1), true}, {mark(kMax), true},
                                         {mark(kMin + 1), false}}, kMin + 1},
  };
  // clang-format on
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    HelloMemory memory(100);
    for (std::size_t i = 0; i < row.steps.size(); ++i) {
      EXPECT_EQ(memory.admit(row.steps[i].hello).admitted, row.steps[i].admitted) << "step " << i;
    }
    EXPECT_EQ(memory.floor(), row.floor);
  }
}

TEST(HelloMemory, ForgetsWhatItSaysAndNothingElse) {
  HelloMemory memory(3);
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(memory.admit(mark(i)).forgotten.empty());
  const auto verdict = memory.admit(mark(4));
  EXPECT_EQ(verdict.forgotten, std::vector<HelloMark>{mark(1)});
  EXPECT_EQ(memory.size(), 3u);
  EXPECT_TRUE(memory.remembers(mark(2)));
}

// The slow truth: all that was ever admitted. The memory may refuse more, never less, and what it
// refuses wrongly is not above the floor.
TEST(HelloMemory, NeverAdmitsTwiceAgainstAListOfEverything) {
  constexpr unsigned kSeed = 20'261'121;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::mt19937 random(kSeed);
  HelloMemory memory(100);
  std::vector<HelloMark> admitted;
  std::int64_t wall = 1'000'000;
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    wall += static_cast<std::int64_t>(random() % 2'000);
    if (random() % 500 == 0) wall -= static_cast<std::int64_t>(random() % 1'000'000);
    const bool replay = !admitted.empty() && random() % 3 == 0;
    const HelloMark hello = replay ? admitted[random() % admitted.size()]
                                   : mark(wall, static_cast<unsigned char>(random() % 4));
    const bool seen = std::find(admitted.begin(), admitted.end(), hello) != admitted.end();
    const std::int64_t floor = memory.floor();
    const bool expected = !seen && hello.timestamp_ms > floor;
    ASSERT_EQ(memory.admit(hello).admitted, expected) << "hello " << i;
    if (expected) admitted.push_back(hello);
    refused += !expected;
    ASSERT_LE(memory.size(), 100u);
    ASSERT_GE(memory.floor(), floor);
  }
  EXPECT_GT(refused, 1'000);
  EXPECT_GT(admitted.size(), 1'000u);
}

}  // namespace
}  // namespace signet::store
