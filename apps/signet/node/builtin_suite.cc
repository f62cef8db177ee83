#include "signet/node/builtin_suite.h"

#include <algorithm>
#include <cstdlib>
#include <initializer_list>
#include <thread>
#include <utility>

namespace signet::node {
namespace {

using overlay::Score;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr std::uint32_t kWholePercent = 100;

// ---- judging

// One at `good` or below, zero from `bad` on, a straight line between them.
// REQUIRES: good < bad, and their distance is far below 2^43.
Score falling_score(std::int64_t value, std::int64_t good, std::int64_t bad) {
  const std::int64_t left = std::clamp<std::int64_t>(bad - value, 0, bad - good);
  return {static_cast<std::int32_t>(left * Score::kOne / (bad - good))};
}

Score share_of(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return {};
  const std::uint64_t most = std::min(part, whole);
  return {static_cast<std::int32_t>(most * std::uint64_t{Score::kOne} / whole)};
}

std::int64_t micros_of(milliseconds time) { return microseconds(time).count(); }

std::int64_t clock_distance(milliseconds ahead) {
  return ahead.count() < 0 ? -ahead.count() : ahead.count();
}

struct Weighed {
  std::string_view name;
  std::optional<Score> score;  // nullopt: not measured
  std::uint32_t weight;
};

Score overall_of(const std::vector<Weighed>& parts) {
  std::int64_t sum = 0;
  std::int64_t weights = 0;
  for (const Weighed& part : parts) {
    if (!part.score || part.weight == 0) continue;
    if (part.score->millionths == 0) return {};
    sum += std::int64_t{part.score->millionths} * part.weight;
    weights += part.weight;
  }
  if (weights == 0) return {};
  return {static_cast<std::int32_t>((sum + weights / 2) / weights)};
}

std::optional<Score> latency_score(const Measured& measured, const BuiltinSuiteOptions& options) {
  if (measured.round_trips.empty()) {
    return measured.lost > 0 ? std::optional<Score>(Score{}) : std::nullopt;
  }
  return falling_score(median_of(measured.round_trips)->count(), micros_of(options.good_latency),
                       micros_of(options.bad_latency));
}

std::optional<Score> loss_score(const Measured& measured) {
  const std::uint64_t asked = measured.round_trips.size() + measured.lost;
  if (asked == 0) return std::nullopt;
  return share_of(measured.round_trips.size(), asked);
}

std::optional<Score> cpu_score(const Measured& measured, const BuiltinSuiteOptions& options) {
  const auto percent = cpu_percent(measured.cpu);
  if (!percent) return std::nullopt;
  return share_of(*percent, options.good_cpu_percent);
}

std::optional<Score> clock_score(const Measured& measured, const BuiltinSuiteOptions& options) {
  if (!measured.clock_ahead) return std::nullopt;
  return falling_score(clock_distance(*measured.clock_ahead), options.good_clock.count(),
                       options.bad_clock.count());
}

// ---- what people read

constexpr std::int64_t kTenthOfMs = 100;      // microseconds
constexpr std::int64_t kTenthOfSecond = 100;  // milliseconds
constexpr std::int64_t kTenths = 10;

// "12.3", of a number of tenths.
std::string with_one_decimal(std::int64_t tenths) {
  return std::to_string(tenths / kTenths) + "." + std::to_string(tenths % kTenths);
}

std::string clock_note(milliseconds ahead) {
  const std::string by =
      with_one_decimal((clock_distance(ahead) + kTenthOfSecond / 2) / kTenthOfSecond);
  return ", clock " + by + " s " + (ahead.count() < 0 ? "behind" : "ahead");
}

// ---- measuring

// Beyond any clock's time, and far enough from the end of the numbers to take a difference.
constexpr std::int64_t kFarthestMs = std::int64_t{1} << 52;

// A piece of work: long against reading a clock, short against a turn of the scheduler, which so
// falls into few of them.
constexpr std::uint64_t kRoundsOfPiece = 20'000;
// Of all pieces, one in so many was faster than the reference: not the very fastest, which a turbo
// clock makes for a moment.
constexpr std::size_t kReferenceRank = 10;
constexpr std::size_t kPiecesExpected = 16'384;

// Multiplications that each wait for the one before: no compiler shortens them, no memory is asked.
std::uint64_t work_a_piece(std::uint64_t state) {
  constexpr std::uint64_t kMultiplier = 6'364'136'223'846'793'005ULL;  // Knuth's, of MMIX
  constexpr std::uint64_t kStep = 1'442'695'040'888'963'407ULL;
  constexpr unsigned kShift = 29;
  for (std::uint64_t i = 0; i < kRoundsOfPiece; ++i) {
    state = (state ^ (state >> kShift)) * kMultiplier + kStep;
  }
  return state;
}

nanoseconds reference_of(std::vector<nanoseconds>& pieces) {
  const auto at = pieces.begin() + static_cast<std::ptrdiff_t>(pieces.size() / kReferenceRank);
  std::nth_element(pieces.begin(), at, pieces.end());
  return *at;
}

// Of the answered probe with the shortest round trip: its half is what the offset may be wrong by.
struct BestReading {
  microseconds round_trip{microseconds::max()};
  std::optional<milliseconds> ahead;

