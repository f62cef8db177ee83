#include "broker/unconfirmed.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace signet::broker {
namespace {

routing::MessageId id_of(int number) {
  routing::MessageId id{};
  id[0] = static_cast<unsigned char>(number);
  id[1] = static_cast<unsigned char>(number >> 8);
  return id;
}

PushedMessage message(int number, std::uint32_t bytes = 10) {
  return {MessageNumber{number}, id_of(number), MemberNumber{1}, bytes, false, 0};
}

// The numbers of messages, as one text.
std::string numbers(const std::vector<PushedMessage>& messages) {
  std::string text;
  for (const PushedMessage& each : messages) text += std::to_string(each.number.value) + " ";
  return text;
}

class UnconfirmedTest : public testing::Test {
 protected:
  UnconfirmedTest() {
    for (const int number : {11, 12, 13}) unconfirmed_.push(message(number));
  }
  Unconfirmed unconfirmed_;
};

TEST_F(UnconfirmedTest, CountsPushesFromOne) {
  EXPECT_EQ(Unconfirmed().last_index(), 0u);
  EXPECT_EQ(unconfirmed_.last_index(), 3u);
  EXPECT_EQ(unconfirmed_.count(), 3u);
  EXPECT_EQ(unconfirmed_.bytes(), 30u);
}

TEST_F(UnconfirmedTest, APongTakesWhatWasPushedBeforeItsPing) {
  struct Case {
    std::uint64_t index;
    std::string taken;
    std::size_t left;
  };
  const Case cases[] = {
      {0, "", 3}, {1, "11 ", 2}, {2, "11 12 ", 1}, {3, "11 12 13 ", 0}, {99, "11 12 13 ", 0}};
  for (const Case& row : cases) {
    Unconfirmed copy = unconfirmed_;
    EXPECT_EQ(numbers(copy.confirm_up_to(row.index)), row.taken) << row.index;
    EXPECT_EQ(copy.count(), row.left);
    EXPECT_EQ(copy.bytes(), 10 * row.left);
    EXPECT_EQ(copy.last_index(), 3u) << "the count of pushes goes on";
  }
}

TEST_F(UnconfirmedTest, AReceiptTakesTheOneItNames) {
  const auto taken = unconfirmed_.confirm(id_of(12));
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->number, MessageNumber{12});
  EXPECT_EQ(taken->index, 2u);
  EXPECT_FALSE(unconfirmed_.confirm(id_of(12))) << "once";
  EXPECT_FALSE(unconfirmed_.confirm(id_of(99)));
  EXPECT_EQ(numbers(unconfirmed_.confirm_up_to(2)), "11 ") << "a pong skips what is gone";
  EXPECT_EQ(numbers(unconfirmed_.confirm_up_to(3)), "13 ");
}

TEST(Unconfirmed, IsAPlainListWhateverIsDoneToIt) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    Unconfirmed fast;
    std::vector<PushedMessage> slow;
    int last = 0;
    for (int step = 0; step < 300; ++step) {
      const auto pick = random() % 4;
      if (pick < 2) {
        PushedMessage next = message(++last, static_cast<std::uint32_t>(random() % 1'000));
        fast.push(next);
        next.index = static_cast<std::uint64_t>(last);
        slow.push_back(next);
      } else if (pick == 2) {
        const std::uint64_t index = random() % static_cast<std::uint64_t>(last + 2);
        std::vector<PushedMessage> expected;
        std::erase_if(slow, [&](const PushedMessage& each) {
          if (each.index <= index) expected.push_back(each);
          return each.index <= index;
        });
        ASSERT_EQ(numbers(fast.confirm_up_to(index)), numbers(expected));
      } else {
        const auto id = id_of(static_cast<int>(random() % static_cast<std::uint64_t>(last + 2)));
        const auto erased = std::erase_if(slow, [&](const auto& each) { return each.id == id; });
        ASSERT_EQ(fast.confirm(id).has_value(), erased == 1);
      }
      std::size_t bytes = 0;
      for (const PushedMessage& each : slow) bytes += each.bytes;
      ASSERT_EQ(fast.bytes(), bytes);
      ASSERT_EQ(fast.count(), slow.size());
    }
  }
}

}  // namespace
}  // namespace signet::broker
