#include "base/private_file.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace signet {
namespace {

constexpr std::size_t kMost = 2'048;

class PrivateFileOnDisk : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "private-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/secret"; }
  void write(const std::string& text, mode_t mode) const {
    std::filesystem::remove_all(path());
    std::ofstream(path()) << text;
    ASSERT_EQ(chmod(path().c_str(), mode), 0);
  }
  FileFault read() {
    text_ = "what was here before";
    const FileFault fault = read_private(path(), kMost, text_);
    EXPECT_TRUE(fault == FileFault::kNone || text_.empty());
    return fault;
  }

  std::string folder_;
  std::string text_;
};

struct RightsRow {
  const char* name;
  mode_t mode;
  uid_t owner;
  uid_t us;
  FileOrigin origin;
  FileFault fault;
};

constexpr FileOrigin kOwn = FileOrigin::kOwn;
constexpr FileOrigin kCredential = FileOrigin::kCredential;

// clang-format off
constexpr RightsRow kRights[] = {
  {"its owner reads and writes",       S_IFREG | 0600,  7, 7, kOwn,        FileFault::kNone},
  {"its owner reads",                  S_IFREG | 0400,  7, 7, kOwn,        FileFault::kNone},
  {"no right at all",                  S_IFREG | 0000,  7, 7, kOwn,        FileFault::kNone},
  {"root's, who needs no right",       S_IFREG | 0400,  0, 7, kOwn,        FileFault::kNone},
  {"ours as root",                     S_IFREG | 0600,  0, 0, kOwn,        FileFault::kNone},
  {"the group reads",                  S_IFREG | 0640,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"the group writes",                 S_IFREG | 0620,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"the group runs",                   S_IFREG | 0610,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"others read",                      S_IFREG | 0604,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"others write",                     S_IFREG | 0602,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"others run",                       S_IFREG | 0601,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"group reads and writes",           S_IFREG | 0660,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"everybody",                        S_IFREG | 0777,  7, 7, kOwn,        FileFault::kOpenToOthers},
  {"another user's",                   S_IFREG | 0600,  8, 7, kOwn,        FileFault::kNotOurs},
  {"another user's, before root",      S_IFREG | 0600,  8, 0, kOwn,        FileFault::kNotOurs},
  {"another user's, open",             S_IFREG | 0666,  8, 7, kOwn,        FileFault::kNotOurs},
  {"a folder",                         S_IFDIR | 0700,  7, 7, kOwn,        FileFault::kNoRegularFile},
  {"a pipe",                           S_IFIFO | 0600,  7, 7, kOwn,        FileFault::kNoRegularFile},
  {"a device",                         S_IFCHR | 0600,  0, 7, kOwn,        FileFault::kNoRegularFile},
  {"a socket",                         S_IFSOCK | 0600, 7, 7, kOwn,        FileFault::kNoRegularFile},
  {"a credential handed over",         S_IFREG | 0400,  7, 7, kCredential, FileFault::kNone},
  {"a credential with a list",         S_IFREG | 0440,  0, 7, kCredential, FileFault::kNone},
  {"a list on a file that is no root's", S_IFREG | 0440, 7, 7, kCredential, FileFault::kOpenToOthers},
  {"a list outside of credentials",    S_IFREG | 0440,  0, 7, kOwn,        FileFault::kOpenToOthers},
  {"a list that lets write",           S_IFREG | 0460,  0, 7, kCredential, FileFault::kOpenToOthers},
  {"a list and others",                S_IFREG | 0444,  0, 7, kCredential, FileFault::kOpenToOthers},
  {"another user's credential",        S_IFREG | 0400,  8, 7, kCredential, FileFault::kNotOurs},
};
// clang-format on

TEST(PrivateFileRights, AreItsOwnersWhoIsUsOrRoot) {
  for (const RightsRow& row : kRights) {
    EXPECT_EQ(fault_of(row.mode, row.owner, row.us, row.origin), row.fault) << row.name;
  }
}

TEST_F(PrivateFileOnDisk, IsReadWhole) {
  const std::string text("lines\nand\0more\n", 15);
  for (const mode_t mode : {0600U, 0400U}) {
    write(text, mode);
    EXPECT_EQ(read(), FileFault::kNone);
    EXPECT_EQ(text_, text);
  }
  write("", 0600);
  EXPECT_EQ(read(), FileFault::kNone);
  EXPECT_EQ(text_, "");
}

TEST_F(PrivateFileOnDisk, IsRefusedWithAnyRightOfOthers) {
  for (mode_t others = 1; others <= 077; ++others) {
    write("secret", 0600 | others);
    ASSERT_EQ(read(), FileFault::kOpenToOthers) << others;
  }
}

