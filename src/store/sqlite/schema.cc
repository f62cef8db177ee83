#include "store/sqlite/schema.h"

#include <iterator>
#include <string>
#include <vector>

namespace signet::store::sqlite {
namespace {

// Version 1. Times are milliseconds since 1970. The tables that a publish writes have one tree
// each: `sent` is swept by walking it, `mailbox` by recipient, so neither needs an index more.
const std::vector<const char*>& version_1() {
  static const std::vector<const char*> statements = {
      "CREATE TABLE state(name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID",
      "INSERT INTO state VALUES('next_message', 1), ('probe', 0)",

      // Every message that was taken, so that a retry is not a second one.
      "CREATE TABLE sent(id BLOB PRIMARY KEY, content BLOB NOT NULL, created INTEGER NOT NULL,"
      " queued INTEGER NOT NULL) STRICT, WITHOUT ROWID",

      // Content, for as long as a row of mailbox or dead_letter names it.
      "CREATE TABLE message(number INTEGER PRIMARY KEY, id BLOB NOT NULL, mesh INTEGER NOT NULL,"
      " sender INTEGER NOT NULL, priority INTEGER NOT NULL, receipts INTEGER NOT NULL,"
      " created INTEGER NOT NULL, expires INTEGER NOT NULL, target TEXT NOT NULL,"
      " body BLOB NOT NULL) STRICT",
      "CREATE TABLE mailbox(recipient INTEGER NOT NULL, number INTEGER NOT NULL,"
      " priority INTEGER NOT NULL, due INTEGER NOT NULL, PRIMARY KEY(recipient, number))"
      " STRICT, WITHOUT ROWID",
      "CREATE TABLE dead_letter(mesh INTEGER NOT NULL, number INTEGER NOT NULL,"
      " recipient INTEGER NOT NULL, reason INTEGER NOT NULL, died INTEGER NOT NULL,"
      " PRIMARY KEY(mesh, number, recipient)) STRICT, WITHOUT ROWID",
      "CREATE INDEX dead_letter_died ON dead_letter(died)",

      "CREATE TABLE mesh(number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,"
      " slug TEXT NOT NULL UNIQUE, owner BLOB, root_key TEXT NOT NULL,"
      " max_connections INTEGER NOT NULL, legacy_join INTEGER NOT NULL) STRICT",
      "CREATE TABLE member(number INTEGER PRIMARY KEY, mesh INTEGER NOT NULL, id TEXT NOT NULL,"
      " key BLOB NOT NULL, display_name TEXT NOT NULL, role INTEGER NOT NULL,"
      " standing INTEGER NOT NULL, joined INTEGER NOT NULL, UNIQUE(mesh, key), UNIQUE(mesh, id))"
      " STRICT",
      "CREATE TABLE member_tag(member INTEGER NOT NULL, tag TEXT NOT NULL,"
      " PRIMARY KEY(member, tag)) STRICT, WITHOUT ROWID",
      "CREATE TABLE invite(digest BLOB PRIMARY KEY, mesh INTEGER NOT NULL, role INTEGER NOT NULL,"
      " max_uses INTEGER NOT NULL, uses INTEGER NOT NULL, expires INTEGER NOT NULL,"
      " revoked INTEGER NOT NULL) STRICT, WITHOUT ROWID",
      "CREATE TABLE channel(mesh INTEGER NOT NULL, name TEXT NOT NULL, member INTEGER NOT NULL,"
      " PRIMARY KEY(mesh, name, member)) STRICT, WITHOUT ROWID",

      "CREATE TABLE hello(member INTEGER NOT NULL, timestamp INTEGER NOT NULL,"
      " digest BLOB NOT NULL, PRIMARY KEY(member, timestamp, digest)) STRICT, WITHOUT ROWID",
      "CREATE TABLE hello_floor(member INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL) STRICT",

      "PRAGMA application_id = 1397182036",  // kApplicationId
      "PRAGMA user_version = 1",
  };
  return statements;
}

// Version 2. A member may have no key, which SQLite can only say by making its table anew; NULL is
// never equal to NULL, so members without a key don't stand in each other's way. A source is a
// client that proves itself by a secret shared with the broker: the proof needs the secret itself,
// so it lies here as it is. `source` '*' is the one that any client of its mesh may show.
const std::vector<const char*>& version_2() {
  static const std::vector<const char*> statements = {
      "CREATE TABLE member_2(number INTEGER PRIMARY KEY, mesh INTEGER NOT NULL, id TEXT NOT NULL,"
      " key BLOB, display_name TEXT NOT NULL, role INTEGER NOT NULL,"
      " standing INTEGER NOT NULL, joined INTEGER NOT NULL, UNIQUE(mesh, key), UNIQUE(mesh, id))"
      " STRICT",
      "INSERT INTO member_2 SELECT * FROM member",
      "DROP TABLE member",
      "ALTER TABLE member_2 RENAME TO member",
      "CREATE TABLE source(mesh INTEGER NOT NULL, source TEXT NOT NULL, member INTEGER NOT NULL,"
      " secret BLOB, previous BLOB, previous_until INTEGER NOT NULL,"
      " revoked INTEGER NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY(mesh, source))"
      " STRICT, WITHOUT ROWID",
      "PRAGMA user_version = 2",
  };
  return statements;
}

// Version 3. The Merkle log: its lines, the hashes of all whole subtrees by
// crypto::merkle_position(), and the heads that were signed. Tokens that were taken back: by their
// id, or (then `token` is '') all of a subject from before a moment.
const std::vector<const char*>& version_3() {
  static const std::vector<const char*> statements = {
      "CREATE TABLE log_entry(number INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT",
      "CREATE TABLE log_hash(position INTEGER PRIMARY KEY, hash BLOB NOT NULL) STRICT",
      "CREATE TABLE log_checkpoint(entries INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT",
      "INSERT INTO state VALUES('log_bytes', 0)",
      R"(CREATE TABLE token_revocation(mesh INTEGER NOT NULL, token TEXT NOT NULL,
          subject TEXT NOT NULL, issued_before INTEGER NOT NULL, until INTEGER NOT NULL,
          PRIMARY KEY(mesh, token, subject)) STRICT, WITHOUT ROWID)",
      "PRAGMA user_version = 3",
  };
  return statements;
}

