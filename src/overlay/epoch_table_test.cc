#include "overlay/epoch_table.h"

#include <gtest/gtest.h>

#include <functional>

namespace signet::overlay {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr WallTime kStart{1'767'616'490'123};
constexpr milliseconds kMaxAge = 120s;  // two lengths
const KeyHolders kThree{{"a", 1}, {"b", 1}, {"c", 1}};

EpochState steady() {
  EpochState state;
  state.decided = state.current = 4;
  state.decided_at = state.boundary = kStart;
  return state;
}
EpochState decided() {
  EpochState state = steady();
  state.decided = 5;
  return state;
}
EpochState staged() {
  EpochState state = decided();
  state.phase = KeyPhase::kStaged;
  state.other = 5;
  return state;
}
EpochState named() {
  EpochState state = staged();
  state.phase = KeyPhase::kNamed;
  state.moment = kStart + 10s;
  return state;
}
EpochState grace() {
  EpochState state = decided();
  state.phase = KeyPhase::kGrace;
  state.current = 5;
  state.other = 4;
  state.moment = kStart + 25s;
  return state;
}
EpochState impatient(EpochState state) {
  state.waited = 3;
  return state;
}

// Nodes of which each said that it has the keys of the next, or uses the current.
void say(EpochTable& table, const std::string& nodes) {
  for (const char node : nodes) {
    table.ready(std::string(1, node), 5);
    table.uses(std::string(1, node), 5);
  }
}

struct Row {
  const char* name;
  EpochState state;
  milliseconds at;
  const char* said;  // by which nodes
  const char* due;
};

constexpr milliseconds kHour = 1h;

// clang-format off
const Row kRows[] = {
    {"nothing was ever decided",            {},                 0s,         "",    "decide"},
    {"before the boundary",                 steady(),           59'999ms,   "",    "nothing"},
    {"at the boundary",                     steady(),           60s,        "",    "decide"},
    {"an hour behind it",                   steady(),           kHour,      "",    "decide"},
    {"the clock a second back",             steady(),           -1s,        "",    "nothing"},
    {"a length back",                       steady(),           -60s,       "",    "nothing"},
    {"more than that",                      steady(),           -60'001ms,  "",    "decide"},
    {"an hour back",                        steady(),           -kHour,     "",    "decide"},
    {"decided, and not staged",             decided(),          0s,         "",    "stage"},
    {"not staged, and the next is due",     decided(),          60s,        "",    "decide"},
    {"staged, and nobody is ready",         staged(),           1s,         "",    "nothing"},
    {"staged, and one is not",              staged(),           1s,         "ab",  "nothing"},
    {"staged, and all are ready",           staged(),           1s,         "abc", "name_moment"},
    {"staged, and others are ready, too",   staged(),           1s,         "abcxyz", "name_moment"},
    {"staged, and the next is due",         staged(),           60s,        "abc", "decide"},
    {"staged, and waited long enough",      impatient(staged()), 1s,        "a",   "name_moment"},
    {"staged, and the clock an hour on",    staged(),           kHour,      "",    "decide"},
    {"named, before its moment",            named(),            9'999ms,    "",    "nothing"},
    {"named, at its moment",                named(),            10s,        "",    "switch"},
    {"named, and the next is due, too",     named(),            60s,        "",    "switch"},
    {"named, the moment as far as it can be", named(),          7s,         "",    "nothing"},
    {"named, the clock went back",          named(),            6'999ms,    "",    "switch"},
    {"named, the clock went back by hours", named(),            -kHour,     "",    "switch"},
    {"in grace, and all use it",            grace(),            24'999ms,   "abc", "nothing"},
    {"at its earliest end, and all use it", grace(),            25s,        "abc", "forget_other"},
    {"behind it, and one does not",         grace(),            59s,        "bc",  "nothing"},
    {"behind it, and nobody says so",       grace(),            59s,        "",    "nothing"},
    {"behind it, and waited long enough",   impatient(grace()), 30s,        "",    "forget_other"},
    {"before it, and waited long enough",   impatient(grace()), 20s,        "",    "nothing"},
    {"in grace, and the next is due",       grace(),            60s,        "abc", "decide"},
    {"in grace, the clock went back",       grace(),            9'999ms,    "abc", "forget_other"},
    {"in grace, it went back, one does not", grace(),           9'999ms,    "ab",  "nothing"},
};
// clang-format on

TEST(EpochTable, SaysWhatIsDue) {
  for (const Row& row : kRows) {
    EpochTable table(EpochOptions{}, row.state);
    say(table, row.said);
    EXPECT_EQ(name_of(table.due(kStart + row.at, kThree)), row.due) << row.name;
    EXPECT_TRUE(is_consistent(row.state)) << row.name;
  }
}

TEST(EpochTable, WaitsForNobodyWhereNobodyHasKeys) {
  EXPECT_EQ(EpochTable({}, staged()).due(kStart + 1s, {}), EpochStep::kNameMoment);
  EXPECT_EQ(EpochTable({}, grace()).due(kStart + 24s, {}), EpochStep::kNothing);
  EXPECT_EQ(EpochTable({}, grace()).due(kStart + 25s, {}), EpochStep::kForgetOther);
}

TEST(EpochTable, TellsWhoItWaitsFor) {
  EpochTable table({}, staged());
  EXPECT_EQ(table.waits_for(kThree), (std::set<std::string>{"a", "b", "c"}));
  table.ready("b", 5);
  table.ready("a", 4);  // of another epoch
  table.ready("c", 6);
  table.uses("c", 5);  // not yet
  EXPECT_EQ(table.waits_for(kThree), (std::set<std::string>{"a", "c"}));
  EXPECT_EQ(table.waits_for({{"b", 1}, {"c", 5}, {"late", 6}}), (std::set<std::string>{"c"}))
      << "a was removed, and late came later";
  EXPECT_EQ(EpochTable({}, named()).waits_for(kThree), std::set<std::string>{});
  EXPECT_EQ(EpochTable({}, steady()).waits_for(kThree), std::set<std::string>{});

  EpochTable in_grace({}, grace());
  in_grace.uses("a", 5);
  in_grace.uses("b", 4);
  in_grace.ready("c", 5);
  EXPECT_EQ(in_grace.waits_for({{"a", 1}, {"b", 1}, {"c", 1}, {"late", 6}}),
            (std::set<std::string>{"b", "c", "late"}))
      << "who came later counts here: it may have kept the old one";
}

TEST(EpochTable, ForgetsWhatANodeSaidThatIsNoLongerTheSame) {
  EpochTable table({}, staged());
  say(table, "abc");
  table.forget("b");
  EXPECT_EQ(table.waits_for(kThree), std::set<std::string>{"b"});
  EpochTable in_grace({}, grace());
  say(in_grace, "abc");
  in_grace.forget("c");
  EXPECT_EQ(in_grace.waits_for(kThree), std::set<std::string>{"c"});
}

// The controller's part: what is due is committed, and applied.
struct Story {
  EpochTable table{{}, {}};
  KeyHolders holders = kThree;
  WallTime now = kStart;
  std::string steps;

  explicit Story(const EpochState& state = {}) : table({}, state) {}
  Story& run() {
    for (EpochStep step; (step = table.due(now, holders)) != EpochStep::kNothing;) take(step);
    return *this;
  }
  void take(EpochStep step) {
    table.apply(table.behind(step, now));
    steps += std::string(steps.empty() ? "" : " ") + std::string(name_of(step));
  }
  Story& wait(milliseconds time) {
    now = now + time;
    return run();
  }
  Story& said(const std::string& nodes, std::uint64_t epoch) {
    for (const char node : nodes) {
      table.ready(std::string(1, node), epoch);
      table.uses(std::string(1, node), epoch);
    }
    return run();
  }
  std::string told() { return std::exchange(steps, {}); }
};

TEST(EpochTable, GoesRound) {
  Story story;
  EXPECT_EQ(story.run().told(), "decide stage") << "nobody has a key that it could be without";
  EXPECT_EQ(story.table.offer(), (KeyOffer{1, {}, {}, {}}));
  EXPECT_EQ(story.wait(60s).told(), "decide stage");
  EXPECT_EQ(story.table.offer(), (KeyOffer{1, 2, {}, {}}));
  EXPECT_EQ(story.said("ab", 2).told(), "");
  EXPECT_EQ(story.said("c", 2).told(), "name_moment");
  EXPECT_EQ(story.table.offer(), (KeyOffer{1, 2, story.now + 3s, {}}));
  EXPECT_EQ(story.said("a", 2).told(), "") << "its clock is ahead, and it uses the next already";
  EXPECT_EQ(story.wait(3s).told(), "switch");
  EXPECT_EQ(story.table.offer(), (KeyOffer{2, {}, {}, 1}));
  EXPECT_EQ(story.wait(15s).told(), "");
  EXPECT_EQ(story.said("bc", 2).told(), "forget_other");
  EXPECT_EQ(story.table.offer(), (KeyOffer{2, {}, {}, {}}));
  EXPECT_EQ(story.table.ends(), kStart + 120s);
  EXPECT_EQ(story.wait(42s).told(), "decide stage");
  EXPECT_EQ(story.table.state().decided, 3u);
  EXPECT_EQ(story.table.waits_for(kThree).size(), 3u) << "what was ready for 2 is not for 3";
}

TEST(EpochTable, DecidesOnceForAllBoundariesThatItMissed) {
  Story story(steady());
  EXPECT_EQ(story.wait(3h + 5s).told(), "decide stage");
  EXPECT_EQ(story.table.state().decided, 5u);
  EXPECT_EQ(story.table.state().skipped, 179u);
  EXPECT_EQ(story.table.state().boundary, kStart + 3h) << "the rhythm stays";
  EXPECT_EQ(story.wait(55s).told(), "decide");
  EXPECT_EQ(story.table.state().skipped, 0u);
}

TEST(EpochTable, AClockThatStepsNeitherStopsItNorMakesItRace) {
  for (const milliseconds step : {milliseconds(-5h), milliseconds(-61s), milliseconds(-59s),
                                  milliseconds(-1ms), milliseconds(1h), milliseconds(100h)}) {
    Story story(steady());
    story.wait(30s);
    story.wait(step);
    const std::uint64_t behind = story.table.state().decided;
    EXPECT_LE(behind, 5u) << step.count();
    // From here on the clock goes as it should: half a minute a step.
    std::uint64_t last = behind;
    int since = 0;
    for (int i = 0; i < 20; ++i) {
      story.wait(30s);
      const std::uint64_t decided = story.table.state().decided;
      EXPECT_LE(decided, last + 1);
      since = decided > last ? 0 : since + 1;
      EXPECT_LE(since, 4) << "two lengths at most";
      last = decided;
    }
    EXPECT_GE(last, behind + 9) << step.count();
    EXPECT_LE(last, behind + 10) << step.count();
  }
}

TEST(EpochTable, DecidesBetweenBoundariesWithoutMovingThem) {
  Story story(steady());
  story.wait(10s);
  story.take(EpochStep::kDecide);  // a revocation
  EXPECT_EQ(story.table.state().decided, 5u);
  EXPECT_EQ(story.table.state().decided_at, kStart + 10s);
  EXPECT_EQ(story.run().told(), "decide stage");
  story.take(EpochStep::kDecide);  // another one, while that is staged
  EXPECT_EQ(story.run().told(), "decide");
  EXPECT_EQ(story.table.state().other, 5u) << "what is handed out is never replaced";
  EXPECT_EQ(story.table.state().waited, 0u) << "and is waited for as long as ever";
  EXPECT_EQ(story.wait(50s).told(), "decide");
  EXPECT_EQ(story.table.state().decided, 7u);
  EXPECT_EQ(story.table.state().skipped, 0u);
  EXPECT_EQ(story.table.state().waited, 1u);
  story.holders.erase("c");  // denied by it
  EXPECT_EQ(story.said("ab", 5).wait(3s).said("ab", 5).wait(15s).told(),
            "name_moment switch forget_other stage");
  EXPECT_EQ(story.table.state().other, 7u) << "the latest; 6 never had keys";
}

TEST(EpochTable, LeavesBehindWhoReportsAndNeverGetsReady) {
  Story story(staged());
  EXPECT_EQ(story.said("ab", 5).told(), "");
  EXPECT_EQ(story.wait(60s).wait(60s).told(), "decide decide");
  EXPECT_EQ(story.wait(60s).told(), "decide name_moment");
  EXPECT_EQ(story.wait(3s).told(), "switch");
  EXPECT_EQ(story.said("ab", 5).wait(57s).wait(60s).told(), "decide decide");
  EXPECT_EQ(story.wait(60s).told(), "decide forget_other stage");
}

TEST(EpochTable, AControllerThatWasAwayLetsNodesReportBeforeItDecides) {
  for (const EpochState& state : {EpochState{}, steady(), staged(), grace()}) {
    Story story(state);
    story.now = kStart + 1h;
    story.table.resumed(story.now, kMaxAge);
    EXPECT_FALSE(story.table.settled(story.now));
    EXPECT_EQ(story.run().told(), "");
    EXPECT_EQ(story.table.next(story.now), kStart + 1h + 60s);
    EXPECT_EQ(story.wait(59'999ms).told(), "");
    EXPECT_EQ(story.wait(1ms).told().substr(0, 6), "decide");
    EXPECT_TRUE(story.table.settled(story.now));
    EXPECT_EQ(story.table.state().skipped, state.decided == 0 ? 0u : 60u);
  }
  Story soon(steady());  // no boundary passed: there is nothing to wait for
  soon.now = kStart + 59s;
  soon.table.resumed(soon.now, kMaxAge);
  EXPECT_TRUE(soon.table.settled(soon.now));
  EXPECT_EQ(soon.wait(1s).told(), "decide stage");
}

TEST(EpochTable, WithinItsEpochItWaitsWhereReportsRanOutMeanwhile) {
  struct Age {
    milliseconds max_age;
    milliseconds settles_after;
  };
  for (const Age& row : {Age{3s, 3s}, Age{60s, 60s}, Age{119'999ms, 60s}, Age{120s, 0s}}) {
    EpochTable table({}, steady());
    const WallTime back = kStart + 30s;
    table.resumed(back, row.max_age);
    EXPECT_TRUE(table.settled(back + row.settles_after)) << row.max_age.count();
    if (row.settles_after == 0s) continue;
    EXPECT_FALSE(table.settled(back)) << row.max_age.count();
    EXPECT_FALSE(table.settled(back + row.settles_after - 1ms)) << row.max_age.count();
    EXPECT_EQ(table.next(back), std::min(back + row.settles_after, back + 60s));
  }
}

TEST(EpochTable, AFirstDecisionBeforeItsTimeBeginsTheRhythm) {
  Story story;
  story.table.resumed(kStart, kMaxAge);
  story.wait(10s);
  story.take(EpochStep::kDecide);
  EXPECT_EQ(story.table.state().skipped, 0u);
  EXPECT_EQ(story.table.ends(), kStart + 70s);
}

// A crash between a commit and what follows it: the table that is made of the state says what is
// to be done as the one that is gone, once the nodes said again what they have.
TEST(EpochTable, GoesOnFromWhatWasCommitted) {
  Story whole, broken;
  for (Story* story : {&whole, &broken}) story->run();
  std::uint64_t epoch = 1;
  for (int i = 0; i < 200; ++i) {
    for (Story* story : {&whole, &broken}) {
      story->now = story->now + 5s;
      for (EpochStep step;;) {
        for (const char* node : {"a", "b", "c"}) {
          story->table.ready(node, epoch);
          story->table.uses(node, epoch);
        }
        step = story->table.due(story->now, story->holders);
        if (step == EpochStep::kNothing) break;
        story->take(step);
        const EpochState committed = story->table.state();
        epoch = committed.other ? std::max(*committed.other, committed.current) : committed.current;
        if (story == &broken) {
          story->table = EpochTable({}, committed);
          story->table.resumed(story->now, kMaxAge);
        }
      }
    }
    ASSERT_EQ(whole.table.state(), broken.table.state()) << whole.steps << "\n" << broken.steps;
  }
  EXPECT_EQ(whole.steps, broken.steps);
  EXPECT_GE(whole.table.state().current, 16u);
}

TEST(EpochTable, AsksAgainWhenSomethingCanBeDue) {
  // clang-format off
  const std::tuple<const char*, EpochState, milliseconds, milliseconds> rows[] = {
      {"steady",                      steady(), 10s,  60s},
      {"steady, the clock went back", steady(), -30s, 30s},
      {"staged",                      staged(), 10s,  60s},
      {"named",                       named(),  8s,   10s},
      {"in grace",                    grace(),  20s,  25s},
      {"in grace, and it waits",      grace(),  30s,  60s},
  };
  // clang-format on
  for (const auto& [name, state, now, next] : rows) {
    const EpochTable table({}, state);
    ASSERT_EQ(table.due(kStart + now, kThree), EpochStep::kNothing) << name;
    EXPECT_EQ(table.next(kStart + now), kStart + next) << name;
  }
}

TEST(EpochTable, KnowsStatesThatItWasNeverIn) {
  EXPECT_TRUE(is_consistent({}));
  const std::pair<const char*, std::function<void(EpochState&)>> faults[] = {
      {"keys of an epoch that was not decided", [](EpochState& s) { s = steady(), s.current = 5; }},
      {"a second secret of no use", [](EpochState& s) { s = steady(), s.other = 3; }},
      {"staged without the next", [](EpochState& s) { s = staged(), s.other.reset(); }},
      {"staged over nothing", [](EpochState& s) { s = staged(), s.current = 0; }},
      {"staged back", [](EpochState& s) { s = staged(), s.other = 3; }},
      {"staged the same", [](EpochState& s) { s = staged(), s.other = 4; }},
      {"staged ahead of its decision", [](EpochState& s) { s = staged(), s.other = 6; }},
      {"named without the next", [](EpochState& s) { s = named(), s.other.reset(); }},
      {"grace without the last", [](EpochState& s) { s = grace(), s.other.reset(); }},
      {"grace of a later one", [](EpochState& s) { s = grace(), s.other = 6; }},
      {"grace of nothing", [](EpochState& s) { s = grace(), s.other = 0; }},
      {"a phase there is not", [](EpochState& s) { s.phase = static_cast<KeyPhase>(9); }},
  };
  for (const auto& [name, make] : faults) {
    EpochState state;
    make(state);
    EXPECT_FALSE(is_consistent(state)) << name;
    EXPECT_DEATH(EpochTable({}, state), "") << name;
  }
}

TEST(EpochTable, AppliesNoDecisionTwiceAndNoneAhead) {
  EpochTable table({}, steady());
  EpochState twice = steady();
  twice.decided = 6;
  EXPECT_DEATH(table.apply(twice), "");
  twice.decided = 3;
  twice.current = 3;
  EXPECT_DEATH(table.apply(twice), "");
}

struct ChoiceRow {
  const char* name;
  KeyOffer offer;
  milliseconds at;
  std::uint64_t in_use;
  KeyChoice want;
};

TEST(KeyChoice, FollowsTheOfferAndNeverGoesBack) {
  const WallTime moment = kStart + 10s;
  // clang-format off
  const ChoiceRow rows[] = {
      {"no keys",                     {},                       0s,     0, {0, {}}},
      {"one",                         {4, {}, {}, {}},          0s,     0, {4, {}}},
      {"the next was handed out",     {4, 5, {}, {}},           1h,     4, {4, 5}},
      {"before the moment",           {4, 5, moment, {}},       9'999ms, 4, {4, 5}},
      {"at the moment",               {4, 5, moment, {}},       10s,    4, {5, 4}},
      {"an hour later, without news", {4, 5, moment, {}},       1h,     5, {5, 4}},
      {"the clock went back",         {4, 5, moment, {}},       0s,     5, {5, 4}},
      {"a moment that was lost",      {4, 5, {}, {}},           0s,     5, {5, 4}},
      {"switched",                    {5, {}, {}, 4},           0s,     4, {5, 4}},
      {"the grace is over",           {5, {}, {}, {}},          0s,     5, {5, {}}},
      {"away for several switches",   {9, 10, {}, {}},          0s,     4, {9, 10}},
  };
  // clang-format on
  for (const ChoiceRow& row : rows) {
    EXPECT_FALSE(is_older(row.offer, row.in_use)) << row.name;
    EXPECT_EQ(choose(row.offer, kStart + row.at, row.in_use), row.want) << row.name;
  }
  EXPECT_TRUE(is_older({4, {}, {}, {}}, 5));
  EXPECT_TRUE(is_older({4, {}, {}, 3}, 5));
  EXPECT_TRUE(is_older({3, 4, {}, {}}, 5));
  EXPECT_TRUE((KeyChoice{5, 4}.accepts(4)) && !(KeyChoice{5, {}}.accepts(4)));
}

TEST(KeyChoice, APeerWithAnotherKeyIsMetWithinFourTrials) {
  const KeyChoice waits{4, 5}, switched{5, 4}, alone{5, {}};
  const auto at = [](int trial) { return WallTime{1'800'000} + trial * kTrial; };
  for (int trial = 0; trial < 8; ++trial) {
    EXPECT_EQ(epoch_for_peer(waits, false, at(trial)), 4u);
    EXPECT_EQ(epoch_for_peer(switched, false, at(trial)), 5u);
    EXPECT_EQ(epoch_for_peer(alone, true, at(trial)), 5u);
  }
  const auto meet = [&](const KeyChoice& one, bool failing, const KeyChoice& other, bool too) {
    int met = 0;
    for (int trial = 0; trial < 4; ++trial) {
      met += epoch_for_peer(one, failing, at(trial)) == epoch_for_peer(other, too, at(trial));
    }
    return met;
  };
  EXPECT_EQ(meet(waits, false, switched, false), 0) << "that is what the trials are for";
  EXPECT_EQ(meet(waits, true, switched, false), 1);
  EXPECT_EQ(meet(waits, false, switched, true), 1);
  EXPECT_EQ(meet(waits, true, switched, true), 2);
  EXPECT_EQ(meet(waits, true, waits, false), 3);
  EXPECT_EQ(meet(waits, true, waits, true), 4);
  EXPECT_EQ(meet(switched, true, alone, false), 3);
}

}  // namespace
}  // namespace signet::overlay
