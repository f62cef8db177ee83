#include "broker/hub_home.h"

#include <algorithm>
#include <array>

#include "base/log.h"
#include "base/overloaded.h"
#include "broker/broker.h"

namespace signet::broker {
namespace {

using dialects::EngineReady;
using jobs::Effects;
using jobs::Job;

// The whole map goes to admins no more often, however many come and go.
constexpr std::chrono::seconds kAdminsEvery{1};
// A map of so many is small enough to answer an admin's own action at once.
constexpr std::size_t kSmallMap = 64;
// Requests that wait for the board; it is read in milliseconds.
constexpr std::size_t kMostWaiting = 1'024;
constexpr std::chrono::seconds kLoadAgain{1};

constexpr std::string_view kEngines = "/engine";

// By another word than its engine's. One that says a failure of ours is told what it knows.
bool has_lost_its_lease(const Job& job) {
  constexpr JobFailure kOurs[] = {JobFailure::kTimeout, JobFailure::kEngineDisconnected,
                                  JobFailure::kCancelled, JobFailure::kWorldFailed};
  if (jobs::leases_of(job) == 0) return false;
  if (job.state == jobs::JobState::kQueued) return true;
  return job.state == jobs::JobState::kFailed &&
         std::any_of(std::begin(kOurs), std::end(kOurs),
                     [&](JobFailure why) { return job.error.starts_with(name_of(why)); });
}

}  // namespace

std::string_view name_of(TransportReason reason) {
  constexpr std::array<std::string_view, kTransportReasonCount> kNames = {
      "bad_request",  "no_mesh",        "too_many_sessions", "unknown_sid", "stolen_sid",
      "bad_upgrade",  "bad_probe",      "two_polls",         "two_posts",   "malformed",
      "too_large",    "too_early",      "too_fast",          "incomplete",  "slow",
      "ping_timeout", "joined_nothing", "evicted",           "silent",      "token_expired",
      "revoked"};
  static_assert(static_cast<std::size_t>(TransportReason::kRevoked) + 1 == kNames.size());
  return kNames.at(static_cast<std::size_t>(reason));
}

HubMetrics::HubMetrics(MetricRegistry& registry)
    : sessions(registry.gauge("signet_hub_sessions", "Live sessions of Engine.IO.")),
      users(registry.gauge("signet_hub_users", "Sockets that joined as a user.")),
      engines(registry.gauge("signet_hub_engines", "Sockets that joined as an engine.")),
      upgrades(registry.counter("signet_hub_upgrades_total",
                                "Sessions that went over from requests to a WebSocket.")),
      actions(registry.counter("signet_hub_actions_total", "Signed actions taken.")),
      connects_refused(registry, "signet_hub_connects_refused_total",
                       "Namespaces of Socket.IO refused, by reason.", "reason",
                       kConnectRefusalCount),
      actions_refused(registry, "signet_hub_actions_refused_total", "Actions refused, by reason.",
                      "reason", kActionRefusalCount),
      agents_refused(registry, "signet_hub_agents_refused_total",
                     "Heartbeats of agents refused, by reason.", "reason", kAgentRefusalCount),
      engines_refused(registry, "signet_hub_engines_refused_total",
                      "Signed packets of engines refused, by reason.", "reason",
                      kEngineRefusalCount),
      jobs_refused(registry, "signet_jobs_refused_total", "Jobs refused, by reason.", "reason",
                   kJobRefusalCount),
      transport(registry, "signet_hub_transport_total",
                "Requests of the transport refused and sessions ended by the server, by reason.",
                "reason", kTransportReasonCount),
      jobs_submitted(registry.counter("signet_jobs_submitted_total", "Jobs taken.")),
      jobs_completed(registry.counter("signet_jobs_completed_total", "Jobs completed.")),
      jobs_failed(registry.counter("signet_jobs_failed_total", "Jobs failed for good.")),
      jobs_dispatched(registry.counter("signet_jobs_dispatched_total", "Leases given.")),
      jobs_reloaded(registry.counter("signet_jobs_reloaded_total",
                                     "Job boards read again after the store refused a change.")) {}

HubHome::HubHome(ShardCore& core, MeshNumber mesh)
    : core_(core),
      mesh_(mesh),
      roster_(core.shared().options.hub.idle_after),
      progress_({core.shared().options.hub.progress_per_second,
                 core.shared().options.hub.progress_per_second}) {
  load();
}

const HubDoor* HubHome::door() const { return core_.rules_of(mesh_).hub.get(); }

jobs::JobOptions HubHome::job_options() const {
  const HubDoor* door = this->door();
  return door == nullptr || door->jobs == nullptr ? jobs::JobOptions{} : *door->jobs;
}

// ---- users

// What a newcomer hears first comes from here, so that nothing that happens later comes before it.
void HubHome::enter(const HubNewcomer& newcomer) {
  const Elapsed now = core_.shard().now();
  tell_status_if_changed();  // to who was here: the newcomer's is not theirs
  roster_.joined(newcomer.user,
                 {newcomer.socket, newcomer.role, newcomer.place.shard, core_.shared().clock.wall(),
                  false, newcomer.admin},
                 now);
  presence_changed(newcomer.user);  // to its user's other sockets: its own comes by its welcome
  HubDesk::at(core_.shared(), core_.shard(), newcomer.place.shard,
              [sid = newcomer.place.sid, status = engine_status(),
               presence = dialects::write_presence_update(
                   newcomer.admin ? roster_.all() : roster_.own(newcomer.user))](HubDesk& desk) {
                desk.welcome(sid, status, presence);
              });
}

void HubHome::leave(const std::string& user, const std::string& socket) {
  if (!roster_.left(user, socket)) presence_changed(user);
  admins_wait_ = true;
}

// Its presence goes before what it did: to an admin's sockets the map or, where that is large, its
// own entry alone, and the map in its time.
void HubHome::act(const HubActed& acted) {
  const WallTime now = core_.shared().clock.wall();
  (void)roster_.acted(acted.user, now, core_.shard().now());
  core_.shared().hub_metrics.actions.add();
  const bool is_small = roster_.users() <= kSmallMap;
  presence_changed(acted.user, is_small ? HubSockets::kOthers : HubSockets::kAll);
  if (is_small && roster_.is_admin(acted.user)) tell_admins();
  tell_user(acted.user,
            dialects::write_action_update({acted.user, acted.socket, acted.type, acted.payload,
                                           acted.client_ts, now, acted.category}));
}

void HubHome::state(const std::string& user, dialects::HubState state) {
  if (roster_.stated(user, state, core_.shared().clock.wall(), core_.shard().now())) {
    presence_changed(user);
  }
}

void HubHome::silent(const std::string& user, const std::string& socket, bool inactive) {
  if (roster_.silent(user, socket, inactive)) presence_changed(user);
}

void HubHome::show_role(const std::string& user, const std::string& socket, const std::string& role,
                        bool admin) {
  roster_.set_role(user, socket, role, admin);
  presence_changed(user);
}

void HubHome::presence_changed(const std::string& user, HubSockets which) {
  admins_wait_ = true;
  tell_user(user, dialects::write_presence_update(roster_.own(user)), which);
}

void HubHome::tell_admins() {
  admins_wait_ = false;
  admins_told_ = core_.shard().now();
  const auto admins = roster_.admins();
  if (admins.empty()) return;
  const std::string map = dialects::write_presence_update(roster_.all());
  for (const std::string& admin : admins) tell_user(admin, map, HubSockets::kOfAdmins);
}

// ---- engines

void HubHome::engine_enter(jobs::EngineSession number, HubPlace place, const std::string& name,
                           MemberNumber member) {
  const bool returns = had_engine_ && engines_.empty();
  if (returns) ++engine_returns_;
  had_engine_ = true;
  engines_[number] = {std::move(place), name, member, false, EngineReady::Dialect::kBoth, {}};
  engine_alive(number);
}

void HubHome::engine_leave(jobs::EngineSession number, jobs::Leaving how) {
  const auto found = engines_.find(number);
  if (found == engines_.end()) return;
  const std::map<jobs::EngineSession, Engine> gone{{number, found->second}};
  engines_.erase(found);
  tell_status_if_changed();
  if (!gone.begin()->second.ready) return;
  // Who is sent away at the end of the daemon lost no lease: the next one queues its jobs again,
  // which costs them no try.
  if (core_.shared().stopping) return;
  when_loaded([this, number, how, gone](const Status& loaded) {
    if (!loaded.ok()) return;
    auto effects =
        board_->engine_gone(number, core_.shared().clock.wall(), core_.shard().now(), how);
    saw_lost(effects, gone);
    commit(std::move(effects));
  });
}

// By its own silence or absence; what a user or the operator cancelled is nobody's fault.
void HubHome::saw_lost(const jobs::Effects& effects,
                       const std::map<jobs::EngineSession, Engine>& engines) {
  for (const jobs::EngineSession number : effects.lost) {
    const auto engine = engines.find(number);
    if (engine == engines.end()) continue;
    core_.saw(mesh_, engine->second.member, true, Signal::kLostLease);
  }
}

void HubHome::engine_ready(jobs::EngineSession number, EngineReady::Dialect dialect) {
  const auto found = engines_.find(number);
  if (found == engines_.end()) return;
  found->second.dialect = dialect;
  engine_alive(number);
  if (std::exchange(found->second.ready, true)) return;
  when_loaded([this, number](const Status& loaded) {
    const auto engine = engines_.find(number);
    if (!loaded.ok() || engine == engines_.end()) return;
    commit(board_->engine_ready(number, engine->second.name, core_.shared().clock.wall(),
                                core_.shard().now()));
  });
}

std::vector<HubHome::EngineRow> HubHome::engines() const {
  std::map<jobs::EngineSession, EngineRow> rows;
  for (const auto& [number, engine] : engines_) {
    rows[number] = {engine.name, engine.ready, engine.heard, {}};
  }
  const auto busy = board_ ? board_->engines() : std::vector<jobs::JobBoard::EngineRow>();
  for (const auto& each : busy) {
    if (const auto row = rows.find(each.session); row != rows.end()) row->second.jobs = each.jobs;
  }
  std::vector<EngineRow> listed;
  listed.reserve(rows.size());
  for (auto& [number, row] : rows) listed.push_back(std::move(row));
  return listed;
}

void HubHome::engine_alive(jobs::EngineSession number) {
  const auto found = engines_.find(number);
  if (found == engines_.end()) return;
  found->second.heard = core_.shared().clock.wall();
  engine_heard_ = found->second.heard;
  engine_heard_at_ = core_.shard().now();
  tell_status_if_changed();
}

void HubHome::engine_told(jobs::EngineSession number) {
  telemetry_ = core_.shared().clock.wall();
  engine_alive(number);
}

void HubHome::report(HubReport report) {
  const auto found = engines_.find(report.engine);
  if (found == engines_.end()) return;
  engine_told(report.engine);
  const HubPlace place = found->second.place;
  const auto refuse = [this, place, event = report.event](EngineRefusal code) {
    HubDesk::at(
        core_.shared(), core_.shard(), place.shard,
        [sid = place.sid, event, code](HubDesk& desk) { desk.refuse_report(sid, event, code); });
  };
  when_loaded([this, report = std::move(report), refuse](const Status& loaded) {
    if (!loaded.ok()) return refuse(EngineRefusal::kEngineUnavailable);
    auto effects =
        board_->report({report.engine, report.says, report.job, report.fence, report.text},
                       core_.shared().clock.wall(), core_.shard().now());
    if (const auto* code = std::get_if<EngineRefusal>(&effects)) return refuse(*code);
    commit(std::get<Effects>(std::move(effects)), [refuse](const Status& done) {
      if (!done.ok()) refuse(EngineRefusal::kEngineUnavailable);
    });
  });
}

std::string HubHome::engine_status() {
  dialects::HubEngineStatus status;
  status.connected = !engines_.empty();
  status.last_heartbeat = engine_heard_;
  status.last_telemetry = telemetry_;
  status.reconnect_attempts = engine_returns_;
  status.healthy =
      status.connected && engine_heard_at_ &&
      core_.shard().now() - *engine_heard_at_ < core_.shared().options.hub.engine_silent_after;
  told_status_ = {status.connected, status.healthy};
  return dialects::write_engine_status(status);
}

void HubHome::tell_status_if_changed() {
  const auto before = told_status_;
  std::string status = engine_status();
  if (told_status_ != before) tell_all(std::move(status));
}

// ---- jobs

void HubHome::load() {
  board_.reset();
  loading_ = true;
  load_again_.reset();
  core_.shared().store.load_jobs(
      mesh_, core_.mailbox(),
      [this, load = ++load_](Result<std::vector<Job>> jobs) { on_loaded(load, std::move(jobs)); });
}

// A change that was refused may have been on its way to the disk: the board is read behind it, for
// the reader would overtake the writer.
void HubHome::load_behind_writes() {
  load_again_.reset();
  loading_ = true;
  core_.shared().store.put_jobs({}, mesh_, {}, core_.mailbox(), [this](const Status& written) {
    if (written.ok()) return load();
    loading_ = false;
    load_again_ = core_.shard().now() + kLoadAgain;
  });
}

void HubHome::on_loaded(std::uint64_t load, Result<std::vector<Job>> jobs) {
  if (load != load_) return;
  loading_ = false;
  if (!jobs.ok()) {
    log(LogLevel::kError, "jobs.load_failed", {{"detail", jobs.error().detail}});
    load_again_ = core_.shard().now() + kLoadAgain;
    for (auto& task : std::exchange(waiting_, {})) task(jobs.error());
    return;
  }
  board_.emplace(mesh_, job_options());
  const WallTime wall = core_.shared().clock.wall();
  const Elapsed now = core_.shard().now();
  commit(board_->load(*std::move(jobs), wall, now));
  for (const auto& [number, engine] : engines_) {
    if (!engine.ready) continue;
    if (!board_) return;  // a commit failed at once
    commit(board_->engine_ready(number, engine.name, wall, now));
  }
  for (auto& task : std::exchange(waiting_, {})) {
    board_ ? task(Done{}) : task(Error{ErrorCode::kUnavailable, "jobs are read again"});
  }
}

void HubHome::when_loaded(std::function<void(Status)> task) {
  if (board_) return task(Done{});
  const bool has_failed = !loading_ && load_again_;
  if (has_failed || waiting_.size() >= kMostWaiting) {
    return task(Error{ErrorCode::kUnavailable, "jobs are not read yet"});
  }
  waiting_.push_back(std::move(task));
}

// Whoever waits for a commit hears that it did not happen; what was decided on top of it goes, too.
void HubHome::reload() {
  core_.shared().hub_metrics.jobs_reloaded.add();
  const auto pending = std::exchange(pending_, {});
  board_.reset();
  ++load_;  // what is still under way answers for a board that is gone
  load_again_ = core_.shard().now() + kLoadAgain;
  for (const auto& each : pending) {
    if (each->answer) each->answer(Error{ErrorCode::kUnavailable, "not kept"});
  }
}

void HubHome::commit(Effects effects, std::function<void(Status)> answer) {
  auto pending = std::make_shared<Pending>();
  pending->notices = std::move(effects.notices);
  pending->answer = std::move(answer);
  pending_.push_back(pending);
  if (effects.rows.empty() && effects.forgotten.empty()) {
    return on_committed(load_, pending, Done{});
  }
  core_.shared().store.put_jobs(
      std::move(effects.rows), mesh_, std::move(effects.forgotten), core_.mailbox(),
      [this, load = load_, pending](const Status& status) { on_committed(load, pending, status); });
}

void HubHome::on_committed(std::uint64_t load, const std::shared_ptr<Pending>& pending,
                           const Status& status) {
  if (load != load_) return;  // its board is gone, and who waited knows
  if (!status.ok()) {
    log(LogLevel::kError, "jobs.commit_failed", {{"detail", status.error().detail}});
    return reload();
  }
  pending->done = true;
  while (!pending_.empty() && pending_.front()->done) {
    const auto first = std::move(pending_.front());
    pending_.pop_front();
    tell(first->notices);
    if (first->answer) first->answer(Done{});
  }
}

void HubHome::tell(const std::vector<jobs::Notice>& notices) {
  const WallTime now = core_.shared().clock.wall();
  for (const jobs::Notice& notice : notices) {
    std::visit(Overloaded{
                   [&](const jobs::TellStatus& told) {
                     count(told.job);
                     tell_user(told.job.user, dialects::write_job_status(told.job));
                     if (has_lost_its_lease(told.job)) tell_lost(told.job);
                   },
                   [&](const jobs::TellDispatch& told) { dispatch(told); },
                   [&](const jobs::TellFinished& told) {
                     tell_user(told.job.user, dialects::write_job_finished(told.job));
                   },
                   [&](const jobs::TellWorld& told) {
                     tell_user(told.user, dialects::write_world_update(told.world, told.jobs));
                   },
                   [&](const jobs::TellTelemetry& told) {
                     const bool is_progress = told.event == jobs::Telemetry::kProgress;
                     if (is_progress && !progress_.take(core_.shard().now())) return;
                     tell_all(dialects::write_telemetry(told.event, told.job, now));
                   },
               },
               notice);
  }
}

void HubHome::count(const Job& job) {
  HubMetrics& metrics = core_.shared().hub_metrics;
  if (job.state == jobs::JobState::kCompleted) metrics.jobs_completed.add();
  if (job.state == jobs::JobState::kFailed) metrics.jobs_failed.add();
  if (job.state == jobs::JobState::kDispatched) metrics.jobs_dispatched.add();
  log(LogLevel::kInfo, "job.state",
      {{"job", job.id},
       {"type", job.type},
       {"state", jobs::name_of(job.state)},
       {"engine", job.engine},
       {"fence", job.fence},
       {"retries", std::uint64_t{job.retries}}});
}

// An engine that named no dialect listens to one of the two.
void HubHome::dispatch(const jobs::TellDispatch& told) {
  const auto found = engines_.find(told.engine);
  if (found == engines_.end()) return;  // gone meanwhile: the board knows
  const Engine& engine = found->second;
  const auto options = job_options();
  const auto type =
      std::find_if(options.types.begin(), options.types.end(),
                   [&](const jobs::JobType& each) { return each.name == told.job.type; });
  const auto timeout = type == options.types.end() ? jobs::JobType{}.timeout : type->timeout;
  if (engine.dialect != EngineReady::Dialect::kJobDispatch) {
    tell_place(engine.place, kEngines, dialects::write_engine_job(told.job, timeout));
  }
  if (engine.dialect != EngineReady::Dialect::kEngineJob) {
    tell_place(engine.place, kEngines, dialects::write_job_dispatch(told.job));
  }
}

// A row names its engine and not the session: another one of that name knows the lease for none of
// its own. Whose dialect has no leases would not know which of them is meant.
void HubHome::tell_lost(const Job& job) {
  for (const auto& [number, engine] : engines_) {
    const bool knows_leases = engine.dialect != EngineReady::Dialect::kJobDispatch;
    if (engine.name != job.engine || !engine.ready || !knows_leases) continue;
    tell_place(engine.place, kEngines, dialects::write_lease_lost(job));
  }
}

void HubHome::submit(jobs::NewWorld world, Submitted answer) {
  when_loaded([this, world = std::move(world), answer = std::move(answer)](const Status& loaded) {
    if (!loaded.ok()) return answer(JobRefusal::kUnavailable);
    const std::size_t jobs = world.jobs.size();
    auto effects = board_->submit(world, core_.shared().clock.wall(), core_.shard().now());
    if (const auto* code = std::get_if<JobRefusal>(&effects)) return answer(*code);
    commit(std::get<Effects>(std::move(effects)), [this, jobs, answer](const Status& done) {
      if (!done.ok()) return answer(JobRefusal::kUnavailable);
      core_.shared().hub_metrics.jobs_submitted.add(static_cast<std::int64_t>(jobs));
      answer(std::nullopt);
    });
  });
}

void HubHome::cancel(const std::string& job, const std::string& user, Changed answer) {
  when_loaded([this, job, user, answer = std::move(answer)](const Status& loaded) {
    if (!loaded.ok()) return answer(loaded.error());
    auto effects = board_->cancel(job, user, core_.shared().clock.wall(), core_.shard().now());
    if (!effects) return answer(Error{ErrorCode::kNotFound, "no such job"});
    const Job after = *board_->find(job);
    commit(*std::move(effects), [after, answer](const Status& done) {
      done.ok() ? answer(after) : answer(done.error());
    });
  });
}

void HubHome::retry(const std::string& job, Changed answer) {
  when_loaded([this, job, answer = std::move(answer)](const Status& loaded) {
    if (!loaded.ok()) return answer(loaded.error());
    auto effects = board_->retry(job, core_.shared().clock.wall(), core_.shard().now());
    if (!effects) return answer(Error{ErrorCode::kNotFound, "no such job that failed"});
    const Job* after = board_->find(job);
    if (after == nullptr) return answer(Error{ErrorCode::kNotFound, "no such job that failed"});
    commit(*std::move(effects), [copy = *after, answer](const Status& done) {
      done.ok() ? answer(copy) : answer(done.error());
    });
  });
}

// The board keeps its jobs; only what may be asked for from now on is another.
void HubHome::show_rules() {
  if (board_) board_->set_options(job_options());
}

void HubHome::on_time() {
  const Elapsed now = core_.shard().now();
  for (const std::string& user : roster_.on_time(now)) presence_changed(user);
  if (admins_wait_ && now - admins_told_ >= kAdminsEvery) tell_admins();
  tell_status_if_changed();
  if (load_again_ && *load_again_ <= now) load_behind_writes();
  if (!board_) return;
  const auto due = board_->due();
  if (!due || *due > now) return;
  auto effects = board_->on_time(core_.shared().clock.wall(), now);
  saw_lost(effects, engines_);
  commit(std::move(effects));
}

// ---- telling

void HubHome::tell_place(const HubPlace& place, std::string_view nsp, std::string data) {
  HubDesk::at(
      core_.shared(), core_.shard(), place.shard,
      [sid = place.sid, nsp, data = std::move(data)](HubDesk& desk) { desk.tell(sid, nsp, data); });
}

void HubHome::tell_user(const std::string& user, std::string data, HubSockets which) {
  const auto shared = std::make_shared<const std::string>(std::move(data));
  for (const std::uint32_t shard : roster_.shards_of(user)) {
    HubDesk::at(core_.shared(), core_.shard(), shard,
                [mesh = mesh_, user, shared, which](HubDesk& desk) {
                  desk.tell_user(mesh, user, *shared, which);
                });
  }
}

void HubHome::tell_all(std::string data) {
  const auto shared = std::make_shared<const std::string>(std::move(data));
  for (std::uint32_t shard = 0; shard < core_.shared().brokers.size(); ++shard) {
    HubDesk::at(core_.shared(), core_.shard(), shard,
                [mesh = mesh_, shared](HubDesk& desk) { desk.tell_all(mesh, *shared); });
  }
}

}  // namespace signet::broker
