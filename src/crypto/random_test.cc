#include "crypto/random.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <set>

namespace signet::crypto {
namespace {

TEST(Random, InitializesMoreThanOnce) {
  EXPECT_TRUE(initialize());
  EXPECT_TRUE(initialize());
}

TEST(Random, FillsAllOfIt) {
  // A byte that stays zero in 64 draws was not written: the odds are 2^-512.
  std::array<unsigned char, 64> seen{};
  for (int i = 0; i < 64; ++i) {
    std::array<unsigned char, 64> drawn{};
    random_bytes(drawn);
    for (std::size_t b = 0; b < drawn.size(); ++b) seen[b] |= drawn[b];
  }
  for (const unsigned char byte : seen) EXPECT_NE(byte, 0);
}

TEST(RandomBelow, StaysBelowItsBound) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  for (const std::uint64_t bound : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3},
                                    std::uint64_t{1} << 32, (std::uint64_t{1} << 63) + 1, kMost}) {
    for (int i = 0; i < 1'000; ++i) ASSERT_LT(random_below(bound), bound);
  }
  EXPECT_EQ(random_below(0), 0U);
}

TEST(RandomBelow, FavoursNoAnswer) {
  // With 2^63 + 2^62 a plain remainder would fall below 2^62 half the time instead of a third.
  constexpr std::uint64_t kThird = std::uint64_t{1} << 62;
  constexpr int kDraws = 30'000;
  int low = 0;
  for (int i = 0; i < kDraws; ++i) low += random_below(3 * kThird) < kThird ? 1 : 0;
  EXPECT_NEAR(low, kDraws / 3, kDraws / 30);
}

TEST(RandomHex, IsLowerCaseOfTheSizeAskedFor) {
  EXPECT_EQ(random_hex(0), "");
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const std::string hex = random_hex(16);
    ASSERT_EQ(hex.size(), 32U);
    ASSERT_EQ(hex.find_first_not_of("0123456789abcdef"), hex.npos);
    ASSERT_TRUE(seen.insert(hex).second);
  }
}

}  // namespace
}  // namespace signet::crypto
