// SlowBoard decides what JobBoard decides by looking at everything each time: no queue, no index,
// no deadline is kept. Obvious, and what the tests and the fuzz target hold the board against.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "jobs/job_board.h"

namespace signet::jobs {

class SlowBoard {
 public:
  struct SlowJob {
    Job job;
    JobType type;
    EngineSession live = 0;
    Elapsed expires;
    std::vector<std::pair<EngineSession, std::string>> holders;
    bool engine_said = false;
  };
  enum class Answer : std::uint8_t { kTaken, kIgnored, kUnknown, kStale, kInvalid };

  explicit SlowBoard(JobOptions options) : options_(std::move(options)) {}
  void set_options(JobOptions options) { options_ = std::move(options); }

  void load(std::vector<Job> rows, WallTime wall, Elapsed now) {
    std::sort(rows.begin(), rows.end(), [](const Job& one, const Job& other) {
      return std::tie(one.dispatched, one.order) < std::tie(other.dispatched, other.order);
    });
    for (const Job& row : rows) {
      if (row.dispatched.ms != 0) served_[row.user] = ++services_;
      SlowJob job{row, type_of(row.type), 0, {}, {}, row.state == JobState::kCompleted};
      if (!row.engine.empty()) job.holders.emplace_back(0, row.engine);
      jobs_.push_back(std::move(job));
    }
    std::sort(jobs_.begin(), jobs_.end(), [](const SlowJob& one, const SlowJob& other) {
      return one.job.order < other.job.order;
    });
    close_done_of_earlier(wall, now);
    for (SlowJob& job : jobs_) {
      if (is_under_way(job.job.state)) lose_without_a_try(job, wall, now);
    }
    end(wall, now, true);
  }

  std::optional<JobRefusal> submit(const NewWorld& world, WallTime wall, Elapsed now) {
    if (world.jobs.empty()) return JobRefusal::kInvalidPayload;
    std::set<std::string> ids;
    for (const NewJob& asked : world.jobs) {
      if (!is_listed(asked.type)) return JobRefusal::kUnauthorizedJobType;
      if (find(asked.id) != nullptr || !ids.insert(asked.id).second)
        return JobRefusal::kUnavailable;
    }
    std::size_t more = size_of(world.spec);
    for (const NewJob& asked : world.jobs) more += asked.payload.size();
    const bool fits_never = world.jobs.size() > options_.unfinished_per_user ||
                            world.jobs.size() > options_.unfinished_per_mesh ||
                            more > options_.bytes_per_mesh;
    if (fits_never) return JobRefusal::kInvalidPayload;
    std::size_t of_user = 0;
    std::size_t of_mesh = 0;
    for (const SlowJob& job : jobs_) {
      of_mesh += is_final(job.job.state) ? 0 : 1;
      of_user += !is_final(job.job.state) && job.job.user == world.user ? 1 : 0;
    }
    if (of_user + world.jobs.size() > options_.unfinished_per_user) return JobRefusal::kTooManyJobs;
    if (of_mesh + world.jobs.size() > options_.unfinished_per_mesh) return JobRefusal::kTooManyJobs;
    if (bytes(false) + more > options_.bytes_per_mesh) return JobRefusal::kTooManyJobs;
    std::uint64_t order = newest_;
    for (const NewJob& asked : world.jobs) {
      SlowJob job;
      job.type = type_of(asked.type);
      job.job.id = asked.id;
      job.job.type = asked.type;
      job.job.user = world.user;
      job.job.world = world.jobs.front().id;
      job.job.spec = world.spec;
      job.job.payload = std::make_shared<const std::string>(asked.payload);
      job.job.priority = asked.priority;
      job.job.order = ++order;
      job.job.submitted = wall;
      queue(job, wall);
      jobs_.push_back(std::move(job));
    }
    end(wall, now, false);
    return std::nullopt;
  }

  void engine_ready(EngineSession session, const std::string& name, WallTime wall, Elapsed now) {
    engines_.try_emplace(session, name, 0);
    end(wall, now, false);
  }

  void engine_gone(EngineSession session, WallTime wall, Elapsed now, Leaving how) {
    engines_.erase(session);
    for (SlowJob& job : jobs_) {
      if (session == 0 || job.live != session) continue;
      how == Leaving::kLost ? lose(job, "ENGINE_DISCONNECTED", wall, now)
                            : lose_without_a_try(job, wall, now);
    }
    end(wall, now, false);
  }

