#include "signet/commands/operator_api.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

namespace signet::cli {
namespace {

class OwnSocket : public testing::Test {
 protected:
  void SetUp() override {
    std::array<char, 32> name{"/tmp/signet-socket-XXXXXX"};
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name.data();
    path_ = folder_ + "/signet.sock";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(bind(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  void TearDown() override {
    close(socket_);
    std::filesystem::remove_all(folder_);
  }
  std::string folder_, path_;
  int socket_ = -1;
};

TEST_F(OwnSocket, IsInAFolderOfItsOwner) { EXPECT_TRUE(is_own_socket(path_)); }

TEST_F(OwnSocket, IsNotWhereOthersCanPutOne) {
  ASSERT_EQ(chmod(folder_.c_str(), 0777), 0);
  EXPECT_FALSE(is_own_socket(path_));
}

TEST_F(OwnSocket, IsNoLinkAndNoFile) {
  std::filesystem::create_symlink(path_, folder_ + "/link");
  EXPECT_FALSE(is_own_socket(folder_ + "/link"));
  EXPECT_FALSE(is_own_socket(folder_));
  EXPECT_FALSE(is_own_socket(folder_ + "/missing"));
}

TEST_F(OwnSocket, IsNotAnothersSocket) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives a file away";
  ASSERT_EQ(chown(path_.c_str(), 12345, 12345), 0);
  EXPECT_FALSE(is_own_socket(path_));
}

}  // namespace
}  // namespace signet::cli
