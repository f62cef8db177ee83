#include "store/sqlite/sealed_table.h"

#include <algorithm>

namespace signet::store::sqlite {
namespace {

std::vector<SealedReport> reports_of(Statement& found, const std::string& name) {
  std::vector<SealedReport> reports;
  while (found.row()) {
    reports.push_back({static_cast<std::uint64_t>(found.number(0)),
                       name,
                       {found.number(1)},
                       std::string(found.text(2))});
  }
  return reports;
}

}  // namespace

SealedTable::SealedTable(Database& database)
    : database_(database),
      insert_row_(database, "INSERT INTO sealed VALUES(?, ?, ?, 1, ?)"),
      update_row_(database,
                  "UPDATE sealed SET version = ?4, bytes = ?5"
                  " WHERE mesh = ?1 AND kind = ?2 AND name = ?3 AND version = ?4 - 1"),
      delete_row_(database, "DELETE FROM sealed WHERE mesh = ? AND kind = ? AND name = ?"),
      insert_report_(database,
                     "INSERT INTO sealed_report(mesh, name, at, bytes) VALUES(?, ?, ?, ?)"),
      forget_of_name_(database, "DELETE FROM sealed_report WHERE mesh = ? AND name = ? AND at < ?"),
      forget_of_any_(database, "DELETE FROM sealed_report WHERE mesh = ? AND at < ?") {}

bool SealedTable::put(const CommitSealed& what) {
  const bool good = std::all_of(what.rows.begin(), what.rows.end(),
                                [&](const SealedRow& row) { return put(what.mesh, row); });
  if (!good) return false;
  for (const ForgetReports& old : what.forget) {
    if (old.name.empty()) {
      forget_of_any_.run(what.mesh, old.before);
    } else {
      forget_of_name_.run(what.mesh, old.name, old.before);
    }
  }
  for (const SealedReport& report : what.reports) {
    insert_report_.run(what.mesh, report.name, report.at, bytes_of(report.bytes));
  }
  return !database_.failed();
}

bool SealedTable::put(MeshNumber mesh, const SealedRow& row) {
  if (row.bytes.empty()) {
    return delete_row_.run(mesh, row.kind, row.name) == Statement::Step::kDone;
  }
  if (row.version == 1) {
    return insert_row_.run(mesh, row.kind, row.name, bytes_of(row.bytes)) == Statement::Step::kDone;
  }
  const auto step = update_row_.run(mesh, row.kind, row.name, row.version, bytes_of(row.bytes));
  return step == Statement::Step::kDone && database_.changes() > 0;
}

SealedRows::SealedRows(Database& database)
    : find_rows_(database,
                 "SELECT kind, name, version, bytes FROM sealed WHERE mesh = ?"
                 " ORDER BY kind, name"),
      find_reports_(database,
                    "SELECT number, at, bytes FROM sealed_report"
                    " WHERE mesh = ? AND name = ? AND number > ? ORDER BY number LIMIT ?"),
      find_newest_(database,
                   "SELECT number, at, bytes FROM sealed_report"
                   " WHERE mesh = ? AND name = ? ORDER BY number DESC LIMIT ?") {}

std::vector<SealedRow> SealedRows::load(MeshNumber mesh) {
  std::vector<SealedRow> rows;
  find_rows_.start(mesh);
  while (find_rows_.row()) {
    rows.push_back({std::string(find_rows_.text(0)), std::string(find_rows_.text(1)),
                    static_cast<std::uint64_t>(find_rows_.number(2)),
                    std::string(find_rows_.text(3))});
  }
  return rows;
}

std::vector<SealedReport> SealedRows::reports(MeshNumber mesh, const std::string& name,
                                              std::uint64_t after, std::size_t limit) {
  find_reports_.start(mesh, name, after, limit);
  return reports_of(find_reports_, name);
}

std::vector<SealedReport> SealedRows::newest(MeshNumber mesh, const std::string& name,
                                             std::size_t limit) {
  find_newest_.start(mesh, name, limit);
  std::vector<SealedReport> reports = reports_of(find_newest_, name);
  std::reverse(reports.begin(), reports.end());
  return reports;
}

}  // namespace signet::store::sqlite
