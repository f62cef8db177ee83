#include "signet/node/wireguard_tool.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/encoding.h"
#include "signet/node/fake_controller_for_test.h"

namespace signet::node {
namespace {

using std::chrono::milliseconds;

// A folder of programs that stand in for WireGuard's.
class ToolFolder : public testing::Test {
 protected:
  ToolFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "signet-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~ToolFolder() override { std::filesystem::remove_all(folder_); }

  std::string make(const std::string& name, const std::string& script) const {
    std::string path = folder_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
    EXPECT_EQ(chmod(path.c_str(), 0700), 0);
    return path;
  }
  std::string content(const std::string& name) const {
    std::stringstream text;
    text << std::ifstream(folder_ + "/" + name).rdbuf();
    return text.str();
  }
  // A wg that keeps what it is given, and an ip that keeps what it is told.
  void make_tools() const {
    make("wg", "echo \"$*\" >> " + folder_ + "/wg.said; for last; do :; done; cat \"$last\" > " +
                   folder_ + "/wg.text");
    make("ip", "echo \"$*\" >> " + folder_ + "/ip.said");
  }
  std::unique_ptr<InterfaceTool> tool(const InterfaceOptions& options = {"wg0"}) const {
    auto found = InterfaceTool::find(options, folder_);
    EXPECT_TRUE(found.ok()) << found.error().detail;
    return found.ok() ? *std::move(found) : nullptr;
  }

