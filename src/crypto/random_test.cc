#include "crypto/random.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <vector>

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

using Nonce = std::array<unsigned char, 24>;

constexpr std::size_t kNonces = 50'000;  // of each side; a shared state repeats from the first on

std::vector<Nonce> drawn_nonces() {
  std::vector<Nonce> nonces(kNonces);
  for (Nonce& nonce : nonces) random_bytes(nonce);
  return nonces;
}

// The nonces that a child of this process draws, through a pipe.
std::vector<Nonce> nonces_of_a_child(int (&ends)[2]) {
  std::vector<Nonce> nonces(kNonces);
  auto* bytes = reinterpret_cast<unsigned char*>(nonces.data());
  const std::size_t size = kNonces * sizeof(Nonce);
  for (std::size_t at = 0; at < size;) {
    const ssize_t got = read(ends[0], bytes + at, size - at);
    EXPECT_GT(got, 0);
    if (got <= 0) return {};
    at += static_cast<std::size_t>(got);
  }
  return nonces;
}

[[noreturn]] void draw_in_the_child(int end) {
  const auto nonces = drawn_nonces();
  const auto* bytes = reinterpret_cast<const unsigned char*>(nonces.data());
  const std::size_t size = nonces.size() * sizeof(Nonce);
  for (std::size_t at = 0; at < size;) {
    const ssize_t put = write(end, bytes + at, size - at);
    if (put <= 0) _exit(1);
    at += static_cast<std::size_t>(put);
  }
  _exit(0);
}

// A generator with its state in the process would go on alike in parent and child, and one nonce
// for two messages under one key tells both of them.
TEST(RandomBytes, AreNotSharedByAProcessThatForks) {
  Nonce before;
  random_bytes(before);  // whatever state there is has been set up
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) draw_in_the_child(ends[1]);
  close(ends[1]);
  std::vector<Nonce> all = drawn_nonces();
  const std::vector<Nonce> of_child = nonces_of_a_child(ends);
  close(ends[0]);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  all.insert(all.end(), of_child.begin(), of_child.end());
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all.size(), 2 * kNonces);
  EXPECT_EQ(std::adjacent_find(all.begin(), all.end()), all.end());
}

}  // namespace
}  // namespace signet::crypto
