// What engines say that does not count: late, repeated, of others, out of order.
#include "jobs/job_board_for_test.h"

namespace signet::jobs {
namespace {

using namespace std::chrono_literals;

// ---- what is refused to engines

struct Said {
  const char* name;
  JobState state;  // of a job that engine 1 has, or had
  EngineSays says;
  const char* answer;  // empty: taken
};
// clang-format off
const Said kSaid[]{
    {"started, dispatched",    JobState::kDispatched, EngineSays::kStarted,   ""},
    {"progress, dispatched",   JobState::kDispatched, EngineSays::kProgress,  "JOB_TRANSITION_INVALID"},
    {"completed, dispatched",  JobState::kDispatched, EngineSays::kCompleted, "JOB_TRANSITION_INVALID"},
    {"failed, dispatched",     JobState::kDispatched, EngineSays::kFailed,    ""},
    {"started, running",       JobState::kRunning,    EngineSays::kStarted,   "JOB_TRANSITION_INVALID"},
    {"progress, running",      JobState::kRunning,    EngineSays::kProgress,  ""},
    {"completed, running",     JobState::kRunning,    EngineSays::kCompleted, ""},
    {"failed, running",        JobState::kRunning,    EngineSays::kFailed,    ""},
    {"started, completed",     JobState::kCompleted,  EngineSays::kStarted,   "JOB_TRANSITION_INVALID"},
    {"progress, completed",    JobState::kCompleted,  EngineSays::kProgress,  "JOB_TRANSITION_INVALID"},
    {"completed, completed",   JobState::kCompleted,  EngineSays::kCompleted, ""},
    {"failed, completed",      JobState::kCompleted,  EngineSays::kFailed,    "JOB_TRANSITION_INVALID"},
    {"started, failed",        JobState::kFailed,     EngineSays::kStarted,   "JOB_TRANSITION_INVALID"},
    {"progress, failed",       JobState::kFailed,     EngineSays::kProgress,  "JOB_TRANSITION_INVALID"},
    {"completed, failed",      JobState::kFailed,     EngineSays::kCompleted, "JOB_TRANSITION_INVALID"},
    {"failed, failed",         JobState::kFailed,     EngineSays::kFailed,    ""},
    {"started, queued",        JobState::kQueued,     EngineSays::kStarted,   "JOB_LEASE_STALE"},
    {"progress, queued",       JobState::kQueued,     EngineSays::kProgress,  "JOB_LEASE_STALE"},
    {"completed, queued",      JobState::kQueued,     EngineSays::kCompleted, "JOB_LEASE_STALE"},
    {"failed, queued",         JobState::kQueued,     EngineSays::kFailed,    "JOB_LEASE_STALE"},
};
// clang-format on

TEST_F(JobBoardTest, TakesFromTheHolderOfALeaseWhatFollowsAndNothingElse) {
  for (const Said& row : kSaid) {
    SCOPED_TRACE(row.name);
    board_.emplace(kMesh, options_);
    store_.clear();
    made_ = 0;
    ready(1);
    submit("ann", {"FREE"});
    if (row.state != JobState::kDispatched) start(1, "j1");
    if (row.state == JobState::kCompleted) complete(1, "j1");
    if (row.state == JobState::kFailed) say(1, EngineSays::kFailed, "j1");
    if (row.state == JobState::kQueued) gone(1);
    ASSERT_EQ(job("j1").state, row.state);
    const Words answer = say(1, row.says, "j1");
    const bool refused = !answer.empty() && answer[0].rfind("JOB_", 0) == 0;
    EXPECT_EQ(refused ? answer[0] : "", row.answer);
    if (refused || is_final(row.state)) {
      EXPECT_EQ(job("j1").state, row.state);
      EXPECT_EQ(store_["j1"].version, job("j1").version);
    }
  }
}

TEST_F(JobBoardTest, AResultThatIsSaidAgainChangesNothingAndTellsNobody) {
  ready(1);
  submit("ann", {"FREE"});
  start(1, "j1");
  say(1, EngineSays::kCompleted, "j1", 1, "1");
  EXPECT_EQ(say(1, EngineSays::kCompleted, "j1", 1, "2"), Words{});
  EXPECT_EQ(say(1, EngineSays::kCompleted, "j1", std::nullopt, "3"), Words{});
  EXPECT_EQ(job("j1").result, "1");
}

TEST_F(JobBoardTest, AnEngineKnowsOfNoJobButItsOwn) {
  ready(1);
  ready(2);
  submit("ann", {"FREE"});
  for (const EngineSays says :
       {EngineSays::kStarted, EngineSays::kProgress, EngineSays::kCompleted, EngineSays::kFailed}) {
    EXPECT_EQ(say(2, says, "j1"), Words{"JOB_UNKNOWN"});
    EXPECT_EQ(say(2, says, "j1", 1), Words{"JOB_UNKNOWN"}) << "a fence that it guessed";
    EXPECT_EQ(say(1, says, "j9"), Words{"JOB_UNKNOWN"});
    EXPECT_EQ(say(9, says, "j1"), Words{"JOB_UNKNOWN"});
  }
  EXPECT_EQ(job("j1").state, JobState::kDispatched);
}

TEST_F(JobBoardTest, ALateResultOfALeaseThatPassedOnIsRefused) {
  ready(1);
  ready(2);
  submit("ann", {"FREE"});
  start(1, "j1");
  EXPECT_EQ(pass(15s), (Words{"j1 queued", "j1 dispatched", "to 2: j1 #2"}));
  EXPECT_EQ(complete(1, "j1"), Words{"JOB_LEASE_STALE"});
  EXPECT_EQ(say(1, EngineSays::kCompleted, "j1", 1), Words{"JOB_LEASE_STALE"});
  EXPECT_EQ(say(1, EngineSays::kCompleted, "j1", 2), Words{"JOB_LEASE_STALE"}) << "not its own";
  EXPECT_EQ(start(2, "j1")[0], "j1 running");
  EXPECT_EQ(say(2, EngineSays::kCompleted, "j1", 1), Words{"JOB_LEASE_STALE"}) << "the old fence";
  EXPECT_EQ(say(2, EngineSays::kCompleted, "j1", 2)[0], "j1 completed");
  EXPECT_EQ(complete(1, "j1"), Words{"JOB_LEASE_STALE"});
}

TEST_F(JobBoardTest, AnEngineThatGotTheSameJobAgainIsToldByItsFenceWhatIsLate) {
  ready(1);
  submit("ann", {"FREE"});
  start(1, "j1");
  EXPECT_EQ(pass(15s).back(), "to 1: j1 #2") << "there is no other";
  start(1, "j1");
  EXPECT_EQ(say(1, EngineSays::kCompleted, "j1", 1), Words{"JOB_LEASE_STALE"});
  EXPECT_EQ(say(1, EngineSays::kCompleted, "j1", 2)[0], "j1 completed");
}

TEST_F(JobBoardTest, AnEngineThatComesBackUnderItsNameHasNoLeaseOfItsFormerSession) {
  ready(1, "blue");
  submit("ann", {"FREE"});
  start(1, "j1");
  ready(2, "blue");
  EXPECT_EQ(complete(2, "j1"), Words{"JOB_LEASE_STALE"});
  gone(1);
  EXPECT_EQ(job("j1").fence, 2u);
  EXPECT_EQ(say(2, EngineSays::kCompleted, "j1", 1), Words{"JOB_LEASE_STALE"});
}

TEST_F(JobBoardTest, AnEngineThatComesBackMayRepeatAResultWhoseFenceItNames) {
  ready(1, "blue");
  submit("ann", {"FREE"});
  work(1, "j1");
  gone(1);
  ready(2, "blue");
  ready(3, "red");
  EXPECT_EQ(say(2, EngineSays::kCompleted, "j1", 1), Words{});
  EXPECT_EQ(say(2, EngineSays::kFailed, "j1", 1), Words{"JOB_TRANSITION_INVALID"});
  EXPECT_EQ(say(2, EngineSays::kCompleted, "j1"), Words{"JOB_LEASE_STALE"});
  EXPECT_EQ(say(3, EngineSays::kCompleted, "j1", 1), Words{"JOB_UNKNOWN"});
  restart();
  ready(4, "blue");
  EXPECT_EQ(say(4, EngineSays::kCompleted, "j1", 1), Words{});
}

}  // namespace
}  // namespace signet::jobs
