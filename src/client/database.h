// Database and Statement own SQLite's handles for the client's state, and Database::write makes one
// transaction of a piece of work. A failure sticks to the database until it is taken, so work runs
// to its end and is asked once; whatever it answered is then replaced by the failure.
//
// Used under one lock (State's). Nothing throws.
#pragma once

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "signet/result.h"

namespace signet::client {

// What a failure of SQLite means for whoever asked.
enum class Trouble : std::uint8_t {
  kNone,
  kFull,     // no room: nothing was changed, it works again when there is some
  kBusy,     // another process was writing for longer than the timeout
  kDamaged,  // this is no healthy database
  kDisk,     // read-only, gone, out of memory, or it failed to write
};
Trouble trouble_of(int code, int system_error);

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Opens an existing file (an empty one is an empty database), or one in memory when `file` is
  // empty. Until trust() the file is only looked at: closing leaves its log as it is.
  // REQUIRES: once, before the rest.
  Status open(const std::string& file, std::chrono::milliseconds busy_timeout);
  void trust();
  // REQUIRES: no Statement of it is left.
  void close();

  bool run(const char* sql);
  // The first column of the first row; 0 or empty when there is none or it failed.
  std::int64_t number(const char* sql);
  std::string text(const char* sql);

  // Runs `work` as one transaction, on disk when this returns. `work` answers a Result; an error of
  // its own, like a failure of the database, leaves everything as it was.
  template <class Work>
  auto write(Work work) -> std::invoke_result_t<Work> {
    if (!run("BEGIN IMMEDIATE")) return take_error();
    auto answer = work();
    if (failed() || !answer.ok()) {
      roll_back();
      if (failed()) return take_error();
      return answer;
    }
    if (run("COMMIT")) return answer;
    roll_back();
    return take_error();
  }
  // Runs `work` on one state of the data: what other processes write meanwhile is not seen.
  template <class Work>
  auto read(Work work) -> std::invoke_result_t<Work> {
    if (!run("BEGIN")) return take_error();
    auto answer = work();
    roll_back();
    if (failed()) return take_error();
    return answer;
  }

  void note(int code);  // remembers the first failure
  bool failed() const { return trouble_ != Trouble::kNone; }
  Trouble trouble() const { return trouble_; }
  // What failed, beginning with its code: disk_full, state_busy, disk (kUnavailable) or
  // state_corrupt (kMalformed). Nothing has failed afterwards. REQUIRES: failed().
  Error take_error();

  std::int64_t changes() const { return sqlite3_changes64(handle_.get()); }
  std::int64_t last_row() const { return sqlite3_last_insert_rowid(handle_.get()); }
  sqlite3* handle() const { return handle_.get(); }

 private:
  void roll_back();

  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  Trouble trouble_ = Trouble::kNone;
  std::string why_;
};

// Blob marks bytes that are bound as a blob. Borrows.
struct Blob {
  std::string_view bytes;
};

// Statement is one piece of SQL, prepared when it is first used and kept. What is bound is borrowed
// until the call returns; what a row shows, until the row's function returns.
class Statement {
 public:
  Statement(Database& database, const char* sql) : database_(database), sql_(sql) {}
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Runs to the end; the number of rows it changed, 0 when it failed.
  template <class... Arguments>
  std::int64_t run(const Arguments&... arguments) {
    return each([](const Statement&) {}, arguments...) ? database_.changes() : 0;
  }
  // Calls `row` for each; false when it failed, perhaps midway.
  template <class Row, class... Arguments>
  bool each(Row row, const Arguments&... arguments) {
    if (!start(arguments...)) return false;
    while (step()) row(*this);
    reset();
    return !database_.failed();
  }
  // Calls `row` for the first; false when there is none or it failed.
  template <class Row, class... Arguments>
  bool first(Row row, const Arguments&... arguments) {
    if (!start(arguments...)) return false;
    const bool is_there = step();
    if (is_there) row(*this);
    reset();
    return is_there;
  }
  template <class... Arguments>
  std::int64_t count(const Arguments&... arguments) {
    std::int64_t found = 0;
    first([&](const Statement& row) { found = row.number(0); }, arguments...);
    return found;
  }
  template <class... Arguments>
  bool exists(const Arguments&... arguments) {
    return first([](const Statement&) {}, arguments...);
  }

  std::int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  std::string_view text(int column) const;  // of a text or a blob
  std::string string(int column) const { return std::string(text(column)); }
  bool is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }

 private:
  template <class... Arguments>
  bool start(const Arguments&... arguments) {
    if (!prepare()) return false;
    int place = 0;
    (bind(++place, arguments), ...);
    return true;
  }
  bool prepare();
  bool step();
  void reset();

  void bind(int place, std::int64_t value) { sqlite3_bind_int64(statement_.get(), place, value); }
  void bind(int place, std::size_t value) { bind(place, static_cast<std::int64_t>(value)); }
  void bind(int place, bool value) { bind(place, std::int64_t{value}); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void bind(int place, Enum value) { bind(place, static_cast<std::int64_t>(value)); }
  void bind(int place, std::string_view text);
  void bind(int place, const std::string& text) { bind(place, std::string_view(text)); }
  void bind(int place, Blob blob);

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Database& database_;
  const char* sql_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace signet::client
