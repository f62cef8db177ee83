// The table of what may follow what, whole.
#include "jobs/job.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace signet::jobs {
namespace {

struct Transition {
  JobState from;
  JobState to;
  bool may;
};
constexpr JobState kQ = JobState::kQueued;
constexpr JobState kD = JobState::kDispatched;
constexpr JobState kR = JobState::kRunning;
constexpr JobState kC = JobState::kCompleted;
constexpr JobState kF = JobState::kFailed;
// clang-format off
constexpr Transition kTransitions[]{
    {kQ, kQ, false}, {kQ, kD, true},  {kQ, kR, false}, {kQ, kC, false}, {kQ, kF, true},
    {kD, kQ, true},  {kD, kD, false}, {kD, kR, true},  {kD, kC, false}, {kD, kF, true},
    {kR, kQ, true},  {kR, kD, false}, {kR, kR, false}, {kR, kC, true},  {kR, kF, true},
    {kC, kQ, false}, {kC, kD, false}, {kC, kR, false}, {kC, kC, false}, {kC, kF, false},
    {kF, kQ, false}, {kF, kD, false}, {kF, kR, false}, {kF, kC, false}, {kF, kF, false},
};
// clang-format on

TEST(JobStates, FollowEachOtherAsTheFormatSaysAndNoOtherWay) {
  std::set<std::string> seen;
  for (const Transition& row : kTransitions) {
    const std::string name = std::string(name_of(row.from)) + " to " + std::string(name_of(row.to));
    EXPECT_EQ(may_follow(row.from, row.to), row.may) << name;
    seen.insert(name);
  }
  EXPECT_EQ(seen.size(), 25u) << "all of them";
}

TEST(JobStates, AreNamedAsTheFormatNamesThem) {
  EXPECT_EQ(name_of(kQ), "queued");
  EXPECT_EQ(name_of(kD), "dispatched");
  EXPECT_EQ(name_of(kR), "running");
  EXPECT_EQ(name_of(kC), "completed");
  EXPECT_EQ(name_of(kF), "failed");
}

TEST(JobStates, AreFinalOrUnderWayOrNeither) {
  for (const JobState state : {kQ, kD, kR, kC, kF}) {
    EXPECT_EQ(is_final(state), state == kC || state == kF) << name_of(state);
    EXPECT_EQ(is_under_way(state), state == kD || state == kR) << name_of(state);
    bool ends = true;
    for (const JobState next : {kQ, kD, kR, kC, kF}) ends = ends && !may_follow(state, next);
    EXPECT_EQ(is_final(state), ends) << name_of(state);
  }
}

TEST(Fences, CountTheLeasesOfALifeAndRiseOverLives) {
  Job job;
  EXPECT_EQ(leases_of(job), 0u);
  job.fence = 5;
  EXPECT_EQ(leases_of(job), 5u);
  job.fence = fence_of_next_life(job);
  EXPECT_EQ(job.fence, kLeasesPerLife);
  EXPECT_EQ(leases_of(job), 0u);
  job.fence += 2;
  EXPECT_EQ(leases_of(job), 2u);
  EXPECT_EQ(fence_of_next_life(job), 2 * kLeasesPerLife);
}

}  // namespace
}  // namespace signet::jobs
