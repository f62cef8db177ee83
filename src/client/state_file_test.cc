// Whose a state file may be, and what becomes of one that is damaged.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cstring>

#include "client/database.h"
#include "client/state_fixture_test.h"
#include "client/state_schema.h"

namespace signet::client {
namespace {

namespace fs = std::filesystem;

class StateFileTest : public StateTest {
 protected:
  // Leaves a healthy file with something in each table.
  void fill() {
    state_ = open();
    enqueue("waits");
    std::vector<StoredPush> pushes;
    for (std::uint64_t i = 1; i <= 200; ++i) pushes.push_back(push_of(i));
    EXPECT_TRUE(state_->take_in(pushes).ok());
    EXPECT_TRUE(state_->keep_pin("ada", key_of(1), false).ok());
    state_.reset();
  }
  void change(const std::string& sql) {
    Database database;
    ASSERT_TRUE(database.open(options_.file, options_.busy_timeout).ok());
    ASSERT_TRUE(database.run(sql.c_str()));
    database.trust();
  }
  mode_t mode_of(const std::string& path) {
    struct stat found {};
    EXPECT_EQ(lstat(path.c_str(), &found), 0) << path;
    return found.st_mode & 07777;
  }
  void overwrite(std::size_t offset, const std::string& bytes) {
    std::fstream file(options_.file, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file << bytes;
  }
};

// Threat L2.
TEST_F(StateFileTest, MakesFilesThatNobodyElseCanRead) {
  options_.file = folder_.path() + "/new/deep/ada.db";
  const mode_t before = umask(0);
  state_ = open();
  enqueue("hello");
  umask(before);
  ASSERT_NE(state_, nullptr);
  for (const char* name : {"/new", "/new/deep", "/new/deep/ada.db.holders"}) {
    EXPECT_EQ(mode_of(folder_.path() + name), 0700u) << name;
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path())) {
    if (!entry.is_regular_file()) continue;
    EXPECT_EQ(mode_of(entry.path()), 0600u) << entry.path();
  }
  EXPECT_TRUE(fs::exists(options_.file + "-wal"));
}

TEST_F(StateFileTest, RefusesWhatOthersMayHaveTouched) {
  struct Case {
    const char* name;
    std::function<void(const std::string& file)> change;
  };
  // clang-format off
  const Case cases[] = {
      {"readable by the group", [](const std::string& f) { chmod(f.c_str(), 0640); }},
      {"readable by others", [](const std::string& f) { chmod(f.c_str(), 0604); }},
      {"a symbolic link", [](const std::string& f) { fs::rename(f, f + ".real"); fs::create_symlink(f + ".real", f); }},
      {"a link to nowhere", [](const std::string& f) { fs::remove(f); fs::create_symlink(f + ".nowhere", f); }},
      {"a folder", [](const std::string& f) { fs::remove(f); fs::create_directory(f); }},
      {"a pipe", [](const std::string& f) { fs::remove(f); mkfifo(f.c_str(), 0600); }},
      {"a log that others may write", [](const std::string& f) { std::ofstream(f + "-wal") << "x"; chmod((f + "-wal").c_str(), 0666); }},
      {"a link in place of the log", [](const std::string& f) { fs::create_symlink("/dev/null", f + "-wal"); }},
      {"holders that others may add to", [](const std::string& f) { chmod((f + ".holders").c_str(), 0777); }},
      {"a folder that everybody may write to", [](const std::string& f) { chmod(fs::path(f).parent_path().c_str(), 0777); }},
  };
  // clang-format on
  int number = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    options_.file = folder_.path() + "/" + std::to_string(++number) + "/ada.db";
    fill();
    c.change(options_.file);
    const Error error = refusal();
    EXPECT_EQ(error.code, ErrorCode::kForbidden);
    EXPECT_TRUE(error.detail.starts_with("state_not_yours: ")) << error.detail;
    EXPECT_FALSE(fs::exists(options_.file + ".nowhere"));
  }
}

TEST_F(StateFileTest, RefusesTheFileOfAnotherUser) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  fill();
  ASSERT_EQ(chown(options_.file.c_str(), 12'345, 12'345), 0);
  EXPECT_EQ(refusal().code, ErrorCode::kForbidden);
}

TEST_F(StateFileTest, LeavesTheFileOfAnotherIdentityAsItIs) {
  fill();
  const std::string before = bytes_of_file(options_.file);
  crypto::SecretKey mine = std::exchange(identity_, crypto::SecretKey::generate());
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kForbidden);
  EXPECT_TRUE(error.detail.starts_with("state_not_yours: ")) << error.detail;
  EXPECT_EQ(bytes_of_file(options_.file), before);
  identity_ = std::move(mine);
  state_ = open();
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"waits"});
}

