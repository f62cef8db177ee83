#include "membership/bucket_map.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace signet::membership {
namespace {

struct Even {
  std::size_t operator()(int key) const { return static_cast<std::size_t>(key); }
};
struct AllInOne {
  std::size_t operator()(int) const { return 7; }
};

template <class Spread>
std::map<int, std::string> contents(const BucketMap<int, std::string, Spread>& map) {
  std::map<int, std::string> all;
  map.each([&](int key, const std::string& value) {
    EXPECT_TRUE(all.emplace(key, value).second) << key << " was visited twice";
  });
  return all;
}

// A random story of sets and copies: every copy must stay what it was when it was made.
template <class Spread>
void compare_with_a_plain_map(std::uint64_t seed) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  BucketMap<int, std::string, Spread> fast;
  std::map<int, std::string> slow;
  std::vector<std::pair<BucketMap<int, std::string, Spread>, std::map<int, std::string>>> copies;
  for (int step = 0; step < 600; ++step) {
    const int key = static_cast<int>(random() % 200);
    const std::string value = std::to_string(step);
    fast.set(key, value);
    slow[key] = value;
    if (random() % 20 == 0) copies.emplace_back(fast, slow);
    const int asked = static_cast<int>(random() % 220);
    const std::string* found = fast.find(asked);
    const auto expected = slow.find(asked);
    ASSERT_EQ(found != nullptr, expected != slow.end());
    if (found != nullptr) {
      ASSERT_EQ(*found, expected->second);
    }
  }
  EXPECT_EQ(contents(fast), slow);
  for (const auto& [copy, then] : copies) EXPECT_EQ(contents(copy), then);
}

TEST(BucketMap, IsAPlainMapWhoseCopiesStayAsTheyWere) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) compare_with_a_plain_map<Even>(seed);
}

TEST(BucketMap, IsStillRightWhenEveryKeyFallsIntoOneBucket) {
  for (std::uint64_t seed = 1; seed <= 2; ++seed) compare_with_a_plain_map<AllInOne>(seed);
}

TEST(BucketMap, ChangesOfACopyDoNotShowInTheOriginal) {
  BucketMap<int, std::string, Even> original;
  original.set(1, "one");
  auto copy = original;
  copy.set(1, "changed");
  copy.set(2, "new");
  EXPECT_EQ(*original.find(1), "one");
  EXPECT_EQ(original.find(2), nullptr);
  EXPECT_EQ(*copy.find(1), "changed");
}

TEST(BucketMap, CopiesShareWhatDidNotChange) {
  BucketMap<int, std::string, Even> original;
  original.set(1, "one");
  original.set(2, "two");
  auto copy = original;
  copy.set(2, "changed");
  EXPECT_EQ(original.find(1), copy.find(1));  // the very same string
  EXPECT_NE(original.find(2), copy.find(2));
}

}  // namespace
}  // namespace signet::membership
