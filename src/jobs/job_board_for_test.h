// JobBoardTest is a board with a store behind it and a clock that its stories move. What the board
// does is told in words: `j1 queued`, `to 1: j1 #1`, `forget j1`.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jobs/job_board.h"

namespace signet::jobs {

class JobBoardTest : public testing::Test {
 protected:
  using Words = std::vector<std::string>;
  static constexpr MeshNumber kMesh{3};

  JobBoardTest() {
    using std::chrono::seconds;
    options_.types = {{"FREE", seconds(15), seconds(5), 2, false},
                      {"ROW", seconds(15), seconds(5), 2, true}};
    options_.jobs_per_engine = 1;
  }

  JobBoard& board() {
    if (!board_) board_.emplace(kMesh, options_);
    return *board_;
  }

  // A world of jobs `j1`, `j2`, …; answers what was told, or the refusal.
  Words submit(const std::string& user, const Words& types, std::int32_t priority = 0) {
    NewWorld world{user, std::make_shared<const std::string>("{}"), {}};
    for (const std::string& type : types) {
      world.jobs.push_back({"j" + std::to_string(++made_), type, "{}", priority});
    }
    auto answer = board().submit(std::move(world), wall(), now_);
    if (const auto* refusal = std::get_if<JobRefusal>(&answer)) {
      made_ -= types.size();
      return {std::string(name_of(*refusal))};
    }
    return taken(std::get<Effects>(std::move(answer)));
  }
  Words ready(EngineSession session, const std::string& name = {}) {
    const std::string called = name.empty() ? "e" + std::to_string(session) : name;
    return taken(board().engine_ready(session, called, wall(), now_));
  }
  Words gone(EngineSession session, Leaving how = Leaving::kLost) {
    return taken(board().engine_gone(session, wall(), now_, how));
  }
  Words say(EngineSession session, EngineSays says, std::string_view job,
            std::optional<std::uint64_t> fence = std::nullopt, std::string_view text = "{}") {
    auto answer = board().report({session, says, job, fence, text}, wall(), now_);
    if (const auto* code = std::get_if<EngineRefusal>(&answer))
      return {std::string(name_of(*code))};
    return taken(std::get<Effects>(std::move(answer)));
  }
  Words start(EngineSession session, std::string_view job) {
    return say(session, EngineSays::kStarted, job);
  }
  Words complete(EngineSession session, std::string_view job) {
    return say(session, EngineSays::kCompleted, job);
  }
  // Starts and completes it.
  Words work(EngineSession session, std::string_view job) {
    start(session, job);
    return complete(session, job);
  }
  Words cancel(std::string_view job, std::string_view user = {}) {
    auto effects = board().cancel(job, user, wall(), now_);
    return effects ? taken(*std::move(effects)) : Words{"none"};
  }
  Words retry(std::string_view job) {
    auto effects = board().retry(job, wall(), now_);
    return effects ? taken(*std::move(effects)) : Words{"none"};
  }
  Words pass(std::chrono::nanoseconds time) {
    now_ = now_ + time;
    return taken(board().on_time(wall(), now_));
  }
  // The process dies, another one reads the store.
  Words restart() {
    std::vector<Job> rows;
    for (const auto& [id, row] : store_) rows.push_back(row);
    board_.emplace(kMesh, options_);
    return taken(board_->load(std::move(rows), wall(), now_));
  }

  Words taken(const Effects& effects) {
    for (const Job& row : effects.rows) {
      EXPECT_EQ(row.mesh, kMesh);
      EXPECT_EQ(row.version, store_[row.id].version + 1) << row.id;
      store_[row.id] = row;
    }
    Words words;
    for (const Notice& notice : effects.notices) words.push_back(word_of(notice));
    for (const std::string& id : effects.forgotten) {
      store_.erase(id);
      words.push_back("forget " + id);
    }
    return words;
  }
  static std::string word_of(const Notice& notice) {
    if (const auto* status = std::get_if<TellStatus>(&notice)) {
      return status->job.id + " " + std::string(name_of(status->job.state));
    }
    if (const auto* dispatch = std::get_if<TellDispatch>(&notice)) {
      return "to " + std::to_string(dispatch->engine) + ": " + dispatch->job.id + " #" +
             std::to_string(dispatch->job.fence);
    }
    if (const auto* finished = std::get_if<TellFinished>(&notice)) {
      const Job& job = finished->job;
      return "end " + job.id + (job.error.empty() ? "" : " " + job.error);
    }
    if (const auto* world = std::get_if<TellWorld>(&notice)) {
      return "world " + world->world + " of " + std::to_string(world->jobs.size());
    }
    constexpr std::array<std::string_view, 4> names{"STARTED", "PROGRESS", "COMPLETED", "FAILED"};
    const auto& telemetry = std::get<TellTelemetry>(notice);
    return std::string(names.at(static_cast<std::size_t>(telemetry.event))) + " " +
           telemetry.job.id;
  }
  static bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  }
  // Whom the engine is asked for, one after another, until nothing waits.
  std::vector<std::string> served(EngineSession session) {
    std::vector<std::string> order;
    for (;;) {
      std::string job;
      for (const auto& engine : board().engines()) {
        if (engine.session == session && !engine.jobs.empty()) job = engine.jobs.front();
      }
      if (job.empty()) return order;
      order.push_back(job);
      work(session, job);
    }
  }

  const Job& job(std::string_view id) { return *board().find(id); }
  WallTime wall() const {
    return {1'700'000'000'000 +
            std::chrono::duration_cast<std::chrono::milliseconds>(now_.since_boot).count()};
  }

  JobOptions options_;
  std::optional<JobBoard> board_;
  std::map<std::string, Job> store_;
  Elapsed now_{std::chrono::hours(1)};
  std::size_t made_ = 0;
};

}  // namespace signet::jobs
