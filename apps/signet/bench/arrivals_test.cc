#include "signet/bench/arrivals.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

namespace signet::cli {
namespace {

// A letter for each arrival: f irst, l ate, a gain.
std::string arrive_all(const std::vector<std::uint32_t>& numbers) {
  Arrivals arrivals;
  std::string said;
  for (const std::uint32_t number : numbers)
    said += "fla"[static_cast<int>(arrivals.arrive(number))];
  return said;
}

TEST(Arrivals, EveryMessageIsFirstLateOrAgain) {
  struct Row {
    const char* name;
    std::vector<std::uint32_t> numbers;
    const char* said;
  };
  // clang-format off
  const Row kRows[] = {
    {"in order",                      {0, 1, 2, 3},             "ffff"},
    {"each twice",                    {0, 0, 1, 1},             "fafa"},
    {"one lost",                      {0, 2, 3},                "fff"},
    {"the first lost, then twice",    {1, 1},                   "fa"},
    {"two swapped",                   {1, 0, 2},                "flf"},
    {"a late one twice",              {0, 2, 1, 1},             "ffla"},
    {"backwards",                     {3, 2, 1, 0},             "flll"},
    {"a gap filled from its front",   {4, 0, 1, 2, 3, 3},       "flllla"},
    {"a gap filled from its middle",  {4, 2, 0, 3, 1, 2},       "flllla"},
    {"two gaps",                      {2, 5, 4, 0, 3, 1, 0, 4}, "ffllllaa"},
    {"a filled gap closes",           {0, 2, 1, 0, 1, 2},       "fflaaa"},
  };
  // clang-format on
  for (const Row& row : kRows) EXPECT_EQ(arrive_all(row.numbers), row.said) << row.name;
}

// Against a set of all numbers seen.
TEST(Arrivals, AgreesWithARememberedSet) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    Arrivals arrivals;
    std::set<std::uint32_t> seen;
    for (int i = 0; i < 100; ++i) {
      const auto number = static_cast<std::uint32_t>(random() % 60);
      const Arrival expected = seen.contains(number)                     ? Arrival::kAgain
                               : seen.empty() || number > *seen.rbegin() ? Arrival::kFirst
                                                                         : Arrival::kLate;
      ASSERT_EQ(arrivals.arrive(number), expected) << "message " << number;
      seen.insert(number);
    }
  }
}

}  // namespace
}  // namespace signet::cli
