#include "store/sqlite/database.h"

#include <cerrno>

namespace signet::store::sqlite {

Failure failure_of(int code, int system_error) {
  const bool no_room = system_error == ENOSPC || system_error == EDQUOT;
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return Failure::kNone;
    case SQLITE_FULL:
      return Failure::kDiskFull;
    case SQLITE_IOERR:
      // After a failed fsync the kernel may have dropped the pages: that is never "no room, later".
      if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC) return Failure::kFatal;
      if (code == SQLITE_IOERR_NOMEM) return Failure::kUnavailable;
      // The index of the log could not grow; SQLite keeps no errno of that, and nothing was
      // written.
      if (code == SQLITE_IOERR_SHMSIZE) return Failure::kDiskFull;
      return no_room ? Failure::kDiskFull : Failure::kFatal;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_INTERRUPT:
      return Failure::kUnavailable;
    default:
      return Failure::kFatal;  // damaged, not a database, or SQL that is wrong
  }
}

Status Database::open(const std::string& path, Access access) {
  const int mode = access == Access::kWrite ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      path.c_str(), &handle,
      mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    return Error{ErrorCode::kUnavailable, "cannot open " + path + ": " + sqlite3_errstr(code)};
  }
  sqlite3_busy_timeout(handle, 5'000);
  return Done{};
}

bool Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) note(code);
  return code == SQLITE_OK;
}

std::int64_t Database::number(const char* sql) {
  Statement statement(*this, sql);
  return statement.row() ? statement.number(0) : 0;
}

std::string Database::text(const char* sql) {
  Statement statement(*this, sql);
  return statement.row() ? std::string(statement.text(0)) : std::string();
}

void Database::note(int code) {
  if (failed()) return;
  failure_ = failure_of(code, sqlite3_system_errno(handle()));
  failure_text_ = std::string(sqlite3_errstr(code)) + ": " + sqlite3_errmsg(handle());
}

Failure Database::take_failure() { return std::exchange(failure_, Failure::kNone); }

Statement::Statement(Database& database, const char* sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) database.note(code);
}

Statement::Step Statement::next() {
  // Some failures end the transaction by themselves; what ran after one would be committed alone.
  if (database_.failed()) {
    sqlite3_reset(statement_.get());
    return Step::kFailed;
  }
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return Step::kRow;
  sqlite3_reset(statement_.get());
  if (code == SQLITE_DONE) return Step::kDone;
  if ((code & 0xff) == SQLITE_CONSTRAINT) return Step::kConstraint;
  database_.note(code);
  return Step::kFailed;
}

ByteView Statement::bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const unsigned char*>(data), static_cast<std::size_t>(size)};
}

}  // namespace signet::store::sqlite
