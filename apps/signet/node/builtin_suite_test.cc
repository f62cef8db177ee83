#include "signet/node/builtin_suite.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/fake_clock.h"
#include "dialects/overlay.h"

namespace signet::node {
namespace {

using overlay::Score;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::literals::chrono_literals::operator""ms;
using std::literals::chrono_literals::operator""us;

constexpr std::int32_t kAbsent = -1;

BuiltinSuiteOptions plain_rules() {
  BuiltinSuiteOptions options;
  options.probe_pause = 0ms;
  options.cpu_slice = 2ms;
  options.good_latency = 100ms;
  options.bad_latency = 1'100ms;
  options.good_cpu_percent = 80;
  options.good_clock = 2'000ms;
  options.bad_clock = 12'000ms;
  options.latency_weight = 4;
  options.loss_weight = 3;
  options.cpu_weight = 2;
  options.clock_weight = 1;
  return options;
}

// So much of the wall time was worked.
CpuSlice cpu_of(std::uint64_t percent) { return {percent, nanoseconds(10), nanoseconds(1'000)}; }

std::int32_t part(const Scores& scores, std::string_view name) {
  const auto found = scores.find(name);
  return found == scores.end() ? kAbsent : found->second.millionths;
}

struct ScoreRow {
  const char* name;
  std::vector<microseconds> round_trips;
  std::optional<milliseconds> clock_ahead;
  CpuSlice cpu;
  std::uint32_t lost;
  std::int32_t latency;
  std::int32_t loss;
  std::int32_t processor;
  std::int32_t clock;
  std::int32_t overall;
};

TEST(BuiltinSuiteScores, FollowTheTruthTable) {
  // clang-format off
  const ScoreRow rows[] = {
    {"all is well",          {1ms, 2ms, 3ms},        0ms,        cpu_of(100),  0, 1'000'000, 1'000'000, 1'000'000, 1'000'000, 1'000'000},
    {"latency just good",    {100ms},                0ms,        cpu_of(100),  0, 1'000'000, 1'000'000, 1'000'000, 1'000'000, 1'000'000},
    {"latency past it",      {100'001us},            0ms,        cpu_of(100),  0, 999'999, 1'000'000, 1'000'000, 1'000'000, 1'000'000},
    {"latency in between",   {600ms},                0ms,        cpu_of(100),  0, 500'000, 1'000'000, 1'000'000, 1'000'000,   800'000},
    {"latency just short",   {1'099'999us},          0ms,        cpu_of(100),  0, 1, 1'000'000, 1'000'000, 1'000'000,   600'000},
    {"latency bad",          {1'100ms},              0ms,        cpu_of(100),  0, 0, 1'000'000, 1'000'000, 1'000'000,         0},
    {"latency far beyond",   {60'000ms},             0ms,        cpu_of(100),  0, 0, 1'000'000, 1'000'000, 1'000'000,         0},
    {"the median counts",    {1ms, 600ms, 2'000ms},  0ms,        cpu_of(100),  0, 500'000, 1'000'000, 1'000'000, 1'000'000,   800'000},
    {"one of two was lost",  {1ms},                  0ms,        cpu_of(100),  1, 1'000'000,   500'000, 1'000'000, 1'000'000,   850'000},
    {"two of three",         {1ms},                  0ms,        cpu_of(100),  2, 1'000'000,   333'333, 1'000'000, 1'000'000,   800'000},
    {"every one was lost",   {},                     {},         cpu_of(100),  5, 0,         0, 1'000'000,   kAbsent,         0},
    {"cpu just good",        {1ms},                  0ms,        cpu_of(80),   0, 1'000'000, 1'000'000, 1'000'000, 1'000'000, 1'000'000},
    {"cpu shared by two",    {1ms},                  0ms,        cpu_of(40),   0, 1'000'000, 1'000'000,   500'000, 1'000'000,   900'000},
    {"cpu starved",          {1ms},                  0ms,        {1, nanoseconds(1), nanoseconds(1'000)}, 0, 1'000'000, 1'000'000,         0, 1'000'000,         0},
    {"cpu not measured",     {1ms},                  0ms,        {},           1, 1'000'000,   500'000,   kAbsent, 1'000'000,   812'500},
    {"clock just good",      {1ms},                  2'000ms,    cpu_of(100),  0, 1'000'000, 1'000'000, 1'000'000, 1'000'000, 1'000'000},
    {"clock ahead",          {1ms},                  7'000ms,    cpu_of(100),  0, 1'000'000, 1'000'000, 1'000'000,   500'000,   950'000},
    {"clock behind",         {1ms},                  -7'000ms,   cpu_of(100),  0, 1'000'000, 1'000'000, 1'000'000,   500'000,   950'000},
    {"clock useless",        {1ms},                  -12'000ms,  cpu_of(100),  0, 1'000'000, 1'000'000, 1'000'000,         0,         0},
    {"a remote without one", {1ms},                  {},         cpu_of(100),  1, 1'000'000,   500'000, 1'000'000,   kAbsent,   833'333},
    {"nothing was measured", {},                     {},         {},           0, kAbsent,   kAbsent,   kAbsent,   kAbsent,         0},
  };
  // clang-format on
  for (const ScoreRow& row : rows) {
    const Scores scores =
        scores_of({row.round_trips, row.lost, row.clock_ahead, row.cpu}, plain_rules());
    EXPECT_EQ(part(scores, "latency"), row.latency) << row.name;
    EXPECT_EQ(part(scores, "loss"), row.loss) << row.name;
    EXPECT_EQ(part(scores, "cpu"), row.processor) << row.name;
    EXPECT_EQ(part(scores, "clock"), row.clock) << row.name;
    EXPECT_EQ(part(scores, "overall"), row.overall) << row.name;
  }
}

TEST(BuiltinSuiteScores, APartWithoutWeightNeitherCountsNorSinksTheRest) {
  BuiltinSuiteOptions options = plain_rules();
  options.clock_weight = 0;
  const Scores scores = scores_of({{1ms}, 0, 60'000ms, cpu_of(100)}, options);
  EXPECT_EQ(part(scores, "clock"), 0);
  EXPECT_EQ(part(scores, "overall"), Score::kOne);

  options.loss_weight = options.cpu_weight = 0;
  EXPECT_EQ(part(scores_of({{}, 0, {}, cpu_of(100)}, options), "overall"), 0)
      << "all that counts was not measured";
}

// Whatever clocks and networks come up with: a score is from 0 to 1, and `overall` is there.
TEST(BuiltinSuiteScores, StayWithinTheirBoundsForAnyMeasurement) {
  std::mt19937_64 random(20'261'122);
  const auto wild = [&random]() -> std::int64_t {
    const std::int64_t extremes[] = {0, 1, -1, std::numeric_limits<std::int64_t>::max() / 4,
                                     std::numeric_limits<std::int64_t>::min() / 4};
    if (random() % 2 == 0) return extremes[random() % std::size(extremes)];
    return static_cast<std::int64_t>(random() >> (random() % 64U)) / 4;
  };
  for (int i = 0; i < 20'000; ++i) {
    Measured measured;
    for (std::uint64_t n = random() % 4; n > 0; --n) {
      measured.round_trips.emplace_back(random() % 120'000'000);
    }
    measured.lost = static_cast<std::uint32_t>(random() % 100);
    measured.clock_ahead = clock_ahead({wild()}, {wild()}, microseconds(random() % 1'000'000));
    measured.cpu = {random() >> (random() % 64U), nanoseconds(wild()), nanoseconds(wild())};
    const Scores scores = scores_of(measured, plain_rules());
    ASSERT_TRUE(scores.contains("overall"));
    for (const auto& [name, score] : scores) {
      ASSERT_GE(score.millionths, 0) << name << " in round " << i;
      ASSERT_LE(score.millionths, Score::kOne) << name << " in round " << i;
    }
    ASSERT_LE(notes_of(measured).size(), overlay::kMaxNotes);
  }
}

TEST(CpuPercent, IsTheWorkThatWasDoneOfTheWorkThatHadTime) {
  EXPECT_EQ(cpu_percent({}), std::nullopt);
  EXPECT_EQ(cpu_percent({5, nanoseconds(0), nanoseconds(100)}), std::nullopt);
  EXPECT_EQ(cpu_percent({5, nanoseconds(10), nanoseconds(0)}), std::nullopt);
  EXPECT_EQ(cpu_percent({5, nanoseconds(10), nanoseconds(100)}), 50U);
  EXPECT_EQ(cpu_percent({10, nanoseconds(10), nanoseconds(100)}), 100U);
  EXPECT_EQ(cpu_percent({11, nanoseconds(10), nanoseconds(100)}), 100U) << "most were faster";
  EXPECT_EQ(cpu_percent({1, nanoseconds(10), nanoseconds(9)}), 100U);
}

TEST(MedianOf, IsTheMiddleOneAndTheLowerOfTwo) {
  EXPECT_EQ(median_of({}), std::nullopt);
  EXPECT_EQ(median_of({7us}), 7us);
  EXPECT_EQ(median_of({9us, 1us}), 1us);
  EXPECT_EQ(median_of({9us, 1us, 5us}), 5us);
}

TEST(ClockAhead, TakesTheRemoteClockForReadAtHalfTheRoundTrip) {
  EXPECT_EQ(clock_ahead({10'000}, {10'000}, 0us), 0ms);
  EXPECT_EQ(clock_ahead({10'100}, {10'000}, 200ms), 0ms);
  EXPECT_EQ(clock_ahead({12'100}, {10'000}, 200ms), 2'000ms);
  EXPECT_EQ(clock_ahead({8'100}, {10'000}, 200ms), -2'000ms);
}

TEST(NotesOf, SayTheFiguresInShort) {
  EXPECT_EQ(notes_of({{12'340us, 1ms, 40ms}, 2, 400ms, cpu_of(97)}),
            "latency 12.3 ms, lost 2 of 5, cpu 97 %, clock 0.4 s ahead");
  EXPECT_EQ(notes_of({{1ms}, 0, -31'960ms, {}}),
            "latency 1.0 ms, lost 0 of 1, clock 32.0 s behind");
  EXPECT_EQ(notes_of({{}, 3, {}, {}}), "no latency, lost 3 of 3");
}

TEST(MeasureCpu, WorksForTheSliceAndNotMuchLonger) {
  const CpuSlice slice = measure_cpu(20ms);
  EXPECT_GE(slice.wall, nanoseconds(20ms));
  EXPECT_GT(slice.pieces, 0U);
  EXPECT_GT(slice.reference.count(), 0);
  EXPECT_LE(slice.reference, slice.wall);
  EXPECT_TRUE(cpu_percent(slice));
}

// A network of a script: each probe takes its answer from a list.
class ScriptedProbes {
 public:
  explicit ScriptedProbes(std::vector<Result<Probe>> answers) : answers_(std::move(answers)) {}
  std::function<Result<Probe>()> probe() {
    return [this] { return answers_.at(asked_++); };
  }
  std::size_t asked() const { return asked_; }

 private:
  std::vector<Result<Probe>> answers_;
  std::size_t asked_ = 0;
};

Error lost() { return {ErrorCode::kUnavailable, "nobody answers"}; }

TEST(RunBuiltinSuite, JudgesWhatItsProbesSaw) {
  FakeClock clock;
  const WallTime remote = clock.wall() - milliseconds(7'000) - milliseconds(25);
  BuiltinSuiteOptions options = plain_rules();
  options.probes = 4;
  ScriptedProbes probes(
      {Probe{600ms, clock.wall()}, lost(), Probe{50ms, remote}, Probe{900ms, {}}});
  const auto report = run_builtin_suite(options, probes.probe(), clock);
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(probes.asked(), 4U);
  EXPECT_EQ(report->suite, "signet-builtin-1");
  EXPECT_EQ(part(report->scores, "latency"), 500'000);
  EXPECT_EQ(part(report->scores, "loss"), 750'000);
  EXPECT_EQ(part(report->scores, "clock"), 500'000) << "the fastest probe says the time";
  // A busy machine may give a thread nothing in its slice: what it gave is not ours to say here.
  EXPECT_TRUE(report->scores.contains("cpu"));
  EXPECT_TRUE(report->scores.contains("overall"));
  EXPECT_NE(report->notes.find("latency 600.0 ms, lost 1 of 4, cpu "), std::string::npos)
      << report->notes;
  EXPECT_NE(report->notes.find("clock 7.0 s ahead"), std::string::npos) << report->notes;
}

TEST(RunBuiltinSuite, AnAnswerAfterItsTimeIsLost) {
  FakeClock clock;
  BuiltinSuiteOptions options = plain_rules();
  options.probes = 2;
  options.probe_timeout = 1'000ms;
  ScriptedProbes probes({Probe{1'000ms, {}}, Probe{1'000'001us, {}}});
  const auto report = run_builtin_suite(options, probes.probe(), clock);
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(part(report->scores, "loss"), 500'000);
}

TEST(RunBuiltinSuite, SaysNothingOfANodeWhoseProbesAllFailed) {
  FakeClock clock;
  BuiltinSuiteOptions options = plain_rules();
  options.probes = 2;
  ScriptedProbes probes({lost(), lost()});
  const auto report = run_builtin_suite(options, probes.probe(), clock);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(report.error().detail, "no probe was answered: nobody answers");
}

TEST(RunBuiltinSuite, ItsReportIsOneThatCanBeSubmitted) {
  FakeClock clock;
  BuiltinSuiteOptions options = plain_rules();
  options.probes = 1;
  ScriptedProbes probes({Probe{10ms, clock.wall()}});
  const auto report = run_builtin_suite(options, probes.probe(), clock);
  ASSERT_TRUE(report.ok());
  overlay::Submission submission;
  submission.node = "node-a";
  submission.timestamp = clock.wall();
  submission.suite = report->suite;
  submission.scores = report->scores;
  submission.notes = report->notes;
  const auto read = dialects::read_submission(dialects::write_submission(submission, {}), {});
  ASSERT_TRUE(std::holds_alternative<overlay::Submission>(read));
  EXPECT_EQ(std::get<overlay::Submission>(read).scores, report->scores);
}

TEST(CheckSuiteOptions, NamesEveryOptionThatIsNone) {
  struct Row {
    const char* named;
    std::function<void(BuiltinSuiteOptions&)> break_it;
  };
  const Row rows[] = {
      {"probes", [](auto& o) { o.probes = 0; }},
      {"probes", [](auto& o) { o.probes = kMaxProbes + 1; }},
      {"probe_pause", [](auto& o) { o.probe_pause = -1ms; }},
      {"probe_timeout", [](auto& o) { o.probe_timeout = 0ms; }},
      {"probe_timeout", [](auto& o) { o.probe_timeout = kMaxSuitePart + 1ms; }},
      {"good_latency", [](auto& o) { o.good_latency = -1ms; }},
      {"bad_latency", [](auto& o) { o.bad_latency = o.good_latency; }},
      {"cpu_slice", [](auto& o) { o.cpu_slice = 0ms; }},
      {"good_cpu_percent", [](auto& o) { o.good_cpu_percent = 0; }},
      {"good_cpu_percent", [](auto& o) { o.good_cpu_percent = 101; }},
      {"good_clock", [](auto& o) { o.good_clock = -1ms; }},
      {"bad_clock", [](auto& o) { o.bad_clock = o.good_clock; }},
      {"cpu_weight", [](auto& o) { o.cpu_weight = kMaxWeight + 1; }},
      {"latency_weight",
       [](auto& o) { o.latency_weight = o.loss_weight = o.cpu_weight = o.clock_weight = 0; }},
  };
  EXPECT_TRUE(check_suite_options({}).ok());
  for (const Row& row : rows) {
    BuiltinSuiteOptions options;
    row.break_it(options);
    const Status checked = check_suite_options(options);
    ASSERT_FALSE(checked.ok()) << row.named;
    EXPECT_EQ(checked.error().code, ErrorCode::kMalformed);
    EXPECT_NE(checked.error().detail.find(std::string(" ") + row.named + " "), std::string::npos)
        << checked.error().detail;
    int asked = 0;
    const auto count = [&asked]() -> Result<Probe> {
      ++asked;
      return lost();
    };
    EXPECT_FALSE(run_builtin_suite(options, count).ok());
    EXPECT_EQ(asked, 0) << "nothing is asked under options that are none";
  }
}

}  // namespace
}  // namespace signet::node
