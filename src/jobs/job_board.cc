#include "jobs/job_board.h"

#include <algorithm>

namespace signet::jobs {
namespace {

// A world is counted once, however many jobs it gives.
std::size_t bytes_of(const NewWorld& world) {
  std::size_t bytes = world.spec == nullptr ? 0 : world.spec->size();
  for (const NewJob& job : world.jobs) bytes += job.payload.size();
  return bytes;
}

}  // namespace

JobBoard::JobBoard(MeshNumber mesh, JobOptions options)
    : mesh_(mesh), engines_(options.jobs_per_engine) {
  set_options(std::move(options));
}

void JobBoard::set_options(JobOptions options) {
  options_ = std::move(options);
  types_.clear();
  for (const JobType& type : options_.types) {
    types_[type.name] = std::make_shared<const JobType>(type);
  }
  engines_.set_most(options_.jobs_per_engine);
}

Effects JobBoard::load(std::vector<Job> jobs, WallTime wall, Elapsed now) {
  Turn turn{wall, now, {}};
  const auto by_dispatch = [](const Job& one, const Job& other) {
    return std::tie(one.dispatched, one.order) < std::tie(other.dispatched, other.order);
  };
  std::sort(jobs.begin(), jobs.end(), by_dispatch);
  for (Job& job : jobs) {
    if (job.dispatched.ms != 0) queue_.was_served(job.user);
    auto type = type_of(job.type);
    adopt(std::move(job), std::move(type));
  }
  // Those that are done, in the order in which they were.
  std::set<std::tuple<WallTime, std::uint64_t>> done;
  for (const auto& [id, world] : worlds_) {
    if (!world.is_done()) continue;
    WallTime latest;
    for (const std::uint64_t job : world.jobs()) {
      latest = std::max(latest, jobs_.at(job).job.completed);
    }
    done.emplace(latest, *world.jobs().begin());
  }
  for (const auto& [latest, first] : done) {
    // A wall clock that stepped back must not keep anything for longer than what is new.
    const std::chrono::milliseconds age{std::max<std::int64_t>(0, wall.ms - latest.ms)};
    const auto left = std::max(std::chrono::milliseconds{0}, options_.keep_finished - age);
    close_world(world_of(jobs_.at(first)), jobs_.at(first).job.world, now + left);
  }
  for (auto& [order, entry] : jobs_) {
    if (entry.job.state == JobState::kQueued) wait(entry, turn);
  }
  for (auto& [order, entry] : jobs_) {
    if (is_under_way(entry.job.state)) lose_without_a_try(entry, turn);
  }
  return end(std::move(turn), Forget::kOld);
}

std::variant<Effects, JobRefusal> JobBoard::submit(NewWorld world, WallTime wall, Elapsed now) {
  if (const auto refusal = refusal_of(world)) return *refusal;
  Turn turn{wall, now, {}};
  const std::string name = world.jobs.front().id;
  std::vector<std::uint64_t> orders;
  for (NewJob& asked : world.jobs) {
    Job job;
    job.mesh = mesh_;
    job.id = std::move(asked.id);
    job.type = std::move(asked.type);
    job.user = world.user;
    job.world = name;
    job.spec = world.spec;
    job.payload = std::make_shared<const std::string>(std::move(asked.payload));
    job.priority = asked.priority;
    job.order = next_order_;
    job.submitted = wall;
    auto type = type_of(job.type);
    Entry& entry = adopt(std::move(job), std::move(type));
    orders.push_back(entry.job.order);
    enter(entry, turn);
  }
  // Only now: what one by one means is known when all of the world is.
  for (const std::uint64_t order : orders) wait(jobs_.at(order), turn);
  return end(std::move(turn), Forget::kMany);
}

std::optional<JobRefusal> JobBoard::refusal_of(const NewWorld& world) const {
  if (world.jobs.empty()) return JobRefusal::kInvalidPayload;
  std::set<std::string_view> ids;
  for (const NewJob& job : world.jobs) {
    if (types_.count(job.type) == 0) return JobRefusal::kUnauthorizedJobType;
    if (orders_.count(job.id) > 0 || !ids.insert(job.id).second) return JobRefusal::kUnavailable;
  }
  // Whoever waits for room for that would wait for ever.
  const std::size_t more = world.jobs.size();
  const std::size_t most = std::min(options_.unfinished_per_user, options_.unfinished_per_mesh);
  const bool fits_never = more > most || bytes_of(world) > options_.bytes_per_mesh;
  if (fits_never) return JobRefusal::kInvalidPayload;
  const auto user = users_.find(world.user);
  const std::size_t of_user = user == users_.end() ? 0 : user->second.unfinished;
  if (of_user + more > options_.unfinished_per_user) return JobRefusal::kTooManyJobs;
  if (unfinished() + more > options_.unfinished_per_mesh) return JobRefusal::kTooManyJobs;
  // What is done makes room, the rest does not.
  const std::size_t held = bytes_ - bytes_done_;
  if (held + bytes_of(world) > options_.bytes_per_mesh) return JobRefusal::kTooManyJobs;
  return std::nullopt;
}

Effects JobBoard::engine_ready(EngineSession session, std::string name, WallTime wall,
                               Elapsed now) {
  engines_.add(session, std::move(name));
  return end({wall, now, {}}, Forget::kMany);
}

Effects JobBoard::engine_gone(EngineSession session, WallTime wall, Elapsed now, Leaving how) {
  Turn turn{wall, now, {}};
  for (const std::uint64_t order : engines_.remove(session)) {
    Entry& entry = jobs_.at(order);
    how == Leaving::kUnfit ? lose_without_a_try(entry, turn)
                           : lose(entry, JobFailure::kEngineDisconnected, turn);
  }
  return end(std::move(turn), Forget::kMany);
}

std::variant<Effects, EngineRefusal> JobBoard::report(const EngineReport& report, WallTime wall,
                                                      Elapsed now) {
  Entry* entry = entry_of(report.job);
  if (entry == nullptr) return EngineRefusal::kJobUnknown;
  switch (standing_of(*entry, report)) {
    case Standing::kNever:
      return EngineRefusal::kJobUnknown;
    case Standing::kOnce:
      return EngineRefusal::kJobLeaseStale;
    case Standing::kSpoke:
      if (report.says == last_word(*entry)) return Effects{};
      return EngineRefusal::kJobTransitionInvalid;
    case Standing::kHolds:
      break;
  }
  Turn turn{wall, now, {}};
  if (!hear(*entry, report, turn)) return EngineRefusal::kJobTransitionInvalid;
  return end(std::move(turn), Forget::kMany);
}

// What the one who holds the lease says. False where it does not follow.
bool JobBoard::hear(Entry& entry, const EngineReport& report, Turn& turn) {
  const JobState state = entry.job.state;
  switch (report.says) {
    case EngineSays::kStarted:
      if (!may_follow(state, JobState::kRunning)) return false;
      change(entry, JobState::kRunning, turn);
      set_deadline(entry, entry.type->timeout, turn.now);
      turn.effects.notices.emplace_back(TellTelemetry{Telemetry::kStarted, entry.job});
      return true;
    case EngineSays::kProgress:
      if (state != JobState::kRunning) return false;
      entry.job.progress = report.text;
      weigh(entry);
      turn.effects.notices.emplace_back(TellTelemetry{Telemetry::kProgress, entry.job});
      return true;
    case EngineSays::kCompleted:
      if (!may_follow(state, JobState::kCompleted)) return false;
      entry.job.result = report.text;
      entry.engine_said = true;
      finish(entry, JobState::kCompleted, turn);
      return true;
    case EngineSays::kFailed:
      if (!may_follow(state, JobState::kFailed)) return false;
      entry.engine_said = true;
      fail(entry, std::string(report.text), turn);
      return true;
  }
  return false;
}

std::optional<Effects> JobBoard::cancel(std::string_view job, std::string_view user, WallTime wall,
                                        Elapsed now) {
  Entry* entry = entry_of(job);
  if (entry == nullptr || (!user.empty() && entry->job.user != user)) return std::nullopt;
  if (is_final(entry->job.state)) return Effects{};
  Turn turn{wall, now, {}};
  fail(*entry, std::string(name_of(JobFailure::kCancelled)), turn);
  return end(std::move(turn), Forget::kMany);
}

std::optional<Effects> JobBoard::retry(std::string_view job, WallTime wall, Elapsed now) {
  Entry* entry = entry_of(job);
  if (entry == nullptr || entry->job.state != JobState::kFailed) return std::nullopt;
  Turn turn{wall, now, {}};
  reopen_world(world_of(*entry));
  world_of(*entry).again(entry->job.order);
  entry->job.retries = 0;
  entry->job.fence = fence_of_next_life(entry->job);
  entry->job.error.clear();
  entry->engine_said = false;
  enter(*entry, turn);
  wait(*entry, turn);
  return end(std::move(turn), Forget::kMany);
}

Effects JobBoard::on_time(WallTime wall, Elapsed now) {
  Turn turn{wall, now, {}};
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    lose(jobs_.at(deadlines_.begin()->second), JobFailure::kTimeout, turn);
  }
  return end(std::move(turn), Forget::kOld);
}

