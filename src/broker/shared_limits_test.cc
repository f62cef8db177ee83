#include "broker/shared_limits.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace signet::broker {
namespace {

using namespace std::chrono_literals;

constexpr MemberNumber kAnn{1};
constexpr MemberNumber kBob{2};
constexpr Elapsed kStart{1h};

int taken_at_once(MemberRates& rates, MemberNumber member, Elapsed now, int tries) {
  int taken = 0;
  for (int i = 0; i < tries; ++i) taken += rates.take(member, now) ? 0 : 1;
  return taken;
}

TEST(MemberRates, GiveTheBurstAtOnceAndNoMore) {
  for (const int burst : {1, 2, 10, 200}) {
    MemberRates rates(100, burst);
    EXPECT_EQ(taken_at_once(rates, kAnn, kStart, 1'000), burst);
  }
  MemberRates no_burst(100, 0);
  EXPECT_EQ(taken_at_once(no_burst, kAnn, kStart, 10), 1) << "one is always possible";
}

TEST(MemberRates, SayHowLongToWaitToTheNanosecond) {
  MemberRates rates(100, 2);
  EXPECT_EQ(taken_at_once(rates, kAnn, kStart, 5), 2);
  const auto wait = rates.take(kAnn, kStart);
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, 10ms);
  EXPECT_TRUE(rates.take(kAnn, kStart + (*wait - 1ns)));
  EXPECT_FALSE(rates.take(kAnn, kStart + *wait)) << "then it is taken";
}

TEST(MemberRates, DoNotPunishTrying) {
  MemberRates rates(100, 1);
  EXPECT_FALSE(rates.take(kAnn, kStart));
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(rates.take(kAnn, kStart + 1ms));
  EXPECT_FALSE(rates.take(kAnn, kStart + 10ms));
}

TEST(MemberRates, FillUpAgainAndNeverBeyondTheBurst) {
  MemberRates rates(100, 5);
  EXPECT_EQ(taken_at_once(rates, kAnn, kStart, 100), 5);
  EXPECT_EQ(taken_at_once(rates, kAnn, kStart + 20ms, 100), 2);
  EXPECT_EQ(taken_at_once(rates, kAnn, kStart + 24h, 100), 5);
}

TEST(MemberRates, KeepMembersApart) {
  MemberRates rates(100, 3);
  EXPECT_EQ(taken_at_once(rates, kAnn, kStart, 100), 3);
  EXPECT_EQ(taken_at_once(rates, kBob, kStart, 100), 3);
}

TEST(MemberRates, LimitNothingAtZero) {
  MemberRates rates(0, 1);
  EXPECT_EQ(taken_at_once(rates, kAnn, kStart, 10'000), 10'000);
}

TEST(MemberRates, HoldTheRateOverALongTime) {
  MemberRates rates(100, 20);
  int taken = 0;
  for (int ms = 0; ms < 60'000; ++ms) taken += rates.take(kAnn, kStart + 1ms * ms) ? 0 : 1;
  EXPECT_NEAR(taken, 60 * 100 + 20, 60 * 100 / 20);  // within 5 %
}

// The same member on four sockets of four threads at the same moments: one rate for all.
TEST(MemberRates, HoldOneRateForAllThreadsOfAMember) {
  MemberRates rates(1'000, 10);
  std::atomic<int> taken{0};
  std::atomic<int> millisecond{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (;;) {
        const int now = millisecond.fetch_add(1, std::memory_order_relaxed);
        if (now >= 10'000) return;
        for (int tries = 0; tries < 3; ++tries) {
          taken += rates.take(kAnn, kStart + 1ms * now) ? 0 : 1;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_NEAR(taken, 10'000 + 10, 500);
  EXPECT_LE(taken, 10'000 + 10) << "never over";
}

// A role may grant another rate than the one that is usual.
TEST(MemberRates, ATakerMayHaveItsOwnRate) {
  MemberRates rates(100, 2);
  const auto taken = [&](MemberNumber member, std::optional<trust::Rate> own, Elapsed now) {
    int count = 0;
    while (count < 1'000 && !rates.take(member, now, own)) ++count;
    return count;
  };
  EXPECT_EQ(taken(kAnn, trust::Rate{10, 5}, kStart), 5);
  EXPECT_EQ(taken(kAnn, trust::Rate{10, 5}, kStart + 100ms), 1) << "ten a second";
  EXPECT_EQ(taken(kBob, std::nullopt, kStart), 2) << "others have the usual";
  EXPECT_EQ(taken({3}, trust::Rate{0, 0}, kStart), 1'000) << "none is no limit";
  MemberRates off(0, 0);
  EXPECT_FALSE(off.take(kAnn, kStart, trust::Rate{1, 1}));
  EXPECT_TRUE(off.take(kAnn, kStart, trust::Rate{1, 1})) << "its own holds where none is usual";
}

TEST(MemberRates, FiftySocketsOfAMemberShareOneRate) {
  MemberRates rates(100, 10);
  int taken = 0;
  for (int ms = 0; ms < 1'000; ++ms) {
    for (int socket = 0; socket < 50; ++socket)
      taken += rates.take(kAnn, kStart + 1ms * ms) ? 0 : 1;
  }
  EXPECT_NEAR(taken, 110, 1);
}

TEST(MemberRates, WhatIsKnownAfterwardsIsChargedAndWaitedFor) {
  MemberRates rates(1'000, 100);
  EXPECT_FALSE(rates.must_wait(kAnn, kStart));
  rates.charge(kAnn, kStart, 50);
  EXPECT_FALSE(rates.must_wait(kAnn, kStart)) << "within the burst";
  rates.charge(kAnn, kStart, 1'049);
  const auto wait = rates.must_wait(kAnn, kStart);
  ASSERT_TRUE(wait) << "taken whether it was there or not";
  EXPECT_EQ(*wait, 1s);
  EXPECT_EQ(rates.must_wait(kAnn, kStart), wait) << "asking costs nothing";
  EXPECT_TRUE(rates.must_wait(kAnn, kStart + (*wait - 1ns)));
  EXPECT_FALSE(rates.must_wait(kAnn, kStart + *wait));
  EXPECT_FALSE(rates.must_wait(kBob, kStart));
  MemberRates off(0, 0);
  off.charge(kAnn, kStart, 1'000'000);
  EXPECT_FALSE(off.must_wait(kAnn, kStart));
}

// 100 of 1,000 who share a secret are too fast, and none of the 900 feels it.
TEST(HolderRates, NobodyWaitsForThoseWhoAreOverTheirRate) {
  HolderRates rates(50, 100);
  std::mt19937_64 hashes{20'251'122};
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t fast = hashes();
    int taken = 0;
    for (int tries = 0; tries < 1'000; ++tries) taken += rates.take(fast, kStart, {}) ? 0 : 1;
    EXPECT_LE(taken, 100) << "never over";
    const auto wait = rates.take(fast, kStart, {});
    ASSERT_TRUE(wait);
    EXPECT_TRUE(rates.take(fast, kStart + (*wait - 1ns), {}));
  }
  for (int i = 0; i < 900; ++i) {
    const std::uint64_t honest = hashes();
    EXPECT_FALSE(rates.take(honest, kStart, {})) << i;
    EXPECT_FALSE(rates.take(honest, kStart + 20ms, {})) << i;
  }
}

TEST(HolderRates, AHolderMayHaveItsOwnRateAndIsChargedAfterwards) {
  HolderRates rates(1'000, 100);
  EXPECT_FALSE(rates.take(7, kStart, trust::Rate{1, 2}));
  EXPECT_FALSE(rates.take(7, kStart, trust::Rate{1, 2}));
  const auto wait = rates.take(7, kStart, trust::Rate{1, 2});
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, 1s);
  constexpr std::uint64_t kOther = 0x0101'0101'0101'0101;
  EXPECT_FALSE(rates.must_wait(kOther, kStart));
  rates.charge(kOther, kStart, 1'099);
  EXPECT_EQ(rates.must_wait(kOther, kStart), 1s);
  EXPECT_FALSE(rates.must_wait(kOther, kStart + 1s));
  HolderRates off(0, 0);
  off.charge(7, kStart, 1'000'000);
  EXPECT_FALSE(off.must_wait(7, kStart));
  EXPECT_FALSE(off.take(7, kStart, {}));
}

TEST(HolderRates, HoldOneRateForAllThreadsOfAHolder) {
  constexpr int kThreads = 4;
  HolderRates rates(1'000, 10);
  std::atomic<int> taken{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) taken += rates.take(7, kStart, {}) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(taken, 10);
  EXPECT_LT(taken, 10 + kThreads);
}

TEST(PayerRates, AMemberAndThoseWhoShareOneAreApart) {
  PayerRates rates(1, 1);
  EXPECT_FALSE(rates.take({kAnn, 5}, kStart));
  EXPECT_TRUE(rates.take({kBob, 5}, kStart)) << "it is the same one, whatever member it is of";
  EXPECT_FALSE(rates.take({kAnn, 0x0706'0504'0302'0100}, kStart));
  EXPECT_FALSE(rates.take({kAnn}, kStart));
  EXPECT_TRUE(rates.must_wait({kAnn}, kStart));
  EXPECT_FALSE(rates.must_wait({kBob}, kStart));
}

TEST(PayerRates, MoreNamesAtOneAddressCauseNoMoreThanAFew) {
  PayerRates rates(1, 2);
  const Payer elsewhere{kAnn, 1'000'003, 9};
  std::uint64_t charged = 0;
  for (std::uint64_t name = 1; name <= 100; ++name) {
    const Payer payer{kAnn, name * 0x0001'0001'0001'0001, 7};
    if (rates.must_wait(payer, kStart)) continue;
    rates.charge(payer, kStart, 2);
    ++charged;
  }
  EXPECT_EQ(charged, static_cast<std::uint64_t>(PayerRates::kNamesOfAnAddress));
  EXPECT_FALSE(rates.must_wait(elsewhere, kStart)) << "another address";
  EXPECT_FALSE(rates.must_wait({kBob}, kStart)) << "who is somebody";
}

TEST(MemberLoads, CountWhoIsThereAndStopAtTheLimit) {
  MemberLoads loads;
  EXPECT_TRUE(loads.enter(kAnn, 2));
  EXPECT_TRUE(loads.enter(kAnn, 2));
  EXPECT_FALSE(loads.enter(kAnn, 2));
  EXPECT_FALSE(loads.enter(kAnn, 2)) << "a refused one takes no place";
  loads.leave(kAnn);
  EXPECT_TRUE(loads.enter(kAnn, 2));
  EXPECT_TRUE(loads.enter(kBob, 1)) << "members are apart";
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(loads.enter(kAnn, 0)) << "0: no limit";
  for (int i = 0; i < 1'000; ++i) loads.leave(kAnn);
  EXPECT_FALSE(loads.enter(kAnn, 2)) << "those two are still there";
}

TEST(MeshLoads, CountWhoIsThereAndStopAtTheLimit) {
  MeshLoads loads;
  const MeshNumber team{1}, other{2};
  EXPECT_EQ(loads.count(team), 0);
  EXPECT_TRUE(loads.enter(team, 2));
  EXPECT_TRUE(loads.enter(team, 2));
  EXPECT_FALSE(loads.enter(team, 2));
  EXPECT_EQ(loads.count(team), 2) << "a refused one takes no place";
  EXPECT_EQ(loads.count(other), 0);
  EXPECT_FALSE(loads.enter(other, 0));
  loads.leave(team);
  EXPECT_TRUE(loads.enter(team, 2));
}

TEST(MeshLoads, LetInNoMoreThanTheLimitFromManyThreads) {
  MeshLoads loads;
  std::atomic<int> entered{0};
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1'000; ++i) entered += loads.enter({7}, 500) ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(entered, 500);
  EXPECT_EQ(loads.count({7}), 500);
}

}  // namespace
}  // namespace signet::broker
