// A benchmark suite: what measures this node. Either a command of the operator's, which prints a
// report as JSON, or the built-in one (builtin_suite.h). What is reported has the bounds of a
// submission (protocol/overlay.md), so that what is read here can be sent.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/score.h"
#include "signet/result.h"

namespace signet::node {

struct SuiteReport {
  std::string suite;                                          // suite_version
  std::map<std::string, overlay::Score, std::less<>> scores;  // "overall" is among them
  std::string notes;                                          // for people; may be empty
};

// {"suite_version":TEXT,"scores":{"overall":0.92,…},"notes":TEXT?}, in strict JSON. Members that
// nobody knows are passed over, and null says what an absent member says, as in a submission.
// Fails kMalformed, in a sentence that names the member, for what no submission may have: no
// `overall`, a score that is no finite number from 0 to 1, too many of them, a bad name.
Result<SuiteReport> read_suite_report(std::string_view json);

// A submission has 16,384 bytes; what is longer than this is no report, and is not kept in memory.
inline constexpr std::size_t kMaxSuiteOutput = 65'536;

// run_suite_command starts `command` (a program and its arguments; no shell sees them), waits for
// its end and reads what it printed. The program has our environment and folder, an empty standard
// input and no other descriptor of ours; it leads a process group, which is killed as a whole at
// the timeout, at a stop, when it printed too much, and when the program itself is over: what it
// left behind in that group ends with it (what made a session of its own does not). If we are
// killed, it is, too. It gains no rights by what it starts, and has none of ours that a user does
// not have; the user is the same, so it can read what we can.
// Blocks the calling thread, at most for `timeout`, or until another one sets `stop` (null: none
// does) and a hundredth of a second. No other thread may wait for all children.
// Fails kNotFound where the program can't be started, kOverloaded at the timeout, kUnavailable
// where it failed (with the last line of its standard error) or was stopped, kMalformed for what it
// printed.
Result<SuiteReport> run_suite_command(const std::vector<std::string>& command,
                                      std::chrono::milliseconds timeout,
                                      const std::atomic<bool>* stop = nullptr);

}  // namespace signet::node
