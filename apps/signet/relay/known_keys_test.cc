#include "signet/relay/known_keys.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

using crypto::RelaySecretKey;

class RelayKeyFiles : public testing::Test {
 protected:
  RelayKeyFiles() {
    std::string name = testing::TempDir() + "signet-relay-XXXXXX";
    folder_ = mkdtemp(name.data());
    paths_ = {folder_, folder_ + "/config", folder_ + "/state"};
  }
  ~RelayKeyFiles() override { std::filesystem::remove_all(folder_); }
  static std::string code_of(const Status& status) {
    return status.ok() ? "" : tell(status.error()).code;
  }

  std::string folder_;
  Paths paths_;
  crypto::RelayKey one_ = RelaySecretKey::generate().public_key();
  crypto::RelayKey other_ = RelaySecretKey::generate().public_key();
};

TEST_F(RelayKeyFiles, PinAServerOnceAndForAll) {
  ASSERT_TRUE(pin_server(paths_, "a:80", one_).ok());
  EXPECT_TRUE(pin_server(paths_, "a:80", one_).ok());
  EXPECT_EQ(code_of(pin_server(paths_, "a:80", other_)), "relay_key_changed");
  EXPECT_TRUE(pin_server(paths_, "b:80", other_).ok());
  const auto known = KnownKeys::load(paths_);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->servers.size(), 2U);
  EXPECT_EQ(known->servers.at("a:80"), one_);
  const Status changed = known->check_server("a:80", other_);
  ASSERT_FALSE(changed.ok());
  EXPECT_EQ(tell(changed.error()).exit, kExitConflict);
}

TEST_F(RelayKeyFiles, KeepServersAndPeersApart) {
  ASSERT_TRUE(pin_server(paths_, "a:80", one_).ok());
  EXPECT_EQ(code_of(remember_peer(paths_, one_)), "peer_is_a_relay");
  ASSERT_TRUE(remember_peer(paths_, other_).ok());
  ASSERT_TRUE(remember_peer(paths_, other_).ok());
  EXPECT_EQ(code_of(pin_server(paths_, "b:80", other_)), "relay_key_is_a_peer");
  const auto known = KnownKeys::load(paths_);
  ASSERT_TRUE(known.ok());
  EXPECT_EQ(known->peers, std::set<crypto::RelayKey>{other_});
  EXPECT_EQ(known->servers.size(), 1U);
}

TEST_F(RelayKeyFiles, HoldASecretThatIsReadBack) {
  const std::string path = folder_ + "/relay.key";
  const RelaySecretKey key = RelaySecretKey::generate();
  ASSERT_TRUE(create_relay_key(path, key).ok());
  const auto read = read_relay_key(path);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->public_key(), key.public_key());
  EXPECT_EQ(code_of(create_relay_key(path, key)), "file_exists");
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  chmod(path.c_str(), 0640);
  EXPECT_EQ(tell(read_relay_key(path).error()).code, "key_file_readable");
  EXPECT_EQ(tell(read_relay_key(folder_ + "/none").error()).code, "no_relay_key");
  const std::string noise = folder_ + "/noise.key";
  std::ofstream(noise) << "not a key\n";
  chmod(noise.c_str(), 0600);
  EXPECT_EQ(tell(read_relay_key(noise).error()).code, "bad_relay_key");
}

}  // namespace
}  // namespace signet::cli