  Answer report(const EngineReport& report, WallTime wall, Elapsed now) {
    SlowJob* job = find(report.job);
    if (job == nullptr) return Answer::kUnknown;
    const bool fits = report.fence.value_or(job->job.fence) == job->job.fence;
    if (job->live == 0 || job->live != report.engine || !fits) return late(*job, report, fits);
    const JobState state = job->job.state;
    const bool runs = state == JobState::kRunning;
    if (report.says == EngineSays::kStarted ? runs : !runs && report.says != EngineSays::kFailed) {
      return Answer::kInvalid;
    }
    if (report.says == EngineSays::kStarted) {
      set(*job, JobState::kRunning);
      job->job.started = wall;
      job->expires = now + job->type.timeout;
    } else if (report.says == EngineSays::kProgress) {
      job->job.progress = report.text;
    } else if (report.says == EngineSays::kCompleted) {
      job->engine_said = true;
      job->job.result = report.text;
      finish(*job, JobState::kCompleted, wall, now);
    } else {
      job->engine_said = true;
      fail(*job, std::string(report.text), wall, now);
    }
    end(wall, now, false);
    return Answer::kTaken;
  }

  bool cancel(std::string_view id, std::string_view user, WallTime wall, Elapsed now) {
    SlowJob* job = find(id);
    if (job == nullptr || (!user.empty() && user != job->job.user)) return false;
    if (is_final(job->job.state)) return true;
    fail(*job, "CANCELLED", wall, now);
    end(wall, now, false);
    return true;
  }

  bool retry(std::string_view id, WallTime wall, Elapsed now) {
    SlowJob* job = find(id);
    if (job == nullptr || job->job.state != JobState::kFailed) return false;
    done_.erase(job->job.world);
    job->job.retries = 0;
    job->job.fence = (job->job.fence / kLeasesPerLife + 1) * kLeasesPerLife;
    job->job.error.clear();
    job->engine_said = false;
    queue(*job, wall);
    for (const SlowJob& other : jobs_) {
      const bool before = other.job.world == job->job.world && other.job.order < job->job.order;
      if (job->type.one_by_one && before && other.job.state == JobState::kFailed) {
        fail(*job, "WORLD_FAILED", wall, now);
        break;
      }
    }
    end(wall, now, false);
    return true;
  }

  void on_time(WallTime wall, Elapsed now) {
    for (;;) {
      SlowJob* first = nullptr;
      for (SlowJob& job : jobs_) {
        if (job.live == 0 || now < job.expires) continue;
        if (first == nullptr || job.expires < first->expires) first = &job;
      }
      if (first == nullptr) break;
      lose(*first, "TIMEOUT after " + std::to_string(first->job.retries) + " retries", wall, now);
    }
    end(wall, now, true);
  }

  std::optional<Elapsed> due() const {
    std::optional<Elapsed> due;
    const auto take = [&](Elapsed at) {
      if (!due || at < *due) due = at;
    };
    for (const SlowJob& job : jobs_) {
      if (job.live != 0) take(job.expires);
    }
    for (const auto& [world, at] : done_) take(at.first);
    return due;
  }

  SlowJob* find(std::string_view id) {
    const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                    [&](const SlowJob& job) { return job.job.id == id; });
    return found == jobs_.end() ? nullptr : &*found;
  }
  const std::vector<SlowJob>& jobs() const { return jobs_; }
  // Of all texts, or of those of worlds that are not done.
  std::size_t bytes(bool done_too) const {
    std::size_t bytes = 0;
    std::set<std::string> specs;
    for (const auto& [job, type, live, expires, holders, said] : jobs_) {
      if (!done_too && done_.count(job.world) > 0) continue;
      bytes += size_of(job.payload) + job.result.size() + job.error.size() + job.progress.size();
      bytes += specs.insert(job.world).second ? size_of(job.spec) : 0;
    }
    return bytes;
  }
  const std::map<EngineSession, std::pair<std::string, std::uint64_t>>& engines() const {
    return engines_;
  }

