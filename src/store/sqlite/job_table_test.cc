#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using jobs::Job;
using jobs::JobState;

// The job one change later.
Job next_of(Job job, JobState state) {
  job.state = state;
  ++job.version;
  return job;
}

Job with_version(Job job, std::uint64_t version) {
  job.version = version;
  return job;
}

void expect_same(const Job& got, const Job& put) {
  EXPECT_EQ(got.mesh, put.mesh);
  EXPECT_EQ(got.id, put.id);
  EXPECT_EQ(got.type, put.type);
  EXPECT_EQ(got.user, put.user);
  EXPECT_EQ(got.world, put.world);
  EXPECT_EQ(*got.spec, *put.spec);
  EXPECT_EQ(*got.payload, *put.payload);
  EXPECT_EQ(got.priority, put.priority);
  EXPECT_EQ(got.order, put.order);
  EXPECT_EQ(got.state, put.state);
  EXPECT_EQ(got.version, put.version);
  EXPECT_EQ(got.retries, put.retries);
  EXPECT_EQ(got.fence, put.fence);
  EXPECT_EQ(got.engine, put.engine);
  EXPECT_EQ(got.error, put.error);
  EXPECT_EQ(got.result, put.result);
  EXPECT_EQ(got.progress, put.progress);
  EXPECT_EQ(got.submitted, put.submitted);
  EXPECT_EQ(got.queued, put.queued);
  EXPECT_EQ(got.dispatched, put.dispatched);
  EXPECT_EQ(got.started, put.started);
  EXPECT_EQ(got.completed, put.completed);
}

std::vector<std::string> ids_of(const std::vector<Job>& jobs) {
  std::vector<std::string> ids;
  for (const Job& job : jobs) ids.push_back(job.id);
  return ids;
}

TEST_F(StoreTest, KeepsEveryFieldOfAJobThroughItsLifeAndARestart) {
  open();
  Job job = new_job(7);
  ASSERT_TRUE(put_jobs({job}).ok());
  ASSERT_EQ(load_jobs().size(), 1U);
  expect_same(load_jobs()[0], job);

  job = next_of(job, JobState::kCompleted);
  job.priority = 9;
  job.order = 70;
  job.retries = 2;
  job.fence = 5;
  job.engine = "engine-1";
  job.error = std::string("nul \0 and no UTF-8 \xff", 20);
  job.result = "{\"made\":true}";
  job.progress = "{\"step\":3}";
  job.submitted = {11};
  job.queued = {12};
  job.dispatched = {13};
  job.started = {14};
  job.completed = {15};
  ASSERT_TRUE(put_jobs({job}).ok());
  expect_same(load_jobs()[0], job);
  reopen();
  ASSERT_EQ(load_jobs().size(), 1U);
  expect_same(load_jobs()[0], job);
}

TEST_F(StoreTest, AnswersTheJobsOfAMeshInTheirOrder) {
  open();
  Job late = new_job(1);
  late.order = 40;
  Job other = new_job(2);
  other.mesh = {2};
  Job early = new_job(3);
  early.order = 4;
  ASSERT_TRUE(put_jobs({late, early}).ok());
  ASSERT_TRUE(put_jobs({other}, {}, 2).ok());
  EXPECT_EQ(ids_of(load_jobs()), (std::vector<std::string>{"job_3", "job_1"}));
  EXPECT_EQ(ids_of(load_jobs(2)), std::vector<std::string>{"job_2"});
  EXPECT_TRUE(load_jobs(3).empty());
}

TEST_F(StoreTest, KeepsOneSpecForAllJobsOfAWorld) {
  open();
  std::vector<Job> asked = {new_job(1), new_job(2, 1), new_job(3)};
  asked[1].spec = asked[0].spec;
  asked[2].spec = nullptr;
  asked[2].payload = nullptr;
  ASSERT_TRUE(put_jobs(asked).ok());
  EXPECT_EQ(rows("job_world"), 2);
  const std::vector<Job> jobs = load_jobs();
  ASSERT_EQ(jobs.size(), 3U);
  EXPECT_EQ(jobs[0].spec, jobs[1].spec) << "the very same text in memory";
  EXPECT_EQ(*jobs[0].spec, *asked[0].spec);
  EXPECT_EQ(*jobs[2].spec, "") << "nothing is nothing, not null";
  EXPECT_EQ(*jobs[2].payload, "");

  ASSERT_TRUE(put_jobs({}, {"job_1", "job_3"}).ok());
  EXPECT_EQ(rows("job_world"), 1) << "for as long as a job needs it";
  EXPECT_EQ(*load_jobs()[0].spec, *asked[0].spec);
  ASSERT_TRUE(put_jobs({}, {"job_2"}).ok());
  EXPECT_EQ(rows("job_world"), 0);
  EXPECT_TRUE(load_jobs().empty());
}

