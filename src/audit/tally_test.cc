// What a tally makes of traffic: every fact is counted once, and an attack stays small.
#include "audit/tally.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <random>

namespace signet::audit {
namespace {

using namespace std::chrono_literals;

class TallyTest : public testing::Test {
 protected:
  Tally& tally() {
    if (!tally_) tally_.emplace(options_, now_);
    return *tally_;
  }
  void note(std::int64_t member, std::string_view code, Event event = Event::kRefused) {
    tally().note({event, {1}, {member}, {}, code}, now_);
  }
  void note_stranger(std::string_view address, std::string_view code) {
    tally().note({Event::kRefused, {1}, {}, address, code}, now_);
  }
  std::vector<Draft> take() { return tally().take(now_, pseudonyms_); }
  std::vector<Draft> take_all() { return tally().take_all(now_, pseudonyms_); }
  // `refused stale 3`, `suppressed refused.stale 7`.
  static std::vector<std::string> words_of(const std::vector<Draft>& drafts) {
    std::vector<std::string> words;
    for (const Draft& draft : drafts) {
      words.push_back(std::string(name_of(draft.event)) + " " + draft.code + " " +
                      std::to_string(draft.count));
    }
    return words;
  }
  static std::int64_t count_of(const std::vector<Draft>& drafts) {
    std::int64_t count = 0;
    for (const Draft& draft : drafts) count += draft.count;
    return count;
  }

