// SealedTable keeps rows and reports whose bytes only their owner can read; SealedRows reads them.
#pragma once

#include <string>
#include <vector>

#include "store/sqlite/database.h"
#include "store/store.h"

namespace signet::store::sqlite {

// Writer thread, inside its transactions.
class SealedTable {
 public:
  explicit SealedTable(Database& database);

  // Writes rows and reports and forgets what is to be forgotten. False when a row is not of the
  // version before, or is first seen with another version than 1; then the caller rolls back to
  // where the command began.
  bool put(const CommitSealed& what);

 private:
  bool put(MeshNumber mesh, const SealedRow& row);

  Database& database_;
  Statement insert_row_;
  Statement update_row_;
  Statement delete_row_;
  Statement insert_report_;
  Statement forget_of_name_;
  Statement forget_of_any_;
};

// Reader thread. What is answered is to be used only when the database has not failed.
class SealedRows {
 public:
  explicit SealedRows(Database& database);

  std::vector<SealedRow> load(MeshNumber mesh);
  std::vector<SealedReport> reports(MeshNumber mesh, const std::string& name, std::uint64_t after,
                                    std::size_t limit);
  // The last ones, in the same order.
  std::vector<SealedReport> newest(MeshNumber mesh, const std::string& name, std::size_t limit);

 private:
  Statement find_rows_;
  Statement find_reports_;
  Statement find_newest_;
};

}  // namespace signet::store::sqlite