// Version 4. Nonces that were spent, until they need not be known any more, and the spans of time
// of which some may have been forgotten. Jobs, and once for all jobs of a world what it was asked
// with: no trees without row numbers, which are made for small rows.
const std::vector<const char*>& version_4() {
  static const std::vector<const char*> statements = {
      "CREATE TABLE nonce(member INTEGER NOT NULL, digest BLOB NOT NULL, until INTEGER NOT NULL,"
      " PRIMARY KEY(member, digest)) STRICT, WITHOUT ROWID",
      "CREATE INDEX nonce_until ON nonce(until)",
      "CREATE TABLE nonce_span(first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT",
      "CREATE TABLE job(mesh INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,"
      " user TEXT NOT NULL, world TEXT NOT NULL, payload TEXT NOT NULL, priority INTEGER NOT NULL,"
      " place INTEGER NOT NULL, state INTEGER NOT NULL, version INTEGER NOT NULL,"
      " retries INTEGER NOT NULL, fence INTEGER NOT NULL, engine TEXT NOT NULL,"
      " error TEXT NOT NULL, result TEXT NOT NULL, progress TEXT NOT NULL,"
      " submitted INTEGER NOT NULL, queued INTEGER NOT NULL, dispatched INTEGER NOT NULL,"
      " started INTEGER NOT NULL, completed INTEGER NOT NULL, PRIMARY KEY(mesh, id)) STRICT",
      "CREATE INDEX job_of_world ON job(mesh, world)",
      "CREATE TABLE job_world(mesh INTEGER NOT NULL, world TEXT NOT NULL, spec TEXT NOT NULL,"
      " PRIMARY KEY(mesh, world)) STRICT",
      "PRAGMA user_version = 4",
  };
  return statements;
}

