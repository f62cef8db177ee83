#include "trust/penalties.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <string>

namespace signet::trust {
namespace {

using namespace std::chrono_literals;

constexpr Elapsed kBoot{1h};

Penalties::Key key_of(unsigned number) {
  Penalties::Key key{};
  key[14] = static_cast<unsigned char>(number >> 8);
  key[15] = static_cast<unsigned char>(number);
  return key;
}

TEST(Penalties, MakesWaitWhoFailsAgainAndAgain) {
  enum class What : std::uint8_t {
    kFails,
    kAlert,
    kSucceeds,
    kAsks
  };  // kAlert: fails, and says so
  struct Step {
    What what;
    std::chrono::nanoseconds at;
    std::chrono::nanoseconds waits;  // asked right afterwards; 0: nothing
  };
  struct Case {
    const char* name;
    PenaltyOptions options;
    std::vector<Step> steps;
  };
  using enum What;
  const PenaltyOptions usual;
  const PenaltyOptions two{2, 60s, 1s, 5s, 100};
  // clang-format off
  const Case cases[] = {
      {"four cost nothing, the fifth a second and one line in the log",
       usual,
       {{kFails, 0s, 0s}, {kFails, 0s, 0s}, {kFails, 1s, 0s}, {kFails, 2s, 0s}, {kAlert, 3s, 1s},
        {kAsks, 3s + 999ms, 1ms}, {kAsks, 4s, 0s}}},
      {"each further one doubles, up to the most",
       two,
       {{kFails, 0s, 0s}, {kAlert, 0s, 1s}, {kFails, 1s, 2s}, {kFails, 3s, 4s}, {kFails, 7s, 5s},
        {kFails, 12s, 5s}}},
      {"a minute at last",
       usual,
       {{kFails, 0s, 0s}, {kFails, 0s, 0s}, {kFails, 0s, 0s}, {kFails, 0s, 0s}, {kAlert, 0s, 1s},
        {kFails, 1s, 2s}, {kFails, 3s, 4s}, {kFails, 7s, 8s}, {kFails, 15s, 16s}, {kFails, 31s, 32s},
        {kFails, 63s, 60s}, {kFails, 123s, 60s}}},
      {"as many, but not within one window",
       two,
       {{kFails, 0s, 0s}, {kFails, 60s, 0s}, {kFails, 120s, 0s}, {kAlert, 180s - 1ns, 1s}}},
      {"any window counts, not only the one that began with the first",
       {3, 60s, 1s, 5s, 100},
       {{kFails, 0s, 0s}, {kFails, 50s, 0s}, {kFails, 61s, 0s}, {kAlert, 109s, 1s}}},
      {"forgotten a window after the wait is over",
       two,
       {{kFails, 0s, 0s}, {kAlert, 0s, 1s}, {kFails, 61s, 0s}, {kAlert, 61s, 1s}}},
      {"not a moment earlier",
       two,
       {{kFails, 0s, 0s}, {kAlert, 0s, 1s}, {kFails, 61s - 1ns, 2s}}},
      {"whoever waits patiently gets no free ones",
       {2, 10s, 8s, 8s, 100},
       {{kFails, 0s, 0s}, {kAlert, 0s, 8s}, {kFails, 9s, 8s}, {kFails, 18s, 8s}, {kFails, 27s, 8s}}},
      {"a success takes one back",
       two,
       {{kFails, 0s, 0s}, {kSucceeds, 1s, 0s}, {kFails, 2s, 0s}, {kAlert, 3s, 1s}}},
      {"and one only",
       {3, 60s, 1s, 5s, 100},
       {{kFails, 0s, 0s}, {kFails, 0s, 0s}, {kSucceeds, 1s, 0s}, {kFails, 2s, 0s}, {kAlert, 3s, 1s}}},
      {"a success after a wait halves the next one",
       two,
       {{kFails, 0s, 0s}, {kAlert, 0s, 1s}, {kFails, 1s, 2s}, {kSucceeds, 4s, 0s}, {kFails, 5s, 2s}}},
      {"after the only wait it clears the key",
       two,
       {{kFails, 0s, 0s}, {kAlert, 0s, 1s}, {kSucceeds, 2s, 0s}, {kFails, 3s, 0s}, {kAlert, 3s, 1s}}},
      {"successes alone are nothing",
       two,
       {{kSucceeds, 0s, 0s}, {kSucceeds, 0s, 0s}, {kFails, 0s, 0s}, {kAlert, 0s, 1s}}},
      {"what was under way fails while it waits",
       two,
       {{kFails, 0s, 0s}, {kAlert, 0s, 1s}, {kFails, 0s, 2s}, {kFails, 0s, 4s}}},
      {"an older time makes no wait shorter",
       two,
       {{kFails, 9s, 0s}, {kAlert, 9s, 1s}, {kFails, 0s, 10s}}},
      {"no free ones",
       {0, 60s, 1s, 5s, 100},
       {{kAlert, 0s, 1s}, {kFails, 1s, 2s}}},
      {"a first wait over the most is the most",
       {1, 60s, 9s, 5s, 100},
       {{kAlert, 0s, 5s}, {kFails, 1s, 5s}}},
      {"nothing is remembered where there is no room",
       {1, 60s, 1s, 5s, 0},
       {{kFails, 0s, 0s}, {kFails, 0s, 0s}}},
  };
  // clang-format on
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Penalties penalties(c.options);
    const Penalties::Key key = key_of(1), other = key_of(2);
    for (std::size_t i = 0; i < c.steps.size(); ++i) {
      SCOPED_TRACE(i);
      const Step& step = c.steps[i];
      const Elapsed now = kBoot + step.at;
      if (step.what == kSucceeds) penalties.succeeded(key, now);
      if (step.what == kFails || step.what == kAlert) {
        EXPECT_EQ(penalties.failed(key, now), step.what == kAlert);
      }
      EXPECT_EQ(penalties.must_wait(key, now).value_or(0ns), step.waits);
      EXPECT_EQ(penalties.must_wait(other, now), std::nullopt);
    }
  }
}

TEST(Penalties, DoublesWithoutRunningOver) {
  Penalties penalties({1, 60s, 1ns, std::chrono::nanoseconds::max() / 4, 10});
  for (int i = 0; i < 200; ++i) penalties.failed(key_of(1), kBoot);
  EXPECT_EQ(penalties.must_wait(key_of(1), kBoot), std::chrono::nanoseconds::max() / 4);
}

TEST(Penalties, RemembersOnlySoManyAndThoseThatFailedLast) {
  Penalties penalties({1, 60s, 10s, 10s, 100});
  for (unsigned i = 0; i < 100; ++i) penalties.failed(key_of(i), kBoot);
  penalties.failed(key_of(0), kBoot);  // again, so that 1 is the longest ago
  for (unsigned i = 100; i < 150; ++i) penalties.failed(key_of(i), kBoot);
  EXPECT_EQ(penalties.size(), 100u);
  EXPECT_TRUE(penalties.must_wait(key_of(0), kBoot));
  EXPECT_FALSE(penalties.must_wait(key_of(1), kBoot));
  EXPECT_FALSE(penalties.must_wait(key_of(50), kBoot));
  EXPECT_TRUE(penalties.must_wait(key_of(51), kBoot));
  EXPECT_TRUE(penalties.must_wait(key_of(149), kBoot));
}

TEST(Penalties, AskingAndSucceedingTakeNoRoom) {
  Penalties penalties({});
  for (unsigned i = 0; i < 1'000; ++i) {
    EXPECT_FALSE(penalties.must_wait(key_of(i), kBoot));
    penalties.succeeded(key_of(i), kBoot);
    penalties.failed(key_of(i), kBoot);
    penalties.succeeded(key_of(i), kBoot);
  }
  EXPECT_EQ(penalties.size(), 0u);
}

// The obvious one: it keeps all that ever happened to a key, and begins from nothing at every
// question.
class SlowPenalties {
 public:
  explicit SlowPenalties(const PenaltyOptions& options) : options_(options) {}

