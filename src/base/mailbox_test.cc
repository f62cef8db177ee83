#include "base/mailbox.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace signet {
namespace {

TEST(Mailbox, RunsTasksInOrderForOneWakeUp) {
  int wakes = 0;
  Mailbox mailbox([&] { ++wakes; });
  std::vector<int> ran;
  for (int i = 0; i < 100; ++i) mailbox.post([&ran, i] { ran.push_back(i); });
  EXPECT_EQ(wakes, 1);
  EXPECT_TRUE(ran.empty());
  EXPECT_EQ(mailbox.drain(), 100U);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(ran[static_cast<std::size_t>(i)], i);
}

TEST(Mailbox, WakesAgainAfterADrain) {
  int wakes = 0;
  Mailbox mailbox([&] { ++wakes; });
  EXPECT_EQ(mailbox.drain(), 0U);
  mailbox.post([] {});
  EXPECT_EQ(mailbox.drain(), 1U);
  mailbox.post([] {});
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(mailbox.drain(), 1U);
}

TEST(Mailbox, KeepsWhatATaskPostsForTheNextDrain) {
  int wakes = 0;
  int ran = 0;
  Mailbox mailbox([&] { ++wakes; });
  mailbox.post([&] { mailbox.post([&] { ++ran; }); });
  EXPECT_EQ(mailbox.drain(), 1U);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(wakes, 2);
  EXPECT_EQ(mailbox.drain(), 1U);
  EXPECT_EQ(ran, 1);
}

TEST(Mailbox, TakesABatchBehindWhatWaits) {
  int wakes = 0;
  std::vector<int> ran;
  Mailbox mailbox([&] { ++wakes; });
  mailbox.post_all({});
  EXPECT_EQ(wakes, 0);
  mailbox.post([&] { ran.push_back(1); });
  mailbox.post_all({[&] { ran.push_back(2); }, [&] { ran.push_back(3); }});
  EXPECT_EQ(wakes, 1);
  mailbox.drain();
  mailbox.post_all({[&] { ran.push_back(4); }});
  EXPECT_EQ(wakes, 2);
  mailbox.drain();
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3, 4}));
}

// Every task runs once, on the owner, in the order of its own poster; no wake-up is lost.
TEST(Mailbox, LosesNothingBetweenThreads) {
  constexpr int kPosters = 4;
  constexpr int kTasks = 5'000;
  std::atomic<bool> woken{false};
  Mailbox mailbox([&] { woken = true; });
  std::vector<int> last(kPosters, -1);
  bool in_order = true;
  std::vector<std::thread> posters;
  for (int p = 0; p < kPosters; ++p) {
    posters.emplace_back([&, p] {
      for (int i = 0; i < kTasks; ++i) {
        mailbox.post([&, p, i] {
          int& seen = last[static_cast<std::size_t>(p)];
          in_order = in_order && seen == i - 1;
          seen = i;
        });
      }
    });
  }
  std::size_t ran = 0;
  while (ran < kPosters * kTasks) {
    if (woken.exchange(false)) {
      ran += mailbox.drain();
    } else {
      std::this_thread::yield();
    }
  }
  for (std::thread& poster : posters) poster.join();
  EXPECT_TRUE(in_order);
  EXPECT_EQ(ran, std::size_t{kPosters * kTasks});
  EXPECT_EQ(mailbox.drain(), 0U);
}

}  // namespace
}  // namespace signet