std::optional<Elapsed> JobBoard::due() const {
  std::optional<Elapsed> due;
  if (!deadlines_.empty()) due = deadlines_.begin()->first;
  if (done_.empty()) return due;
  const Elapsed forgets = std::get<0>(*done_.begin());
  return due ? std::min(*due, forgets) : forgets;
}

const Job* JobBoard::find(std::string_view job) const {
  const auto found = orders_.find(job);
  return found == orders_.end() ? nullptr : &jobs_.at(found->second).job;
}

std::vector<const Job*> JobBoard::list(std::optional<JobState> state, std::string_view user,
                                       std::uint64_t before, std::size_t limit) const {
  std::vector<const Job*> found;
  auto at = before == 0 ? jobs_.end() : jobs_.lower_bound(before);
  while (at != jobs_.begin() && found.size() < limit) {
    const Job& job = (--at)->second.job;
    if (state && job.state != *state) continue;
    if (user.empty() || job.user == user) found.push_back(&job);
  }
  return found;
}

std::vector<JobBoard::EngineRow> JobBoard::engines() const {
  std::vector<EngineRow> rows;
  for (const auto& [session, engine] : engines_.all()) {
    EngineRow row{session, engine.name, {}};
    for (const std::uint64_t order : engine.jobs) row.jobs.push_back(jobs_.at(order).job.id);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::size_t JobBoard::count(JobState state) const {
  return counts_.at(static_cast<std::size_t>(state));
}

std::size_t JobBoard::unfinished() const {
  return count(JobState::kQueued) + count(JobState::kDispatched) + count(JobState::kRunning);
}

}  // namespace signet::jobs
