#include "signetd/rules_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/log.h"

namespace signet {
namespace {

constexpr char kKeyOne[] =
    R"({"kty":"OKP","crv":"Ed25519","x":"kc6Y7AjNzBS2fOzlZEwEZkjKitlXf2AAzIG7cKuMtuw","kid":"one"})";
constexpr char kKeyOneRenamed[] =
    R"({"kty":"OKP","crv":"Ed25519","x":"kc6Y7AjNzBS2fOzlZEwEZkjKitlXf2AAzIG7cKuMtuw","kid":"two"})";
// The key of RFC 8037, appendix A.
constexpr char kOtherKey[] =
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";

class RulesFile : public testing::Test {
 protected:
  RulesFile() {
    std::string name = testing::TempDir() + "/signet_rules_XXXXXX";
    folder_ = mkdtemp(name.data());
    write("one.json", kKeyOne);
    write("copy.json", kKeyOneRenamed);
    write("other.json", kOtherKey);
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1));
  }
  ~RulesFile() override {
    set_log_level(LogLevel::kInfo);
    std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text, mode_t mode = 0644) {
    std::ofstream(folder_ + "/" + name) << text;
    ::chmod((folder_ + "/" + name).c_str(), mode);
  }

  // `text` may name the folder as @.
  Result<std::shared_ptr<const broker::Rules>> load(std::string text) {
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
      text.replace(at, 1, folder_);
    }
    write("signet.toml", text);
    config::Sources sources;
    sources.file = folder_ + "/signet.toml";
    const auto config = config::load(sources);
    if (!config.ok()) return config.error();
    return load_rules(*config, false, {}, WallTime{});
  }

  std::string folder_;
};

TEST_F(RulesFile, LetsNoTokenOfOneMeshDoForAnother) {
  constexpr char kUsual[] = "[tokens]\nissuer = \"i\"\nkeys = \"@/one.json\"\n";
  struct Case {
    const char* name;
    std::string text;
    bool taken;
    bool a_wants_a_name;
  };
  const Case cases[] = {
      {"one mesh alone", std::string(kUsual) + "[[mesh]]\nslug = \"a\"\n", true, false},
      {"two by their slugs",
       std::string(kUsual) + "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\n", true, true},
      {"two of one audience",
       std::string(kUsual) + "audience = \"x\"\n[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\n",
       false, false},
      {"two of one audience, one by its slug",
       std::string(kUsual) +
           "[[mesh]]\nslug = \"a\"\ntoken_audience = \"b\"\n[[mesh]]\nslug = \"b\"\n",
       false, false},
      {"the same key in another file, by another name",
       std::string(kUsual) +
           "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\ntoken_keys = \"@/copy.json\"\n",
       true, true},
      {"the same file by another path",
       std::string(kUsual) +
           "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\ntoken_keys = \"@/./one.json\"\n",
       true, true},
      {"other keys",
       std::string(kUsual) +
           "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\ntoken_keys = \"@/other.json\"\n",
       true, false},
      {"another issuer",
       std::string(kUsual) +
           "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\ntoken_issuer = \"j\"\n",
       true, false},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto rules = load(c.text);
    EXPECT_EQ(rules.ok(), c.taken) << (rules.ok() ? std::string() : rules.error().detail);
    if (!rules.ok()) continue;
    EXPECT_EQ((*rules)->of("a").tokens->rules.require_audience, c.a_wants_a_name);
    EXPECT_TRUE((*rules)->of("made later").tokens->rules.require_audience);
    EXPECT_EQ((*rules)->of("made later").tokens->rules_for("made later").audience, "made later");
  }
}

TEST_F(RulesFile, BelievesNoKeysThatOthersMayWrite) {
  constexpr char kText[] =
      "[tokens]\nissuer = \"i\"\nkeys = \"@/one.json\"\n[[mesh]]\nslug = \"a\"\n";
  EXPECT_TRUE(load(kText).ok());
  for (const mode_t mode : {0664, 0646, 0666}) {
    write("one.json", kKeyOne, mode);
    const auto rules = load(kText);
    ASSERT_FALSE(rules.ok()) << mode;
    EXPECT_NE(rules.error().detail.find("others may write it"), std::string::npos);
  }
}

TEST_F(RulesFile, WantsAnIssuerWithTheKeys) {
  const auto rules = load("[tokens]\nkeys = \"@/one.json\"\n[[mesh]]\nslug = \"a\"\n");
  ASSERT_FALSE(rules.ok());
  EXPECT_NE(rules.error().detail.find("tokens.issuer"), std::string::npos);
}

}  // namespace
}  // namespace signet