TEST_F(PrivateFileOnDisk, EndsWhereItWasSaid) {
  write(std::string(kMost, 's'), 0600);
  EXPECT_EQ(read(), FileFault::kNone);
  EXPECT_EQ(text_.size(), kMost);
  write(std::string(kMost + 1, 's'), 0600);
  EXPECT_EQ(read(), FileFault::kTooLong);
}

TEST_F(PrivateFileOnDisk, IsNoLinkFolderPipeOrSocket) {
  EXPECT_EQ(read(), FileFault::kMissing);
  EXPECT_EQ(read_private(folder_ + "/no/such", kMost, text_), FileFault::kMissing);
  const std::string real = folder_ + "/real";
  std::ofstream(real) << "secret";
  ASSERT_EQ(chmod(real.c_str(), 0600), 0);
  ASSERT_EQ(symlink(real.c_str(), path().c_str()), 0);
  EXPECT_EQ(read(), FileFault::kLink);
  std::filesystem::remove(path());
  ASSERT_EQ(mkdir(path().c_str(), 0700), 0);
  EXPECT_EQ(read(), FileFault::kNoRegularFile);
  std::filesystem::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  EXPECT_EQ(read(), FileFault::kNoRegularFile);  // and does not wait for somebody who writes
  std::filesystem::remove(path());
  const int listening = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  path().copy(name.sun_path, sizeof(name.sun_path) - 1);
  ASSERT_EQ(bind(listening, reinterpret_cast<const sockaddr*>(&name), sizeof(name)), 0);
  EXPECT_EQ(read(), FileFault::kNoRegularFile);
  close(listening);
}

TEST_F(PrivateFileOnDisk, IsNoOtherUsers) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  write("secret", 0600);
  ASSERT_EQ(chown(path().c_str(), 65'534, 65'534), 0);
  EXPECT_EQ(read(), FileFault::kNotOurs);
}

TEST_F(PrivateFileOnDisk, OfSystemdMayHaveAnAccessList) {
  if (geteuid() != 0) GTEST_SKIP() << "systemd's are root's";
  ASSERT_EQ(mkdir((folder_ + "/below").c_str(), 0700), 0);
  for (const char* const name : {"/secret", "/below/secret"}) {
    std::ofstream(folder_ + name) << "secret";
    ASSERT_EQ(chmod((folder_ + name).c_str(), 0440), 0);
  }
  EXPECT_EQ(read(), FileFault::kOpenToOthers);
  ASSERT_EQ(setenv("CREDENTIALS_DIRECTORY", folder_.c_str(), 1), 0);
  EXPECT_EQ(read(), FileFault::kNone);
  EXPECT_EQ(text_, "secret");
  EXPECT_EQ(read_private(folder_ + "/below/secret", kMost, text_), FileFault::kOpenToOthers);
  EXPECT_EQ(read_private(folder_ + "/below/../secret", kMost, text_), FileFault::kOpenToOthers);
  ASSERT_EQ(setenv("CREDENTIALS_DIRECTORY", "", 1), 0);
  EXPECT_EQ(read(), FileFault::kOpenToOthers);
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_F(PrivateFileOnDisk, LeavesNothingOfAFileThatIsTooLong) {
  write(std::string(kMost + 1, 's'), 0600);
  EXPECT_EQ(read(), FileFault::kTooLong);
  ASSERT_GT(text_.capacity(), kMost);
  const char* const memory = text_.data();  // all of its capacity is still the text's own
  EXPECT_TRUE(std::all_of(memory, memory + kMost, [](char c) { return c == '\0'; }));
}

TEST_F(PrivateFileOnDisk, SaysWhatIsWrongAndWhere) {
  const auto said = [&] { return read_private_file(path(), kMost, text_).error(); };
  EXPECT_EQ(said().code, ErrorCode::kNotFound);
  EXPECT_EQ(said().detail, path() + ": no such file");
  write("secret", 0640);
  EXPECT_EQ(said().code, ErrorCode::kForbidden);
  EXPECT_NE(said().detail.find("chmod 600"), std::string::npos);
  write(std::string(kMost + 1, 's'), 0600);
  EXPECT_EQ(said().code, ErrorCode::kMalformed);
  EXPECT_EQ(said().detail, path() + ": is over 2 KiB");
  write("secret", 0600);
  EXPECT_TRUE(read_private_file(path(), kMost, text_).ok());
}

}  // namespace
}  // namespace signet
