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
      {"a newer version", "PRAGMA application_id = 1397182036; PRAGMA user_version = 2",
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

TEST_F(SchemaTest, IsOldOrNewWhereverTheMigrationDies) {
  int at = 0;
  for (bool died = true; died; ++at) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path() + suffix);
    make_file();
    died = die_before_statement(path(), at);
    Database database;
    ASSERT_TRUE(database.open(path(), Database::Access::kWrite).ok());
    EXPECT_EQ(database.number("PRAGMA user_version"), died ? 0 : kSchemaVersion);
    EXPECT_EQ(database.number("SELECT COUNT(*) FROM sqlite_schema") == 0, died) << at;
    ASSERT_TRUE(migrate(database).ok()) << "after dying before statement " << at;
    EXPECT_EQ(database.number("PRAGMA user_version"), kSchemaVersion);
  }
  EXPECT_GT(at, 10);
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
