#include "net/unproven.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "net/admission.h"

namespace signet::net {
namespace {

ConnectionId id_of(std::uint32_t number) { return {0, number, 1}; }

class UnprovenList : public ::testing::Test {
 protected:
  void come(std::uint32_t number) {
    there_.insert(number);
    list_.add(id_of(number));
  }
  void leave(std::uint32_t number) {
    if (there_.erase(number) > 0) list_.left();
  }

  std::set<std::uint32_t> there_;
  Unproven list_{1, [this](ConnectionId id) { return there_.count(id.slot) > 0; }};
};

TEST_F(UnprovenList, NobodyMakesRoomWhereNobodyIs) {
  EXPECT_EQ(list_.pick(), std::nullopt);
  come(1);
  leave(1);
  EXPECT_EQ(list_.pick(), std::nullopt);
}

TEST_F(UnprovenList, OfAFewTheOldestGoes) {
  for (std::uint32_t i = 1; i <= 6; ++i) come(i);
  leave(1);
  leave(3);
  for (const std::uint32_t next : {2u, 4u, 5u, 6u}) {
    EXPECT_EQ(list_.pick(), id_of(next));
    leave(next);
  }
}

TEST_F(UnprovenList, OfManyEachMayGoAndTheOldRather) {
  constexpr std::uint32_t kMany = 100;
  for (std::uint32_t i = 0; i < kMany; ++i) come(i);
  constexpr int kPicks = 10'000;
  std::map<std::uint32_t, int> picked;
  for (int i = 0; i < kPicks; ++i) ++picked[list_.pick()->slot];
  int young = 0, old = 0;
  for (const auto& [number, times] : picked) {
    if (number < kMany / 2) old += times;
    if (number >= kMany - kMany / 10) young += times;
  }
  // The oldest of four is in the older half but for 1 in 16; in the youngest tenth in 1 of 10,000.
  EXPECT_NEAR(old, kPicks * 15 / 16, kPicks / 50);
  EXPECT_LE(young, 12);
  EXPECT_GT(picked.size(), kMany / 2) << "not always the same";
}

TEST_F(UnprovenList, NeverNamesOneThatIsProvenOrGone) {
  std::minstd_rand random(7);
  std::uint32_t next = 0;
  for (int i = 0; i < 20'000; ++i) {
    const bool much = (i / 500) % 2 == 0;  // it fills up and empties
    if (random() % 4 < (much ? 3u : 1u)) come(next++);
    if (!there_.empty() && random() % 2 == 0) leave(*there_.begin());
    if (random() % 8 == 0) {
      const auto id = list_.pick();
      ASSERT_EQ(id.has_value(), !there_.empty());
      if (id) {
        ASSERT_EQ(there_.count(id->slot), 1u);
        leave(id->slot);
      }
    }
    ASSERT_EQ(list_.size(), there_.size());
    come(next++);
    ASSERT_LT(list_.remembered_for_test(), 2 * there_.size() + 64) << "what is stale is swept out";
    leave(next - 1);
  }
}

// Flood plays a second in which 15,000 silent connects come from as many addresses, and honest
// ones among them that prove themselves within 40 ms; in steps of a fifteenth of a millisecond.
class Flood {
 public:
  enum class WhoGoes : std::uint8_t { kNewcomer, kAny, kOldestOfFew };

  explicit Flood(WhoGoes who_goes) : who_goes_(who_goes) {}

  double share_of_honest_that_came_in() {
    int came = 0, asked = 0;
    for (std::uint32_t step = 0; step < kSteps; ++step) {
      connect();  // a silent one
      if (step % kHonestEvery == 0) {
        const std::uint32_t due =
            step + kQuickest + static_cast<std::uint32_t>(random_() % (kSlowest - kQuickest));
        finish_[due].push_back(next_);
        ++asked;
        connect();
      }
      for (const std::uint32_t number : finish_[step]) came += prove(number) ? 1 : 0;
    }
    for (const auto& [due, numbers] : finish_) {
      if (due < kSteps) continue;
      for (const std::uint32_t number : numbers) came += prove(number) ? 1 : 0;
    }
    return static_cast<double>(came) / asked;
  }
  std::size_t most() const { return most_; }

 private:
  static constexpr std::uint32_t kSteps = 15'000, kHonestEvery = 15;
  static constexpr std::uint32_t kQuickest = 75, kSlowest = 600;  // 5 to 40 ms

  static PeerAddress address_of(std::uint32_t number) {
    PeerAddress address = *parse_address("10.0.0.0:1");
    for (std::size_t i = 0; i < 3; ++i) {
      address.ip[15 - i] = static_cast<unsigned char>(number >> (8 * i));
    }
    return address;
  }

  void connect() {
    const std::uint32_t number = next_++;
    const auto answer = admission_.admit(address_of(number), static_cast<std::uint32_t>(random_()));
    if (answer.refused) return;
    there_.insert(number);
    list_.add(id_of(number));
    most_ = std::max(most_, there_.size());
    if (answer.displaces_in) end_one(number);
  }
  void end_one(std::uint32_t newcomer) {
    std::uint32_t goes = newcomer;
    if (who_goes_ == WhoGoes::kOldestOfFew) goes = list_.pick()->slot;
    while (who_goes_ == WhoGoes::kAny) {
      const std::uint32_t oldest = *there_.begin();
      goes = oldest + static_cast<std::uint32_t>(random_() % (next_ - oldest));
      if (there_.count(goes) > 0) break;
    }
    leave(goes, Departure::Kind::kLeftUnproven);
  }
  bool prove(std::uint32_t number) {
    if (there_.count(number) == 0) return false;
    leave(number, Departure::Kind::kProven);
    return true;
  }
  void leave(std::uint32_t number, Departure::Kind kind) {
    there_.erase(number);
    list_.left();
    admission_.note({kind, 0, address_of(number).limit_key()});
  }

  const WhoGoes who_goes_;
  NetOptions options_;
  Admission admission_{options_, 1};
  std::mt19937 random_{11};
  std::set<std::uint32_t> there_;
  std::map<std::uint32_t, std::vector<std::uint32_t>> finish_;  // by step
  std::uint32_t next_ = 1;
  std::size_t most_ = 0;
  Unproven list_{5, [this](ConnectionId id) { return there_.count(id.slot) > 0; }};
};

TEST(AFloodOfFifteenThousand, LetsNinetyNineOfAHundredHonestPeersIn) {
  Flood flood(Flood::WhoGoes::kOldestOfFew);
  EXPECT_GE(flood.share_of_honest_that_came_in(), 0.99);
  EXPECT_LE(flood.most(), NetOptions{}.max_unproven + 1);
}

// Why it is not done as others do it.
TEST(AFloodOfFifteenThousand, WouldKeepThemOutIfNewcomersWereRefusedOrAnyEnded) {
  EXPECT_LT(Flood(Flood::WhoGoes::kNewcomer).share_of_honest_that_came_in(), 0.30);
  EXPECT_LT(Flood(Flood::WhoGoes::kAny).share_of_honest_that_came_in(), 0.95);
}

}  // namespace
}  // namespace signet::net
