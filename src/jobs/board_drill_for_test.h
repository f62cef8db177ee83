// BoardDrill does to a JobBoard what bytes say: users, engines that lie and stall, time, commits
// that fail, restarts. After each step it holds the board against SlowBoard, and what came of the
// step against what must hold whatever the board decides. The model test draws the bytes, the fuzz
// target is given them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "jobs/job_board.h"
#include "jobs/slow_board_for_test.h"

namespace signet::jobs {

class DrillBytes {
 public:
  explicit DrillBytes(std::string_view bytes) : rest_(bytes) {}
  bool empty() const { return rest_.empty(); }
  std::size_t below(std::size_t bound) {
    if (rest_.empty() || bound == 0) return 0;
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    return byte % bound;
  }

 private:
  std::string_view rest_;
};

class BoardDrill {
 public:
  BoardDrill() : slow_(options_) { start_anew(); }

  // Empty, or what does not hold.
  std::string step(DrillBytes& bytes) {
    fault_.clear();
    switch (bytes.below(16)) {
      case 0:
      case 1:
      case 2:
        submit(bytes);
        break;
      case 3:
        engine_ready(bytes);
        break;
      case 4:
        engine_gone(bytes);
        break;
      case 5:
      case 6:
      case 7:
      case 8:
        report_of_holder(bytes);
        break;
      case 9:
      case 10:
        report_of_anybody(bytes);
        break;
      case 11:
        cancel(bytes);
        break;
      case 12:
        retry(bytes);
        break;
      case 13:
        pass(bytes);
        break;
      case 14:
        pass_and_call(bytes);
        break;
      default:
        rare(bytes);
    }
    if (fault_.empty()) compare();
    return fault_;
  }

  // What was seen, so that a test knows that its drill got anywhere.
  struct Seen {
    std::size_t completed = 0, failed = 0, dispatched = 0, requeued = 0, forgotten = 0;
    std::size_t stale = 0, unknown = 0, invalid = 0, repeated = 0, restarts = 0, worlds = 0;
    std::size_t timeouts = 0, disconnected = 0, world_failed = 0, refused = 0, retried = 0;
  };
  const Seen& seen() const { return seen_; }

 private:
  static JobOptions make_options() {
    using std::chrono::milliseconds;
    JobOptions options;
    options.types = {{"FREE", milliseconds{300}, milliseconds{200}, 2, false},
                     {"ROW", milliseconds{200}, milliseconds{300}, 1, true},
                     {"PATIENT", milliseconds{400}, milliseconds{200}, 9, false}};
    options.jobs_per_engine = 2;
    options.unfinished_per_user = 12;
    options.unfinished_per_mesh = 25;
    options.keep_finished = std::chrono::hours{1};
    options.finished_per_mesh = 15;
    options.bytes_per_mesh = 1'500;
    return options;
  }

  bool expect(bool holds, std::string_view what) {
    if (!holds && fault_.empty()) fault_ = what;
    return holds;
  }
  template <class T>
  static const T* pick(const std::vector<T>& from, DrillBytes& bytes) {
    return from.empty() ? nullptr : &from[bytes.below(from.size())];
  }
  std::vector<std::string> known() const {
    std::vector<std::string> ids;
    for (const auto& [id, row] : rows_) ids.push_back(id);
    return ids;
  }

  // ---- steps

  void submit(DrillBytes& bytes) {
    static const std::vector<std::string> types{"FREE", "ROW", "ROW", "PATIENT", "FREE", "OTHER"};
    NewWorld world;
    world.user = std::string(1, static_cast<char>('a' + bytes.below(3)));
    const bool is_large = bytes.below(8) == 0;
    world.spec = std::make_shared<const std::string>(is_large ? 400 : 9, 's');
    const std::size_t jobs = bytes.below(5);
    for (std::size_t i = 0; i < jobs; ++i) {
      // `OTHER` is on no list; an id is now and then one that is taken.
      const std::size_t type = bytes.below(40);
      NewJob job;
      job.id = type == 39 && !rows_.empty() ? rows_.begin()->first : id_of(made_++);
      job.type = types[std::min<std::size_t>(type / 7, 5)];
      job.priority = static_cast<std::int32_t>(bytes.below(3)) - 1;
      job.payload = std::string(10 * bytes.below(4), 'p');
      world.jobs.push_back(std::move(job));
    }
    const auto expected = slow_.submit(world, wall(), now_);
    auto answer = board_->submit(world, wall(), now_);
    const auto* refusal = std::get_if<JobRefusal>(&answer);
    seen_.refused += refusal != nullptr ? 1 : 0;
    if (!expect((refusal != nullptr) == expected.has_value(), "submit: taken or not")) return;
    if (refusal != nullptr) {
      expect(*refusal == expected, "submit: another refusal");
      return;
    }
    commit(std::get<Effects>(answer), false);
    for (const NewJob& job : world.jobs) {
      expect(rows_.count(job.id) > 0, "submit: a job of the request is not kept");
    }
  }