  std::string folder_;
};

overlay::WireGuardConfig config_of(const std::vector<unsigned char>& peers,
                                   std::uint64_t epoch = 7) {
  const SecretBytes text = text_of_epoch(epoch, peers);
  auto config = overlay::read_wireguard(text.text());
  config->private_key = SecretBytes(std::string(32, 'k'));
  return *std::move(config);
}

TEST_F(ToolFolder, ATextReachesAToolInMemoryAlone) {
  const std::string path =
      make("show", "echo \"$#\"; cat \"$1\"; ls -l /proc/self/fd | grep -c memfd");
  const auto answer =
      run_tool(path, {std::string(kInputPath)}, "secret text\n", milliseconds(5'000));
  ASSERT_TRUE(answer.ok()) << answer.error().detail;
  EXPECT_EQ(answer->exit, 0);
  EXPECT_EQ(answer->out, "1\nsecret text\n1\n");
}

TEST_F(ToolFolder, NoShellReadsTheArguments) {
  const std::string path = make("show", "printf '%s|' \"$@\"");
  const auto answer = run_tool(path, {"a b", "$(id)", ";ls", "-x"}, "", milliseconds(5'000));
  EXPECT_EQ(answer->out, "a b|$(id)|;ls|-x|");
}

TEST_F(ToolFolder, FailuresAreTold) {
  const auto failed =
      run_tool(make("bad", "echo one >&2; echo two >&2; exit 3"), {}, "", milliseconds(5'000));
  ASSERT_TRUE(failed.ok());
  EXPECT_EQ(failed->exit, 3);
  EXPECT_EQ(failed->error, "one");
  const auto slow = run_tool(make("slow", "exec sleep 60"), {}, "", milliseconds(50));
  ASSERT_FALSE(slow.ok());
  EXPECT_EQ(slow.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(run_tool(folder_ + "/none", {}, "", milliseconds(50)).error().code,
            ErrorCode::kUnavailable);
}

TEST_F(ToolFolder, ProgramsAreFoundInAbsoluteFoldersOnly) {
  const std::string path = make("wg", "true");
  std::ofstream(folder_ + "/plain") << "x";
  EXPECT_EQ(find_program("wg", "/nowhere:" + folder_ + ":/usr/bin"), path);
  EXPECT_EQ(find_program("plain", folder_), "");
  EXPECT_EQ(find_program("wg", ".:relative::"), "");
  EXPECT_EQ(find_program("wg", ""), "");
}

TEST_F(ToolFolder, WhatIsMissingIsSaid) {
  EXPECT_EQ(code_of(InterfaceTool::find({"wg0"}, folder_).error()), "no_wireguard_tools");
  make("wg", "true");
  EXPECT_EQ(code_of(InterfaceTool::find({"wg0"}, folder_).error()), "no_wireguard_tools");
  EXPECT_TRUE(InterfaceTool::find({"wg0", false}, folder_).ok());
  for (const char* name : {"", "-wg0", "wg 0", "wg0/x", "sixteen-letters-", "..", "wg0\n"}) {
    EXPECT_EQ(code_of(InterfaceTool::find({name, false}, folder_).error()), "usage") << name;
  }
}

TEST_F(ToolFolder, AppliesBySyncconfAndSetsTheAddressOnce) {
  make_tools();
  const auto wg = tool();
  ASSERT_TRUE(wg->apply(config_of({7, 8})).ok());
  EXPECT_EQ(content("wg.said"), "syncconf wg0 /proc/self/fd/0\n");
  EXPECT_EQ(content("ip.said"), "-4 address replace 10.10.0.2/24 dev wg0\nlink set dev wg0 up\n");
  const std::string text = content("wg.text");
  EXPECT_NE(text.find("PrivateKey = "), std::string::npos);
  EXPECT_EQ(text.find("Address"), std::string::npos);
  EXPECT_NE(text.find("Endpoint = 192.0.2.8:51820"), std::string::npos);
  ASSERT_TRUE(wg->apply(config_of({7, 8})).ok());
  EXPECT_EQ(content("ip.said").size(), 60U) << "the address is there";
}

TEST_F(ToolFolder, AnEndpointThatStaysIsNotSetAgain) {
  make_tools();
  const auto wg = tool();
  ASSERT_TRUE(wg->apply(config_of({7, 8})).ok());
  ASSERT_TRUE(wg->apply(config_of({7, 9})).ok());
  EXPECT_EQ(content("wg.text").find("192.0.2.7"), std::string::npos);
  EXPECT_NE(content("wg.text").find("192.0.2.9"), std::string::npos);
  // A peer that was gone, and an interface that was made anew.
  ASSERT_TRUE(wg->apply(config_of({7, 8})).ok());
  EXPECT_NE(content("wg.text").find("192.0.2.8"), std::string::npos);
  wg->forget();
  ASSERT_TRUE(wg->apply(config_of({7, 8})).ok());
  EXPECT_NE(content("wg.text").find("192.0.2.7"), std::string::npos);
}

TEST_F(ToolFolder, KeysOfPairsAreChangedAlone) {
  make_tools();
  const auto wg = tool();
  ASSERT_TRUE(wg->apply(config_of({7, 8})).ok());
  const std::string before = content("wg.said");
  const overlay::WireGuardConfig next = config_of({7, 8}, 8);
  ASSERT_TRUE(wg->apply(next).ok());
  std::string wanted;
  for (const overlay::WireGuardPeer& peer : next.peers) {
    wanted += "set wg0 peer " + to_base64(peer.key) + " preshared-key /proc/self/fd/0\n";
  }
  EXPECT_EQ(content("wg.said"), before + wanted);
  EXPECT_EQ(content("wg.text"), to_base64(next.peers[1].preshared.bytes()));
  // Another set of peers is another matter, and so is what a failure left.
  ASSERT_TRUE(wg->apply(config_of({7, 9}, 9)).ok());
  EXPECT_TRUE(content("wg.said").ends_with("syncconf wg0 /proc/self/fd/0\n"));
  make("wg", "exit 1");
  EXPECT_FALSE(wg->apply(config_of({7, 9}, 10)).ok());
  make_tools();
  ASSERT_TRUE(wg->apply(config_of({7, 9}, 11)).ok());
  EXPECT_TRUE(content("wg.said").ends_with("syncconf wg0 /proc/self/fd/0\n"));
  InterfaceOptions few{"wg0"};
  few.keys_one_by_one = 1;
  const auto other = tool(few);
  ASSERT_TRUE(other->apply(config_of({7, 9}, 11)).ok());
  ASSERT_TRUE(other->apply(config_of({7, 9}, 12)).ok());
  EXPECT_TRUE(content("wg.said").ends_with("syncconf wg0 /proc/self/fd/0\n"));
}

TEST_F(ToolFolder, AFailureSaysWhatToDo) {
  const struct {
    const char* says;
    const char* code;
    const char* advice;
  } rows[] = {
      {"Unable to access interface: No such device", "no_interface", "ip link add wg0"},
      {"Unable to modify interface: Operation not permitted", "no_right", "CAP_NET_ADMIN"},
      {"Unable to modify interface: Operation not permitted", "no_right", "run it as root"},
      {"something else", "wireguard_failed", "something else"},
  };
  for (const auto& row : rows) {
    make("wg", std::string("echo '") + row.says + "' >&2; exit 1");
    const auto wg = tool({"wg0", false});
    const Status applied = wg->apply(config_of({7}));
    ASSERT_FALSE(applied.ok());
    EXPECT_EQ(code_of(applied.error()), row.code);
    EXPECT_NE(applied.error().detail.find(row.advice), std::string::npos);
    EXPECT_FALSE(wg->peers().ok());
  }
}

// Without WireGuard in the kernel wg says so of every name that nobody made.
TEST(ToolFailure, AKindThatIsUnknownIsAnInterfaceThatIsNotThere) {
  const std::string absent = "sgnt-absent-x";
  ASSERT_FALSE(std::filesystem::exists("/sys/class/net/" + absent));
  for (const char* said : {"Unable to access interface: Protocol not supported",
                           "Unable to access interface: Operation not supported"}) {
    const Error error = tool_failure(absent, {1, "", said});
    EXPECT_EQ(code_of(error), "no_interface") << said;
    EXPECT_NE(error.detail.find("wireguard-go " + absent), std::string::npos);
    if (!std::filesystem::exists("/sys/class/net/lo")) continue;
    EXPECT_EQ(code_of(tool_failure("lo", {1, "", said})), "wireguard_failed") << said;
  }
}

TEST_F(ToolFolder, NoConfigurationThatCouldNotBeWrittenReachesATool) {
  make_tools();
  overlay::WireGuardConfig config = config_of({7});
  config.peers.front().key = {};
  EXPECT_FALSE(tool()->apply(config).ok());
  EXPECT_EQ(content("wg.said"), "");
}

TEST_F(ToolFolder, ReadsWhatIsShown) {
  const std::string key = to_base64(test_wireguard(7));
  make("wg", "case $3 in latest-handshakes) printf '" + key +
                 "\\t1700000000\\n';; transfer) printf '" + key + "\\t5\\t148\\n';; esac");
  const auto peers = tool({"wg0", false})->peers();
  ASSERT_TRUE(peers.ok()) << peers.error().detail;
  ASSERT_EQ(peers->size(), 1U);
  EXPECT_EQ(peers->front().key, test_wireguard(7));
  EXPECT_EQ(peers->front().handshake, WallTime{1'700'000'000'000});
  EXPECT_EQ(peers->front().sent_bytes, 148U);
}

TEST(ReadPeers, RefusesWhatWireGuardDoesNotPrint) {
  const std::string key = to_base64(test_wireguard(7));
  EXPECT_TRUE(read_peers("", "")->empty());
  EXPECT_EQ(read_peers("", key + "\t0\t0\n")->front().handshake, WallTime{});
  for (const std::string& bad :
       {std::string("hello\n"), key + "\n", key + "\t1\n", key + "\t-1\t2\n", key + "\t1\t2x\n",
        key.substr(1) + "\t1\t2\n"}) {
    EXPECT_FALSE(read_peers("", bad).ok()) << bad;
  }
  EXPECT_FALSE(read_peers(key + "\t-1\n", "").ok());
  EXPECT_FALSE(read_peers(key + "\t99999999999999\n", "").ok());
}

TEST_F(ToolFolder, ADryRunWritesAPrivateFileOrPrintsWithoutTheKey) {
  const std::string path = folder_ + "/wg0.conf";
  DryRunTool file(path, nullptr);
  ASSERT_TRUE(file.apply(config_of({7})).ok());
  struct stat facts {};
  ASSERT_EQ(stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_NE(content("wg0.conf").find("PrivateKey = "), std::string::npos);
  EXPECT_NE(content("wg0.conf").find("Address = 10.10.0.2/24"), std::string::npos);
  EXPECT_EQ(file.peers()->size(), 1U);
  std::string printed;
  DryRunTool shown("-", [&](std::string_view text) { printed += text; });
  ASSERT_TRUE(shown.apply(config_of({7})).ok());
  EXPECT_EQ(printed.find("PrivateKey = "), std::string::npos);
  EXPECT_NE(printed.find("# PrivateKey is left out"), std::string::npos);
  EXPECT_NE(printed.find("PresharedKey"), std::string::npos);
}

}  // namespace
}  // namespace signet::node
