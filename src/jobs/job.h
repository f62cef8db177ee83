// A job is work that a user asked for and one engine does. Plain records, and the one table of what
// may follow what. Format: protocol/hub.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"

namespace signet::jobs {

enum class JobState : std::uint8_t { kQueued, kDispatched, kRunning, kCompleted, kFailed };
inline constexpr std::size_t kJobStateCount = 5;
std::string_view name_of(JobState state);  // `queued`, …
inline bool is_final(JobState state) { return state >= JobState::kCompleted; }

// queued → dispatched | failed; dispatched → running | failed | queued;
// running → completed | failed | queued. Nothing else: what is completed or failed stays so. A
// failed job that is asked for again is a new one that has the id of the old.
bool may_follow(JobState from, JobState to);
inline bool is_under_way(JobState state) {
  return state == JobState::kDispatched || state == JobState::kRunning;
}

// Job is one row, in memory and in the store. Texts of users are opaque here.
struct Job {
  MeshNumber mesh;
  std::string id;  // `job_` and 32 hex digits; a name, no secret
  std::string type;
  std::string user;                         // subject
  std::string world;                        // the request it came with, by the id of its first job
  std::shared_ptr<const std::string> spec;  // JSON: the whole world, shared by its jobs
  std::shared_ptr<const std::string> payload;  // JSON
  std::int32_t priority = 0;                   // higher goes first
  std::uint64_t order = 0;                     // of submission in its mesh, rising

  JobState state = JobState::kQueued;
  std::uint64_t version = 0;  // of the row: one more with each change that is written
  std::uint32_t retries = 0;
  std::uint64_t fence = 0;  // of its latest lease, rising; 0: never dispatched. See leases_of()
  std::string engine;       // that has, or last had, the lease
  std::string error;
  std::string result;    // JSON; empty: none
  std::string progress;  // JSON of the latest; not written at each step

  WallTime submitted;
  WallTime queued;
  WallTime dispatched;  // 0: not yet; likewise below
  WallTime started;
  WallTime completed;  // or failed
};

// A fence is `lives * kLeasesPerLife + leases`: whoever asks for a failed job again begins another
// life of it, whose leases are counted from 0 while the fence still rises. So how often a poison
// job was tried is known after a restart as well, from the one number that is never lost.
inline constexpr std::uint64_t kLeasesPerLife = 1'000'000;  // decimal, for whoever reads a row
inline std::uint64_t leases_of(const Job& job) { return job.fence % kLeasesPerLife; }
inline std::uint64_t fence_of_next_life(const Job& job) {
  return (job.fence / kLeasesPerLife + 1) * kLeasesPerLife;
}

struct JobType {
  std::string name;
  std::chrono::milliseconds timeout{15'000};           // of running: the format's
  std::chrono::milliseconds dispatch_timeout{15'000};  // dispatched and not said to run
  std::uint32_t retries = 2;                           // the format's
  bool one_by_one = false;  // of one world, only when those submitted before it are done
};

}  // namespace signet::jobs
