// Database and Statement own SQLite's handles and fold its codes into what the writer can do about
// them. A failure sticks to the database until it is taken, and no statement runs until then: a
// transaction runs to its end and asks once. Used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "base/ids.h"
#include "base/time.h"
#include "signet/result.h"

namespace signet::store::sqlite {

enum class Failure : std::uint8_t {
  kNone,
  kDiskFull,     // no room: roll back, give up the reserve
  kUnavailable,  // locked, out of memory, read-only: roll back, retry later
  kFatal,        // the disk lied or the file is damaged: nothing read or written now can be trusted
};

class Database {
 public:
  enum class Access : std::uint8_t { kWrite, kRead };

  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Opens an existing file (an empty one is an empty database). REQUIRES: once, before the rest.
  // Fails kUnavailable.
  Status open(const std::string& path, Access access);

  // Runs SQL that answers nothing; false when it failed.
  bool execute(const char* sql);
  // The first number that `sql` answers; nullopt-like 0 when it failed or answered nothing.
  std::int64_t number(const char* sql);
  std::string text(const char* sql);

  std::int64_t changes() const { return sqlite3_changes64(handle()); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle()) == 0; }

  // Remembers the first failure since the last take_failure(), with its text.
  void note(int code);
  bool failed() const { return failure_ != Failure::kNone; }
  Failure take_failure();
  // Of the failure that was noted last; stays after it was taken.
  const std::string& failure_text() const { return failure_text_; }

  sqlite3* handle() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* handle) const { sqlite3_close(handle); }
  };
  std::unique_ptr<sqlite3, Close> handle_;
  Failure failure_ = Failure::kNone;
  std::string failure_text_;
};

// What a result code means, given the errno that SQLite kept with it.
Failure failure_of(int code, int system_error);

// Statement is one prepared piece of SQL. What is bound is borrowed until the statement is reset,
// which every row-less run() and every finished query does.
class Statement {
 public:
  enum class Step : std::uint8_t { kRow, kDone, kConstraint, kFailed };

  Statement(Database& database, const char* sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds all arguments and runs to the end.
  template <class... Arguments>
  Step run(const Arguments&... arguments) {
    start(arguments...);
    const Step step = next();
    if (step == Step::kRow) finish();
    return step;
  }

  // Binds all arguments; next() then walks the rows. Call finish() when leaving early.
  template <class... Arguments>
  void start(const Arguments&... arguments) {
    int place = 0;
    (bind(++place, arguments), ...);
  }
  Step next();
  bool row() { return next() == Step::kRow; }
  void finish() { sqlite3_reset(statement_.get()); }

  std::int64_t number(int column) const { return sqlite3_column_int64(statement_.get(), column); }
  bool is_null(int column) const {
    return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
  }
  ByteView bytes(int column) const;  // until the next step
  std::string_view text(int column) const { return text_of(bytes(column)); }
  // The bytes of a column that holds exactly N of them; zeros when it does not.
  template <std::size_t N>
  std::array<unsigned char, N> array(int column) const {
    std::array<unsigned char, N> out{};
    const ByteView from = bytes(column);
    if (from.size() == N) std::copy(from.begin(), from.end(), out.begin());
    return out;
  }

 private:
  void bind(int place, std::int64_t value) { sqlite3_bind_int64(statement_.get(), place, value); }
  void bind(int place, std::size_t value) { bind(place, static_cast<std::int64_t>(value)); }
  void bind(int place, bool value) { bind(place, std::int64_t{value}); }
  void bind(int place, WallTime value) { bind(place, value.ms); }
  template <class Tag>
  void bind(int place, Number<Tag> value) {
    bind(place, value.value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void bind(int place, Enum value) { bind(place, static_cast<std::int64_t>(value)); }
  void bind(int place, const std::string& text) {
    sqlite3_bind_text64(statement_.get(), place, text.data(), text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void bind(int place, ByteView bytes) {
    sqlite3_bind_blob64(statement_.get(), place, bytes.data(), bytes.size(), SQLITE_STATIC);
  }
  template <std::size_t N>
  void bind(int place, const std::array<unsigned char, N>& bytes) {
    bind(place, ByteView(bytes));
  }
  void bind(int place, std::nullptr_t) { sqlite3_bind_null(statement_.get(), place); }

  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  Database& database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace signet::store::sqlite
