#include "config/describe.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "config/nearest.h"

namespace signet::config {
namespace {

Config loaded(const Sources& sources) {
  auto config = load(sources);
  EXPECT_TRUE(config.ok()) << config.error().detail;
  return *std::move(config);
}

TEST(Settings, EveryRowHoldsTheRulesOfTheTable) {
  std::set<std::string> names, variables;
  for (const Setting& setting : kSettings) {
    SCOPED_TRACE(name_of(setting));
    EXPECT_TRUE(names.insert(name_of(setting)).second) << "named twice";
    EXPECT_TRUE(variables.insert(environment_name(setting)).second) << "variable named twice";
    EXPECT_EQ(&kSettings[index_of(name_of(setting))], &setting);
    EXPECT_LE(setting.min, setting.max);
    EXPECT_TRUE(setting.doc.ends_with('.')) << "no sentence";
    EXPECT_EQ(setting.doc.find('\n'), std::string_view::npos);
    if (setting.secret()) {
      EXPECT_EQ(setting.default_text, "") << "a built-in secret";
      EXPECT_LT(index_of(name_of(setting) + "_file"), kSettings.size());
      continue;
    }
    EXPECT_TRUE(parse_value(setting, setting.default_text).ok()) << setting.default_text;
    if (!setting.dev_text.empty()) {
      EXPECT_TRUE(parse_value(setting, setting.dev_text).ok()) << setting.dev_text;
    }
  }
  for (const Order& order : kOrders) {
    EXPECT_LT(index_of(order.smaller), kSettings.size()) << order.smaller;
    EXPECT_LT(index_of(order.larger), kSettings.size()) << order.larger;
  }
}

TEST(Describe, NamesEverySettingAndEveryVariable) {
  const std::string page = describe_markdown(), environment = describe_env();
  for (const Setting& setting : kSettings) {
    SCOPED_TRACE(name_of(setting));
    EXPECT_NE(page.find("| `" + std::string(setting.key) + "` |"), std::string::npos);
    EXPECT_NE(page.find("`" + environment_name(setting) + "`"), std::string::npos);
    EXPECT_NE(("\n" + environment).find("\n" + environment_name(setting)), std::string::npos);
  }
  for (const Setting& setting : kMeshSettings) {
    EXPECT_NE(page.find("| `" + std::string(setting.key) + "` |"), std::string::npos);
  }
}

TEST(Show, NamesTheOriginOfEachValue) {
  Sources sources;
  sources.environment = {"SIGNET_NET_SPIN=7us"};
  sources.flags = {{"server.listen", "127.0.0.1:9", "--listen"}};
  const std::string text = show(loaded(sources));
  EXPECT_NE(text.find("\nspin = \"7us\"  # SIGNET_NET_SPIN\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nlisten = [\"127.0.0.1:9\"]  # --listen\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\nshards = 0  # default\n"), std::string::npos) << text;
}

TEST(Show, NeverPrintsASecret) {
  const std::string token = "0123456789abcdef0123456789abcdef";
  Sources sources;
  sources.environment = {"SIGNET_ADMIN_TOKEN=" + token};
  const std::string text = show(loaded(sources));
  EXPECT_EQ(text.find(token), std::string::npos);
  EXPECT_NE(text.find("# token = ******** (SIGNET_ADMIN_TOKEN)\n"), std::string::npos) << text;
  EXPECT_NE(show(loaded({})).find("# token is not set\n"), std::string::npos);
}

TEST(Show, IsAFileThatLoadsToTheSame) {
  const std::string path = testing::TempDir() + "signet_show_" + std::to_string(getpid()) + ".toml";
  std::ofstream(path) << "[server]\ndata = 'a \"quoted\" \\ path'\nhosts = [\"x\", \"y\"]\n"
                         "[[mesh]]\nslug = \"team\"\nid = \"m\"\n";
  Sources sources;
  sources.file = path;
  const Config first = loaded(sources);
  std::ofstream(path) << show(first);
  const Config second = loaded(sources);
  std::filesystem::remove(path);
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    EXPECT_EQ(first.entries()[i].value, second.entries()[i].value) << name_of(kSettings[i]);
  }
  ASSERT_EQ(second.meshes().size(), 1u);
  EXPECT_EQ(second.meshes()[0].slug, "team");
  EXPECT_EQ(second.meshes()[0].max_connections, 10'000);
}

TEST(Nearest, FindsTypingErrorsAndNothingElse) {
  struct Case {
    const char* name;
    std::string given;
    const char* found;
  };
  const std::vector<std::string> names{"net.spin", "net.max_headers", "server.shards"};
  const Case cases[] = {
      {"a letter too many", "net.spinn", "net.spin"},
      {"a letter missing", "server.shard", "server.shards"},
      {"two letters swapped", "net.psin", "net.spin"},
      {"the name itself", "net.spin", "net.spin"},
      {"another word", "zzzzzzzz", ""},
      {"nothing", "", ""},
      {"too long to be near", std::string(10'000, 'x'), ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(nearest(c.given, names), c.found);
  }
}

}  // namespace
}  // namespace signet::config