  void see(const Probe& probe, WallTime local) {
    if (!probe.remote_clock || probe.round_trip >= round_trip) return;
    round_trip = probe.round_trip;
    ahead = clock_ahead(local, *probe.remote_clock, probe.round_trip);
  }
};

struct Probed {
  Measured measured;
  std::string last_failure;
};

Probed probe_all(const BuiltinSuiteOptions& options, const std::function<Result<Probe>()>& probe,
                 const Clock& clock) {
  Probed out;
  BestReading best;
  for (std::uint32_t i = 0; i < options.probes; ++i) {
    if (i > 0) std::this_thread::sleep_for(options.probe_pause);
    const Result<Probe> answer = probe();
    const WallTime local = clock.wall();
    if (!answer) {
      ++out.measured.lost;
      out.last_failure = answer.error().detail;
    } else if (answer->round_trip > options.probe_timeout) {
      ++out.measured.lost;
      out.last_failure = "the answer came too late";
    } else {
      best.see(*answer, local);
      out.measured.round_trips.push_back(std::max(answer->round_trip, microseconds(0)));
    }
  }
  out.measured.clock_ahead = best.ahead;
  return out;
}

// ---- options

Error no_suite_option(std::string_view name, std::string_view rule) {
  return {ErrorCode::kMalformed,
          "the built-in suite: " + std::string(name).append(" ").append(rule)};
}

struct NamedTime {
  std::string_view name;
  milliseconds time;
  milliseconds least;
};

Status check_suite_times(const BuiltinSuiteOptions& options) {
  constexpr milliseconds kNone{0};
  constexpr milliseconds kOne{1};
  const NamedTime times[] = {
      {"probe_pause", options.probe_pause, kNone},   {"probe_timeout", options.probe_timeout, kOne},
      {"good_latency", options.good_latency, kNone}, {"bad_latency", options.bad_latency, kOne},
      {"cpu_slice", options.cpu_slice, kOne},        {"good_clock", options.good_clock, kNone},
      {"bad_clock", options.bad_clock, kOne},
  };
  for (const NamedTime& each : times) {
    if (each.time >= each.least && each.time <= kMaxSuitePart) continue;
    return no_suite_option(each.name, "must be from " + std::to_string(each.least.count()) +
                                          " to " + std::to_string(kMaxSuitePart.count()) + " ms");
  }
  if (options.good_latency >= options.bad_latency) {
    return no_suite_option("bad_latency", "must be above good_latency");
  }
  if (options.good_clock >= options.bad_clock) {
    return no_suite_option("bad_clock", "must be above good_clock");
  }
  return Done{};
}

Status check_suite_weights(const BuiltinSuiteOptions& options) {
  const std::pair<std::string_view, std::uint32_t> weights[] = {
      {"latency_weight", options.latency_weight},
      {"loss_weight", options.loss_weight},
      {"cpu_weight", options.cpu_weight},
      {"clock_weight", options.clock_weight},
  };
  bool has_any = false;
  for (const auto& [name, weight] : weights) {
    if (weight > kMaxWeight) {
      return no_suite_option(name, "must be at most " + std::to_string(kMaxWeight));
    }
    has_any = has_any || weight > 0;
  }
  if (!has_any) return no_suite_option("latency_weight", "and all other weights are 0");
  return Done{};
}

}  // namespace

Status check_suite_options(const BuiltinSuiteOptions& options) {
  if (options.probes == 0 || options.probes > kMaxProbes) {
    return no_suite_option("probes", "must be from 1 to " + std::to_string(kMaxProbes));
  }
  if (options.good_cpu_percent == 0 || options.good_cpu_percent > kWholePercent) {
    return no_suite_option("good_cpu_percent", "must be from 1 to 100");
  }
  if (Status times = check_suite_times(options); !times) return times;
  return check_suite_weights(options);
}

std::optional<std::uint32_t> cpu_percent(const CpuSlice& slice) {
  if (slice.pieces == 0 || slice.wall.count() <= 0 || slice.reference.count() <= 0) {
    return std::nullopt;
  }
  // Nanoseconds of a slice of a minute, a hundred times, are far below 2^63. A reference of more
  // than the slice has itself says nothing but that all of it was worked.
  const auto wall = static_cast<std::uint64_t>(slice.wall.count());
  const auto piece = static_cast<std::uint64_t>(slice.reference.count());
  if (slice.pieces >= wall / piece + 1) return kWholePercent;
  const std::uint64_t worked = slice.pieces * piece;
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(worked * kWholePercent / wall, kWholePercent));
}

