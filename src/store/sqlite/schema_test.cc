#include "store/sqlite/schema.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

class SchemaTest : public StoreTest {
 protected:
  std::string path() const { return folder_.path() + "/signet.db"; }
  void make_file() { std::ofstream(path()).close(); }
  void run(const char* sql) {
    Database database;
    ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
    ASSERT_TRUE(database.execute(sql));
  }
};

TEST_F(SchemaTest, RefusesWhatIsNotItsOwn) {
  struct Row {
    const char* name;
    const char* sql;
    ErrorCode code;
    const char* says;
  };
  // clang-format off
  const Row rows[] = {
      {"another program's mark", "PRAGMA application_id = 7", ErrorCode::kMalformed,
       "another program"},
      {"tables of another program", "CREATE TABLE x(y)", ErrorCode::kMalformed, "another program"},
      {"a version without a mark", "PRAGMA user_version = 1", ErrorCode::kMalformed,
       "another program"},
      {"a newer version", "PRAGMA application_id = 1397182036; PRAGMA user_version = 99",
       ErrorCode::kMalformed, "run a newer program"},
  };
  // clang-format on
  for (const Row& row : rows) {
    std::filesystem::remove(path());
    make_file();
    run(row.sql);
    const auto opened = open_sqlite(options_, clock_, metrics_);
    ASSERT_FALSE(opened.ok()) << row.name;
    EXPECT_EQ(opened.error().code, row.code) << row.name;
    EXPECT_NE(opened.error().detail.find(row.says), std::string::npos) << opened.error().detail;
  }
}

TEST_F(SchemaTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path()) << std::string(8'192, 'x');
  const auto opened = open_sqlite(options_, clock_, metrics_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kMalformed);
}

TEST_F(SchemaTest, MarksItsFile) {
  open();
  Database database;
  ASSERT_TRUE(database.open(path(), Database::Access::kRead).ok());
  EXPECT_EQ(database.number("PRAGMA application_id"), kApplicationId);
  EXPECT_EQ(database.number("PRAGMA user_version"), kSchemaVersion);
}

TEST_F(SchemaTest, ReadsBackTheLevelOfDurability) {
  for (const bool full : {true, false}) {
    make_file();
    Database database;
    ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
    ASSERT_TRUE(configure(database, full).ok());
    EXPECT_EQ(database.number("PRAGMA synchronous"), full ? 2 : 1);
    EXPECT_EQ(database.text("PRAGMA journal_mode"), "wal");
  }
}

// Opens and migrates in a process of its own, which dies before statement `at`; true when it did.
bool die_before_statement(const std::string& path, int at) {
  const pid_t child = fork();
  if (child == 0) {
    Database database;
    if (!database.open(path, Database::Access::kWrite).ok() || !configure(database, true).ok()) {
      _exit(2);
    }
    int count = 0;
    const Status status = migrate(database, [&] {
      if (count++ == at) _exit(9);
    });
    _exit(status.ok() ? 0 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && (WEXITSTATUS(status) == 9 || WEXITSTATUS(status) == 0));
  return WEXITSTATUS(status) == 9;
}

// The names of all tables, in their order.
std::string tables_of(Database& database) {
  return database.text(
      "SELECT coalesce(group_concat(name, ' '), '') FROM (SELECT name FROM sqlite_schema"
      " WHERE type = 'table' ORDER BY name)");
}
std::string tables_of_version(std::int64_t version) {
  if (version == 0) return "";
  const std::string first =
      "channel dead_letter hello hello_floor invite mailbox member member_tag mesh message sent";
  if (version == 1) return first + " state";
  if (version == 2) return first + " source state";
  if (version == 3) {
    return "channel dead_letter hello hello_floor invite log_checkpoint log_entry log_hash mailbox"
           " member member_tag mesh message sent source state token_revocation";
  }
  return std::string(
             "channel dead_letter hello hello_floor invite job job_world log_checkpoint"
             " log_entry log_hash mailbox member member_tag mesh message nonce nonce_span") +
         (version == 4 ? "" : " sealed sealed_report") + " sent source state token_revocation";
}

TEST_F(SchemaTest, IsOldOrNewWhereverTheMigrationDies) {
  int at = 0;
  for (bool died = true; died; ++at) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    make_file();
    died = die_before_statement(path(), at);
    Database database;
    ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
    const std::int64_t version = database.number("PRAGMA user_version");
    EXPECT_EQ(version == kSchemaVersion, !died) << at;
    EXPECT_EQ(tables_of(database), tables_of_version(version)) << at;
    ASSERT_TRUE(migrate(database).ok()) << "after dying before statement " << at;
    EXPECT_EQ(database.number("PRAGMA user_version"), kSchemaVersion);
  }
  EXPECT_GT(at, 10);
}