  void engine_ready(DrillBytes& bytes) {
    const bool again = bytes.below(8) == 0;
    if (!again && live_.size() >= 3) return;
    const EngineSession session = again && !live_.empty() ? live_.front() : next_session_++;
    const std::string name = "engine" + std::to_string(bytes.below(3));
    if (std::find(live_.begin(), live_.end(), session) == live_.end()) live_.push_back(session);
    slow_.engine_ready(session, name, wall(), now_);
    commit(board_->engine_ready(session, name, wall(), now_), false);
  }

  void engine_gone(DrillBytes& bytes) {
    const EngineSession* found = pick(live_, bytes);
    const EngineSession session = found == nullptr ? 77 : *found;
    live_.erase(std::remove(live_.begin(), live_.end(), session), live_.end());
    const Leaving how = bytes.below(3) == 0 ? Leaving::kUnfit : Leaving::kLost;
    slow_.engine_gone(session, wall(), now_, how);
    commit(board_->engine_gone(session, wall(), now_, how), false);
  }

  void report_of_holder(DrillBytes& bytes) {
    std::vector<const SlowBoard::SlowJob*> held;
    for (const auto& job : slow_.jobs()) {
      if (job.live != 0) held.push_back(&job);
    }
    if (held.empty()) return;
    const auto* job = *pick(held, bytes);
    const auto likely =
        job->job.state == JobState::kDispatched ? EngineSays::kStarted : EngineSays::kCompleted;
    const std::size_t kind = bytes.below(8);
    const auto says = kind < 6 ? likely : static_cast<EngineSays>(kind == 6 ? 1 : 3);
    std::optional<std::uint64_t> fence;
    if (bytes.below(2) == 0) fence = job->job.fence;
    static const std::vector<std::string> texts{"said", "", std::string(90, 'r')};
    report({job->live, says, job->job.id, fence, *pick(texts, bytes)});
  }

  void report_of_anybody(DrillBytes& bytes) {
    const auto ids = known();
    const std::string* found = pick(ids, bytes);
    const std::string id = found == nullptr ? "job_none" : *found;
    EngineSession engine = 1 + bytes.below(std::min<std::size_t>(250, next_session_));
    // Mostly one that had the job: it is late, or repeats itself.
    const SlowBoard::SlowJob* job = slow_.find(id);
    if (bytes.below(4) > 0 && job != nullptr && !job->holders.empty()) {
      engine = pick(job->holders, bytes)->first;
    }
    const auto says = static_cast<EngineSays>(bytes.below(4));
    std::optional<std::uint64_t> fence;
    const std::size_t kind = bytes.below(4);
    const std::uint64_t latest = found == nullptr ? 1 : rows_.at(id).fence;
    if (kind == 1) fence = latest;
    if (kind == 2) fence = latest - 1;
    if (kind == 3) fence = latest + 1;
    report({engine, says, id, fence, "claimed"});
  }