TEST_F(StateFileTest, LeavesWhatIsNotItsOwnAsItIs) {
  struct Case {
    const char* name;
    const char* sql;
    ErrorCode code;
    const char* says;
  };
  const Case cases[] = {
      {"another program's mark", "PRAGMA application_id = 7", ErrorCode::kForbidden,
       "state_not_yours: "},
      {"tables and no mark", "PRAGMA application_id = 0", ErrorCode::kForbidden,
       "state_not_yours: "},
      {"a newer version", "PRAGMA user_version = 2", ErrorCode::kConflict, "state_newer: "},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    fs::remove(options_.file);
    fill();
    change(c.sql);
    const std::string before = bytes_of_file(options_.file);
    const Error error = refusal();
    EXPECT_EQ(error.code, c.code);
    EXPECT_TRUE(error.detail.starts_with(c.says)) << error.detail;
    EXPECT_EQ(bytes_of_file(options_.file), before);
    EXPECT_TRUE(files("ada.db.damaged").empty());
  }
}

TEST_F(StateFileTest, PutsADamagedFileAsideAndBeginsAnew) {
  struct Case {
    const char* name;
    std::function<void()> damage;
  };
  // clang-format off
  const Case cases[] = {
      {"cut in the middle", [&] { fs::resize_file(options_.file, fs::file_size(options_.file) / 2); }},
      {"cut inside a page", [&] { fs::resize_file(options_.file, fs::file_size(options_.file) - 4'000); }},
      {"cut inside the header", [&] { fs::resize_file(options_.file, 50); }},
      {"cut to nothing", [&] { fs::resize_file(options_.file, 0); }},
      {"gone, but for its log", [&] { fs::remove(options_.file); const mode_t old = umask(077); std::ofstream(options_.file + "-wal") << "log"; umask(old); }},
      {"garbage", [&] { overwrite(0, std::string(fs::file_size(options_.file), 'g')); }},
      {"garbage in the first page", [&] { overwrite(0, std::string(4'096, 'g')); }},
      {"garbage behind the header", [&] { overwrite(100, std::string(3'900, 'g')); }},
      {"garbage in another page", [&] { overwrite(8 * 4'096, std::string(4'096, '\xff')); }},
      {"zeros in another page", [&] { overwrite(8 * 4'096, std::string(4'096, '\0')); }},
      {"a check value that was changed", [&] { change("UPDATE meta SET value = zeroblob(80) WHERE name = 'identity'"); }},
      {"no word of whose it is", [&] { change("DELETE FROM meta"); }},
  };
  // clang-format on
  int number = 0;
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const std::string name = std::to_string(++number) + "_ada.db";
    options_.file = folder_.path() + "/" + name;
    fill();
    c.damage();
    const std::string before = bytes_of_file(options_.file);
    const Error error = refusal();
    EXPECT_EQ(error.code, ErrorCode::kMalformed);
    EXPECT_TRUE(error.detail.starts_with("state_corrupt: ")) << error.detail;
    const auto aside = files(name + ".damaged-");
    ASSERT_FALSE(aside.empty()) << error.detail;
    EXPECT_NE(error.detail.find(name + ".damaged-"), std::string::npos) << error.detail;
    EXPECT_NE(error.detail.find("waited"), std::string::npos);
    bool is_kept = false;
    for (const std::string& part : aside) {
      is_kept |= bytes_of_file(folder_.path() + "/" + part) == before;
    }
    EXPECT_TRUE(is_kept || before.empty()) << "byte for byte";
    state_ = open();
    ASSERT_NE(state_, nullptr);
    EXPECT_TRUE(claimed(*state_).empty());
    EXPECT_EQ(take(*state_, push_of(1)), Taken::kNew);
    reopen();
    EXPECT_EQ(leased(*state_), ids({1})) << "and it is kept like any other";
    state_.reset();
  }
}

TEST_F(StateFileTest, PutsNothingAsideThatIsInUse) {
  fill();
  state_ = open();
  overwrite(0, std::string(4'096, 'g'));
  const Error error = refusal();
  EXPECT_EQ(code_in(error), "state_corrupt");
  EXPECT_NE(error.detail.find("another process"), std::string::npos) << error.detail;
  EXPECT_TRUE(files("ada.db.damaged").empty());
  state_.reset();
  EXPECT_EQ(code_in(refusal()), "state_corrupt");
  EXPECT_FALSE(files("ada.db.damaged").empty());
}

TEST_F(StateFileTest, PutsTwoOfOneSecondAside) {
  for (int i = 0; i < 3; ++i) {
    fill();
    overwrite(0, std::string(4'096, 'g'));
    EXPECT_EQ(refusal().code, ErrorCode::kMalformed);
  }
  EXPECT_EQ(files("ada.db.damaged-").size(), 3u);
}

TEST_F(StateFileTest, IsMadeOnceByManyAtOnce) {
  std::vector<std::unique_ptr<Child>> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(std::make_unique<Child>([this, i] {
      auto state = State::open(options_, identity_);
      if (!state.ok()) return 1;
      return (*state)->enqueue(entry_of(std::to_string(i))).ok() ? 0 : 2;
    }));
  }
  for (auto& child : children) EXPECT_EQ(child->wait(), 0);
  state_ = open();
  EXPECT_EQ(claimed(*state_).size(), 6u);
  EXPECT_EQ(files("ada.db.damaged").size(), 0u);
}

TEST_F(StateFileTest, IsReadAgainAfterItsFolderOfHoldersWasRemoved) {
  fill();
  fs::remove_all(options_.file + ".holders");
  state_ = open();
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"waits"});
}

TEST_F(StateFileTest, IsDurable) {
  Database database;
  fill();
  ASSERT_TRUE(database.open(options_.file, options_.busy_timeout).ok());
  ASSERT_TRUE(make_durable(database).ok());
  EXPECT_EQ(database.text("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(database.number("PRAGMA synchronous"), 2);
}

// A full disk: refused, nothing lost, and it works again when there is room.
class StateDiskTest : public StateFileTest {
 protected:
  void SetUp() override {
    disk_ = folder_.path() + "/disk";
    fs::create_directory(disk_);
    chmod(disk_.c_str(), 0700);
    is_mounted_ = mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=2m,mode=0700") == 0;
    if (!is_mounted_) GTEST_SKIP() << "no right to mount a small disk: " << std::strerror(errno);
    options_.file = disk_ + "/ada.db";
    options_.outbox_messages = 10'000;
  }
  void TearDown() override {
    state_.reset();
    if (is_mounted_) umount(disk_.c_str());
  }
  void fill_disk() { std::ofstream(disk_ + "/filler") << std::string(3 << 20, 'x'); }
  void make_room() { fs::remove(disk_ + "/filler"); }

  std::string disk_;
  bool is_mounted_ = false;
};

TEST_F(StateDiskTest, RefusesAndGoesOnWhenThereIsRoom) {
  state_ = open();
  std::vector<std::string> kept;
  const std::string body(20'000, 'b');
  for (int i = 0; i < 1'000; ++i) {
    const std::string text = std::to_string(i) + body;
    const auto ticket = state_->enqueue(entry_of(text));
    if (!ticket.ok()) {
      EXPECT_EQ(ticket.error().code, ErrorCode::kUnavailable);
      EXPECT_TRUE(ticket.error().detail.starts_with("disk_full: ")) << ticket.error().detail;
      break;
    }
    kept.push_back(text);
  }
  EXPECT_GT(kept.size(), 10u);
  ASSERT_LT(kept.size(), 1'000u);
  EXPECT_EQ(state_->waiting()->size(), kept.size()) << "reading goes on";
  state_.reset();
  ASSERT_EQ(mount("tmpfs", disk_.c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  state_ = open();
  EXPECT_EQ(claimed(*state_), kept);
  enqueue("after");
}

TEST_F(StateDiskTest, WorksAgainWithoutBeingOpenedAnew) {
  state_ = open();
  enqueue("before");
  ASSERT_EQ(take(*state_, push_of(1)), Taken::kNew);
  fill_disk();
  const StoredPush big = [] {
    StoredPush push = push_of(2);
    push.ciphertext = std::string(60'000, 'c');
    return push;
  }();
  const auto taken = state_->take_in({big});
  ASSERT_FALSE(taken.ok());
  EXPECT_TRUE(taken.error().detail.starts_with("disk_full: ")) << taken.error().detail;
  make_room();
  EXPECT_EQ(take(*state_, big), Taken::kNew) << "it was not taken for seen";
  EXPECT_EQ(leased(*state_), ids({1, 2}));
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"before"});
}

TEST_F(StateDiskTest, CannotBeMadeWithoutRoom) {
  fill_disk();
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kUnavailable) << error.detail;
  make_room();
  state_ = open();
  ASSERT_NE(state_, nullptr);
  enqueue("after");
}

TEST_F(StateDiskTest, SaysThatADiskIsReadOnly) {
  fill();
  ASSERT_EQ(mount("tmpfs", disk_.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  const Error error = refusal();
  EXPECT_EQ(error.code, ErrorCode::kUnavailable);
  EXPECT_TRUE(error.detail.starts_with("disk: ")) << error.detail;
  ASSERT_EQ(mount("tmpfs", disk_.c_str(), "tmpfs", MS_REMOUNT, nullptr), 0);
  state_ = open();
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"waits"});
}

}  // namespace
}  // namespace signet::client