// What a version 1 held of a mesh: a member, one that joined later, a tag, a channel.
constexpr const char* kVersion1Rows =
    "INSERT INTO mesh VALUES(1, 'mesh-1', 'team', NULL, 'root', 10, 0);"
    "INSERT INTO member VALUES(3, 1, 'ann', CAST('a key of thirty-two bytes: ann..' AS BLOB),"
    " 'Ann', 1, 2, 123);"
    "INSERT INTO member VALUES(8, 1, 'bob', CAST('a key of thirty-two bytes: bob..' AS BLOB),"
    " 'Bob', 0, 4, 456);"
    "INSERT INTO member_tag VALUES(3, 'ops'); INSERT INTO channel VALUES(1, 'general', 3)";

TEST_F(SchemaTest, KeepsEveryMemberWhereverTheStepToKeylessOnesDies) {
  int at = 0;
  for (bool died = true; died; ++at) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    make_file();
    {
      Database database;
      ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
      ASSERT_TRUE(configure(database, true).ok());
      ASSERT_TRUE(migrate(
                      database, [] {}, 1)
                      .ok());
      ASSERT_EQ(database.number("PRAGMA user_version"), 1);
      ASSERT_TRUE(database.execute(kVersion1Rows)) << database.failure_text();
    }
    died = die_before_statement(path(), at);
    {
      Database database;
      ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
      const std::int64_t version = database.number("PRAGMA user_version");
      EXPECT_EQ(version == kSchemaVersion, !died) << at;
      EXPECT_EQ(tables_of(database), tables_of_version(version)) << at;
      EXPECT_EQ(database.number("SELECT COUNT(*) FROM member"), 2) << at;
      ASSERT_TRUE(migrate(database).ok()) << "after dying before statement " << at;
    }
    open();
    ASSERT_EQ(membership_.size(), 4U) << at;
    const auto& ann = std::get<membership::MemberAdded>(membership_[1]).member;
    EXPECT_EQ(ann.number.value, 3);
    ASSERT_TRUE(ann.key.has_value());
    EXPECT_EQ(text_of(ann.key->bytes), "a key of thirty-two bytes: ann..");
    EXPECT_EQ(ann.id, "ann");
    EXPECT_EQ(ann.role, membership::Role::kAdmin);
    EXPECT_EQ(ann.tags, std::vector<std::string>{"ops"});
    EXPECT_EQ(ann.joined.ms, 123);
    const auto& bob = std::get<membership::MemberAdded>(membership_[2]).member;
    EXPECT_EQ(bob.standing, membership::Standing::kRevoked);
    store_.reset();
  }
  EXPECT_GT(at, 5);
}

TEST_F(SchemaTest, KeepsEverythingWhereverTheStepToTheLogDies) {
  int at = 0;
  for (bool died = true; died; ++at) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    make_file();
    {
      Database database;
      ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
      ASSERT_TRUE(configure(database, true).ok());
      const auto nothing = [] {};
      ASSERT_TRUE(migrate(database, nothing, 2).ok());
      ASSERT_EQ(database.number("PRAGMA user_version"), 2);
      ASSERT_TRUE(database.execute(kVersion1Rows)) << database.failure_text();
      ASSERT_TRUE(database.execute(
          "INSERT INTO source VALUES(1, 'gauge', 3, CAST('the heron waits at noon' AS BLOB), NULL,"
          " 0, 0, 789); UPDATE state SET value = 4711 WHERE name = 'next_message'"))
          << database.failure_text();
    }
    died = die_before_statement(path(), at);
    {
      Database database;
      ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
      const std::int64_t version = database.number("PRAGMA user_version");
      EXPECT_EQ(version == kSchemaVersion, !died) << at;
      EXPECT_EQ(tables_of(database), tables_of_version(version)) << at;
      ASSERT_TRUE(migrate(database).ok()) << "after dying before statement " << at;
      EXPECT_GE(database.number("SELECT value FROM state WHERE name = 'next_message'"), 4711);
    }
    open();
    ASSERT_EQ(membership_.size(), 5U) << at;
    EXPECT_EQ(std::get<membership::MemberAdded>(membership_[1]).member.id, "ann");
    EXPECT_EQ(std::get<membership::MemberAdded>(membership_[2]).member.id, "bob");
    EXPECT_TRUE(std::get<membership::SourceSecretSet>(membership_[4])
                    .secret.secret.matches("the heron waits at noon"));
    EXPECT_EQ(rows("log_entry"), 0) << "the log begins with what comes";
    store_.reset();
  }
  EXPECT_GT(at, 5);
}