std::optional<microseconds> median_of(std::vector<microseconds> times) {
  if (times.empty()) return std::nullopt;
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>((times.size() - 1) / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

milliseconds clock_ahead(WallTime local, WallTime remote, microseconds round_trip) {
  const std::int64_t ours = std::clamp(local.ms, -kFarthestMs, kFarthestMs);
  const std::int64_t theirs = std::clamp(remote.ms, -kFarthestMs, kFarthestMs);
  const auto half = std::chrono::duration_cast<milliseconds>(round_trip / 2);
  return milliseconds(ours - theirs) - half;
}

Scores scores_of(const Measured& measured, const BuiltinSuiteOptions& options) {
  const std::vector<Weighed> parts = {
      {"latency", latency_score(measured, options), options.latency_weight},
      {"loss", loss_score(measured), options.loss_weight},
      {"cpu", cpu_score(measured, options), options.cpu_weight},
      {"clock", clock_score(measured, options), options.clock_weight},
  };
  Scores scores;
  for (const Weighed& part : parts) {
    if (part.score) scores.emplace(part.name, *part.score);
  }
  scores.emplace("overall", overall_of(parts));
  return scores;
}

std::string notes_of(const Measured& measured) {
  const auto median = median_of(measured.round_trips);
  std::string notes = median ? "latency " + with_one_decimal(median->count() / kTenthOfMs) + " ms"
                             : std::string("no latency");
  const std::uint64_t asked = measured.round_trips.size() + measured.lost;
  notes += ", lost " + std::to_string(measured.lost) + " of " + std::to_string(asked);
  if (const auto percent = cpu_percent(measured.cpu)) {
    notes += ", cpu " + std::to_string(*percent) + " %";
  }
  if (measured.clock_ahead) notes += clock_note(*measured.clock_ahead);
  return notes;
}

CpuSlice measure_cpu(milliseconds slice) {
  std::vector<nanoseconds> pieces;
  pieces.reserve(kPiecesExpected);
  const SteadyClock::time_point start = SteadyClock::now();
  SteadyClock::time_point before = start;
  volatile std::uint64_t sink = 1;  // what is computed is used, or it would not be computed
  do {
    sink = work_a_piece(sink);
    const SteadyClock::time_point after = SteadyClock::now();
    pieces.push_back(after - before);
    before = after;
  } while (before - start < slice);
  CpuSlice done;
  done.pieces = pieces.size();
  done.wall = before - start;
  done.reference = reference_of(pieces);
  return done;
}

Result<SuiteReport> run_builtin_suite(const BuiltinSuiteOptions& options,
                                      const std::function<Result<Probe>()>& probe,
                                      const Clock& clock) {
  SIGNET_TRY([[maybe_unused]] const Done sound, check_suite_options(options));
  Probed probed = probe_all(options, probe, clock);
  if (probed.measured.round_trips.empty()) {
    return Error{ErrorCode::kUnavailable, "no probe was answered: " + probed.last_failure};
  }
  probed.measured.cpu = measure_cpu(options.cpu_slice);
  return SuiteReport{std::string(kBuiltinSuite), scores_of(probed.measured, options),
                     notes_of(probed.measured)};
}

}  // namespace signet::node