  void report(const EngineReport& said) {
    using Answer = SlowBoard::Answer;
    const SlowBoard::SlowJob* job = slow_.find(said.job);
    const bool held = job != nullptr && job->live != 0 && job->live == said.engine &&
                      said.fence.value_or(job->job.fence) == job->job.fence;
    const Answer expected = slow_.report(said, wall(), now_);
    auto answer = board_->report(said, wall(), now_);
    if (const auto* refusal = std::get_if<EngineRefusal>(&answer)) {
      const std::map<EngineRefusal, Answer> meaning{
          {EngineRefusal::kJobUnknown, Answer::kUnknown},
          {EngineRefusal::kJobLeaseStale, Answer::kStale},
          {EngineRefusal::kJobTransitionInvalid, Answer::kInvalid}};
      seen_.stale += expected == Answer::kStale ? 1 : 0;
      seen_.unknown += expected == Answer::kUnknown ? 1 : 0;
      seen_.invalid += expected == Answer::kInvalid ? 1 : 0;
      const auto found = meaning.find(*refusal);
      expect(found != meaning.end() && found->second == expected, "report: another refusal");
      return;
    }
    const Effects& effects = std::get<Effects>(answer);
    if (!expect(expected == Answer::kTaken || expected == Answer::kIgnored, "report: taken"))
      return;
    for (const Job& row : effects.rows) {
      const bool is_word = held && said.says != EngineSays::kProgress;
      expect(is_word || (held && row.id != said.job), "report: it changed a row");
    }
    seen_.repeated += held ? 0 : 1;
    expect(held || effects.notices.empty(), "report: a repeated word was told");
    commit(effects, false);
  }

  void cancel(DrillBytes& bytes) {
    const auto ids = known();
    const std::string* found = pick(ids, bytes);
    const std::string id = found == nullptr ? "job_none" : *found;
    const std::string user = bytes.below(2) == 0 ? "" : std::string(1, "abc"[bytes.below(3)]);
    const bool was_final = found != nullptr && is_final(rows_.at(id).state);
    const bool expected = slow_.cancel(id, user, wall(), now_);
    const auto effects = board_->cancel(id, user, wall(), now_);
    if (!expect(effects.has_value() == expected, "cancel: found or not") || !effects) return;
    if (was_final) expect(effects->rows.empty(), "cancel: changed what was final");
    commit(*effects, false);
    expect(board_->find(id) != nullptr, "cancel: whoever cancelled it can't read it");
  }

  void retry(DrillBytes& bytes) {
    const auto ids = known();
    const std::string* found = pick(ids, bytes);
    const std::string id = found == nullptr ? "job_none" : *found;
    const bool expected = slow_.retry(id, wall(), now_);
    const auto effects = board_->retry(id, wall(), now_);
    if (!expect(effects.has_value() == expected, "retry: found or not") || !effects) return;
    ++seen_.retried;
    told_.erase(rows_.at(id).world);
    commit(*effects, true);
    expect(board_->find(id) != nullptr, "retry: whoever asked can't read it");
  }

  void pass(DrillBytes& bytes) { now_ = now_ + std::chrono::milliseconds{bytes.below(200)}; }
  void pass_and_call(DrillBytes& bytes) {
    pass(bytes);
    const auto due = board_->due();
    if (bytes.below(4) == 0 && due && now_ < *due) now_ = *due;
    call();
    const auto next = board_->due();
    expect(!next || now_ < *next, "on_time: something is due still");
  }
  void call() {
    slow_.on_time(wall(), now_);
    commit(board_->on_time(wall(), now_), false);
  }

  void rare(DrillBytes& bytes) {
    switch (bytes.below(4)) {
      case 0:  // a commit that fails: the board is thrown away with what it decided
        lose_a_commit(bytes);
        return restart(bytes);
      case 1:
        return restart(bytes);
      case 2:
        options_.jobs_per_engine = 1 + bytes.below(2);
        slow_.set_options(options_);
        return board_->set_options(options_);
      default:
        if (bytes.below(2) == 0) now_ = now_ + std::chrono::minutes{bytes.below(100)};
        return call();
    }
  }

  void lose_a_commit(DrillBytes& bytes) {
    const auto ids = known();
    const std::string* id = pick(ids, bytes);
    if (id == nullptr) return;
    switch (bytes.below(3)) {
      case 0:
        return void(board_->cancel(*id, {}, wall(), now_));
      case 1:
        return void(board_->engine_gone(live_.empty() ? 0 : live_.front(), wall(), now_));
      default:
        return void(board_->report(
            {live_.empty() ? 0 : live_.front(), EngineSays::kCompleted, *id, std::nullopt, "lost"},
            wall(), now_));
    }
  }

  void restart(DrillBytes& bytes) {
    ++seen_.restarts;
    now_ = Elapsed{std::chrono::seconds{bytes.below(100)}};  // since another boot
    wall_ahead_ms_ += static_cast<std::int64_t>(bytes.below(200)) * 10'000 - 500'000;
    start_anew();
  }

