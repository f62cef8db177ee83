// JobTable keeps the rows of jobs, and JobRows reads them. What a world was asked with lies there
// once for all its jobs.
#pragma once

#include <string>
#include <vector>

#include "jobs/job.h"
#include "store/sqlite/database.h"

namespace signet::store::sqlite {

// Writer thread, inside its transactions.
class JobTable {
 public:
  explicit JobTable(Database& database);

  // Writes all rows and removes the forgotten; unknown ones of these are ignored. False when a row
  // is not of the version before, or is first seen with another version than 1. After false the
  // caller rolls back to where the command began.
  bool put(const std::vector<jobs::Job>& rows, MeshNumber mesh,
           const std::vector<std::string>& forgotten);

 private:
  bool add(const jobs::Job& job);
  bool change(const jobs::Job& job);
  void forget(MeshNumber mesh, const std::string& id);

  Database& database_;
  Statement insert_world_;
  Statement insert_job_;
  Statement update_job_;
  Statement delete_job_;
  Statement delete_world_;
};

// Reader thread.
class JobRows {
 public:
  explicit JobRows(Database& database);

  // All of a mesh in their order. What is answered is to be used only when the database has not
  // failed.
  std::vector<jobs::Job> load(MeshNumber mesh);

 private:
  Database& database_;
  Statement find_worlds_;
  Statement find_jobs_;
};

}  // namespace signet::store::sqlite
