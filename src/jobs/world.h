// World is which jobs one request asked for, in their order, and what became of them: what may
// begin, what no longer can, and whether all of it is done. A job of a type that goes one by one
// begins when all before it in its world have completed.
//
// Pure; part of a JobBoard, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>

#include "base/time.h"

namespace signet::jobs {

// Jobs are named by their order.
class World {
 public:
  void add(std::uint64_t job);

  // Of a job that goes one by one.
  bool may_begin(std::uint64_t job) const;
  bool is_hopeless(std::uint64_t job) const;  // one before it failed
  void block(std::uint64_t job);              // until completed() answers it
  bool unblock(std::uint64_t job);            // nobody wants it any more; was it blocked?

  // Answers the blocked job that may begin now.
  std::optional<std::uint64_t> completed(std::uint64_t job);
  // Answers the blocked jobs that are hopeless now; they no longer are blocked.
  std::set<std::uint64_t> failed(std::uint64_t job);
  void again(std::uint64_t job);  // one that had failed

  bool is_done() const { return failed_.size() == not_completed_.size(); }
  const std::set<std::uint64_t>& jobs() const { return jobs_; }

  // The board's: where it stands among those that are done, and the bytes of its texts.
  std::optional<std::tuple<Elapsed, std::uint64_t, std::string>> done;
  std::size_t bytes = 0;

 private:
  std::set<std::uint64_t> jobs_;
  std::set<std::uint64_t> not_completed_;  // the failed ones are in it
  std::set<std::uint64_t> failed_;
  std::set<std::uint64_t> blocked_;
};

}  // namespace signet::jobs