 private:
  static std::size_t size_of(const std::shared_ptr<const std::string>& text) {
    return text == nullptr ? 0 : text->size();
  }
  bool is_listed(const std::string& type) const {
    return std::any_of(options_.types.begin(), options_.types.end(),
                       [&](const JobType& each) { return each.name == type; });
  }
  JobType type_of(const std::string& name) const {
    for (const JobType& type : options_.types) {
      if (type.name == name) return type;
    }
    JobType type;
    type.name = name;
    return type;
  }

  Answer late(const SlowJob& job, const EngineReport& report, bool fits) const {
    const auto engine = engines_.find(report.engine);
    const auto is_it = [&](const std::pair<EngineSession, std::string>& holder) {
      return holder.first == report.engine ||
             (engine != engines_.end() && engine->second.first == holder.second);
    };
    if (std::none_of(job.holders.begin(), job.holders.end(), is_it)) return Answer::kUnknown;
    const bool same = fits && (job.holders.back().first == report.engine ||
                               (report.fence && is_it(job.holders.back())));
    if (!job.engine_said || !same) return Answer::kStale;
    const bool repeats =
        report.says ==
        (job.job.state == JobState::kCompleted ? EngineSays::kCompleted : EngineSays::kFailed);
    return repeats ? Answer::kIgnored : Answer::kInvalid;
  }

  void set(SlowJob& job, JobState state) {
    job.job.state = state;
    ++job.job.version;
  }
  void queue(SlowJob& job, WallTime wall) {
    job.live = 0;
    job.job.queued = wall;
    job.job.dispatched = job.job.started = job.job.completed = {};
    job.job.progress.clear();
    set(job, JobState::kQueued);
  }
  void lose(SlowJob& job, const std::string& error, WallTime wall, Elapsed now) {
    if (job.job.retries >= job.type.retries || leases_of(job.job) >= options_.most_leases) {
      return fail(job, error, wall, now);
    }
    ++job.job.retries;
    queue(job, wall);
  }
  void lose_without_a_try(SlowJob& job, WallTime wall, Elapsed now) {
    if (leases_of(job.job) >= options_.most_leases) {
      return fail(job, "ENGINE_DISCONNECTED", wall, now);
    }
    queue(job, wall);
  }
  void fail(SlowJob& job, const std::string& error, WallTime wall, Elapsed now) {
    job.job.error = error;
    finish(job, JobState::kFailed, wall, now);
  }
  void finish(SlowJob& job, JobState state, WallTime wall, Elapsed now) {
    job.live = 0;
    job.job.completed = wall;
    set(job, state);
    bool done = true;
    for (SlowJob& other : jobs_) {
      if (other.job.world != job.job.world) continue;
      const bool waits = other.type.one_by_one && other.job.state == JobState::kQueued;
      if (state == JobState::kFailed && waits && other.job.order > job.job.order) {
        other.job.error = "WORLD_FAILED";
        other.job.completed = wall;
        set(other, JobState::kFailed);
      }
      done = done && is_final(other.job.state);
    }
    if (done) done_[job.job.world] = {now + options_.keep_finished, ++dones_};
  }

  void close_done_of_earlier(WallTime wall, Elapsed now) {
    std::map<std::string, std::tuple<WallTime, std::uint64_t, bool>> worlds;  // latest, first, done
    for (const SlowJob& job : jobs_) {
      auto& [latest, first, done] =
          worlds.try_emplace(job.job.world, WallTime{}, job.job.order, true).first->second;
      latest = std::max(latest, job.job.completed);
      done = done && is_final(job.job.state);
    }
    std::vector<std::tuple<WallTime, std::uint64_t, std::string>> sorted;
    for (const auto& [name, world] : worlds) {
      const auto& [latest, first, done] = world;
      if (done) sorted.emplace_back(latest, first, name);
    }
    std::sort(sorted.begin(), sorted.end());
    const std::chrono::milliseconds keep = options_.keep_finished;
    for (const auto& [latest, first, name] : sorted) {
      const std::chrono::milliseconds age{wall.ms - latest.ms};
      const auto left = std::clamp(keep - age, std::chrono::milliseconds{0}, keep);
      done_[name] = {now + left, ++dones_};
    }
  }

