// Which job goes first, and what waits for what.
#include "jobs/job_board_for_test.h"

namespace signet::jobs {
namespace {

using namespace std::chrono_literals;

// ---- who goes first

TEST_F(JobBoardTest, HigherPriorityGoesFirstAndThenTheOlder) {
  submit("ann", {"FREE"}, 0);
  submit("ann", {"FREE"}, -5);
  submit("ann", {"FREE"}, 7);
  submit("bob", {"FREE"}, 7);
  submit("ann", {"FREE"}, 7);
  ready(1);
  EXPECT_EQ(served(1), (Words{"j3", "j4", "j5", "j1", "j2"}));
}

TEST_F(JobBoardTest, WhoAsksForManyHoldsNobodyUp) {
  submit("ann", Words(5, "FREE"));
  submit("bob", {"FREE", "FREE"});
  submit("cat", {"FREE"});
  ready(1);
  EXPECT_EQ(served(1), (Words{"j1", "j6", "j8", "j2", "j7", "j3", "j4", "j5"}));
}

TEST_F(JobBoardTest, WhoHasFewestUnderWayGoesFirst) {
  options_.jobs_per_engine = 3;
  submit("ann", Words(4, "FREE"));
  ready(1);  // three of ann's
  submit("bob", {"FREE", "FREE"});
  EXPECT_EQ(work(1, "j1").back(), "to 1: j5 #1") << "bob has none";
  EXPECT_EQ(work(1, "j2").back(), "to 1: j4 #1") << "one each; ann was served longer ago";
  EXPECT_EQ(work(1, "j3").back(), "to 1: j6 #1");
}

TEST_F(JobBoardTest, AJobThatComesBackHasItsOldPlace) {
  submit("ann", {"FREE", "FREE"});
  ready(1);
  gone(1);
  ready(2);
  EXPECT_EQ(served(2), (Words{"j1", "j2"}));
}

// ---- worlds

TEST_F(JobBoardTest, AWorldIsToldOnceWhenAllOfItIsDone) {
  options_.jobs_per_engine = 9;
  ready(1);
  submit("ann", {"FREE", "FREE", "FREE"});
  EXPECT_FALSE(has(work(1, "j3"), "world j1 of 3"));
  EXPECT_FALSE(has(say(1, EngineSays::kFailed, "j1"), "world j1 of 3"));
  EXPECT_EQ(job("j2").state, JobState::kDispatched) << "a failed one leaves the others alone";
  EXPECT_TRUE(has(work(1, "j2"), "world j1 of 3"));
  EXPECT_EQ(complete(1, "j2"), Words{});
}

TEST_F(JobBoardTest, OneByOneBeginsWhatIsBeforeItIsDone) {
  options_.jobs_per_engine = 9;
  ready(1);
  submit("ann", {"FREE", "FREE", "ROW", "ROW", "FREE"});
  EXPECT_EQ(board().engines()[0].jobs, (Words{"j1", "j2", "j5"}));
  work(1, "j2");
  EXPECT_EQ(job("j3").state, JobState::kQueued);
  EXPECT_EQ(work(1, "j1").back(), "to 1: j3 #1");
  EXPECT_EQ(job("j4").state, JobState::kQueued);
  EXPECT_EQ(work(1, "j3").back(), "to 1: j4 #1");
  work(1, "j5");
  EXPECT_EQ(work(1, "j4").back(), "world j1 of 5");
}

TEST_F(JobBoardTest, OneByOneIsWithinAWorld) {
  options_.jobs_per_engine = 9;
  ready(1);
  submit("ann", {"ROW", "ROW"});
  submit("ann", {"ROW", "ROW"});
  EXPECT_EQ(board().engines()[0].jobs, (Words{"j1", "j3"}));
}

TEST_F(JobBoardTest, WhatWaitsForAFailedJobOfItsWorldFailsWithIt) {
  options_.jobs_per_engine = 9;
  ready(1);
  submit("ann", {"ROW", "FREE", "ROW", "ROW"});
  EXPECT_EQ(say(1, EngineSays::kFailed, "j1", std::nullopt, "bad"),
            (Words{"j1 failed", "end j1 bad", "FAILED j1", "j3 failed", "end j3 WORLD_FAILED",
                   "FAILED j3", "j4 failed", "end j4 WORLD_FAILED", "FAILED j4"}));
  EXPECT_EQ(work(1, "j2").back(), "world j1 of 4");
}

}  // namespace
}  // namespace signet::jobs
