// How jobs move on a JobBoard: every change of a state, and what follows from it.
#include <algorithm>
#include <cstdlib>

#include "jobs/job_board.h"

namespace signet::jobs {
namespace {

// Who came late is told so (JOB_LEASE_STALE) as long as it is among so many holders of the job.
constexpr std::size_t kRememberedHolders = 16;

}  // namespace

// ---- finding

JobBoard::Entry* JobBoard::entry_of(std::string_view job) {
  const auto found = orders_.find(job);
  return found == orders_.end() ? nullptr : &jobs_.at(found->second);
}

World& JobBoard::world_of(const Entry& entry) { return worlds_.find(entry.job.world)->second; }

// A type that is no longer on the list has the format's times for the jobs that are left of it.
std::shared_ptr<const JobType> JobBoard::type_of(const std::string& name) const {
  const auto found = types_.find(name);
  if (found != types_.end()) return found->second;
  JobType type;
  type.name = name;
  return std::make_shared<const JobType>(std::move(type));
}

// A lease is (session, fence). Who comes back under its name is the same engine in another session:
// it may repeat its last word where it names the fence, and otherwise comes late.
JobBoard::Standing JobBoard::standing_of(const Entry& entry, const EngineReport& report) const {
  const auto* engine = engines_.find(report.engine);
  const auto is_it = [&](const Holder& holder) {
    return holder.session == report.engine || (engine != nullptr && holder.name == engine->name);
  };
  const bool fits = !report.fence || *report.fence == entry.job.fence;
  if (entry.live != 0 && entry.live == report.engine && fits) return Standing::kHolds;
  if (entry.engine_said && fits) {
    const Holder& last = entry.holders.back();
    if (last.session == report.engine || (report.fence && is_it(last))) return Standing::kSpoke;
  }
  return std::any_of(entry.holders.begin(), entry.holders.end(), is_it) ? Standing::kOnce
                                                                        : Standing::kNever;
}

EngineSays JobBoard::last_word(const Entry& entry) {
  return entry.job.state == JobState::kCompleted ? EngineSays::kCompleted : EngineSays::kFailed;
}

// ---- states

void JobBoard::write(Entry& entry, JobState state, Turn& turn) {
  UserJobs& user = users_[entry.job.user];
  user.unfinished -= is_final(entry.job.state) ? 0 : 1;
  user.unfinished += is_final(state) ? 0 : 1;
  --counts_.at(static_cast<std::size_t>(entry.job.state));
  ++counts_.at(static_cast<std::size_t>(state));
  entry.job.state = state;
  ++entry.job.version;
  weigh(entry);
  turn.effects.rows.push_back(entry.job);
  turn.effects.notices.emplace_back(TellStatus{entry.job});
}

void JobBoard::enter(Entry& entry, Turn& turn) {
  entry.job.queued = turn.wall;
  entry.job.dispatched = entry.job.started = entry.job.completed = {};
  entry.job.progress.clear();
  write(entry, JobState::kQueued, turn);
}

void JobBoard::change(Entry& entry, JobState to, Turn& turn) {
  // A table that is broken would be told to everybody and kept: better an end that is noticed.
  if (!may_follow(entry.job.state, to)) std::abort();
  if (to == JobState::kQueued) return enter(entry, turn);
  if (to == JobState::kDispatched) entry.job.dispatched = turn.wall;
  if (to == JobState::kRunning) entry.job.started = turn.wall;
  if (is_final(to)) entry.job.completed = turn.wall;
  write(entry, to, turn);
}

// Every text of a job that may have changed is counted again. REQUIRES: its world is not done.
void JobBoard::weigh(Entry& entry) {
  const Job& job = entry.job;
  const std::size_t payload = job.payload == nullptr ? 0 : job.payload->size();
  const std::size_t bytes = payload + job.result.size() + job.error.size() + job.progress.size();
  World& world = world_of(entry);
  world.bytes += bytes - entry.bytes;
  bytes_ += bytes - entry.bytes;
  entry.bytes = bytes;
}

// Once for all jobs of a world, which share it.
void JobBoard::weigh_spec(World& world, const Job& job) {
  if (!world.jobs().empty() || job.spec == nullptr) return;
  world.bytes += job.spec->size();
  bytes_ += job.spec->size();
}

// ---- coming in

JobBoard::Entry& JobBoard::adopt(Job job, std::shared_ptr<const JobType> type) {
  const std::uint64_t order = job.order;
  next_order_ = std::max(next_order_, order + 1);
  orders_[job.id] = order;
  UserJobs& user = users_[job.user];
  ++user.all;
  user.unfinished += is_final(job.state) ? 0 : 1;
  ++counts_.at(static_cast<std::size_t>(job.state));
  World& world = worlds_[job.world];
  weigh_spec(world, job);
  world.add(order);
  if (job.state == JobState::kCompleted) world.completed(order);
  if (job.state == JobState::kFailed) world.failed(order);
  Entry& entry = jobs_[order];
  if (!job.engine.empty()) entry.holders.push_back({0, job.engine});
  // Who said that a job failed is not in its row: an engine that repeats it comes late.
  entry.engine_said = job.state == JobState::kCompleted && !entry.holders.empty();
  entry.job = std::move(job);
  entry.type = std::move(type);
  weigh(entry);
  return entry;
}

// By a restart, or by an engine that could not have done it.
void JobBoard::lose_without_a_try(Entry& entry, Turn& turn) {
  if (leases_of(entry.job) >= options_.most_leases) {
    return fail(entry, std::string(name_of(JobFailure::kEngineDisconnected)), turn);
  }
  end_lease(entry);
  change(entry, JobState::kQueued, turn);
  wait(entry, turn);
}

// ---- waiting and leases

void JobBoard::wait(Entry& entry, Turn& turn) {
  World& world = world_of(entry);
  const std::uint64_t order = entry.job.order;
  if (entry.type->one_by_one && world.is_hopeless(order)) {
    return fail(entry, std::string(name_of(JobFailure::kWorldFailed)), turn);
  }
  if (entry.type->one_by_one && !world.may_begin(order)) return world.block(order);
  queue_.add(entry.job.user, entry.job.priority, order);
}

void JobBoard::serve(Turn& turn) {
  while (const auto order = queue_.first()) {
    Entry& entry = jobs_.at(*order);
    const EngineSession last = entry.holders.empty() ? 0 : entry.holders.back().session;
    const auto engine = engines_.choose(last);
    if (!engine) return;
    give(entry, *engine, turn);
  }
}

void JobBoard::give(Entry& entry, EngineSession engine, Turn& turn) {
  Job& job = entry.job;
  queue_.remove(job.user, job.priority, job.order);
  queue_.began(job.user);
  engines_.give(engine, job.order);
  job.engine = engines_.find(engine)->name;
  ++job.fence;
  entry.live = engine;
  if (entry.holders.size() == kRememberedHolders) entry.holders.erase(entry.holders.begin());
  entry.holders.push_back({engine, job.engine});
  change(entry, JobState::kDispatched, turn);
  set_deadline(entry, entry.type->dispatch_timeout, turn.now);
  turn.effects.notices.emplace_back(TellDispatch{engine, job});
}

void JobBoard::set_deadline(Entry& entry, std::chrono::milliseconds timeout, Elapsed now) {
  deadlines_.erase({entry.expires, entry.job.order});
  entry.expires = now + timeout;
  deadlines_.emplace(entry.expires, entry.job.order);
}

void JobBoard::end_lease(Entry& entry) {
  if (entry.live == 0) return;
  deadlines_.erase({entry.expires, entry.job.order});
  engines_.take(entry.live, entry.job.order);
  queue_.ended(entry.job.user);
  entry.live = 0;
}

void JobBoard::lose(Entry& entry, JobFailure why, Turn& turn) {
  Job& job = entry.job;
  if (entry.live != 0) turn.effects.lost.push_back(entry.live);
  const bool may_again = job.retries < entry.type->retries && leases_of(job) < options_.most_leases;
  if (may_again) {
    end_lease(entry);
    ++job.retries;
    change(entry, JobState::kQueued, turn);
    return wait(entry, turn);
  }
  std::string error(name_of(why));
  if (why == JobFailure::kTimeout) {
    error += " after " + std::to_string(job.retries) + " retries";
  }
  fail(entry, std::move(error), turn);
}

// ---- the end

void JobBoard::fail(Entry& entry, std::string error, Turn& turn) {
  entry.job.error = std::move(error);
  finish(entry, JobState::kFailed, turn);
}

void JobBoard::finish(Entry& entry, JobState state, Turn& turn) {
  World& world = world_of(entry);
  finish_one(entry, state, turn);
  if (state == JobState::kCompleted) {
    if (const auto next = world.completed(entry.job.order)) wait(jobs_.at(*next), turn);
  } else {
    for (const std::uint64_t order : world.failed(entry.job.order)) {
      Entry& hopeless = jobs_.at(order);
      hopeless.job.error = name_of(JobFailure::kWorldFailed);
      finish_one(hopeless, JobState::kFailed, turn);
      world.failed(order);
    }
  }
  if (!world.is_done()) return;
  TellWorld told{entry.job.user, entry.job.world, {}};
  for (const std::uint64_t order : world.jobs()) told.jobs.push_back(jobs_.at(order).job);
  turn.effects.notices.emplace_back(std::move(told));
  close_world(world, entry.job.world, turn.now + options_.keep_finished);
}

void JobBoard::finish_one(Entry& entry, JobState state, Turn& turn) {
  end_lease(entry);
  const bool was_blocked = world_of(entry).unblock(entry.job.order);
  if (!was_blocked && entry.job.state == JobState::kQueued) {
    queue_.remove(entry.job.user, entry.job.priority, entry.job.order);
  }
  change(entry, state, turn);
  const bool completed = state == JobState::kCompleted;
  turn.effects.notices.emplace_back(TellFinished{entry.job});
  turn.effects.notices.emplace_back(
      TellTelemetry{completed ? Telemetry::kCompleted : Telemetry::kFailed, entry.job});
}

void JobBoard::close_world(World& world, const std::string& name, Elapsed forget_at) {
  world.done.emplace(forget_at, next_done_++, name);
  done_.insert(*world.done);
  jobs_done_ += world.jobs().size();
  bytes_done_ += world.bytes;
}

void JobBoard::reopen_world(World& world) {
  if (!world.done) return;
  done_.erase(*world.done);
  world.done.reset();
  jobs_done_ -= world.jobs().size();
  bytes_done_ -= world.bytes;
}

void JobBoard::forget_oldest_world(Turn& turn) {
  const auto found = worlds_.find(std::get<std::string>(*done_.begin()));
  for (const std::uint64_t order : found->second.jobs()) {
    const Job& job = jobs_.at(order).job;
    --counts_.at(static_cast<std::size_t>(job.state));
    const auto user = users_.find(job.user);
    if (--user->second.all == 0) {
      queue_.forget(job.user);
      users_.erase(user);
    }
    turn.effects.forgotten.push_back(job.id);
    orders_.erase(job.id);
    jobs_.erase(order);
  }
  reopen_world(found->second);
  bytes_ -= found->second.bytes;
  worlds_.erase(found);
}

bool JobBoard::is_too_much() const {
  return jobs_done_ > options_.finished_per_mesh || bytes_ > options_.bytes_per_mesh;
}

// Whoever changed a job wants to read it: the newest world stays until something else is done, or
// its time is over.
Effects JobBoard::end(Turn turn, Forget forget) {
  serve(turn);
  while (is_too_much() && done_.size() > 1) forget_oldest_world(turn);
  while (forget == Forget::kOld && !done_.empty() &&
         std::get<Elapsed>(*done_.begin()) <= turn.now) {
    forget_oldest_world(turn);
  }
  return std::move(turn.effects);
}

}  // namespace signet::jobs