TEST_F(SchemaTest, KeepsEverythingWhereverTheStepToJobsDies) {
  int at = 0;
  for (bool died = true; died; ++at) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    make_file();
    {
      Database database;
      ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
      ASSERT_TRUE(configure(database, true).ok());
      const auto nothing = [] {};
      ASSERT_TRUE(migrate(database, nothing, 3).ok());
      ASSERT_EQ(database.number("PRAGMA user_version"), 3);
      ASSERT_TRUE(database.execute(kVersion1Rows)) << database.failure_text();
      ASSERT_TRUE(
          database.execute("INSERT INTO hello VALUES(3, 77, zeroblob(16));"
                           "INSERT INTO token_revocation VALUES(1, 'token', 'ann', 0, 9);"
                           "UPDATE state SET value = 4711 WHERE name = 'next_message'"))
          << database.failure_text();
    }
    died = die_before_statement(path(), at);
    {
      Database database;
      ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
      const std::int64_t version = database.number("PRAGMA user_version");
      EXPECT_EQ(version == kSchemaVersion, !died) << at;
      EXPECT_EQ(tables_of(database), tables_of_version(version)) << at;
      ASSERT_TRUE(migrate(database).ok()) << "after dying before statement " << at;
      EXPECT_GE(database.number("SELECT value FROM state WHERE name = 'next_message'"), 4711);
      EXPECT_EQ(database.number("SELECT COUNT(*) FROM token_revocation"), 1);
    }
    open();
    EXPECT_EQ(membership_.size(), 4U) << at;
    EXPECT_EQ(hello(3, 77), HelloOutcome::kReplayed) << "it is still known";
    EXPECT_EQ(spend(3, 1, clock_.wall() + std::chrono::minutes(5)), NonceOutcome::kNew);
    EXPECT_TRUE(put_jobs({new_job(1)}).ok());
    EXPECT_EQ(load_jobs().size(), 1U);
    CommitSealed sealed;
    sealed.mesh = {1};
    sealed.rows = {{"node", "a", 1, "x"}};
    EXPECT_TRUE(commit_sealed(sealed).ok());
    store_.reset();
  }
  EXPECT_GT(at, 5);
}

TEST_F(SchemaTest, StillRefusesOneKeyTwiceAfterTheStepToKeylessMembers) {
  make_file();
  Database database;
  ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
  ASSERT_TRUE(migrate(
                  database, [] {}, 1)
                  .ok());
  ASSERT_TRUE(database.execute(kVersion1Rows));
  ASSERT_TRUE(migrate(database).ok());
  const auto insert = [&](const char* values) {
    return Statement(database, (std::string("INSERT INTO member VALUES(") + values + ")").c_str())
        .next();
  };
  EXPECT_EQ(insert("20, 1, 'x', CAST('a key of thirty-two bytes: ann..' AS BLOB), '', 0, 2, 0"),
            Statement::Step::kConstraint);
  EXPECT_EQ(insert("20, 1, 'x', NULL, '', 0, 2, 0"), Statement::Step::kDone);
  EXPECT_EQ(insert("21, 1, 'y', NULL, '', 0, 2, 0"), Statement::Step::kDone) << "NULL is no key";
  EXPECT_EQ(insert("22, 1, 'y', NULL, '', 0, 2, 0"), Statement::Step::kConstraint) << "the id";
}

