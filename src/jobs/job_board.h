// JobBoard is all jobs of one mesh that are not forgotten, and who works on what. It decides; it
// writes and says nothing itself. Each call answers Effects: rows to commit, and what to tell once
// they are. Where the commit fails, the board is thrown away and made anew from the store, so that
// nobody ever heard of what is not on disk.
//
// Fair: of the highest priority that waits, the user with the fewest jobs under way goes first, and
// among equals the one who was served longest ago; a user's own jobs go in their order. One engine
// has each job; an engine has at most `jobs_per_engine`.
//
// Pure; owned by one thread (the home shard of the mesh). Time is an argument: WallTime for what is
// told, Elapsed for what must happen in time.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "base/codes.h"
#include "jobs/engine_pool.h"
#include "jobs/fair_queue.h"
#include "jobs/job.h"
#include "jobs/world.h"

namespace signet::jobs {

struct JobOptions {
  std::vector<JobType> types;             // what may be asked for
  std::size_t jobs_per_engine = 4;        // under way at once
  std::size_t unfinished_per_user = 400;  // a queue is no store; of a world of 64 KiB come 340
  std::size_t unfinished_per_mesh = 10'000;
  // Of one job, whatever ended them: a poison job. Less than kLeasesPerLife.
  std::uint64_t most_leases = 5;
  std::chrono::hours keep_finished{24};    // results, and failed ones for a retry
  std::size_t finished_per_mesh = 10'000;  // the oldest world goes first; the newest is kept
  // Worlds, payloads, results, errors and progress of all jobs: memory of the home shard, and disk.
  // Too many finished ones: the oldest world goes first. Too many of worlds that are not done:
  // no more are taken. What engines then answer to those that were taken comes on top.
  std::size_t bytes_per_mesh = std::size_t{256} * 1024 * 1024;
};

struct NewJob {
  std::string id;  // random, made by the caller
  std::string type;
  std::string payload;
  std::int32_t priority = 0;
};
struct NewWorld {
  std::string user;
  std::shared_ptr<const std::string> spec;
  std::vector<NewJob> jobs;
};

// What is to be told, in this order, once the rows are on disk. Jobs are copies of that moment.
struct TellStatus {  // job_status to its user
  Job job;
};
struct TellDispatch {  // the job and its lease to the engine
  EngineSession engine;
  Job job;
};
struct TellFinished {  // engine_job_finished, engine_job_failed to its user
  Job job;
};
struct TellWorld {  // world_update to the user: all jobs of it are done
  std::string user;
  std::string world;
  std::vector<Job> jobs;
};
enum class Telemetry : std::uint8_t { kStarted, kProgress, kCompleted, kFailed };
struct TellTelemetry {  // to all
  Telemetry event;
  Job job;
};
using Notice = std::variant<TellStatus, TellDispatch, TellFinished, TellWorld, TellTelemetry>;

struct Effects {
  std::vector<Job> rows;               // changed, their version already raised
  std::vector<std::string> forgotten;  // ids of rows to remove
  std::vector<Notice> notices;
  std::vector<EngineSession> lost;  // whose lease ended by its silence or absence: one for each
};

// How an engine went away from its jobs.
enum class Leaving : std::uint8_t {
  kLost,   // it held them, and did not do them: a try of each
  kUnfit,  // it could never have ended one: no try
};

enum class EngineSays : std::uint8_t { kStarted, kProgress, kCompleted, kFailed };
struct EngineReport {
  EngineSession engine = 0;
  EngineSays says = EngineSays::kStarted;
  std::string_view job;
  std::optional<std::uint64_t> fence;  // nullopt: not echoed; the lease is (engine, job)
  std::string_view text;               // JSON: result, progress; or the error's text
};

class JobBoard {
 public:
  // Rows are the mesh's.
  JobBoard(MeshNumber mesh, JobOptions options);

  // Other types, times and limits from now on. A job that is here keeps the type it came with, and
  // a lease its time.
  void set_options(JobOptions options);

  // What the store had, before any other call. Jobs that were under way have lost their engines:
  // they are queued again, which counts as a lease and not as a retry.
  // REQUIRES: no two of them share an id or an order, and each world's jobs share its user.
  Effects load(std::vector<Job> jobs, WallTime wall, Elapsed now);

  // All jobs of a request, or none. Refused: invalid_payload (no job in it, or more of them, or of
  // their bytes, than there may ever be), unauthorized_job_type, too_many_jobs (or bytes of them)
  // for now; unavailable where an id is taken.
  std::variant<Effects, JobRefusal> submit(NewWorld world, WallTime wall, Elapsed now);

  // An engine takes jobs from now on.
  Effects engine_ready(EngineSession session, std::string name, WallTime wall, Elapsed now);
  // It went away, or was silent: its jobs go to others under a new fence, or fail. Each lease
  // counts, however it left.
  Effects engine_gone(EngineSession session, WallTime wall, Elapsed now,
                      Leaving how = Leaving::kLost);

  // What an engine says of a job. Refused, and nothing changes: JOB_UNKNOWN (or it was never this
  // engine's), JOB_LEASE_STALE (it was, or the fence is another), JOB_TRANSITION_INVALID. What
  // repeats a final word under the same lease is taken and changes nothing. A lease holds until
  // on_time() ends it, even past its time.
  std::variant<Effects, EngineRefusal> report(const EngineReport& report, WallTime wall,
                                              Elapsed now);