// Version 5. Rows that their owner has sealed, and reports that it keeps for a time.
const std::vector<const char*>& version_5() {
  static const std::vector<const char*> statements = {
      "CREATE TABLE sealed(mesh INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
      " version INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY(mesh, kind, name)) STRICT",
      "CREATE TABLE sealed_report(number INTEGER PRIMARY KEY, mesh INTEGER NOT NULL,"
      " name TEXT NOT NULL, at INTEGER NOT NULL, bytes BLOB NOT NULL) STRICT",
      "CREATE INDEX sealed_report_of_name ON sealed_report(mesh, name, number)",
      "CREATE INDEX sealed_report_at ON sealed_report(mesh, at)",
      "PRAGMA user_version = 5",
  };
  return statements;
}

// Step n, from 0, leads to version n + 1.
using Step = const std::vector<const char*>& (*)();
constexpr Step kSteps[] = {version_1, version_2, version_3, version_4, version_5};
static_assert(std::size(kSteps) == kSchemaVersion);

Status failed(Database& database, ErrorCode code, const std::string& what) {
  database.take_failure();
  return Error{code, what + ": " + database.failure_text()};
}

Status run_step(Database& database, const std::vector<const char*>& statements,
                const std::function<void()>& before_statement) {
  bool good = database.execute("BEGIN IMMEDIATE");
  for (const char* sql : statements) {
    if (good) before_statement();
    good = good && database.execute(sql);
  }
  if (good) before_statement();
  if (good && database.execute("COMMIT")) return Done{};
  if (database.in_transaction()) database.execute("ROLLBACK");
  return failed(database, ErrorCode::kUnavailable, "the schema could not be written");
}

}  // namespace

Status configure(Database& database, bool synchronous_full) {
  database.number("SELECT COUNT(*) FROM sqlite_schema");
  if (database.failed()) {
    const bool full = database.take_failure() == Failure::kDiskFull;
    return full ? failed(database, ErrorCode::kUnavailable, "the disk is full")
                : failed(database, ErrorCode::kMalformed, "not a database of Signet");
  }
  if (database.text("PRAGMA journal_mode = WAL") != "wal") {
    return failed(database, ErrorCode::kUnavailable, "the database refuses write-ahead logging");
  }
  // secure_delete FAST: overwrites what is deleted where that costs no further page.
  // The writer checkpoints itself, because an automatic checkpoint hides a failed sync.
  database.execute(synchronous_full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  database.execute("PRAGMA wal_autocheckpoint = 0");
  database.execute("PRAGMA secure_delete = FAST");
  database.execute("PRAGMA temp_store = MEMORY");
  database.execute("PRAGMA cache_size = -16384");            // 16 MiB
  database.execute("PRAGMA journal_size_limit = 67108864");  // 64 MiB
  const std::int64_t level = database.number("PRAGMA synchronous");
  if (database.failed()) return failed(database, ErrorCode::kUnavailable, "settings refused");
  if (level != (synchronous_full ? 2 : 1)) {
    return Error{ErrorCode::kUnavailable,
                 "synchronous is not in force: the database answers " + std::to_string(level)};
  }
  return Done{};
}

Status migrate(Database& database, const std::function<void()>& before_statement, std::int64_t to) {
  const std::int64_t application = database.number("PRAGMA application_id");
  const std::int64_t version = database.number("PRAGMA user_version");
  const std::int64_t tables = database.number("SELECT COUNT(*) FROM sqlite_schema");
  if (database.failed()) return failed(database, ErrorCode::kMalformed, "unreadable database");
  const bool empty = application == 0 && version == 0 && tables == 0;
  if (!empty && application != kApplicationId) {
    return Error{ErrorCode::kMalformed, "the database belongs to another program"};
  }
  if (version > kSchemaVersion) {
    return Error{ErrorCode::kMalformed,
                 "the database has schema " + std::to_string(version) + ", this program knows " +
                     std::to_string(kSchemaVersion) + ": run a newer program"};
  }
  for (std::int64_t step = version; step < to; ++step) {
    Status done = run_step(database, kSteps[static_cast<std::size_t>(step)](), before_statement);
    if (!done.ok()) return done;
  }
  return Done{};
}

}  // namespace signet::store::sqlite
