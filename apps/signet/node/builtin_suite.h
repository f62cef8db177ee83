// The built-in benchmark suite: latency, loss, CPU and clock. Measuring and judging are apart:
// run_builtin_suite() looks at machine and network, scores_of() is arithmetic on whole numbers, so
// that no score can be a NaN.
//
//   latency  the median round trip of a probe: 1 up to good_latency, 0 from bad_latency on
//   loss     the share of probes that were answered in time
//   cpu      how much of a core a busy thread gets, as a share of wall time. A fixed piece of work
//            is done again and again for a slice; what it takes when nothing comes in between (a
//            fast one of this very run) is the reference. So it shows contention (busy neighbours,
//            a quota, a host that steals time) and not the class of the machine: a small node that
//            has its core for itself is as good a member as a big one
//   clock    how far the wall clock is from the other end's: offset at half the round trip, taken
//            from the fastest probe, where that half says the least wrong
//
// `overall` is the weighted mean of these, and 0 where one of them is 0: a node whose clock or link
// is useless is not made good by its processor. What was not measured (a remote end without a
// clock) is no score, and has no weight; who sets a weight to 0 does not want it to count at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "signet/node/suite.h"
#include "signet/result.h"

namespace signet::node {

inline constexpr std::string_view kBuiltinSuite = "signet-builtin-1";

// One question to the broker and its answer. What goes over the wire is the caller's business; it
// should not be what the broker limits in rate, and has to end by
// BuiltinSuiteOptions::probe_timeout.
struct Probe {
  std::chrono::microseconds round_trip{0};
  std::optional<WallTime> remote_clock;  // of the answer, at whole seconds as HTTP's Date has it
};

struct BuiltinSuiteOptions {
  // Five make a median that one slow answer does not move, and a loss in steps of a fifth.
  std::uint32_t probes = 5;
  // Between two of them: losses come in bursts, and so do not all fall into one.
  std::chrono::milliseconds probe_pause{100};
  // An answer that took longer counts as lost: a tunnel that stalls so long is of no use.
  std::chrono::milliseconds probe_timeout{2'000};
  // A whole request with its connection, three round trips of a path within a continent.
  std::chrono::milliseconds good_latency{150};
  // From here on a person would take the link for broken.
  std::chrono::milliseconds bad_latency{1'500};
  // Some turns of a scheduler, which gives threads a few milliseconds each, and too short to be
  // load on a node that measures itself once a minute.
  std::chrono::milliseconds cpu_slice{200};
  // In percent: turbo clocks and timers take that much from a core that is otherwise idle.
  std::uint32_t good_cpu_percent = 80;
  // HTTP's Date is cut to seconds, and a node next to the broker should not lose by that.
  std::chrono::milliseconds good_clock{2'000};
  // As far ahead a submission is refused (protocol/overlay.md, check 8).
  std::chrono::milliseconds bad_clock{30'000};
  // The link is what an overlay is for; processor and clock only have to be sound.
  std::uint32_t latency_weight = 3;
  std::uint32_t loss_weight = 3;
  std::uint32_t cpu_weight = 2;
  std::uint32_t clock_weight = 2;
};

inline constexpr std::uint32_t kMaxProbes = 100;  // of a run; it should end within an epoch
inline constexpr std::uint32_t kMaxWeight = 1'000;
inline constexpr std::chrono::milliseconds kMaxSuitePart{60'000};  // of each time among the options

// Fails kMalformed, naming the option: zero or too many probes, a bad value that is not above its
// good one, a time or weight beyond the bounds above, no weight at all.
Status check_suite_options(const BuiltinSuiteOptions& options);

// A slice of wall time that one thread worked through.
struct CpuSlice {
  std::uint64_t pieces = 0;               // of equal work, done
  std::chrono::nanoseconds reference{0};  // what one takes that nothing interrupts
  std::chrono::nanoseconds wall{0};       // what all took; 0: not measured
  bool operator==(const CpuSlice&) const = default;
};

// What was seen.
struct Measured {
  std::vector<std::chrono::microseconds> round_trips;    // of answered probes, in any order
  std::uint32_t lost = 0;                                // probes without an answer in time
  std::optional<std::chrono::milliseconds> clock_ahead;  // of ours, negative: behind; of the remote
  CpuSlice cpu;
};

// The work done, in percent of what the reference would have done all the time: 0 to 100. nullopt:
// not measured.
std::optional<std::uint32_t> cpu_percent(const CpuSlice& slice);
// The middle one; of an even number the lower of both in the middle. nullopt of none.
std::optional<std::chrono::microseconds> median_of(std::vector<std::chrono::microseconds> times);
// How far `local`, read when the answer was there, is ahead of the remote clock, which is taken to
// have been read at half of the round trip.
std::chrono::milliseconds clock_ahead(WallTime local, WallTime remote,
                                      std::chrono::microseconds round_trip);

using Scores = std::map<std::string, overlay::Score, std::less<>>;

// `latency`, `loss`, `cpu`, `clock` as far as they were measured, and `overall`. Where no probe was
// answered `latency` and `loss` are 0; where nothing at all was measured `overall` is 0.
// REQUIRES: check_suite_options(options).
Scores scores_of(const Measured& measured, const BuiltinSuiteOptions& options);
// For people: "latency 12.3 ms, lost 0 of 5, cpu 97 %, clock 0.4 s ahead".
std::string notes_of(const Measured& measured);

// A busy thread for `slice` of wall time; the calling one.
CpuSlice measure_cpu(std::chrono::milliseconds slice);

// run_builtin_suite probes, works through a slice, and judges. Blocks the calling thread for at
// most probes × (probe_timeout + probe_pause) + cpu_slice, as far as `probe` keeps its timeout.
// Fails kMalformed for options that are none, and kUnavailable, with what the last probe said,
// where no probe was answered: then nothing is known of this node, and a report of zeros would get
// it denied for a broker that restarts. Who stays unreachable falls silent, and is denied for that.
Result<SuiteReport> run_builtin_suite(const BuiltinSuiteOptions& options,
                                      const std::function<Result<Probe>()>& probe,
                                      const Clock& clock = system_clock());

}  // namespace signet::node