  // By its user, or the operator (`user` empty): fails as CANCELLED. kNotFound-like: nullopt where
  // there is none of theirs; a final one stays as it is and the effects are empty.
  std::optional<Effects> cancel(std::string_view job, std::string_view user, WallTime wall,
                                Elapsed now);
  // A failed job goes to the queue again as a new one of the same id: retries from 0, fence rising.
  // Its world is told again once all of it is done again. nullopt where no such job has failed.
  std::optional<Effects> retry(std::string_view job, WallTime wall, Elapsed now);

  // What is over its time. To be called at due() or a little later.
  Effects on_time(WallTime wall, Elapsed now);
  std::optional<Elapsed> due() const;

  const Job* find(std::string_view job) const;
  // Newest first; at most `limit`, before `before` (an order; 0: the newest).
  std::vector<const Job*> list(std::optional<JobState> state, std::string_view user,
                               std::uint64_t before, std::size_t limit) const;
  struct EngineRow {
    EngineSession session;
    std::string name;
    std::vector<std::string> jobs;
  };
  std::vector<EngineRow> engines() const;
  std::size_t count(JobState state) const;
  std::size_t bytes() const { return bytes_; }  // of all texts, as bytes_per_mesh counts them

 private:
  // Who had which lease, as far as anybody who comes late may still say so.
  struct Holder {
    EngineSession session = 0;  // 0: of an earlier process
    std::string name;
  };
  struct Entry {
    Job job;
    std::shared_ptr<const JobType> type;
    std::vector<Holder> holders;  // the latest last; at most kRememberedHolders
    EngineSession live = 0;       // who has the lease; 0: nobody
    Elapsed expires;              // of that lease
    bool engine_said = false;     // the final state is the word of the last holder
    std::size_t bytes = 0;        // of its texts, as they are counted in its world's
  };
  struct UserJobs {
    std::size_t all = 0;
    std::size_t unfinished = 0;
  };
  // One call: when it is, and what comes of it.
  struct Turn {
    WallTime wall;
    Elapsed now;
    Effects effects;
  };
  using Jobs = std::map<std::uint64_t, Entry>;  // by order

  // Who speaks: the holder of the lease; the one whose final word was taken; one that had it; none
  // of these.
  enum class Standing : std::uint8_t { kHolds, kSpoke, kOnce, kNever };
  enum class Forget : std::uint8_t { kMany, kOld };  // what is too many; that, and what is too old

  Entry* entry_of(std::string_view job);
  World& world_of(const Entry& entry);
  std::shared_ptr<const JobType> type_of(const std::string& name) const;
  std::size_t unfinished() const;
  bool is_too_much() const;
  std::optional<JobRefusal> refusal_of(const NewWorld& world) const;
  Standing standing_of(const Entry& entry, const EngineReport& report) const;
  static EngineSays last_word(const Entry& entry);
  bool hear(Entry& entry, const EngineReport& report, Turn& turn);

  // Every change of a state goes through enter(), for a new life, or change(), by the table.
  void enter(Entry& entry, Turn& turn);
  void change(Entry& entry, JobState to, Turn& turn);
  void write(Entry& entry, JobState state, Turn& turn);

  void weigh(Entry& entry);
  void weigh_spec(World& world, const Job& job);

  Entry& adopt(Job job, std::shared_ptr<const JobType> type);
  void lose_without_a_try(Entry& entry, Turn& turn);
  void wait(Entry& entry, Turn& turn);
  void serve(Turn& turn);
  void give(Entry& entry, EngineSession engine, Turn& turn);
  void set_deadline(Entry& entry, std::chrono::milliseconds timeout, Elapsed now);
  void end_lease(Entry& entry);
  void lose(Entry& entry, JobFailure why, Turn& turn);
  void fail(Entry& entry, std::string error, Turn& turn);
  void finish(Entry& entry, JobState state, Turn& turn);
  void finish_one(Entry& entry, JobState state, Turn& turn);
  void close_world(World& world, const std::string& name, Elapsed forget_at);
  void reopen_world(World& world);
  void forget_oldest_world(Turn& turn);
  Effects end(Turn turn, Forget forget);

  const MeshNumber mesh_;
  JobOptions options_;
  std::map<std::string, std::shared_ptr<const JobType>, std::less<>> types_;

  Jobs jobs_;
  std::map<std::string, std::uint64_t, std::less<>> orders_;  // by id
  std::map<std::string, UserJobs, std::less<>> users_;
  std::map<std::string, World, std::less<>> worlds_;
  std::array<std::size_t, kJobStateCount> counts_{};
  std::uint64_t next_order_ = 1;

  FairQueue queue_;
  EnginePool engines_;
  std::set<std::pair<Elapsed, std::uint64_t>> deadlines_;  // of leases, by job
  // Worlds all of whose jobs are finished, by when they are forgotten.
  std::set<std::tuple<Elapsed, std::uint64_t, std::string>> done_;
  std::uint64_t next_done_ = 1;
  std::size_t jobs_done_ = 0;   // of those worlds
  std::size_t bytes_done_ = 0;  // likewise
  std::size_t bytes_ = 0;       // of all worlds
};

}  // namespace signet::jobs
