// What becomes of jobs, as stories: their way, time, engines, an operator's hand.
#include <deque>

#include "jobs/job_board_for_test.h"

namespace signet::jobs {
namespace {

using namespace std::chrono_literals;

// ---- the way of a job

TEST_F(JobBoardTest, TellsEachStepOfAJobInItsOrder) {
  EXPECT_EQ(submit("ann", {"FREE"}), (Words{"j1 queued"}));
  EXPECT_EQ(ready(1), (Words{"j1 dispatched", "to 1: j1 #1"}));
  EXPECT_EQ(start(1, "j1"), (Words{"j1 running", "STARTED j1"}));
  EXPECT_EQ(say(1, EngineSays::kProgress, "j1", 1, "50"), Words{"PROGRESS j1"});
  EXPECT_EQ(complete(1, "j1"), (Words{"j1 completed", "end j1", "COMPLETED j1", "world j1 of 1"}));
  EXPECT_EQ(job("j1").version, 4u) << "progress is no row";
  EXPECT_EQ(job("j1").progress, "50");
}

TEST_F(JobBoardTest, KeepsWhenEachStepWas) {
  const WallTime submitted = wall();
  submit("ann", {"FREE"});
  now_ = now_ + 1s;
  ready(1);
  now_ = now_ + 1s;
  start(1, "j1");
  now_ = now_ + 1s;
  EXPECT_EQ(job("j1").completed, WallTime{});
  say(1, EngineSays::kCompleted, "j1", std::nullopt, R"({"ok":1})");
  EXPECT_EQ(job("j1").submitted, submitted);
  EXPECT_EQ(job("j1").queued, submitted);
  EXPECT_EQ(job("j1").dispatched, submitted + 1s);
  EXPECT_EQ(job("j1").started, submitted + 2s);
  EXPECT_EQ(job("j1").completed, submitted + 3s);
  EXPECT_EQ(job("j1").result, R"({"ok":1})");
  EXPECT_EQ(job("j1").engine, "e1");
}

TEST_F(JobBoardTest, WritesNoRowForProgressAndKeepsTheLatestWithTheNextOne) {
  submit("ann", {"FREE"});
  ready(1);
  start(1, "j1");
  for (int i = 0; i < 100; ++i) say(1, EngineSays::kProgress, "j1", std::nullopt, "99");
  EXPECT_EQ(store_["j1"].progress, "");
  EXPECT_EQ(store_["j1"].version, 3u);
  complete(1, "j1");
  EXPECT_EQ(store_["j1"].progress, "99");
  EXPECT_EQ(store_["j1"].version, 4u);
}

TEST_F(JobBoardTest, AJobThatAnEngineFailsIsFailedWithItsWordsAndNotTriedAgain) {
  ready(1);
  ready(2);
  submit("ann", {"FREE"});
  start(1, "j1");
  EXPECT_EQ(say(1, EngineSays::kFailed, "j1", std::nullopt, "no such mesh"),
            (Words{"j1 failed", "end j1 no such mesh", "FAILED j1", "world j1 of 1"}));
}

TEST_F(JobBoardTest, AnEngineMayFailAJobWithoutHavingBegunIt) {
  ready(1);
  submit("ann", {"FREE"});
  EXPECT_EQ(say(1, EngineSays::kFailed, "j1", std::nullopt, "busy")[0], "j1 failed");
}

// ---- time

struct Timeouts {
  const char* name;
  std::uint32_t retries;
  bool starts;
  std::uint64_t most_leases;
  std::uint64_t leases;  // that it gets
  const char* error;
};
// clang-format off
const Timeouts kTimeouts[]{
    {"never begun",                0,  false, 5, 1, "TIMEOUT after 0 retries"},
    {"the format's, never begun",  2,  false, 5, 3, "TIMEOUT after 2 retries"},
    {"the format's, runs too long", 2, true,  5, 3, "TIMEOUT after 2 retries"},
    {"one retry",                  1,  true,  5, 2, "TIMEOUT after 1 retries"},
    {"as often as it may",         4,  true,  5, 5, "TIMEOUT after 4 retries"},
    {"poison",                     99, true,  5, 5, "TIMEOUT after 4 retries"},
    {"poison, one lease",          99, true,  1, 1, "TIMEOUT after 0 retries"},
};
// clang-format on

TEST_F(JobBoardTest, WhatTakesTooLongIsTriedAgainAsOftenAsItMay) {
  for (const Timeouts& row : kTimeouts) {
    SCOPED_TRACE(row.name);
    options_.types[0].retries = row.retries;
    options_.most_leases = row.most_leases;
    board_.emplace(kMesh, options_);
    store_.clear();
    made_ = 0;
    ready(1);
    submit("ann", {"FREE"});
    Words last;
    for (std::uint64_t lease = 1; lease <= row.leases; ++lease) {
      EXPECT_EQ(job("j1").fence, lease);
      if (row.starts) start(1, "j1");
      const auto time = row.starts ? 15s : 5s;
      EXPECT_EQ(board().due(), now_ + time);
      EXPECT_EQ(pass(time - 1ms), Words{}) << "not yet";
      last = pass(1ms);
    }
    EXPECT_EQ(last, (Words{"j1 failed", std::string("end j1 ") + row.error, "FAILED j1",
                           "world j1 of 1"}));
    EXPECT_EQ(complete(1, "j1"), Words{"JOB_LEASE_STALE"});
  }
}

TEST_F(JobBoardTest, EachTypeHasItsTimes) {
  options_.types.push_back({"LONG", 60s, 20s, 0, false});
  options_.jobs_per_engine = 2;
  ready(1);
  submit("ann", {"LONG", "FREE"});
  EXPECT_EQ(pass(5s)[0], "j2 queued");
  start(1, "j1");
  EXPECT_EQ(board().due(), now_ + 5s);
  say(1, EngineSays::kFailed, "j2");
  EXPECT_EQ(board().due(), now_ + 60s);
  EXPECT_TRUE(has(pass(60s), "end j1 TIMEOUT after 0 retries"));
}

TEST_F(JobBoardTest, NothingIsDueWhereNothingIsUnderWayOrDone) {
  EXPECT_EQ(board().due(), std::nullopt);
  submit("ann", {"FREE"});
  EXPECT_EQ(board().due(), std::nullopt);
}

// ---- engines

TEST_F(JobBoardTest, AJobGoesToOneEngineAndAnEngineHasNoMoreThanItsNumber) {
  options_.jobs_per_engine = 2;
  ready(1);
  ready(2);
  submit("ann", {"FREE", "FREE", "FREE", "FREE", "FREE"});
  const auto engines = board().engines();
  ASSERT_EQ(engines.size(), 2u);
  EXPECT_EQ(engines[0].jobs, (Words{"j1", "j3"})) << "the least busy one goes first";
  EXPECT_EQ(engines[1].jobs, (Words{"j2", "j4"}));
  EXPECT_EQ(job("j5").state, JobState::kQueued);
  start(2, "j2");
  EXPECT_EQ(complete(2, "j2").back(), "to 2: j5 #1");
}

TEST_F(JobBoardTest, TheJobsOfAnEngineThatGoesAwayGoToAnotherUnderANewFence) {
  ready(1);
  submit("ann", {"FREE"});
  start(1, "j1");
  EXPECT_EQ(gone(1), Words{"j1 queued"});
  EXPECT_EQ(job("j1").retries, 1u);
  EXPECT_EQ(ready(2), (Words{"j1 dispatched", "to 2: j1 #2"}));
  EXPECT_EQ(job("j1").engine, "e2");
  EXPECT_EQ(work(2, "j1")[0], "j1 completed");
}

TEST_F(JobBoardTest, AJobWhoseEnginesAllGoAwayFails) {
  submit("ann", {"FREE"});
  for (EngineSession engine = 1; engine <= 2; ++engine) {
    ready(engine);
    start(engine, "j1");
    EXPECT_EQ(gone(engine), Words{"j1 queued"});
  }
  ready(3);
  EXPECT_EQ(gone(3),
            (Words{"j1 failed", "end j1 ENGINE_DISCONNECTED", "FAILED j1", "world j1 of 1"}));
}

TEST_F(JobBoardTest, AnEngineThatIsNotFitCostsItsJobsALeaseAndNoTry) {
  options_.types[0].retries = 0;
  options_.jobs_per_engine = 2;
  submit("ann", {"FREE", "FREE"});
  for (EngineSession engine = 1; engine < options_.most_leases; ++engine) {
    ready(engine);
    EXPECT_EQ(gone(engine, Leaving::kUnfit), (Words{"j1 queued", "j2 queued"}));
    EXPECT_EQ(job("j1").retries, 0u);
    EXPECT_EQ(leases_of(job("j1")), engine);
  }
  EXPECT_EQ(board().due(), std::nullopt) << "no lease is left";
  ready(8);
  EXPECT_EQ(board().engines()[0].jobs, (Words{"j1", "j2"}));
  EXPECT_EQ(work(8, "j1")[0], "j1 completed");
  EXPECT_EQ(gone(8, Leaving::kUnfit)[0], "j2 failed") << "not for ever";
}

TEST_F(JobBoardTest, AnEngineThatIsReadyTwiceIsReadyOnceAndAStrangerThatGoesIsNoLoss) {
  submit("ann", {"FREE", "FREE"});
  EXPECT_EQ(ready(1).size(), 2u);
  EXPECT_EQ(ready(1, "other"), Words{});
  EXPECT_EQ(board().engines()[0].name, "e1");
  EXPECT_EQ(gone(9), Words{});
}

TEST_F(JobBoardTest, APoisonJobDoesNotHoldUpTheOthers) {
  options_.types[0].retries = 1'000'000;
  submit("mallory", {"FREE"}, 9);
  submit("ann", {"FREE"});
  EngineSession engine = 0;
  while (board().find("j1")->state != JobState::kFailed) {
    ASSERT_LT(engine, 10u);
    ready(++engine);
    if (job("j1").engine == "e" + std::to_string(engine)) start(engine, "j1");
    gone(engine);
  }
  EXPECT_EQ(leases_of(job("j1")), options_.most_leases);
  ready(77);
  EXPECT_EQ(work(77, "j2")[0], "j2 completed");
}

// ---- cancel and retry

TEST_F(JobBoardTest, AUserCancelsItsOwnJobsAndAnOperatorAny) {
  submit("ann", {"FREE", "FREE", "FREE"});
  EXPECT_EQ(cancel("j1", "bob"), Words{"none"});
  EXPECT_EQ(cancel("j9", "ann"), Words{"none"});
  EXPECT_EQ(cancel("j1", "ann"), (Words{"j1 failed", "end j1 CANCELLED", "FAILED j1"}));
  EXPECT_EQ(cancel("j2")[0], "j2 failed");
  EXPECT_EQ(cancel("j1", "ann"), Words{}) << "it stays as it is";
  ready(1);
  EXPECT_EQ(served(1), Words{"j3"}) << "what is cancelled is not begun";
}

TEST_F(JobBoardTest, ACancelledJobFreesItsEngineWhoseResultIsLate) {
  ready(1);
  submit("ann", {"FREE", "FREE"});
  start(1, "j1");
  EXPECT_EQ(cancel("j1", "ann").back(), "to 1: j2 #1");
  EXPECT_EQ(complete(1, "j1"), Words{"JOB_LEASE_STALE"});
  EXPECT_EQ(pass(5s)[0], "j2 queued") << "of j1 nothing is due";
}

TEST_F(JobBoardTest, CancellingWhatOthersWaitForFailsThem) {
  submit("ann", {"ROW", "ROW"});
  EXPECT_TRUE(has(cancel("j1", "ann"), "end j2 WORLD_FAILED"));
}

TEST_F(JobBoardTest, AFailedJobIsTriedAnewUnderAHigherFence) {
  options_.types[0].retries = 0;
  ready(1);
  submit("ann", {"FREE"});
  start(1, "j1");
  pass(15s);
  EXPECT_EQ(retry("j1"), (Words{"j1 queued", "j1 dispatched", "to 1: j1 #1000001"}));
  EXPECT_EQ(job("j1").retries, 0u);
  EXPECT_EQ(job("j1").error, "");
  EXPECT_EQ(say(1, EngineSays::kStarted, "j1", 1), Words{"JOB_LEASE_STALE"});
  EXPECT_EQ(work(1, "j1").back(), "world j1 of 1") << "done again";
  EXPECT_EQ(retry("j1"), Words{"none"}) << "what is completed stays so";
  EXPECT_EQ(retry("j9"), Words{"none"});
}

TEST_F(JobBoardTest, ARetriedJobHasAllItsLeasesAgainAndNoMore) {
  options_.types[0].retries = 99;
  submit("ann", {"FREE"});
  ready(1);
  for (int life = 0; life < 3; ++life) {
    for (int lease = 0; lease < 5; ++lease) {
      ASSERT_EQ(job("j1").state, JobState::kDispatched);
      pass(5s);
    }
    ASSERT_EQ(job("j1").state, JobState::kFailed);
    retry("j1");
  }
}

TEST_F(JobBoardTest, AJobIsNotTriedAnewBehindOneThatFailed) {
  options_.jobs_per_engine = 9;
  ready(1);
  submit("ann", {"ROW", "ROW"});
  say(1, EngineSays::kFailed, "j1");
  EXPECT_EQ(retry("j2"),
            (Words{"j2 queued", "j2 failed", "end j2 WORLD_FAILED", "FAILED j2", "world j1 of 2"}));
  retry("j1");
  EXPECT_EQ(retry("j2"), Words{"j2 queued"});
  EXPECT_EQ(work(1, "j1").back(), "to 1: j2 #2000001") << "two lives without a lease";
}

// ---- looking

TEST_F(JobBoardTest, ListsTheNewestFirstPageByPage) {
  submit("ann", {"FREE", "FREE"});
  submit("bob", {"FREE"});
  cancel("j1");
  const auto ids = [](const std::vector<const Job*>& jobs) {
    Words found;
    for (const Job* each : jobs) found.push_back(each->id);
    return found;
  };
  EXPECT_EQ(ids(board().list({}, {}, 0, 99)), (Words{"j3", "j2", "j1"}));
  EXPECT_EQ(ids(board().list({}, {}, 0, 2)), (Words{"j3", "j2"}));
  EXPECT_EQ(ids(board().list({}, {}, job("j2").order, 2)), Words{"j1"});
  EXPECT_EQ(ids(board().list({}, "ann", 0, 99)), (Words{"j2", "j1"}));
  EXPECT_EQ(ids(board().list(JobState::kQueued, "ann", 0, 99)), Words{"j2"});
  EXPECT_EQ(board().count(JobState::kQueued), 2u);
  EXPECT_EQ(board().count(JobState::kFailed), 1u);
}

// Looking at all that wait at each step would take minutes here.
TEST_F(JobBoardTest, TenThousandJobsThatWaitAreDoneOnceEach) {
  options_.jobs_per_engine = 4;
  for (int user = 0; user < 100; ++user) {
    submit("user" + std::to_string(user), Words(100, user % 2 == 0 ? "FREE" : "ROW"), user % 3);
  }
  ASSERT_EQ(board().count(JobState::kQueued), 10'000u);
  EXPECT_EQ(submit("late", {"FREE"}), Words{"too_many_jobs"});
  std::deque<TellDispatch> asked;
  const auto take = [&](const Effects& effects) {
    for (const Notice& notice : effects.notices) {
      if (const auto* dispatch = std::get_if<TellDispatch>(&notice)) asked.push_back(*dispatch);
    }
  };
  for (EngineSession engine = 1; engine <= 3; ++engine) {
    take(board().engine_ready(engine, "e", wall(), now_));
  }
  std::size_t done = 0;
  for (; !asked.empty(); asked.pop_front(), ++done) {
    const auto& [engine, job] = asked.front();
    for (const EngineSays says : {EngineSays::kStarted, EngineSays::kCompleted}) {
      const auto answer = board().report({engine, says, job.id, job.fence, "{}"}, wall(), now_);
      ASSERT_TRUE(std::holds_alternative<Effects>(answer));
      take(std::get<Effects>(answer));
    }
  }
  EXPECT_EQ(done, 10'000u);
  EXPECT_EQ(board().count(JobState::kCompleted), 10'000u);
}

}  // namespace
}  // namespace signet::jobs
