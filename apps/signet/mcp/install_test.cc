#include "signet/mcp/install.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace signet::mcp {
namespace {

TEST(InstallEntry, IsJsonThatNamesTheProgram) {
  struct Row {
    const char *client, *list;
  };
  for (const Row& row :
       {Row{"claude", "mcpServers"}, Row{"cursor", "mcpServers"}, Row{"gemini", "mcpServers"},
        Row{"windsurf", "mcpServers"}, Row{"vscode", "servers"}}) {
    const auto entry = install_entry(row.client, "/opt/a \"b\"/signet", {{"XDG_STATE_HOME", "/s"}});
    ASSERT_TRUE(entry.ok()) << row.client;
    wire::JsonDocument document;
    ASSERT_TRUE(document.parse(entry->text).ok()) << entry->text;
    const auto server = document.root()[row.list]["signet"];
    EXPECT_EQ(server["command"].string(), "/opt/a \"b\"/signet") << row.client;
    EXPECT_EQ(server["args"].raw(), R"(["mcp"])");
    EXPECT_EQ(server["env"]["XDG_STATE_HOME"].string(), "/s");
    EXPECT_FALSE(entry->where.empty());
  }
}

TEST(InstallEntry, IsEasyToRead) {
  const auto entry = install_entry("vscode", "/a\\\"{b", {{"X", "1,2"}});
  EXPECT_EQ(entry->text, R"({
  "servers": {
    "signet": {
      "type": "stdio",
      "command": "/a\\\"{b",
      "args": ["mcp"],
      "env": {
        "X": "1,2"
      }
    }
  }
})");
}

TEST(InstallEntry, IsTomlForCodex) {
  const auto plain = install_entry("codex", "/opt/signet", {});
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->text, "[mcp_servers.signet]\ncommand = \"/opt/signet\"\nargs = [\"mcp\"]");
  const auto more = install_entry("codex", "/opt/signet", {{"XDG_CONFIG_HOME", "/c"}});
  EXPECT_TRUE(more->text.ends_with("\n\n[mcp_servers.signet.env]\nXDG_CONFIG_HOME = \"/c\""));
}

TEST(InstallEntry, IsThereForEveryClientThatIsNamedAndNoOther) {
  for (const auto client : install_clients()) EXPECT_TRUE(install_entry(client, "s", {}).ok());
  const auto unknown = install_entry("emacs", "s", {});
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kMalformed);
  EXPECT_NE(unknown.error().detail.find("claude"), std::string::npos);
}

}  // namespace
}  // namespace signet::mcp
