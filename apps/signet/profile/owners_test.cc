#include "signet/profile/owners.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

OwnedMesh made(std::string_view slug, std::string mesh_id) {
  OwnedMesh mesh = new_owned(slug, "ws://localhost/ws", Identity::generate());
  mesh.mesh_id = std::move(mesh_id);
  return mesh;
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "" : tell(result.error()).code;
}

TEST(ChooseOwned, OneNeedsNoName) {
  EXPECT_EQ(code_of(choose_owned({}, "")), "not_the_owner");
  EXPECT_EQ(choose_owned({made("a", "1")}, "")->slug, "a");
  EXPECT_EQ(choose_owned({made("a", "1"), made("b", "2")}, "b")->mesh_id, "2");
  EXPECT_EQ(choose_owned({made("a", "1"), made("b", "2")}, "1")->slug, "a");
  EXPECT_EQ(code_of(choose_owned({made("a", "1"), made("b", "2")}, "")), "usage");
  EXPECT_EQ(code_of(choose_owned({made("a", "1")}, "c")), "not_the_owner");
}

TEST(ChooseOwned, WhatNoBrokerHasTakenIsNone) {
  EXPECT_EQ(choose_owned({made("begun", ""), made("b", "2")}, "")->slug, "b");
  EXPECT_EQ(code_of(choose_owned({made("begun", "")}, "begun")), "not_the_owner");
}

TEST(OwnedMesh, KeepsItsKeyThroughItsFile) {
  std::string name = (std::filesystem::temp_directory_path() / "signet-XXXXXX").string();
  const std::string home = mkdtemp(name.data());
  const Paths paths{home, home + "/config", home + "/state"};
  OwnedMesh mesh = made("a", "");
  ASSERT_TRUE(keep_owned(paths, mesh).ok());
  mesh.mesh_id = "1";
  mesh.reached.socket = "/run/signet.sock";
  ASSERT_TRUE(keep_owned(paths, mesh).ok());
  const auto owned = load_owned(paths);
  ASSERT_TRUE(owned.ok());
  ASSERT_EQ(owned->size(), 1U);
  EXPECT_EQ(owned->front().mesh_id, "1");
  EXPECT_EQ(owned->front().reached.socket, "/run/signet.sock");
  EXPECT_EQ(crypto::to_hex(owned->front().key()->public_key()), mesh.public_key);
  mesh.public_key.front() = mesh.public_key.front() == '0' ? '1' : '0';
  EXPECT_EQ(code_of(mesh.key()), "bad_key");
  std::filesystem::remove_all(home);
}

}  // namespace
}  // namespace signet::cli
