#include "store/sqlite/job_table.h"

#include <algorithm>
#include <unordered_map>

#include "crypto/hash.h"

namespace signet::store::sqlite {
namespace {

using Text = std::shared_ptr<const std::string>;

const std::string& content_of(const Text& shared) {
  static const std::string none;
  return shared == nullptr ? none : *shared;
}

std::string owned(std::string_view text) { return std::string(text); }

constexpr char kFindJobs[] =
    "SELECT id, type, user, world, payload, priority, place, state, version, retries, fence,"
    " engine, error, result, progress, submitted, queued, dispatched, started, completed"
    " FROM job WHERE mesh = ?";

jobs::Job job_of(const Statement& row) {
  jobs::Job job;
  job.id = owned(row.text(0));
  job.type = owned(row.text(1));
  job.user = owned(row.text(2));
  job.world = owned(row.text(3));
  job.payload = std::make_shared<const std::string>(row.text(4));
  job.priority = static_cast<std::int32_t>(row.number(5));
  job.order = static_cast<std::uint64_t>(row.number(6));
  job.state = static_cast<jobs::JobState>(row.number(7));
  job.version = static_cast<std::uint64_t>(row.number(8));
  job.retries = static_cast<std::uint32_t>(row.number(9));
  job.fence = static_cast<std::uint64_t>(row.number(10));
  job.engine = owned(row.text(11));
  job.error = owned(row.text(12));
  job.result = owned(row.text(13));
  job.progress = owned(row.text(14));
  job.submitted = {row.number(15)};
  job.queued = {row.number(16)};
  job.dispatched = {row.number(17)};
  job.started = {row.number(18)};
  job.completed = {row.number(19)};
  return job;
}

}  // namespace

JobTable::JobTable(Database& database)
    : database_(database),
      insert_world_(database, "INSERT OR IGNORE INTO job_world VALUES(?, ?, ?)"),
      insert_job_(database,
                  "INSERT INTO job VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                  " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)"),
      update_job_(database,
                  "UPDATE job SET priority = ?3, place = ?4, state = ?5, version = ?6,"
                  " retries = ?7, fence = ?8, engine = ?9, error = ?10, result = ?11,"
                  " progress = ?12, submitted = ?13, queued = ?14, dispatched = ?15,"
                  " started = ?16, completed = ?17"
                  " WHERE mesh = ?1 AND id = ?2 AND version = ?6 - 1"),
      delete_job_(database, "DELETE FROM job WHERE mesh = ? AND id = ? RETURNING world"),
      delete_world_(database,
                    "DELETE FROM job_world WHERE mesh = ?1 AND world = ?2 AND NOT EXISTS"
                    " (SELECT 1 FROM job WHERE mesh = ?1 AND world = ?2)") {}

bool JobTable::put(const std::vector<jobs::Job>& rows, MeshNumber mesh,
                   const std::vector<std::string>& forgotten) {
  const bool good = std::all_of(rows.begin(), rows.end(), [&](const jobs::Job& job) {
    return job.mesh == mesh && (job.version == 1 ? add(job) : change(job));
  });
  if (!good) return false;
  for (const std::string& id : forgotten) forget(mesh, id);
  return true;
}

bool JobTable::add(const jobs::Job& job) {
  insert_world_.run(job.mesh, job.world, content_of(job.spec));
  return insert_job_.run(job.mesh, job.id, job.type, job.user, job.world, content_of(job.payload),
                         std::int64_t{job.priority}, job.order, job.state, job.version,
                         std::int64_t{job.retries}, job.fence, job.engine, job.error, job.result,
                         job.progress, job.submitted, job.queued, job.dispatched, job.started,
                         job.completed) == Statement::Step::kDone;
}

bool JobTable::change(const jobs::Job& job) {
  const auto step = update_job_.run(job.mesh, job.id, std::int64_t{job.priority}, job.order,
                                    job.state, job.version, std::int64_t{job.retries}, job.fence,
                                    job.engine, job.error, job.result, job.progress, job.submitted,
                                    job.queued, job.dispatched, job.started, job.completed);
  return step == Statement::Step::kDone && database_.changes() > 0;
}

void JobTable::forget(MeshNumber mesh, const std::string& id) {
  delete_job_.start(mesh, id);
  if (!delete_job_.row()) return;
  const std::string world(delete_job_.text(0));
  delete_job_.finish();
  delete_world_.run(mesh, world);
}

JobRows::JobRows(Database& database)
    : database_(database),
      find_worlds_(database, "SELECT world, spec FROM job_world WHERE mesh = ?"),
      find_jobs_(database, kFindJobs) {}

std::vector<jobs::Job> JobRows::load(MeshNumber mesh) {
  database_.execute("BEGIN");  // worlds and jobs of one moment
  std::unordered_map<std::string, Text, crypto::KeyedHash> specs;
  find_worlds_.start(mesh);
  while (find_worlds_.row()) {
    specs[owned(find_worlds_.text(0))] = std::make_shared<const std::string>(find_worlds_.text(1));
  }
  std::vector<jobs::Job> jobs;
  find_jobs_.start(mesh);
  while (find_jobs_.row()) {
    jobs.push_back(job_of(find_jobs_));
    jobs.back().mesh = mesh;
    jobs.back().spec = specs[jobs.back().world];
  }
  if (database_.in_transaction()) database_.execute("COMMIT");
  std::sort(jobs.begin(), jobs.end(),
            [](const jobs::Job& one, const jobs::Job& other) { return one.order < other.order; });
  return jobs;
}

}  // namespace signet::store::sqlite
