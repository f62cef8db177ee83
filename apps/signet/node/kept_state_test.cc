#include "signet/node/kept_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "signet/node/fake_controller_for_test.h"

namespace signet::node {
namespace {

KeptState full_state() {
  KeptState state = test_state();
  state.mesh = "mesh with a space\nand a line";
  state.pending = new_wireguard_secret();
  state.endpoint = "192.0.2.7:51820";
  state.sequence = 9'007'199'254'740'991;
  state.offer = {7, 8, WallTime{1'767'616'490'123}, {}};
  state.in_use = 7;
  state.texts.push_back({7, text_of_epoch(7, {3, 4})});
  state.texts.push_back({8, text_of_epoch(8, {3})});
  state.epoch = 41;
  state.reason = "score 0.92 >= 0.70, fresh\nsum 0";
  state.revocations.serial = 12;
  state.revocations.signer = test_key(9).public_key();
  state.revocations.keys = {test_wireguard(5), test_wireguard(6)};
  state.address = kTestNetwork + 2;
  state.bits = 24;
  state.allowed = false;
  return state;
}

TEST(CountOnlyStore, KeepsTheCountAloneAndNoneThatTheDiskDidNotTake) {
  FakeDisk disk;
  const KeptState before = test_state();
  ASSERT_TRUE(disk.write(before).ok());
  CountOnlyStore store(disk, copy_of(before));
  KeptState next = full_state();
  next.sequence = before.sequence;
  EXPECT_TRUE(store.write(next).ok());
  EXPECT_EQ(disk.writes, 1) << "there is nothing to keep of it";
  next.sequence = 7;
  disk.fails = true;
  EXPECT_FALSE(store.write(next).ok());
  disk.fails = false;
  EXPECT_TRUE(store.write(next).ok());
  KeptState wanted = copy_of(before);
  wanted.sequence = 7;
  EXPECT_EQ(disk.text.text(), write_kept(wanted).text());
}

TEST(KeptState, IsReadBackAsItWasWritten) {
  for (const bool full : {false, true}) {
    const KeptState state = full ? full_state() : test_state();
    const SecretBytes text = write_kept(state);
    const auto back = read_kept(text.text());
    ASSERT_TRUE(back.ok()) << back.error().detail;
    EXPECT_EQ(write_kept(*back).text(), text.text());
    EXPECT_EQ(back->reason, state.reason);
    EXPECT_EQ(back->offer, state.offer);
    EXPECT_EQ(back->in_use, state.in_use);
    EXPECT_EQ(back->sequence, state.sequence);
    EXPECT_EQ(back->allowed, state.allowed);
    EXPECT_EQ(back->revocations, state.revocations);
    EXPECT_EQ(back->wireguard.text(), state.wireguard.text());
    EXPECT_EQ(write_kept(copy_of(state)).text(), text.text());
  }
}

TEST(KeptState, ATouchedOrHalfFileIsNone) {
  const SecretBytes whole = write_kept(full_state());
  const std::string text(whole.text());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string touched = text;
    touched[i] = static_cast<char>(touched[i] ^ 1);
    EXPECT_FALSE(read_kept(touched).ok()) << i;
    EXPECT_FALSE(read_kept(text.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(read_kept(text + "\n").ok());
  EXPECT_FALSE(read_kept("").ok());
}

TEST(KeptState, NoErrorNamesAValue) {
  std::string text(write_kept(full_state()).text());
  const auto at = text.find("wireguard ") + 10;
  const std::string secret = text.substr(at, 44);
  text.replace(at, 1, "!");
  const auto read = read_kept(text);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().detail.find(secret.substr(1)), std::string::npos);
}

TEST(KeptState, AKeyIsAsWireGuardMakesOne) {
  const SecretBytes secret = new_wireguard_secret();
  ASSERT_EQ(secret.size(), 32U);
  EXPECT_EQ(secret.data()[0] & 7, 0);
  EXPECT_EQ(secret.data()[31] & 0xC0, 0x40);
  EXPECT_NE(wireguard_key_of(secret), wireguard_key_of(new_wireguard_secret()));
}

class KeptFileTest : public testing::Test {
 protected:
  KeptFileTest() {
    std::string name = (std::filesystem::temp_directory_path() / "signet-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    path_ = folder_ + "/state/demo-01234567.node-a.node";
  }
  ~KeptFileTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_, path_;
};

TEST_F(KeptFileTest, HasOneOwner) {
  auto first = KeptFile::take(path_);
  ASSERT_TRUE(first.ok()) << first.error().detail;
  const auto second = KeptFile::take(path_);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(code_of(second.error()), "node_busy");
  EXPECT_EQ(second.error().code, ErrorCode::kConflict);
  (*first).reset();
  EXPECT_TRUE(KeptFile::take(path_).ok());
}

TEST_F(KeptFileTest, IsItsOwnersAloneAndWhole) {
  const auto file = KeptFile::take(path_);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(code_of((*file)->read().error()), "no_such_node");
  const KeptState state = full_state();
  ASSERT_TRUE((*file)->write(state).ok());
  struct stat facts {};
  ASSERT_EQ(stat(path_.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  const auto back = look_at_kept(path_);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(write_kept(*back).text(), write_kept(state).text());
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  EXPECT_EQ(code_of(look_at_kept(path_).error()), "node_state_unread");
  ASSERT_EQ(chmod(path_.c_str(), 0600), 0);
  std::ofstream(path_, std::ios::app) << "x";
  EXPECT_EQ(code_of(look_at_kept(path_).error()), "node_state_broken");
}

TEST_F(KeptFileTest, WhatCantBeWrittenLeavesTheOldOne) {
  const auto file = KeptFile::take(path_);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE((*file)->write(test_state()).ok());
  const std::string before(write_kept(*(*file)->read()).text());
  std::filesystem::rename(folder_ + "/state", folder_ + "/gone");
  EXPECT_FALSE((*file)->write(full_state()).ok());
  std::filesystem::rename(folder_ + "/gone", folder_ + "/state");
  EXPECT_EQ(write_kept(*(*file)->read()).text(), before);
}

TEST(KeptFileName, IsBesideTheProfilesState) {
  cli::Paths paths;
  paths.state_folder = "/s";
  cli::Profile profile;
  profile.slug = "demo/..";
  profile.public_key = std::string(64, 'a');
  EXPECT_EQ(kept_file(paths, profile, "node-a").rfind("/s/", 0), 0U);
  EXPECT_EQ(kept_file(paths, profile, "node-a").find("demo/"), std::string::npos);
  EXPECT_NE(kept_file(paths, profile, "node-a"), kept_file(paths, profile, "node-b"));
}

}  // namespace
}  // namespace signet::node
