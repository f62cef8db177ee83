#include "trust/rate_limit.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "crypto/hash.h"

namespace signet::trust {
namespace {

using namespace std::chrono_literals;

constexpr Elapsed kBoot{1h};

TEST(TokenBucket, GivesWhatItsRateAllows) {
  struct Step {
    std::chrono::nanoseconds at;
    std::int64_t tokens;
    bool taken;
    std::chrono::nanoseconds retry_after;  // asked just before
  };
  struct Case {
    const char* name;
    Rate rate;
    std::vector<Step> steps;
  };
  const Case cases[] = {
      {"burst, then one by one",
       {10, 3},
       {{0ms, 1, true, 0ms},
        {0ms, 1, true, 0ms},
        {0ms, 1, true, 0ms},
        {0ms, 1, false, 100ms},
        {99ms, 1, false, 1ms},
        {100ms, 1, true, 0ms},
        {100ms, 1, false, 100ms}}},
      {"a clock that stands still",
       {10, 2},
       {{5ms, 1, true, 0ms}, {5ms, 1, true, 0ms}, {5ms, 1, false, 100ms}, {5ms, 1, false, 100ms}}},
      {"an older time refills nothing",
       {10, 1},
       {{50ms, 1, true, 0ms},
        {0ms, 1, false, 150ms},
        {149ms, 1, false, 1ms},
        {150ms, 1, true, 0ms}}},
      {"rest fills it no further than the burst",
       {10, 2},
       {{0ms, 2, true, 0ms}, {1h, 2, true, 0ms}, {1h, 1, false, 100ms}}},
      {"several at once or none",
       {10, 5},
       {{0ms, 4, true, 0ms},
        {0ms, 2, false, 100ms},
        {0ms, 1, true, 0ms},
        {0ms, 5, false, 500ms},
        {500ms, 5, true, 0ms}}},
      {"more than the burst is never there",
       {10, 5},
       {{0ms, 6, false, std::chrono::nanoseconds::max()},
        {1h, 6, false, std::chrono::nanoseconds::max()},
        {1h, std::numeric_limits<std::int64_t>::max(), false, std::chrono::nanoseconds::max()},
        {1h, 5, true, 0ms}}},
      {"nothing costs nothing",
       {10, 1},
       {{0ms, 1, true, 0ms}, {0ms, 0, true, 0ms}, {0ms, -7, true, 0ms}, {0ms, 1, false, 100ms}}},
      {"one a day",
       {1.0 / 86'400, 1},
       {{0ms, 1, true, 0ms}, {12h, 1, false, 12h}, {24h, 1, true, 0ms}}},
      {"a third of a second is rounded up",
       {3, 1},
       {{0ms, 1, true, 0ms}, {333'333'333ns, 1, false, 1ns}, {333'333'334ns, 1, true, 0ms}}},
      {"a burst below one is one", {10, 0}, {{0ms, 1, true, 0ms}, {0ms, 1, false, 100ms}}},
      {"no rate limits nothing",
       {0, 1},
       {{0ms, 1, true, 0ms},
        {0ms, std::numeric_limits<std::int64_t>::max(), true, 0ms},
        {0ms, 1, true, 0ms}}},
      {"a rate next to nothing",
       {1e-300, 1e300},
       {{0ms, 1, true, 0ms}, {0ms, 1, false, 2'000'000'000'000'000'000ns}}},
      {"a rate that is no number",
       {std::numeric_limits<double>::quiet_NaN(), 1},
       {{0ms, 1, true, 0ms}, {0ms, 1, false, 2'000'000'000'000'000'000ns}}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    TokenBucket bucket(c.rate);
    for (std::size_t i = 0; i < c.steps.size(); ++i) {
      SCOPED_TRACE(i);
      const Step& step = c.steps[i];
      EXPECT_EQ(bucket.retry_after(kBoot + step.at, step.tokens), step.retry_after);
      EXPECT_EQ(bucket.take(kBoot + step.at, step.tokens), step.taken);
    }
  }
}

TEST(TokenBucket, SaysWhenItIsFullAgain) {
  TokenBucket bucket({10, 5});
  EXPECT_TRUE(bucket.is_full(Elapsed{}));
  EXPECT_TRUE(bucket.take(kBoot, 3));
  EXPECT_FALSE(bucket.is_full(kBoot + 299ms));
  EXPECT_TRUE(bucket.is_full(kBoot + 300ms));
}

// The obvious bucket: it counts what it holds, and fills it up at each call.
class SlowBucket {
 public:
  SlowBucket(std::int64_t per_token, std::int64_t burst)
      : per_token_(per_token), most_(per_token * burst), held_(most_) {}
  bool take(std::int64_t now, std::int64_t tokens) {
    held_ = std::min(most_, held_ + now - last_);
    last_ = now;
    if (held_ < tokens * per_token_) return false;
    held_ -= tokens * per_token_;
    return true;
  }

 private:
  const std::int64_t per_token_, most_;
  std::int64_t held_, last_ = 0;
};

TEST(TokenBucket, AgreesWithTheObviousOne) {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    const auto per_second = static_cast<std::int64_t>(1 + random() % 5) * 100;
    const auto burst = static_cast<std::int64_t>(1 + random() % 20);
    TokenBucket bucket({static_cast<double>(per_second), static_cast<double>(burst)});
    SlowBucket slow((1'000'000'000 + per_second - 1) / per_second, burst);
    std::int64_t now = 0;
    int taken = 0;
    for (int i = 0; i < 2'000; ++i) {
      now += static_cast<std::int64_t>(random() % 8'000'000);
      const auto tokens = static_cast<std::int64_t>(random() % 4);
      const Elapsed at{std::chrono::nanoseconds(now)};
      const auto wait = bucket.retry_after(at, tokens);
      const bool may = slow.take(now, tokens);
      ASSERT_EQ(wait.count() == 0, may);
      ASSERT_EQ(bucket.take(at, tokens), may);
      taken += may ? 1 : 0;
    }
    EXPECT_GT(taken, 100);
  }
}

TEST(TokenBucket, RetryAfterIsTheVeryMoment) {
  std::mt19937_64 random(9);
  TokenBucket bucket({7, 4});
  Elapsed now = kBoot;
  for (int i = 0; i < 5'000; ++i) {
    const auto tokens = static_cast<std::int64_t>(1 + random() % 4);
    const auto wait = bucket.retry_after(now, tokens);
    if (wait.count() > 0) {
      ASSERT_FALSE(bucket.take(now + (wait - 1ns), tokens));
    }
    now = now + wait;
    ASSERT_TRUE(bucket.take(now, tokens));
    now = now + std::chrono::milliseconds(random() % 300);
  }
}

using TextLimiter = RateLimiter<std::string, crypto::KeyedHash>;

TEST(RateLimiter, KeepsKeysApart) {
  TextLimiter limiter(1, 2, 10);
  EXPECT_TRUE(limiter.take("a", kBoot));
  EXPECT_TRUE(limiter.take("a", kBoot));
  EXPECT_FALSE(limiter.take("a", kBoot));
  EXPECT_EQ(limiter.retry_after("a", kBoot), 1s);
  EXPECT_EQ(limiter.retry_after("b", kBoot), 0s);
  EXPECT_TRUE(limiter.take("b", kBoot));
  EXPECT_TRUE(limiter.take("a", kBoot + 1s));
  EXPECT_EQ(limiter.overflows(), 0U);
}

// Fifty sockets of one member share its bucket: together they get its rate.
TEST(RateLimiter, GivesManySocketsOfOneMemberOneRate) {
  TextLimiter limiter(100, 1, 10);
  int taken = 0;
  for (int ms = 0; ms < 10'000; ++ms) {
    for (int socket = 0; socket < 50; ++socket) {
      taken += limiter.take("member", kBoot + std::chrono::milliseconds(ms)) ? 1 : 0;
    }
  }
  EXPECT_NEAR(taken, 1'000, 50);
}

TEST(RateLimiter, ForgetsOnlyWhatIsFullAgain) {
  TextLimiter limiter(1, 3, 2);
  EXPECT_TRUE(limiter.take("drained", kBoot, 3));
  EXPECT_TRUE(limiter.take("rested", kBoot, 1));
  EXPECT_TRUE(limiter.take("new", kBoot + 1s));  // "rested" is full and goes, though used later
  EXPECT_EQ(limiter.size(), 2U);
  EXPECT_EQ(limiter.overflows(), 0U);
  EXPECT_FALSE(limiter.take("drained", kBoot + 1s, 2));
  EXPECT_TRUE(limiter.take("drained", kBoot + 1s, 1));
}

TEST(RateLimiter, LetsNewKeysShareOneBucketWhenAllAreBusy) {
  TextLimiter limiter({1, 2}, 3, {1, 2});
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(limiter.take(key, kBoot, 2)) << key;
  EXPECT_TRUE(limiter.take("d", kBoot));
  EXPECT_TRUE(limiter.take("e", kBoot));
  EXPECT_FALSE(limiter.take("f", kBoot));
  EXPECT_EQ(limiter.retry_after("g", kBoot), 1s);
  EXPECT_EQ(limiter.size(), 3U);
  EXPECT_EQ(limiter.overflows(), 4U);
  for (const char* key : {"a", "b", "c"}) EXPECT_TRUE(limiter.take(key, kBoot + 1s)) << key;
}

TEST(RateLimiter, StaysBoundedUnderAMillionKeys) {
  constexpr std::size_t kMost = 4'096;
  TextLimiter limiter({1, 5}, kMost, {10, 10});
  const std::string honest = "honest";
  Elapsed now = kBoot;
  int taken = 0, honest_taken = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    now = now + 10us;  // ten seconds in all
    if (i % 100'000 == 0) honest_taken += limiter.take(honest, now) ? 1 : 0;
    taken += limiter.take(std::to_string(i), now) ? 1 : 0;
    ASSERT_LE(limiter.size(), kMost);
  }
  EXPECT_EQ(honest_taken, 10);
  // Each place of the table serves one made-up key a second, the overflow ten more.
  EXPECT_LE(taken, static_cast<int>(kMost) * 11 + 110);
  EXPECT_GT(limiter.overflows(), 900'000U);
}

TEST(RateLimiter, TakesRawAddressesAsKeys) {
  RateLimiter<std::array<unsigned char, 16>, crypto::KeyedHash> limiter(1, 1, 10);
  std::array<unsigned char, 16> address{};
  EXPECT_TRUE(limiter.take(address, kBoot));
  EXPECT_FALSE(limiter.take(address, kBoot));
  address[15] = 1;
  EXPECT_TRUE(limiter.take(address, kBoot));
}

TEST(RateLimiter, WithoutRoomAllShare) {
  TextLimiter limiter(1, 1, 0);
  EXPECT_TRUE(limiter.take("a", kBoot));
  EXPECT_FALSE(limiter.take("b", kBoot));
  EXPECT_EQ(limiter.size(), 0U);
}

}  // namespace
}  // namespace signet::trust