  std::size_t under_way(std::string_view user) const {
    return static_cast<std::size_t>(
        std::count_if(jobs_.begin(), jobs_.end(),
                      [&](const SlowJob& job) { return job.live != 0 && job.job.user == user; }));
  }
  std::size_t load_of(EngineSession session) const {
    return static_cast<std::size_t>(std::count_if(
        jobs_.begin(), jobs_.end(), [&](const SlowJob& job) { return job.live == session; }));
  }
  bool may_go(const SlowJob& job) const {
    if (job.job.state != JobState::kQueued) return false;
    return !job.type.one_by_one ||
           std::none_of(jobs_.begin(), jobs_.end(), [&](const SlowJob& other) {
             return other.job.world == job.job.world && other.job.order < job.job.order &&
                    other.job.state != JobState::kCompleted;
           });
  }
  SlowJob* next_job() {
    SlowJob* best = nullptr;
    std::tuple<std::int64_t, std::size_t, std::uint64_t, std::uint64_t> best_rank;
    for (SlowJob& job : jobs_) {
      if (!may_go(job)) continue;
      const auto served = served_.find(job.job.user);
      const std::tuple rank{-std::int64_t{job.job.priority}, under_way(job.job.user),
                            served == served_.end() ? 0 : served->second, job.job.order};
      if (best != nullptr && best_rank < rank) continue;
      best = &job;
      best_rank = rank;
    }
    return best;
  }
  std::optional<EngineSession> next_engine(const SlowJob& job) const {
    std::vector<std::tuple<std::size_t, std::uint64_t, EngineSession>> free;
    for (const auto& [session, engine] : engines_) {
      const std::size_t load = load_of(session);
      if (load < options_.jobs_per_engine) free.emplace_back(load, engine.second, session);
    }
    if (free.empty()) return std::nullopt;
    std::sort(free.begin(), free.end());
    const EngineSession last = job.holders.empty() ? 0 : job.holders.back().first;
    const bool other = free.size() > 1 && std::get<2>(free[0]) == last;
    return std::get<2>(free[other ? 1 : 0]);
  }
  void end(WallTime wall, Elapsed now, bool forget_old) {
    if (!jobs_.empty()) newest_ = std::max(newest_, jobs_.back().job.order);
    while (SlowJob* job = next_job()) {
      const auto engine = next_engine(*job);
      if (!engine) break;
      job->live = *engine;
      job->job.engine = engines_[*engine].first;
      engines_[*engine].second = ++gifts_;
      served_[job->job.user] = ++services_;
      ++job->job.fence;
      job->holders.emplace_back(*engine, job->job.engine);
      if (job->holders.size() > 16) job->holders.erase(job->holders.begin());
      job->job.dispatched = wall;
      job->expires = now + job->type.dispatch_timeout;
      set(*job, JobState::kDispatched);
    }
    while (done_.size() > 1 && (finished_in_done() > options_.finished_per_mesh ||
                                bytes(true) > options_.bytes_per_mesh)) {
      forget_oldest();
    }
    while (forget_old && !done_.empty() && oldest_done()->second.first <= now) forget_oldest();
  }

  using Done = std::map<std::string, std::pair<Elapsed, std::uint64_t>>;  // forgotten when; nth
  std::size_t finished_in_done() const {
    return static_cast<std::size_t>(
        std::count_if(jobs_.begin(), jobs_.end(),
                      [&](const SlowJob& job) { return done_.count(job.job.world) > 0; }));
  }
  Done::iterator oldest_done() {
    return std::min_element(done_.begin(), done_.end(), [](const auto& one, const auto& other) {
      return one.second < other.second;
    });
  }
  void forget_oldest() {
    const auto oldest = oldest_done();
    const std::string world = oldest->first;
    done_.erase(oldest);
    jobs_.erase(std::remove_if(jobs_.begin(), jobs_.end(),
                               [&](const SlowJob& job) { return job.job.world == world; }),
                jobs_.end());
    for (auto served = served_.begin(); served != served_.end();) {
      const bool has = std::any_of(jobs_.begin(), jobs_.end(), [&](const SlowJob& job) {
        return job.job.user == served->first;
      });
      served = has ? std::next(served) : served_.erase(served);
    }
  }

  JobOptions options_;
  std::vector<SlowJob> jobs_;  // by order
  std::uint64_t newest_ = 0;
  std::map<EngineSession, std::pair<std::string, std::uint64_t>> engines_;  // name, last gift
  std::map<std::string, std::uint64_t> served_;
  std::uint64_t services_ = 0;
  std::uint64_t gifts_ = 0;
  Done done_;
  std::uint64_t dones_ = 0;
};

}  // namespace signet::jobs
