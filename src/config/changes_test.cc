#include "config/changes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace signet::config {
namespace {

Config from_file(const std::string& text) {
  const std::string path =
      testing::TempDir() + "signet_changes_" + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << text;
  Sources sources;
  sources.file = path;
  auto config = load(sources);
  std::filesystem::remove(path);
  EXPECT_TRUE(config.ok()) << config.error().detail;
  return *std::move(config);
}

std::string print(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    text += change.name + ": " + change.from + " -> " + change.to + "\n";
  }
  return text;
}

TEST(Changed, TellsWhatAppliesAndWhatWaits) {
  struct Case {
    const char* name;
    const char* before;
    const char* after;
    const char* live;
    const char* restart;
  };
  // clang-format off
#define OTHERS ", policy none, routes none, simpatico_open false, max_skew 60000ms, shared_secret_file none, token_keys none, token_issuer none, token_audience none, hub_action_secret_file none, hub_engine_secret_file none, hub_shared_actions false, jobs_types none"
  const Case cases[] = {
      {"nothing", "", "", "", ""},
      {"a default written out", "", "[net]\nspin = \"50us\"", "", ""},
      {"the same in another unit", "[net]\nping_interval = \"60s\"", "[net]\nping_interval = \"1m\"", "", ""},
      {"a live one", "", "[server]\nlog_level = \"debug\"", "server.log_level: info -> debug\n", ""},
      {"one that waits", "", "[net]\nspin = \"7us\"", "", "net.spin: 50us -> 7us\n"},
      {"one of each", "[net]\nspin = \"7us\"", "[server]\nlog_level = \"warn\"", "server.log_level: info -> warn\n", "net.spin: 7us -> 50us\n"},
      {"a list", "", "[server]\nhosts = [\"a\", \"b\"]", "", "server.hosts:  -> a,b\n"},
      {"a new mesh", "", "[[mesh]]\nslug = \"a\"", "", "mesh.a: none -> owner none, id kept or made, max_connections 10000, legacy_join false" OTHERS "\n"},
      {"a mesh less", "[[mesh]]\nslug = \"a\"\nid = \"i\"", "", "", "mesh.a: owner none, id i, max_connections 10000, legacy_join false" OTHERS " -> none\n"},
      {"a mesh moved in the file", "[[mesh]]\nslug = \"a\"", "\n\n[[mesh]]\nslug = \"a\"", "", ""},
      {"a mesh with another policy", "[[mesh]]\nslug = \"a\"", "[[mesh]]\nslug = \"a\"\npolicy = \"p.toml\"", "", "mesh.a: owner none, id kept or made, max_connections 10000, legacy_join false" OTHERS " -> owner none, id kept or made, max_connections 10000, legacy_join false, policy p.toml, routes none, simpatico_open false, max_skew 60000ms, shared_secret_file none, token_keys none, token_issuer none, token_audience none, hub_action_secret_file none, hub_engine_secret_file none, hub_shared_actions false, jobs_types none\n"},
      {"a mesh changed", "[[mesh]]\nslug = \"a\"", "[[mesh]]\nslug = \"a\"\nlegacy_join = true", "", "mesh.a: owner none, id kept or made, max_connections 10000, legacy_join false" OTHERS " -> owner none, id kept or made, max_connections 10000, legacy_join true" OTHERS "\n"},
  };
#undef OTHERS
  // clang-format on
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Changes changes = changed(from_file(c.before), from_file(c.after));
    EXPECT_EQ(print(changes.live), c.live);
    EXPECT_EQ(print(changes.restart), c.restart);
  }
}

TEST(Changed, TellsThatASecretChangedAndNotToWhat) {
  Sources before, after;
  before.environment = {"SIGNET_ADMIN_TOKEN=" + std::string(32, 'a')};
  after.environment = {"SIGNET_ADMIN_TOKEN=" + std::string(32, 'b')};
  const Changes changes = changed(*load(before), *load(after));
  EXPECT_EQ(print(changes.restart), "admin.token: ******** -> ********\n");
  EXPECT_EQ(print(changed(*load(before), *load(before)).restart), "");
}

TEST(MergeLive, KeepsWhatWaitsForARestart) {
  const Config before = from_file("");
  const Config after = from_file("[server]\nlog_level = \"debug\"\n[net]\nspin = \"7us\"");
  const Config merged = merge_live(before, after);
  EXPECT_EQ(merged.text("server.log_level"), "debug");
  EXPECT_EQ(merged.duration<std::chrono::microseconds>("net.spin").count(), 50);
  EXPECT_EQ(print(changed(merged, after).restart), "net.spin: 50us -> 7us\n")
      << "said again at the next reload";
}

}  // namespace
}  // namespace signet::config
