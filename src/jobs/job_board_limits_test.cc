// What a board takes, what it forgets, and what a restart leaves.
#include "jobs/job_board_for_test.h"

namespace signet::jobs {
namespace {

using namespace std::chrono_literals;

// ---- limits

TEST_F(JobBoardTest, TakesAllOfARequestOrNone) {
  options_.unfinished_per_user = 3;
  options_.unfinished_per_mesh = 5;
  EXPECT_EQ(submit("ann", {"FREE", "OTHER"}), Words{"unauthorized_job_type"});
  EXPECT_EQ(submit("ann", {}), Words{"invalid_payload"});
  EXPECT_EQ(submit("ann", Words(4, "FREE")), Words{"invalid_payload"}) << "it would wait for ever";
  EXPECT_EQ(board().count(JobState::kQueued), 0u);
  EXPECT_EQ(submit("ann", {"FREE", "FREE"}).size(), 2u);
  EXPECT_EQ(submit("ann", {"FREE", "FREE"}), Words{"too_many_jobs"});
  EXPECT_EQ(submit("bob", {"FREE", "FREE"}).size(), 2u) << "each has its own";
  EXPECT_EQ(submit("cat", {"FREE", "FREE"}), Words{"too_many_jobs"}) << "the mesh's";
  EXPECT_EQ(submit("cat", {"FREE"}).size(), 1u);
  EXPECT_EQ(board().list({}, {}, 0, 99).size(), 5u);
  cancel("j1");
  EXPECT_EQ(submit("cat", {"FREE"}).size(), 1u) << "what is finished does not count";
  options_.unfinished_per_mesh = 2;
  board().set_options(options_);
  EXPECT_EQ(submit("dan", Words(3, "FREE")), Words{"invalid_payload"}) << "the mesh's, likewise";
  EXPECT_EQ(submit("dan", Words(2, "FREE")), Words{"too_many_jobs"});
}

TEST_F(JobBoardTest, AnIdThatIsTakenIsNotGivenTwice) {
  submit("ann", {"FREE"});
  const auto shared = std::make_shared<const std::string>("{}");
  const NewWorld taken_id{"bob", shared, {{"j2", "FREE", "{}", 0}, {"j1", "FREE", "{}", 0}}};
  const NewWorld twice{"bob", shared, {{"j5", "FREE", "{}", 0}, {"j5", "FREE", "{}", 0}}};
  for (const NewWorld& world : {taken_id, twice}) {
    const auto answer = board().submit(world, wall(), now_);
    ASSERT_TRUE(std::holds_alternative<JobRefusal>(answer));
    EXPECT_EQ(std::get<JobRefusal>(answer), JobRefusal::kUnavailable);
  }
  EXPECT_EQ(board().list({}, {}, 0, 99).size(), 1u);
}

TEST_F(JobBoardTest, OtherRulesHoldForWhatComesAndAJobKeepsItsOwn) {
  submit("ann", {"FREE"});
  options_.types = {{"OTHER", 1s, 1s, 0, false}};
  options_.jobs_per_engine = 2;
  board().set_options(options_);
  EXPECT_EQ(submit("ann", {"FREE"}), Words{"unauthorized_job_type"});
  submit("ann", {"OTHER"});
  ready(1);
  EXPECT_EQ(board().engines()[0].jobs.size(), 2u);
  start(1, "j1");
  EXPECT_TRUE(has(pass(1s), "end j2 TIMEOUT after 0 retries"));
  EXPECT_EQ(job("j1").state, JobState::kRunning) << "15 s, as when it came";
  restart();
  EXPECT_EQ(job("j1").state, JobState::kQueued) << "a type that is gone has the format's times";
}

// A world counts once, however many jobs it gives; payloads and all that is said of a job with it.
TEST_F(JobBoardTest, BytesOfWhatIsNotDoneAreBounded) {
  const auto ask = [&](const std::string& id, std::size_t spec, std::size_t payload) {
    NewWorld world{"ann", std::make_shared<const std::string>(spec, 's'), {}};
    for (const char* part : {"a", "b"}) {
      world.jobs.push_back({id + part, "FREE", std::string(payload, 'p'), 0});
    }
    auto answer = board().submit(std::move(world), wall(), now_);
    if (const auto* refusal = std::get_if<JobRefusal>(&answer)) return name_of(*refusal);
    taken(std::get<Effects>(std::move(answer)));
    return std::string_view("taken");
  };
  options_.bytes_per_mesh = 1'000;
  EXPECT_EQ(ask("x", 801, 100), "invalid_payload") << "there is never room for it";
  EXPECT_EQ(ask("x", 600, 100), "taken");
  EXPECT_EQ(board().bytes(), 800U);
  EXPECT_EQ(ask("y", 101, 50), "too_many_jobs");
  EXPECT_EQ(ask("y", 100, 50), "taken") << "all that there may be";
  EXPECT_EQ(ask("z", 0, 1), "too_many_jobs");
  cancel("ya");
  EXPECT_EQ(ask("z", 0, 1), "too_many_jobs") << "its world goes on";
  cancel("yb");
  EXPECT_EQ(ask("z", 90, 50), "taken") << "what is done makes room";
  EXPECT_NE(board().find("ya"), nullptr) << "the newest that is done is kept";
  const std::size_t cancelled = std::string_view("CANCELLED").size();
  EXPECT_EQ(board().bytes(), 1'190U + 2 * cancelled);
  restart();
  EXPECT_EQ(board().bytes(), 1'190U + 2 * cancelled);
  EXPECT_EQ(ask("u", 0, 6), "too_many_jobs");
  cancel("za");
  EXPECT_TRUE(has(cancel("zb"), "forget ya"));
  EXPECT_EQ(board().bytes(), 990U + 2 * cancelled);
}

// ---- forgetting

TEST_F(JobBoardTest, WhatIsDoneIsForgottenAfterItsTime) {
  options_.keep_finished = 2h;
  ready(1);
  submit("ann", {"FREE"});
  work(1, "j1");
  now_ = now_ + 1h;
  submit("ann", {"FREE"});
  cancel("j2");
  EXPECT_EQ(board().due(), now_ + 1h);
  EXPECT_EQ(pass(1h - 1ms), Words{});
  EXPECT_EQ(pass(1ms), Words{"forget j1"});
  EXPECT_EQ(board().find("j1"), nullptr);
  EXPECT_EQ(complete(1, "j1"), Words{"JOB_UNKNOWN"});
  EXPECT_EQ(pass(1h), Words{"forget j2"});
  EXPECT_TRUE(board().list({}, {}, 0, 99).empty());
  EXPECT_EQ(board().due(), std::nullopt);
}

TEST_F(JobBoardTest, OfTooManyDoneTheOldestAreForgotten) {
  options_.finished_per_mesh = 2;
  ready(1);
  for (int i = 0; i < 3; ++i) submit("ann", {"FREE"});
  work(1, "j1");
  work(1, "j2");
  EXPECT_EQ(work(1, "j3").back(), "forget j1");
  EXPECT_EQ(board().list({}, {}, 0, 99).size(), 2u);
}

TEST_F(JobBoardTest, OfTooManyBytesTheOldestResultsAreForgotten) {
  options_.bytes_per_mesh = 100;
  options_.jobs_per_engine = 9;
  ready(1);
  for (int i = 0; i < 4; ++i) submit("ann", {"FREE"});  // of 4 bytes each
  const auto finish = [&](const char* job, std::size_t bytes) {
    start(1, job);
    return say(1, EngineSays::kCompleted, job, std::nullopt, std::string(bytes, 'r')).back();
  };
  EXPECT_EQ(finish("j1", 40), "world j1 of 1");
  EXPECT_EQ(finish("j2", 44), "world j2 of 1") << "just as much as there may be";
  EXPECT_EQ(board().bytes(), 100U);
  EXPECT_EQ(say(1, EngineSays::kProgress, "j3"), Words{"JOB_TRANSITION_INVALID"});
  start(1, "j3");
  EXPECT_EQ(say(1, EngineSays::kProgress, "j3", std::nullopt, "5").back(), "forget j1");
  EXPECT_EQ(finish("j4", 200), "forget j2") << "the newest is kept, whatever its size";
  EXPECT_EQ(board().find("j4")->result.size(), 200U);
  EXPECT_EQ(complete(1, "j3").back(), "forget j4");
  EXPECT_EQ(board().bytes(), 7U) << "a payload, a world, a result and the progress";
}

TEST_F(JobBoardTest, AWorldIsForgottenAsAWholeAndTheNewestIsKept) {
  options_.finished_per_mesh = 1;
  options_.jobs_per_engine = 9;
  options_.keep_finished = 1h;
  ready(1);
  submit("ann", {"FREE", "FREE"});
  submit("ann", {"FREE"});
  work(1, "j1");
  EXPECT_EQ(pass(0s), Words{}) << "j2 goes on";
  EXPECT_EQ(work(1, "j2").back(), "world j1 of 2") << "who waits for it may still read it";
  EXPECT_EQ(work(1, "j3").back(), "forget j2");
  EXPECT_NE(board().find("j3"), nullptr);
}

TEST_F(JobBoardTest, AWorldThatIsTriedAnewIsNotForgotten) {
  options_.keep_finished = 1h;
  submit("ann", {"FREE"});
  cancel("j1");
  retry("j1");
  EXPECT_EQ(pass(2h), Words{});
  EXPECT_NE(board().find("j1"), nullptr);
}

// ---- restart

TEST_F(JobBoardTest, ARestartQueuesAgainWhatWasUnderWayAndKeepsTheRest) {
  options_.jobs_per_engine = 2;
  ready(1);
  submit("ann", {"FREE", "FREE", "FREE", "FREE"});
  work(1, "j1");
  start(1, "j2");  // j3 is dispatched, j4 waits
  EXPECT_EQ(restart(), (Words{"j2 queued", "j3 queued"}));
  EXPECT_EQ(job("j1").state, JobState::kCompleted);
  EXPECT_EQ(job("j2").retries, 0u) << "no retry";
  EXPECT_EQ(leases_of(job("j2")), 1u) << "but a lease";
  EXPECT_EQ(complete(1, "j2"), Words{"JOB_UNKNOWN"}) << "an engine that said nothing yet";
  EXPECT_EQ(ready(1), (Words{"j2 dispatched", "to 1: j2 #2", "j3 dispatched", "to 1: j3 #2"}));
  EXPECT_EQ(say(1, EngineSays::kStarted, "j2", 1), Words{"JOB_LEASE_STALE"});
  submit("ann", {"FREE"});
  EXPECT_GT(job("j5").order, job("j4").order);
}

TEST_F(JobBoardTest, AJobThatEndsTheProcessEachTimeEndsItself) {
  submit("mallory", {"FREE"});
  for (std::uint64_t lease = 1; lease <= options_.most_leases; ++lease) {
    ready(1);
    ASSERT_EQ(job("j1").fence, lease);
    const Words told = restart();
    EXPECT_EQ(told[0], lease < options_.most_leases ? "j1 queued" : "j1 failed");
  }
  EXPECT_EQ(job("j1").error, "ENGINE_DISCONNECTED");
}

TEST_F(JobBoardTest, ARestartForgetsWhatIsTooOld) {
  options_.keep_finished = 2h;
  submit("ann", {"FREE"});
  cancel("j1");
  now_ = now_ + 1h;
  submit("ann", {"FREE"});
  cancel("j2");
  now_ = now_ + 1h;
  EXPECT_EQ(restart(), Words{"forget j1"});
  EXPECT_EQ(board().due(), now_ + 1h);
}

TEST_F(JobBoardTest, ARestartKeepsWhoWaitsForWhom) {
  options_.jobs_per_engine = 9;
  submit("ann", {"ROW", "ROW"});
  ready(1);
  restart();
  ready(2);
  EXPECT_EQ(board().engines()[0].jobs, Words{"j1"});
  EXPECT_EQ(work(2, "j1").back(), "to 2: j2 #1");
}

}  // namespace
}  // namespace signet::jobs
