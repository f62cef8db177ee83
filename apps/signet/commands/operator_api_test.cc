#include "signet/commands/operator_api.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

client::HttpAnswer not_found(const std::string& detail) {
  return {404, R"({"ok":false,"error":"not_found","detail":")" + detail + "\"}"};
}

TEST(OperatorRefusal, OfWhatIsNotThereSaysWhereThatIsSeenOrMade) {
  const struct {
    const char *detail, *advice;
  } kRows[] = {{"no such mesh", "mesh list --broker"},
               {"no such member", "member list"},
               {"no such member or source", "secret list"},
               {"no such invite", "invite list"},
               {"no such source", "secret list"},
               {"no such role: x", "policy show"},
               {"no such refusal, or it was too long ago", "what the peer was told"},
               {"no such node", "node list"},
               {"no such job", "job list"},
               {"no overlay is bound to this mesh", "overlay.key_file"},
               {"Hub is not set up for this mesh", "docs/hub.md"},
               {"no such path", "older"}};
  for (const auto& row : kRows) {
    const Told told = tell(operator_refusal(not_found(row.detail)));
    EXPECT_EQ(told.code, "not_found") << row.detail;
    EXPECT_EQ(told.exit, kExitNotFound) << row.detail;
    EXPECT_EQ(told.message, std::string("the broker says: ") + row.detail);
    EXPECT_NE(told.advice.find(row.advice), std::string::npos) << row.detail << ": " << told.advice;
  }
  EXPECT_EQ(tell(operator_refusal(not_found("no such letter"))).advice, "");
  EXPECT_NE(tell(operator_refusal({404, "not found\n"})).advice.find("admin.listen"),
            std::string::npos);
}

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
