#include "client/database.h"

#include <cerrno>
#include <utility>

namespace signet::client {
namespace {

std::string_view code_for(Trouble trouble) {
  switch (trouble) {
    case Trouble::kFull:
      return "disk_full: there is no room for the state file";
    case Trouble::kBusy:
      return "state_busy: another process is writing to the state file";
    case Trouble::kDamaged:
      return "state_corrupt: the state file is damaged";
    case Trouble::kNone:
    case Trouble::kDisk:
      break;
  }
  return "disk: the state file can't be read or written";
}

}  // namespace

Trouble trouble_of(int code, int system_error) {
  switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return Trouble::kNone;
    case SQLITE_FULL:
      return Trouble::kFull;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Trouble::kBusy;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Trouble::kDamaged;
    case SQLITE_IOERR:
      // The index of the log could not grow: SQLite keeps no errno of that.
      if (code == SQLITE_IOERR_SHMSIZE) return Trouble::kFull;
      // A read past the end: the file is shorter than it says.
      if (code == SQLITE_IOERR_SHORT_READ) return Trouble::kDamaged;
      break;
    default:
      break;
  }
  const bool no_room = system_error == ENOSPC || system_error == EDQUOT;
  const int kind = code & 0xff;
  return no_room && (kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) ? Trouble::kFull
                                                                      : Trouble::kDisk;
}

Database::~Database() { close(); }

Status Database::open(const std::string& file, std::chrono::milliseconds busy_timeout) {
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(
      file.empty() ? ":memory:" : file.c_str(), &handle,
      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE,
      nullptr);
  handle_.reset(handle);
  if (code != SQLITE_OK) {
    if (handle == nullptr) return Error{ErrorCode::kUnavailable, "disk: out of memory"};
    note(code);
    return take_error();
  }
  sqlite3_busy_timeout(handle, static_cast<int>(busy_timeout.count()));
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (file.empty()) {
    // One of many in a process: no preallocated pool for each.
    sqlite3_db_config(handle, SQLITE_DBCONFIG_LOOKASIDE, nullptr, 0, 0);
  } else {
    sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
  return Done{};
}

void Database::trust() {
  sqlite3_db_config(handle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

void Database::close() { handle_.reset(); }

bool Database::run(const char* sql) {
  const int code = sqlite3_exec(handle(), sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) note(code);
  return code == SQLITE_OK;
}

std::int64_t Database::number(const char* sql) { return Statement(*this, sql).count(); }

std::string Database::text(const char* sql) {
  std::string found;
  Statement(*this, sql).first([&](const Statement& row) { found = row.string(0); });
  return found;
}

void Database::note(int code) {
  if (failed()) return;
  trouble_ = trouble_of(code, sqlite3_system_errno(handle()));
  why_ = std::string(sqlite3_errstr(code)) + ": " + sqlite3_errmsg(handle());
}

Error Database::take_error() {
  const Trouble trouble = std::exchange(trouble_, Trouble::kNone);
  const ErrorCode code =
      trouble == Trouble::kDamaged ? ErrorCode::kMalformed : ErrorCode::kUnavailable;
  return {code, std::string(code_for(trouble)) + " (" + why_ + ")"};
}

void Database::roll_back() {
  // Some failures end the transaction by themselves.
  if (sqlite3_get_autocommit(handle()) == 0) run("ROLLBACK");
}

bool Statement::prepare() {
  // A failure may have ended the transaction: what came after it would be kept without it.
  if (database_.failed()) return false;
  if (statement_ != nullptr) return true;
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(database_.handle(), sql_, -1, SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  statement_.reset(statement);
  if (code != SQLITE_OK) database_.note(code);
  return code == SQLITE_OK;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) database_.note(code);
  return false;
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

std::string_view Statement::text(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {data == nullptr ? "" : data, static_cast<std::size_t>(size)};
}

// A null pointer would be bound as NULL, and an empty view may have one.
void Statement::bind(int place, std::string_view text) {
  sqlite3_bind_text64(statement_.get(), place, text.empty() ? "" : text.data(), text.size(),
                      SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind(int place, Blob blob) {
  sqlite3_bind_blob64(statement_.get(), place, blob.bytes.empty() ? "" : blob.bytes.data(),
                      blob.bytes.size(), SQLITE_STATIC);
}

}  // namespace signet::client