TEST(DataDirectory, KnowsWhichFileSystemsAreElsewhere) {
  struct Row {
    const char* name;
    long magic;
    bool remote;
  };
  const Row rows[] = {
      {"ext4", 0xef53, false},
      {"xfs", 0x58465342, false},
      {"btrfs", 0x9123683e, false},
      {"tmpfs", 0x01021994, false},
      {"overlay", 0x794c7630, false},
      {"nfs", 0x6969, true},
      {"cifs", 0xff534d42, true},
      {"smb2", 0xfe534d42, true},
      {"9p", 0x01021997, true},
      {"fuse", 0x65735546, true},
      {"smb2, sign-extended", -0x1acb2be, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(is_remote_file_system(row.magic), row.remote) << row.name;
  }
}

TEST(DataDirectory, TightensItsOwnFolderAndRefusesAPublicOne) {
  namespace fs = std::filesystem;
  const TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms(0755));
  EXPECT_TRUE(DataDirectory::open(folder.path()).ok());
  EXPECT_EQ(fs::status(folder.path()).permissions(), fs::perms::owner_all);
  fs::permissions(folder.path(), fs::perms(0777));
  const auto open_to_all = DataDirectory::open(folder.path());
  ASSERT_FALSE(open_to_all.ok());
  EXPECT_EQ(open_to_all.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(DataDirectory::open(folder.path() + "/inner").ok()) << "made when missing";
  EXPECT_FALSE(DataDirectory::open(folder.path() + "/no/such").ok());
}

// SQLite ends some transactions by itself when a statement fails: what ran after that would be
// committed alone, and answered as refused.
TEST_F(SchemaTest, RunsNoStatementBetweenAFailureAndItsTaking) {
  make_file();
  Database database;
  ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
  ASSERT_TRUE(migrate(database).ok());
  Statement walk(database, "SELECT name FROM state ORDER BY name");
  Statement insert(database, "INSERT INTO state VALUES('late', 1)");
  ASSERT_TRUE(walk.row());
  database.note(SQLITE_FULL);
  EXPECT_EQ(walk.next(), Statement::Step::kFailed);
  EXPECT_EQ(insert.run(), Statement::Step::kFailed);
  EXPECT_EQ(database.number("SELECT 1"), 0);
  EXPECT_EQ(database.take_failure(), Failure::kDiskFull);
  EXPECT_EQ(database.number("SELECT COUNT(*) FROM state WHERE name = 'late'"), 0);
  EXPECT_TRUE(walk.row()) << "from its beginning";
  walk.finish();
  EXPECT_EQ(insert.run(), Statement::Step::kDone);
}

TEST(Failure, SaysWhatTheWriterCanDo) {
  struct Row {
    const char* name;
    int code, system_error;
    Failure failure;
  };
  // clang-format off
  const Row rows[] = {
      {"good", SQLITE_OK, 0, Failure::kNone},
      {"a row", SQLITE_ROW, 0, Failure::kNone},
      {"full", SQLITE_FULL, 0, Failure::kDiskFull},
      {"a write without room", SQLITE_IOERR_WRITE, ENOSPC, Failure::kDiskFull},
      {"a quota", SQLITE_IOERR_WRITE, EDQUOT, Failure::kDiskFull},
      {"an index of the log that can't grow", SQLITE_IOERR_SHMSIZE, 0, Failure::kDiskFull},
      {"a broken disk", SQLITE_IOERR_WRITE, EIO, Failure::kFatal},
      {"a failed sync", SQLITE_IOERR_FSYNC, EIO, Failure::kFatal},
      {"a failed sync is never retried", SQLITE_IOERR_FSYNC, ENOSPC, Failure::kFatal},
      {"damage", SQLITE_CORRUPT, 0, Failure::kFatal},
      {"no database", SQLITE_NOTADB, 0, Failure::kFatal},
      {"wrong SQL", SQLITE_ERROR, 0, Failure::kFatal},
      {"locked", SQLITE_BUSY, 0, Failure::kUnavailable},
      {"no memory", SQLITE_NOMEM, 0, Failure::kUnavailable},
      {"no memory in the disk layer", SQLITE_IOERR_NOMEM, 0, Failure::kUnavailable},
      {"read-only", SQLITE_READONLY, 0, Failure::kUnavailable},
  };
  // clang-format on
  for (const Row& row : rows) {
    EXPECT_EQ(failure_of(row.code, row.system_error), row.failure) << row.name;
  }
}

}  // namespace
}  // namespace signet::store::sqlite