  void start_anew() {
    live_.clear();
    std::vector<Job> rows;
    for (const auto& [id, row] : rows_) rows.push_back(row);
    std::reverse(rows.begin(), rows.end());
    slow_ = SlowBoard(options_);
    slow_.load(rows, wall(), now_);
    board_.emplace(kMesh, options_);
    commit(board_->load(std::move(rows), wall(), now_), false);
  }

  // ---- what must hold of each step

  // The store, and who is told.
  void commit(const Effects& effects, bool is_retry) {
    std::vector<const Job*> told;
    for (const Notice& notice : effects.notices) {
      if (const auto* status = std::get_if<TellStatus>(&notice)) told.push_back(&status->job);
    }
    expect(told.size() == effects.rows.size(), "each row is one status");
    for (std::size_t i = 0; i < effects.rows.size() && fault_.empty(); ++i) {
      expect(same(*told[i], effects.rows[i]), "what is told is not what is kept");
      keep(effects.rows[i], is_retry && i == 0);
    }
    hear(effects.notices);
    for (const std::string& id : effects.forgotten) {
      if (!expect(rows_.count(id) > 0, "forgotten twice")) return;
      ++seen_.forgotten;
      expect(is_final(rows_.at(id).state), "an unfinished job is forgotten");
      rows_.erase(id);
    }
  }

  void keep(const Job& row, bool is_retry) {
    expect(row.mesh == kMesh, "a row of another mesh");
    const auto found = rows_.find(row.id);
    if (found == rows_.end()) {
      expect(row.version == 1 && row.state == JobState::kQueued && row.fence == 0, "a new row");
      expect(ever_.insert(row.id).second, "a job comes back that was forgotten");
    } else {
      const Job& old = found->second;
      expect(row.version == old.version + 1, "versions do not rise by one");
      if (is_retry) {
        expect(old.state == JobState::kFailed && row.state == JobState::kQueued, "a retry");
      } else {
        expect(may_follow(old.state, row.state), "a transition outside the table");
      }
      const bool leased = row.state == JobState::kDispatched;
      expect(leased || is_retry ? row.fence > old.fence : row.fence == old.fence, "fences");
      expect(leases_of(row) <= options_.most_leases, "a job that is tried for ever");
      expect(row.order == old.order && row.user == old.user && row.world == old.world, "who it is");
      seen_.requeued += row.state == JobState::kQueued && !is_retry ? 1 : 0;
    }
    if (row.state == JobState::kCompleted) {
      expect(completed_.insert(row.id).second, "completed twice");
    }
    if (row.state == JobState::kFailed) {
      seen_.timeouts += row.error.rfind("TIMEOUT after ", 0) == 0 ? 1 : 0;
      seen_.disconnected += row.error == "ENGINE_DISCONNECTED" ? 1 : 0;
      seen_.world_failed += row.error == "WORLD_FAILED" ? 1 : 0;
    }
    seen_.completed += row.state == JobState::kCompleted ? 1 : 0;
    seen_.failed += row.state == JobState::kFailed ? 1 : 0;
    seen_.dispatched += row.state == JobState::kDispatched ? 1 : 0;
    if (!is_final(row.state)) told_.erase(row.world);
    rows_[row.id] = row;
  }

  // Each notice follows from the status before it; a world is told when all of it is final.
  void hear(const std::vector<Notice>& notices) {
    std::map<std::string, Job> latest;  // of this step
    std::size_t dispatches = 0;
    std::size_t finished = 0;
    for (const Notice& notice : notices) {
      if (const auto* status = std::get_if<TellStatus>(&notice)) {
        latest[status->job.id] = status->job;
        dispatches += status->job.state == JobState::kDispatched ? 1 : 0;
        finished += is_final(status->job.state) ? 1 : 0;
      } else if (const auto* dispatch = std::get_if<TellDispatch>(&notice)) {
        --dispatches;
        const auto found = latest.find(dispatch->job.id);
        expect(found != latest.end() && same(found->second, dispatch->job), "dispatched unsaid");
        expect(std::count(live_.begin(), live_.end(), dispatch->engine) == 1, "to nobody");
      } else if (const auto* end = std::get_if<TellFinished>(&notice)) {
        --finished;
        const auto found = latest.find(end->job.id);
        expect(found != latest.end() && is_final(found->second.state), "finished unsaid");
      } else if (const auto* world = std::get_if<TellWorld>(&notice)) {
        hear_world(*world);
      }
    }
    expect(dispatches == 0 && finished == 0, "a status without what belongs to it");
    for (const auto& [id, job] : latest) check_told(rows_.at(id).world);
  }

