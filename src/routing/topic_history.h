// TopicHistory numbers the pulses of one mesh and keeps the latest of them, in one ring over all
// its topics. In memory only: a pulse is fresh or worth nothing. Pure; owned by one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/hash.h"
#include "routing/pulse.h"

namespace signet::routing {

struct TopicHistoryOptions {
  std::size_t max_pulses = 1000;                 // as PulseMesh v1 keeps; 0 keeps none
  std::size_t max_bytes = std::size_t{8} << 20;  // a thousand frames of the common 8 KiB
  std::size_t max_topics = 65536;                // whose numbers are remembered; at least 1
};

class TopicHistory {
 public:
  // Whether a pulse may be read by whoever asks.
  using Filter = std::function<bool(const Pulse&)>;

  struct Page {
    std::vector<std::shared_ptr<const Pulse>> pulses;  // oldest first
    bool gap = false;        // pulses that came before the first of these are gone: see after()
    bool more = false;       // another kept pulse passes, behind these
    std::uint64_t next = 0;  // go on with after(next)
  };

  // `first_number` is the number of the first pulse, at least 1. Derived from the wall clock at
  // start (milliseconds × 1,000) it lies above all that an earlier start gave, and stays exact as a
  // JSON number, below 2^53, until the year 2255.
  explicit TopicHistory(std::uint64_t first_number, TopicHistoryOptions options = {});

  TopicHistory(TopicHistory&&) = default;
  TopicHistory& operator=(TopicHistory&&) = default;

  // append gives the pulse its two numbers and keeps it. `number` is one more than that of the
  // pulse before it in the mesh, `topic_number` one more than that of the pulse before it in its
  // topic; both begin with first_number. A topic that was silent longest is forgotten when there
  // are too many; after the first such loss, a topic that is not remembered begins with the pulse's
  // `number`, which is never below what it had: topic numbers may jump, but never go back.
  std::shared_ptr<const Pulse> append(Pulse pulse);

  // after: the first `limit` kept pulses above `number` that `may_read` lets pass. `gap` says
  // that a pulse above `number` existed and is kept no more, whatever its topic, or that this
  // history never gave `number`:
  //   0                           from the oldest kept; a gap if any was dropped since the start
  //   below first_number - 1      from an earlier start: the oldest kept, and a gap
  //   first_number - 1 … newest   as it says; first_number - 1 is "before the first"
  //   above the newest            from elsewhere, or the clock went back: the oldest kept, and a
  //   gap
  // `next` is the last pulse of a page that has more, else the newest number, so that pulses which
  // may not be read are not looked at again and make no gap later.
  Page after(std::uint64_t number, std::size_t limit, const Filter& may_read) const;

  // last: the newest `limit` that pass, oldest first. Never a gap nor more; `next` is the newest
  // number, to follow from here.
  Page last(std::size_t limit, const Filter& may_read) const;

  std::uint64_t total() const { return newest_ - (first_ - 1); }  // ever appended
  std::size_t size() const { return kept_.size(); }
  std::size_t bytes() const { return bytes_; }             // as max_bytes counts them
  std::size_t topics() const { return counters_.size(); }  // whose numbers are remembered

 private:
  struct Counter {
    std::string topic;
    std::uint64_t last;
  };

  std::uint64_t next_of_topic(std::string_view topic);
  void forget_most_silent();
  void drop_oldest();
  bool gave(std::uint64_t number) const { return number + 1 >= first_ && number <= newest_; }

  TopicHistoryOptions options_;
  std::uint64_t first_;
  std::uint64_t newest_;                           // first_ - 1 before the first pulse
  std::deque<std::shared_ptr<const Pulse>> kept_;  // consecutive numbers, up to newest_
  std::size_t bytes_ = 0;

  bool has_forgotten_ = false;
  std::list<Counter> by_silence_;  // the front one was silent longest
  // Keys are views of the texts in by_silence_, which do not move.
  std::unordered_map<std::string_view, std::list<Counter>::iterator, crypto::KeyedHash> counters_;
};

}  // namespace signet::routing
