#include "store/nonce_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace signet::store {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using Verdict = NonceMemory::Verdict;

constexpr WallTime kWall{1'700'000'000'000};
constexpr milliseconds kMs{1};
constexpr milliseconds kZero{0};
constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

// clang-format off
TEST(NonceMemory, JudgesEveryCase) {
  struct Row {
    const char* name;
    milliseconds until;  // counted from kWall, of which one was forgotten
    std::size_t live;
    bool is_there;
    Verdict verdict;
  };
  const Row rows[] = {
      {"one that nobody saw", hours(1), 0, false, Verdict::kNew},
      {"one that is there", hours(1), 1, true, Verdict::kUsed},
      {"of the very time that was forgotten", kZero, 0, false, Verdict::kForgotten},
      {"the grace after it", kNonceGrace, 0, false, Verdict::kForgotten},
      {"beyond the grace", kNonceGrace + kMs, 0, false, Verdict::kNew},
      {"the grace before it", -kNonceGrace, 0, false, Verdict::kForgotten},
      {"before the grace, of a time of which none was forgotten", -kNonceGrace - kMs, 0, false,
       Verdict::kNew},
      {"the last that there may be", hours(1), 2, false, Verdict::kNew},
      {"one too many", hours(1), 3, false, Verdict::kFull},
      {"one that is there, of a full member", hours(1), 3, true, Verdict::kUsed},
      {"one that is there, of a time that was forgotten", kZero, 1, true, Verdict::kUsed},
      {"one that may be forgotten, of a full member", kZero, 3, false, Verdict::kForgotten},
      {"more live ones than there may be now", hours(1), 9, false, Verdict::kFull},
  };
  for (const Row& row : rows) {
    NonceMemory memory({3, 1'000});
    memory.forget(kWall);
    EXPECT_EQ(memory.judge(kWall + row.until, row.is_there, row.live, 0), row.verdict) << row.name;
  }
}

TEST(NonceMemory, JudgesWhereAllTogetherAreTooMany) {
  struct Row {
    const char* name;
    std::size_t live, all;
    bool is_there;
    Verdict verdict;
  };
  const Row rows[] = {
      {"the last that there may be", 500, 999, false, Verdict::kNew},
      {"one too many", 500, 1'000, false, Verdict::kFull},
      {"far too many", 500, 9'999, false, Verdict::kFull},
      {"of who has its share", kNonceShare, 9'999, false, Verdict::kFull},
      {"of who has less than its share", kNonceShare - 1, 9'999, false, Verdict::kNew},
      {"of who has none", 0, 9'999, false, Verdict::kNew},
      {"one that is there", 500, 9'999, true, Verdict::kUsed},
      {"of who has as many as one may", 700, 999, false, Verdict::kFull},
  };
  const NonceMemory memory({700, 1'000});
  for (const Row& row : rows) {
    EXPECT_EQ(memory.judge(kWall, row.is_there, row.live, row.all), row.verdict) << row.name;
  }
}

// Each time that is forgotten counts from kWall; each span is told without its grace.
TEST(NonceMemory, JoinsSpansThatAreClose) {
  constexpr milliseconds kJoin = 2 * kNonceGrace + kNonceSpanGap;
  struct Span {
    milliseconds first, last;
  };
  struct Row {
    const char* name;
    std::vector<milliseconds> forgotten;
    std::vector<Span> spans;
  };
  const std::vector<Row> rows = {
      {"nothing", {}, {}},
      {"one", {kZero}, {{kZero, kZero}}},
      {"the same again", {kZero, kZero}, {{kZero, kZero}}},
      {"a later one nearby", {kZero, minutes(1)}, {{kZero, minutes(1)}}},
      {"an earlier one nearby", {minutes(1), kZero}, {{kZero, minutes(1)}}},
      {"one within", {kZero, minutes(3), minutes(2)}, {{kZero, minutes(3)}}},
      {"just close enough", {kZero, kJoin}, {{kZero, kJoin}}},
      {"just too far", {kZero, kJoin + kMs}, {{kZero, kZero}, {kJoin + kMs, kJoin + kMs}}},
      {"just too far before", {kJoin + kMs, kZero},
       {{kZero, kZero}, {kJoin + kMs, kJoin + kMs}}},
      {"one that joins two", {kZero, kJoin + kMs, minutes(9)}, {{kZero, kJoin + kMs}}},
      {"a day apart, in any order", {hours(48), kZero, hours(24)},
       {{kZero, kZero}, {hours(24), hours(24)}, {hours(48), hours(48)}}},
  };
  // clang-format on
  for (const Row& row : rows) {
    NonceMemory memory({3, 1'000});
    for (const milliseconds until : row.forgotten) memory.forget(kWall + until);
    std::vector<NonceSpan> spans;
    for (const Span& span : row.spans) {
      spans.push_back({kWall + span.first - kNonceGrace, kWall + span.last + kNonceGrace});
    }
    EXPECT_TRUE(memory.forgotten() == spans) << row.name;
  }
}

TEST(NonceMemory, JoinsTheOldestWhereThereAreTooMany) {
  NonceMemory memory({3, 1'000});
  constexpr int kCount = static_cast<int>(kNonceSpans) + 3;
  for (int i = 0; i < kCount; ++i) memory.forget(kWall + hours(24) * i);
  const auto& spans = memory.forgotten();
  ASSERT_EQ(spans.size(), kNonceSpans);
  EXPECT_EQ(spans[0].first, kWall - kNonceGrace);
  EXPECT_EQ(spans[0].last, kWall + hours(24) * 3 + kNonceGrace);
  EXPECT_EQ(spans[1].first, kWall + hours(24) * 4 - kNonceGrace);
  EXPECT_EQ(memory.judge(kWall + hours(36), false, 0, 0), Verdict::kForgotten)
      << "more, never less";
  EXPECT_EQ(memory.judge(kWall + hours(24 * 5 + 12), false, 0, 0), Verdict::kNew);
}

TEST(NonceMemory, TakesEveryNumberForATime) {
  for (const std::int64_t until : {kMin, kMin + 1, std::int64_t{0}, kMax - 1, kMax}) {
    NonceMemory memory({10, 1'000});
    EXPECT_EQ(memory.judge({until}, false, 0, 0), Verdict::kNew);
    memory.forget({until});
    memory.forget({until});
    EXPECT_EQ(memory.forgotten().size(), 1U);
    memory.forget({0});
    memory.forget({kMax});
    memory.forget({kMin});
    EXPECT_EQ(memory.judge({0}, false, 0, 0), Verdict::kForgotten);
  }
}

TEST(NonceMemory, PutsItsSpansBack) {
  NonceMemory memory({10, 1'000});
  memory.forget(kWall);
  memory.forget(kWall + hours(5));
  NonceMemory again({10, 1'000});
  again.restore(memory.forgotten());
  EXPECT_EQ(again.judge(kWall + hours(5), false, 0, 0), Verdict::kForgotten);
  again.forget(kWall + hours(5) + minutes(1));
  EXPECT_EQ(again.forgotten().size(), 2U);
}

// One seeded attacker: it moves the wall as it likes and plays every packet again whose time is
// fresh by that wall, while old rows are swept by it. The slow truth: all that were taken.
class Attack {
 public:
  // `of_packet`: `until` is counted from the signed time, and not from the arrival.
  Attack(unsigned seed, bool of_packet) : random_(seed), of_packet_(of_packet) {}

  void run(int moves) {
    for (int i = 0; i < moves; ++i) {
      move();
      ASSERT_EQ(twice_, 0) << "after move " << i;
    }
  }
  int replays() const { return replays_; }
  int forgotten() const { return forgotten_; }
  int taken() const { return static_cast<int>(taken_.size()); }

 private:
  struct Row {
    WallTime until;
    std::size_t packet;
  };
  static constexpr milliseconds kWindow = minutes(1);  // the widest that can be set
  static constexpr milliseconds kLife = minutes(5);

  void move() {
    const auto choice = random_() % 100;
    if (choice < 40) {
      wall_ = wall_ + milliseconds(random_() % 20'000);
    } else if (choice < 48) {
      wall_ = wall_ + milliseconds(static_cast<std::int64_t>(random_() % 1'600'000) - 800'000);
    } else if (choice < 50) {
      wall_ = wall_ + hours(24) * (random_() % 2 == 0 ? 1 : -1);
    } else if (choice < 55 && !packets_.empty()) {
      wall_ = packets_[random_() % packets_.size()] + off();  // to where one is fresh again
    } else if (choice < 65) {
      sweep();
    } else if (choice < 85) {
      packets_.push_back(wall_ + off());
      play(packets_.size() - 1);
    } else {
      for (std::size_t packet = 0; packet < packets_.size(); ++packet) play(packet);
    }
  }
  milliseconds off() {
    return milliseconds(static_cast<std::int64_t>(random_() % 120'001) - kWindow.count());
  }
  void sweep() {
    const auto old = [this](const Row& row) {
      const bool goes = row.until <= wall_ - kNonceGrace;
      if (goes) memory_.forget(row.until);
      forgotten_ += goes;
      return goes;
    };
    rows_.erase(std::remove_if(rows_.begin(), rows_.end(), old), rows_.end());
  }
  void play(std::size_t packet) {
    const WallTime time = packets_[packet];
    if (time > wall_ + kWindow || time < wall_ - kWindow) return;
    const WallTime until = (of_packet_ ? time : wall_) + kLife;
    const auto same = [packet](const Row& row) { return row.packet == packet; };
    const bool is_there = std::any_of(rows_.begin(), rows_.end(), same);
    const bool seen = std::count(taken_.begin(), taken_.end(), packet) != 0;
    replays_ += seen;
    if (memory_.judge(until, is_there, rows_.size(), rows_.size()) != Verdict::kNew) return;
    rows_.push_back({until, packet});
    twice_ += seen;
    taken_.push_back(packet);
  }

  std::mt19937 random_;
  bool of_packet_;
  NonceMemory memory_{{100'000, 1'000'000}};
  WallTime wall_ = kWall;
  std::vector<Row> rows_;
  std::vector<WallTime> packets_;  // the signed time of each
  std::vector<std::size_t> taken_;
  int replays_ = 0;
  int forgotten_ = 0;
  int twice_ = 0;
};

TEST(NonceMemory, TakesNoPacketTwiceHoweverTheWallIsMoved) {
  constexpr unsigned kSeed = 20'261'122;
  int replays = 0;
  int forgotten = 0;
  // Short ones too, where the spans are few and small.
  for (unsigned seed = kSeed; seed < kSeed + 600; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Attack attack(seed, seed % 2 == 0);
    attack.run(seed % 100 < 2 ? 1'000 : 50);
    replays += attack.replays();
    forgotten += attack.forgotten();
    EXPECT_GT(attack.taken(), 0);
  }
  EXPECT_GT(replays, 10'000);
  EXPECT_GT(forgotten, 1'000);
}

}  // namespace
}  // namespace signet::store