  using Words = std::vector<std::string>;
  TallyOptions options_;
  Elapsed now_{1h};
  const Pseudonyms pseudonyms_{std::string(32, 'k')};
  std::optional<Tally> tally_;
};

TEST_F(TallyTest, WritesTheFirstOfItsKindAtOnceWithWhomItIsAbout) {
  note(7, "stale");
  note_stranger("192.0.2.1", "bad_signature");
  const auto drafts = take();
  EXPECT_EQ(words_of(drafts), (Words{"refused stale 1", "refused bad_signature 1"}));
  EXPECT_EQ(drafts[0].subject, pseudonyms_.of_member({7}));
  EXPECT_EQ(drafts[1].subject, pseudonyms_.of_name("address", "192.0.2.1"));
  EXPECT_EQ(drafts[0].mesh, MeshNumber{1});
  EXPECT_TRUE(take().empty());
}

TEST_F(TallyTest, TellsOfRepeatsOnceAWindow) {
  note(7, "stale");
  EXPECT_EQ(words_of(take()), Words{"refused stale 1"});
  for (int i = 0; i < 5; ++i) note(7, "stale");
  now_ = now_ + (options_.window - 1ms);
  EXPECT_TRUE(take().empty()) << "the window goes on";
  now_ = now_ + 1ms;
  EXPECT_EQ(words_of(take()), Words{"refused stale 5"});
  note(7, "stale");
  EXPECT_TRUE(take().empty()) << "who repeats itself is in the next window";
  now_ = now_ + options_.window;
  EXPECT_EQ(words_of(take()), Words{"refused stale 1"});
  now_ = now_ + options_.window;
  EXPECT_TRUE(take().empty());
  note(7, "stale");
  EXPECT_EQ(words_of(take()), Words{"refused stale 1"}) << "forgotten, so it is a first one again";
}

TEST_F(TallyTest, TellsApartWhatIsNotTheSame) {
  note(7, "stale");
  note(8, "stale");
  note(7, "replayed");
  note(7, "stale", Event::kEnded);
  tally().note({Event::kRefused, {2}, {7}, {}, "stale"}, now_);
  note_stranger("a", "stale");
  note_stranger("b", "stale");
  EXPECT_EQ(take().size(), 7U);
}

TEST_F(TallyTest, AnAddressCountsOnlyWhereThereIsNoMember) {
  tally().note({Event::kAdmitted, {1}, {7}, "a", "key"}, now_);
  tally().note({Event::kAdmitted, {1}, {7}, "b", "key"}, now_);
  const auto drafts = take_all();
  EXPECT_EQ(words_of(drafts), (Words{"admitted key 1", "admitted key 1"}));
  EXPECT_EQ(drafts[0].subject, drafts[1].subject);
}

TEST_F(TallyTest, CountsWhatIsBeyondTheRateByItsCode) {
  options_.entries_per_second = 2;
  for (int i = 1; i <= 30; ++i) note(i, "stale");
  EXPECT_EQ(take().size(), 20U) << "as many at once as within ten seconds";
  now_ = now_ + 1s;
  for (int i = 101; i <= 105; ++i) note(i, "stale");
  EXPECT_EQ(take().size(), 2U);
  now_ = now_ + (options_.window - 1s);
  EXPECT_EQ(words_of(take()), Words{"suppressed refused.stale 13"});
}

TEST_F(TallyTest, CountsWhatIsBeyondTheOpenOnesByItsCode) {
  options_.max_open = 10;
  for (int i = 1; i <= 15; ++i) note(i, "stale");
  EXPECT_EQ(take().size(), 10U);
  note(1, "stale");
  EXPECT_EQ(words_of(take_all()), (Words{"refused stale 1", "suppressed refused.stale 5"}))
      << "who is known is still counted";
  note(16, "stale");
  EXPECT_EQ(words_of(take()), Words{"refused stale 1"}) << "and there is room again";
}

TEST_F(TallyTest, StrangersHideNothingThatMembersDo) {
  options_.max_open = 100;
  options_.entries_per_second = 5;
  for (int i = 0; i < 1'000; ++i) note_stranger(std::to_string(i), "bad_signature");
  note(7, "key", Event::kAdmitted);
  const auto drafts = take();
  EXPECT_EQ(drafts.size(), 11U) << "a fifth of the rate, and the member";
  EXPECT_EQ(words_of(drafts).back(), "admitted key 1");
  for (int i = 1'000; i < 2'000; ++i) note_stranger(std::to_string(i), "bad_signature");
  for (int i = 1; i <= 39; ++i) note(100 + i, "key", Event::kAdmitted);
  EXPECT_EQ(words_of(take()), Words(39, "admitted key 1")) << "nor do they take all of the room";
}

TEST_F(TallyTest, TakeAllLeavesNothing) {
  options_.entries_per_second = 1;
  for (int i = 1; i <= 12; ++i) {
    note(i, "stale");
    note(i, "stale");
  }
  const auto drafts = take_all();
  EXPECT_EQ(count_of(drafts), 24);
  EXPECT_TRUE(take_all().empty());
  now_ = now_ + 10 * options_.window;
  EXPECT_TRUE(take_all().empty());
}

// Whatever happens, the counts in the log are those of what happened.
TEST_F(TallyTest, EveryFactIsCountedOnce) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const auto below = [&](int most) { return std::uniform_int_distribution<>(0, most - 1)(random); };
  constexpr std::string_view kCodes[] = {"stale", "replayed", "bad_token", "key"};
  constexpr Event kEvents[] = {Event::kAdmitted, Event::kRefused, Event::kEnded};
  for (int round = 0; round < 20; ++round) {
    options_.entries_per_second = 1 + below(20);
    options_.max_open = static_cast<std::size_t>(2 + below(40));
    tally_.emplace(options_, now_);
    std::map<std::string, std::int64_t> noted;
    std::map<std::string, std::int64_t> written;
    const auto write = [&](const std::vector<Draft>& drafts) {
      for (const Draft& draft : drafts) {
        const bool whole = draft.event != Event::kSuppressed;
        written[(whole ? std::string(name_of(draft.event)) + "." : std::string()) + draft.code] +=
            draft.count;
      }
    };
    for (int step = 0; step < 2'000; ++step) {
      const std::string_view code = kCodes[below(4)];
      const Event event = kEvents[below(3)];
      const bool known = below(2) == 0;
      const std::string address = std::to_string(below(30));
      tally().note({event, {1 + below(2)}, {known ? 1 + below(30) : 0}, address, code}, now_);
      ++noted[std::string(name_of(event)) + "." + std::string(code)];
      if (below(20) == 0) write(take());
      now_ = now_ + std::chrono::milliseconds(below(500));
    }
    write(take_all());
    EXPECT_EQ(written, noted) << "round " << round;
  }
}

// Threat J4: a million failures from ever new addresses within an hour.
TEST_F(TallyTest, AMillionFailuresAreLessThanTenMegabytes) {
  constexpr int kFailures = 1'000'000;
  constexpr std::size_t kMost = 10'000'000;
  std::mt19937_64 random(1);
  std::size_t bytes = 0;
  std::uint64_t number = 0;
  std::int64_t counted = 0;
  const auto write = [&](const std::vector<Draft>& drafts) {
    for (const Draft& draft : drafts) {
      bytes += encode({number++, {1'780'000'000'000}, draft}).size() + 1;
      counted += draft.count;
    }
  };
  const auto each = std::chrono::nanoseconds(1h) / kFailures;
  const Elapsed begun = now_;
  Elapsed flushed = now_;
  for (int i = 0; i < kFailures; ++i) {
    now_ = begun + std::chrono::duration_cast<std::chrono::nanoseconds>(each * i);
    const std::uint64_t address = random();
    note_stranger({reinterpret_cast<const char*>(&address), sizeof address}, "bad_signature");
    if (now_ >= flushed + 1s) {
      flushed = now_;
      write(take());
    }
  }
  write(take_all());
  EXPECT_EQ(counted, kFailures);
  EXPECT_LE(bytes, kMost);
}

}  // namespace
}  // namespace signet::audit
