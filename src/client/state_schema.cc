#include "client/state_schema.h"

#include <string>

#include "crypto/hash.h"

namespace signet::client {
namespace {

constexpr std::string_view kOwnerDomain = "signet/state/owner";
constexpr std::string_view kIdentityKind = "meta.identity";
constexpr std::string_view kIdentityRow = "identity";
constexpr std::string_view kIdentityText = "this state belongs to who can read this";

// outbox.state is a SendState; number is the order of sending, finished the order of the ends.
// inbox.number is the order of arrival and seen.number the same; confirmed is the order in which
// they were read, null while they are unread.
constexpr const char* kTables = R"sql(
  CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

  CREATE TABLE outbox(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket TEXT NOT NULL UNIQUE,
    target TEXT NOT NULL,
    text BLOB,                              -- sealed; null once finished
    priority INTEGER NOT NULL,
    receipts INTEGER NOT NULL,
    sealed INTEGER NOT NULL,
    nonce TEXT NOT NULL DEFAULT '',
    ciphertext BLOB,                        -- sealed: it may be text in the clear
    audience TEXT NOT NULL DEFAULT '',
    state INTEGER NOT NULL DEFAULT 0,
    why TEXT NOT NULL DEFAULT '',
    message_id TEXT NOT NULL DEFAULT '',
    recipients INTEGER NOT NULL DEFAULT 0,
    holder TEXT,
    finished INTEGER);
  CREATE INDEX outbox_waiting ON outbox(number) WHERE finished IS NULL;
  CREATE INDEX outbox_finished ON outbox(finished) WHERE finished IS NOT NULL;
  CREATE INDEX outbox_message ON outbox(message_id) WHERE message_id <> '';
  CREATE TABLE outbox_by(number INTEGER, member TEXT, PRIMARY KEY(number, member)) WITHOUT ROWID;

  CREATE TABLE inbox(
    number INTEGER PRIMARY KEY,
    message_id TEXT NOT NULL UNIQUE,
    sender TEXT NOT NULL,
    target TEXT NOT NULL,
    priority INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    nonce TEXT NOT NULL,
    ciphertext TEXT NOT NULL,
    holder TEXT,
    confirmed INTEGER);
  CREATE INDEX inbox_unread ON inbox(number) WHERE confirmed IS NULL;
  CREATE INDEX inbox_read ON inbox(confirmed) WHERE confirmed IS NOT NULL;
  CREATE TABLE seen(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL);
  CREATE INDEX seen_digest ON seen(digest);

  CREATE TABLE own_key(
    target TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    key BLOB NOT NULL,                      -- sealed
    made INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE own_key_holder(
    target TEXT, member TEXT, PRIMARY KEY(target, member)) WITHOUT ROWID;
  CREATE TABLE peer_key(
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sender TEXT NOT NULL,
    target TEXT NOT NULL,
    key_id TEXT NOT NULL,
    key BLOB NOT NULL,                      -- sealed
    UNIQUE(sender, target, key_id));
  CREATE TABLE pin(name TEXT PRIMARY KEY, pin BLOB NOT NULL) WITHOUT ROWID;  -- pin: sealed
)sql";

Error not_yours(const std::string& why) {
  return {ErrorCode::kForbidden, "state_not_yours: the state file " + why};
}
Error corrupt(const std::string& why) {
  return {ErrorCode::kMalformed, "state_corrupt: the state file is damaged (" + why + ")"};
}

std::string digest_of(const crypto::PublicKey& key) {
  const crypto::Digest16 digest = crypto::digest16(kOwnerDomain, {text_of(ByteView(key.bytes))});
  return std::string(text_of(ByteView(digest)));
}

std::string meta(Database& database, std::string_view name) {
  std::string value;
  Statement(database, "SELECT value FROM meta WHERE name = ?")
      .first([&](const Statement& row) { value = row.string(0); }, name);
  return value;
}

bool is_empty(Database& database) {
  return database.number("SELECT COUNT(*) FROM sqlite_schema") == 0 &&
         database.number("PRAGMA user_version") == 0;
}

Status check_marks(Database& database, const StateOwner& owner) {
  const std::int64_t application = database.number("PRAGMA application_id");
  if (database.failed()) return database.take_error();
  if (application == 0 && is_empty(database)) return Done{};
  if (application != kStateApplicationId) return not_yours("was made by another program");
  if (database.number("PRAGMA user_version") > kStateVersion) {
    return Error{ErrorCode::kConflict,
                 "state_newer: a newer version wrote the state file: use that version, or another "
                 "state file"};
  }
  const std::string digest = meta(database, "owner");
  const std::string sealed = meta(database, "identity");
  if (database.failed()) return database.take_error();
  if (digest.empty() || sealed.empty()) return corrupt("it does not say whose it is");
  if (digest != digest_of(owner.key)) {
    return not_yours("was made by another identity: give this one a file of its own");
  }
  if (owner.box.open(kIdentityKind, kIdentityRow, sealed) != std::string(kIdentityText)) {
    return corrupt("its check value is wrong");
  }
  return Done{};
}

Status write_meta(Database& database, const StateOwner& owner) {
  Statement insert(database, "INSERT INTO meta(name, value) VALUES(?, ?)");
  insert.run(std::string_view("owner"), Blob{digest_of(owner.key)});
  insert.run(std::string_view("identity"),
             Blob{owner.box.seal(kIdentityKind, kIdentityRow, kIdentityText)});
  return Done{};
}

}  // namespace

Status check_owner(Database& database, const StateOwner& owner) {
  auto checked = check_marks(database, owner);
  if (database.failed()) return database.take_error();
  return checked;
}

Status check_pages(Database& database) {
  const std::string verdict = database.text("PRAGMA quick_check(1)");
  if (database.failed()) return database.take_error();
  return verdict == "ok" ? Status(Done{}) : corrupt(verdict);
}

Status make_durable(Database& database) {
  // secure_delete: a key that was forgotten is not left in a free page. The log is cut to 4 MiB
  // after a burst.
  database.run("PRAGMA secure_delete = ON");
  database.run("PRAGMA temp_store = MEMORY");
  database.run("PRAGMA cell_size_check = ON");
  database.run("PRAGMA journal_size_limit = 4194304");
  const std::string journal = database.text("PRAGMA journal_mode = WAL");
  database.run("PRAGMA synchronous = FULL");
  constexpr std::int64_t kFull = 2;
  const bool is_durable =
      (journal == "wal" || journal == "memory") && database.number("PRAGMA synchronous") == kFull;
  if (database.failed()) return database.take_error();
  if (is_durable) return Done{};
  return Error{ErrorCode::kUnavailable, "disk: the file system can't keep a durable state"};
}

Status make_tables(Database& database, const StateOwner& owner) {
  return database.write([&]() -> Status {
    if (!is_empty(database)) return Done{};
    database.run(kTables);
    database.run(("PRAGMA application_id = " + std::to_string(kStateApplicationId)).c_str());
    database.run(("PRAGMA user_version = " + std::to_string(kStateVersion)).c_str());
    return write_meta(database, owner);
  });
}

}  // namespace signet::client
