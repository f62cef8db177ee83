#include "jobs/job.h"

#include <array>

namespace signet::jobs {
namespace {

// Row: from; column: to.
using Row = std::array<bool, kJobStateCount>;
// clang-format off
constexpr std::array<Row, kJobStateCount> kMayFollow{{
    //   queued dispatched running completed failed
    Row{false,  true,      false,  false,    true},   // queued
    Row{true,   false,     true,   false,    true},   // dispatched
    Row{true,   false,     false,  true,     true},   // running
    Row{false,  false,     false,  false,    false},  // completed
    Row{false,  false,     false,  false,    false},  // failed
}};
// clang-format on

constexpr std::array<std::string_view, kJobStateCount> kNames{"queued", "dispatched", "running",
                                                              "completed", "failed"};

}  // namespace

std::string_view name_of(JobState state) { return kNames.at(static_cast<std::size_t>(state)); }

bool may_follow(JobState from, JobState to) {
  return kMayFollow.at(static_cast<std::size_t>(from)).at(static_cast<std::size_t>(to));
}

}  // namespace signet::jobs