  void hear_world(const TellWorld& told) {
    ++seen_.worlds;
    std::size_t jobs = 0;
    for (const auto& [id, row] : rows_) jobs += row.world == told.world ? 1 : 0;
    expect(told.jobs.size() == jobs, "a world is told in part");
    for (const Job& job : told.jobs) {
      expect(is_final(job.state) && job.user == told.user, "a world is told too early");
    }
    expect(told_.insert(told.world).second, "a world is told twice");
  }

  void check_told(const std::string& world) {
    bool done = true;
    for (const auto& [id, row] : rows_) done = done && (row.world != world || is_final(row.state));
    expect((told_.count(world) > 0) == done, "a world that is done is told");
  }

  static std::string text_of(const std::shared_ptr<const std::string>& text) {
    return text == nullptr ? std::string() : *text;
  }
  static bool same(const Job& one, const Job& other) {
    const auto fields = [](const Job& job) {
      return std::tie(job.id, job.type, job.user, job.world, job.priority, job.order, job.state,
                      job.version, job.retries, job.fence, job.engine, job.error, job.result,
                      job.submitted, job.queued, job.dispatched, job.started, job.completed);
    };
    return fields(one) == fields(other) && text_of(one.payload) == text_of(other.payload);
  }

  void compare() {
    std::size_t listed = 0;
    for (std::size_t state = 0; state < kJobStateCount; ++state) {
      listed += board_->count(static_cast<JobState>(state));
    }
    expect(listed == slow_.jobs().size() && listed == rows_.size(), "a job is lost or too many");
    expect(board_->bytes() == slow_.bytes(true), "bytes are counted otherwise");
    for (const auto& expected : slow_.jobs()) {
      const Job* job = board_->find(expected.job.id);
      if (!expect(job != nullptr, "a job is lost")) return;
      if (!expect(same(*job, expected.job), "a job is not as it should be: " + job->id)) return;
      expect(job->progress == expected.job.progress, "progress");
      const auto row = rows_.find(job->id);
      expect(row != rows_.end() && same(row->second, *job), "a row is not the job: " + job->id);
    }
    expect(board_->due() == slow_.due(), "due at another time");
    compare_engines();
  }

  void compare_engines() {
    std::map<std::string, EngineSession> holder;
    for (const JobBoard::EngineRow& engine : board_->engines()) {
      expect(engine.jobs.size() <= 2, "an engine over its number");
      for (const std::string& id : engine.jobs) {
        expect(holder.emplace(id, engine.session).second, "a job at two engines");
      }
    }
    for (const auto& job : slow_.jobs()) {
      const auto found = holder.find(job.job.id);
      expect(is_under_way(job.job.state) == (found != holder.end()), "under way and with nobody");
      expect((found == holder.end() ? 0 : found->second) == job.live, "another engine has it");
    }
    expect(board_->engines().size() == slow_.engines().size(), "another number of engines");
  }

  static std::string id_of(std::size_t number) {
    std::string digits = std::to_string(number);
    return "job_" + std::string(32 - std::min<std::size_t>(32, digits.size()), '0') + digits;
  }
  WallTime wall() const {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now_.since_boot);
    return {1'700'000'000'000 + wall_ahead_ms_ + since.count()};
  }

  static constexpr MeshNumber kMesh{7};
  JobOptions options_ = make_options();
  std::optional<JobBoard> board_;
  SlowBoard slow_;
  Elapsed now_{std::chrono::seconds{1}};
  std::int64_t wall_ahead_ms_ = 0;

  std::map<std::string, Job> rows_;  // the store
  std::set<std::string> ever_, completed_, told_;
  std::vector<EngineSession> live_;
  EngineSession next_session_ = 1;
  std::size_t made_ = 0;
  std::string fault_;
  Seen seen_;
};

}  // namespace signet::jobs