  bool failed(unsigned key, Elapsed now) {
    const bool waited = replay(key, now).steps > 0;
    history_[key].push_back({true, now});
    return !waited && replay(key, now).steps > 0;
  }
  void succeeded(unsigned key, Elapsed now) { history_[key].push_back({false, now}); }
  std::chrono::nanoseconds must_wait(unsigned key, Elapsed now) {
    const State state = replay(key, now);
    return state.steps == 0 ? 0ns : std::max<std::chrono::nanoseconds>(0ns, state.until - now);
  }

 private:
  struct Event {
    bool failure;
    Elapsed at;
  };
  struct State {
    int steps = 0;
    Elapsed until{};
    std::vector<Elapsed> failures;
  };
  void pass_to(State& state, Elapsed now) const {
    if (state.until + options_.window <= now) state.steps = 0;
    std::vector<Elapsed> young;
    for (const Elapsed failure : state.failures) {
      if (failure + options_.window > now) young.push_back(failure);
    }
    state.failures = young;
  }
  State replay(unsigned key, Elapsed now) {
    State state;
    for (const Event& event : history_[key]) {
      pass_to(state, event.at);
      if (!event.failure) {
        if (state.steps > 0) --state.steps;
        if (!state.failures.empty()) state.failures.pop_back();
        continue;
      }
      if (state.steps == 0) {
        state.failures.push_back(event.at);
        if (state.failures.size() < options_.free_failures) continue;
        state.failures.clear();
      }
      ++state.steps;
      const double doubled = std::ldexp(static_cast<double>(options_.first.count()),
                                        static_cast<int>(state.steps) - 1);
      const double wait = std::min(doubled, static_cast<double>(options_.most.count()));
      state.until = std::max(state.until,
                             event.at + std::chrono::nanoseconds(static_cast<std::int64_t>(wait)));
    }
    pass_to(state, now);
    return state;
  }

  const PenaltyOptions options_;
  std::map<unsigned, std::vector<Event>> history_;
};

TEST(Penalties, AgreesWithTheObviousOne) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 10; ++round) {
    const PenaltyOptions options{1 + random() % 5, std::chrono::seconds(1 + random() % 20), 1s,
                                 std::chrono::seconds(1 + random() % 30), 100};
    Penalties penalties(options);
    SlowPenalties slow(options);
    Elapsed now = kBoot;
    for (int i = 0; i < 300; ++i) {
      now = now + std::chrono::milliseconds(random() % 2 == 0 ? random() % 500 : random() % 9'000);
      const auto key = static_cast<unsigned>(random() % 3);
      if (random() % 5 == 0) {
        penalties.succeeded(key_of(key), now);
        slow.succeeded(key, now);
      } else {
        ASSERT_EQ(penalties.failed(key_of(key), now), slow.failed(key, now));
      }
      for (unsigned k = 0; k < 3; ++k) {
        ASSERT_EQ(penalties.must_wait(key_of(k), now).value_or(0ns), slow.must_wait(k, now)) << i;
      }
    }
  }
}

}  // namespace
}  // namespace signet::trust
