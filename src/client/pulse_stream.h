// PulseStream puts what one subscription hears into order: the history of what came while nobody
// listened first, then what comes now; each pulse once, with the number of those that did not come.
// Bounded: a slow reader loses the oldest, and is told. Pure; owned by the client's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dialects/claudemesh_client.h"
#include "signet/client.h"

namespace signet::client {

struct PulseStreamOptions {
  std::size_t max_pulses = 1'000;                // as many as a mesh keeps
  std::size_t max_bytes = std::size_t{8} << 20;  // likewise, of their JSON
  std::size_t max_topics = 10'000;  // whose numbers are remembered; then all are forgotten
};

class PulseStream {
 public:
  explicit PulseStream(PulseStreamOptions options) : options_(options) {}

  void on_live(const dialects::PulseAnswer& pulse);
  void on_history(std::vector<dialects::PulseAnswer> pulses);
  // This side published it: it is not heard, and not missed either.
  void on_own(const std::string& topic, std::uint64_t topic_number);

  // From now on what comes live waits for release(): history is to come first.
  void hold();
  void release();
  // What waits for release() comes again, by history.
  void drop_held() { held_.clear(); }
  // Pulses are gone before the next one, and nobody knows how many.
  void mark_gap() { gap_before_next_ = true; }

  // All up to this number are here, or were not for this subscription.
  void reached(std::uint64_t number);
  // The highest number that is here; nullopt: none is known.
  std::optional<std::uint64_t> last() const { return last_; }

  bool is_empty() const { return queue_.empty(); }
  std::optional<Pulse> next();

 private:
  struct Queued {
    dialects::PulseAnswer pulse;
    bool gap_before = false;
  };
  struct Seen {
    std::uint64_t topic_number = 0;
    std::uint64_t number = 0;
  };

  void queue(dialects::PulseAnswer pulse);
  void drop_oldest();
  void remember(const std::string& topic, Seen seen);
  bool is_own(const dialects::PulseAnswer& pulse) const;
  std::uint64_t own_between(const std::string& topic, std::uint64_t low, std::uint64_t high) const;
  // Counts what is missing before it; nullopt: it was handed over before, or is the own.
  std::optional<Pulse> counted(Queued queued);

  const PulseStreamOptions options_;
  std::deque<Queued> queue_;
  std::size_t queued_bytes_ = 0;
  std::deque<dialects::PulseAnswer> held_;
  bool holding_ = false;
  bool gap_before_next_ = false;  // of what is queued next
  bool gap_dropped_ = false;      // one was dropped that had a gap before it
  std::optional<std::uint64_t> last_;
  std::map<std::string, Seen, std::less<>> seen_;          // by topic, the latest
  std::deque<std::pair<std::string, std::uint64_t>> own_;  // topic and its number
};

// What the broker said, as programs are given it.
Pulse pulse_of(dialects::PulseAnswer answer);

}  // namespace signet::client