TEST_F(StoreTest, ForgetsOnlyTheJobsThatAreNamedOfThatMesh) {
  open();
  Job other = new_job(1);
  other.mesh = {2};
  ASSERT_TRUE(put_jobs({new_job(1), new_job(2)}).ok());
  ASSERT_TRUE(put_jobs({other}, {}, 2).ok());
  EXPECT_TRUE(put_jobs({}, {"job_1", "job_99"}).ok()) << "an unknown one is gone already";
  EXPECT_EQ(ids_of(load_jobs()), std::vector<std::string>{"job_2"});
  ASSERT_EQ(load_jobs(2).size(), 1U);
  EXPECT_EQ(*load_jobs(2)[0].spec, *other.spec);
  EXPECT_TRUE(put_jobs({new_job(1)}).ok()) << "it may be asked for anew";
}

TEST_F(StoreTest, WritesAJobOnlyOverTheVersionBefore) {
  struct Row {
    const char* name;
    Job job;
    bool holds;
  };
  const Job one = new_job(1);
  Job elsewhere = new_job(9);
  elsewhere.mesh = {2};
  // Each row goes on from the one before.
  const std::vector<Row> table = {
      {"a new one", one, true},
      {"a new one of an id that is there", one, false},
      {"a version that was skipped", with_version(one, 3), false},
      {"the next version", with_version(one, 2), true},
      {"the same version again", with_version(one, 2), false},
      {"a version that has passed", with_version(one, 1), false},
      {"the next but one", with_version(one, 4), false},
      {"the third", with_version(one, 3), true},
      {"one that was never there", with_version(new_job(2), 2), false},
      {"no version", with_version(new_job(3), 0), false},
      {"of another mesh", elsewhere, false},
  };
  open();
  for (const Row& row : table) {
    const Status status = put_jobs({row.job});
    EXPECT_EQ(status.ok(), row.holds) << row.name;
    if (!row.holds) {
      EXPECT_EQ(status.error().code, ErrorCode::kConflict) << row.name;
    }
  }
  ASSERT_EQ(load_jobs().size(), 1U);
  EXPECT_EQ(load_jobs()[0].version, 3U);
  EXPECT_EQ(rows("job_world"), 1) << "a refused job leaves no world";
}

TEST_F(StoreTest, WritesAllJobsOrNone) {
  open();
  const Job one = new_job(1);
  const Job two = new_job(2);
  ASSERT_TRUE(put_jobs({one, two}).ok());
  const Status status =
      put_jobs({next_of(one, JobState::kDispatched), new_job(3), with_version(two, 5)}, {"job_2"});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kConflict);
  const std::vector<Job> jobs = load_jobs();
  EXPECT_EQ(ids_of(jobs), (std::vector<std::string>{"job_1", "job_2"}));
  EXPECT_EQ(jobs[0].version, 1U);
  EXPECT_EQ(jobs[0].state, JobState::kQueued);
  EXPECT_EQ(rows("job_world"), 2);
}

TEST_F(StoreTest, WritesTwoChangesOfOneJobAtOnce) {
  open();
  const Job one = new_job(1);
  ASSERT_TRUE(put_jobs({one, next_of(one, JobState::kDispatched)}).ok());
  EXPECT_EQ(load_jobs()[0].state, JobState::kDispatched);
}

// Commands of one transaction: a refused one leaves the others as they are, and its own nothing.
TEST_F(StoreTest, AConflictOfJobsAbortsNothingElse) {
  open();
  const Job one = new_job(1);
  ASSERT_TRUE(put_jobs({one}).ok());
  std::string answers;
  const auto put = [&](const Job& job) {
    store_->put_jobs({job}, {1}, {}, thread_.mailbox(),
                     [&](const Status& status) { answers += status.ok() ? "good " : "bad "; });
  };
  store_->publish(publish_of({1, {11}}), thread_.mailbox(), [](PublishAnswer) {});
  put(next_of(one, JobState::kDispatched));
  put(next_of(one, JobState::kFailed));
  put(new_job(2));
  store_->publish(publish_of({2, {11}}), thread_.mailbox(), [](PublishAnswer) {});
  EXPECT_EQ(waiting(11).size(), 2U);
  EXPECT_EQ(answers, "good bad good ");
  EXPECT_EQ(load_jobs()[0].state, JobState::kDispatched);
  EXPECT_EQ(load_jobs().size(), 2U);
}

}  // namespace
}  // namespace signet::store::sqlite
