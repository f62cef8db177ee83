// BenchFigures is what `signet bench` counts, and how it says it: a JSON document for programs,
// lines for people. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "signet/bench/histogram.h"
#include "signet/bench/plan.h"
#include "signet/terminal/output.h"

namespace signet::cli {

struct BenchFigures {
  std::uint64_t sent = 0;                        // messages that were said once or more
  std::uint64_t acked = 0;                       // the broker has them on its disk
  std::map<std::string, std::uint64_t> refused;  // messages, by the broker's code
  std::uint64_t rate_limited = 0;                // answers; each message was sent again
  std::uint64_t unanswered = 0;                  // messages, at the end

  std::uint64_t delivered = 0;     // first arrivals, opened and right
  std::uint64_t duplicates = 0;    // arrivals after the first
  std::uint64_t out_of_order = 0;  // behind a later one of the same sender
  std::uint64_t wrong = 0;         // did not open, or say what nobody sent to this peer

  std::uint64_t lost_connections = 0;
  std::string first_loss;                       // why the first of them ended
  std::map<std::string, std::uint64_t> errors;  // that the broker said to no message, by code

  // Both from the moment when a message was due, so that waiting to be sent counts.
  LatencyHistogram latency;      // until its receiver has opened it
  LatencyHistogram ack_latency;  // until its sender has the acknowledgement

  std::chrono::nanoseconds sending{0};     // from the start to the last acknowledgement
  std::chrono::nanoseconds delivering{0};  // and to the last delivery
  std::chrono::nanoseconds own_cpu{0};     // of this process, in the measured part
  std::optional<std::uint64_t> own_rss_bytes;
  std::optional<std::uint64_t> broker_rss_bytes;  // nullopt: the broker does not say
  bool was_interrupted = false;

  std::uint64_t refused_messages() const;
};

// Deliveries that what was sent should have made, refused ones included.
std::uint64_t expected_deliveries(const BenchPlan& plan, const BenchFigures& figures);
// Of them: neither refused nor delivered.
std::uint64_t lost_deliveries(const BenchPlan& plan, const BenchFigures& figures);
// Everything planned, or what was sent until somebody interrupted it.
bool is_all_delivered(const BenchPlan& plan, const BenchFigures& figures);
// `88.8`: rounded down, so that 100 is 100.
double delivered_percent(const BenchPlan& plan, const BenchFigures& figures);

// The sentence for a run that did not deliver everything.
std::string shortfall_text(const BenchPlan& plan, const BenchFigures& figures);

// Where not everything was delivered, it is a failure's document too (error, message, exit).
std::string figures_json(const BenchPlan& plan, const BenchFigures& figures);
Fields figures_for_people(const BenchPlan& plan, const BenchFigures& figures);
// One line while it runs.
std::string progress_text(const BenchPlan& plan, const BenchFigures& figures,
                          std::chrono::nanoseconds since_start);

}  // namespace signet::cli
