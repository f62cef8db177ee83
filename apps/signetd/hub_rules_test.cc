#include "signetd/hub_rules.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "signetd/rules_file.h"

namespace signet {
namespace {

constexpr char kActions[] = "the heron waits at the third lock";
constexpr char kEngines[] = "an otter sleeps below the second weir";

class HubRules : public testing::Test {
 protected:
  HubRules() {
    std::string name = testing::TempDir() + "/signet_hub_XXXXXX";
    folder_ = mkdtemp(name.data());
    write("keys.json",
          R"({"kty":"OKP","crv":"Ed25519","x":"kc6Y7AjNzBS2fOzlZEwEZkjKitlXf2AAzIG7cKuMtuw"})",
          0644);
    write("actions", kActions);
    write("engines", kEngines);
    write("sample", "HMAC_SECRET_987654321");
    write("short", "0a1b2c3d4e5f6g7");
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1));
  }
  ~HubRules() override {
    set_log_level(LogLevel::kInfo);
    std::filesystem::remove_all(folder_);
  }

  void write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(folder_ + "/" + name) << text;
    ::chmod((folder_ + "/" + name).c_str(), mode);
  }

  // `text` may name the folder as @. `only_mesh` as Daemon has it.
  Result<std::shared_ptr<const broker::Rules>> load(std::string text, bool dev = false,
                                                    const std::string& only_mesh = {}) {
    for (auto at = text.find('@'); at != std::string::npos; at = text.find('@')) {
      text.replace(at, 1, folder_);
    }
    write("signet.toml", text);
    config::Sources sources;
    sources.file = folder_ + "/signet.toml";
    if (dev) sources.profile = config::Profile::kDev;
    const auto config = config::load(sources);
    if (!config.ok()) return config.error();
    return load_rules(*config, dev, only_mesh, WallTime{});
  }
  std::string fault(const std::string& text, bool dev = false) {
    const auto rules = load(text, dev, dev ? "dev" : "");
    if (rules.ok()) return "taken";
    std::string detail = rules.error().detail;
    for (std::size_t at = 0; (at = detail.find(folder_ + "/", at)) != std::string::npos;) {
      detail.erase(at, folder_.size() + 1);
    }
    return detail;
  }

  std::string folder_;
};

constexpr char kTokens[] = "[tokens]\nissuer = \"i\"\nkeys = \"@/keys.json\"\n";
constexpr char kHub[] =
    "[hub]\naction_secret_file = \"@/actions\"\nengine_secret_file = \"@/engines\"\n";

TEST_F(HubRules, OpenTheMeshesThatHubIsBoundTo) {
  const auto rules =
      load(std::string("[server]\nbindings = [\"hub=a\", \"*=b\"]\n") + kTokens + kHub +
           "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"b\"\n[[mesh]]\nslug = \"c\"\n"
           "hub_engine_secret_file = \"@/engines\"\nhub_shared_actions = true\n");
  ASSERT_TRUE(rules.ok()) << rules.error().detail;
  const auto& hub = (*rules)->of("a").hub;
  ASSERT_NE(hub, nullptr);
  EXPECT_EQ(hub->action_secret.reveal(), kActions);
  EXPECT_EQ(hub->engine_secret.reveal(), kEngines);
  EXPECT_FALSE(hub->shared_actions);
  EXPECT_FALSE(hub->engines_without_issuer);
  EXPECT_FALSE(hub->simulated);
  EXPECT_EQ(hub->engine_issuers, std::vector<std::string>{"sovereign-core"});
  EXPECT_EQ(hub->jobs->types.size(), 3U);
  EXPECT_EQ(hub->payloads.size(), 3U);
  EXPECT_NE(hub->world, nullptr);
  EXPECT_EQ(hub->source, "default");
  EXPECT_EQ((*rules)->of("b").hub, nullptr) << "bound, but not for Hub";
  const auto& own = (*rules)->of("c").hub;
  ASSERT_NE(own, nullptr) << "a secret of its own";
  EXPECT_TRUE(own->action_secret.empty());
  EXPECT_TRUE(own->shared_actions);
  EXPECT_EQ((*rules)->of("made later").hub, nullptr);
}

TEST_F(HubRules, AreOffWithoutASecret) {
  const auto rules = load(std::string(kTokens) + "[[mesh]]\nslug = \"a\"\n", false, "a");
  ASSERT_TRUE(rules.ok()) << rules.error().detail;
  EXPECT_EQ((*rules)->of("a").hub, nullptr);
}

TEST_F(HubRules, OpenTheDevMeshToWhoTriesThingsOut) {
  const auto rules = load(std::string(kTokens) +
                              "[hub]\naction_secret_file = \"@/sample\"\nengine_secret_file = "
                              "\"@/sample\"\nsimulated = true\n",
                          true, "dev");
  ASSERT_TRUE(rules.ok()) << rules.error().detail;
  const auto& hub = (*rules)->of("dev").hub;
  ASSERT_NE(hub, nullptr);
  EXPECT_TRUE(hub->shared_actions);
  EXPECT_TRUE(hub->engines_without_issuer);
  EXPECT_TRUE(hub->simulated);
}

TEST_F(HubRules, HaveAnotherDigestWhereTypesOrTheirSchemasAreOthers) {
  const auto digest = [&](const std::string& types, const std::string& schema) {
    write("types.toml", types);
    write("render.json", schema);
    const auto rules = load(
        std::string(kTokens) + kHub + "[[mesh]]\nslug = \"a\"\njobs_types = \"@/types.toml\"\n",
        false, "a");
    EXPECT_TRUE(rules.ok()) << rules.error().detail;
    return rules.ok() ? (*rules)->of("a").hub->types_digest : crypto::Digest32{};
  };
  const std::string types =
      "[[type]]\nname = \"RENDER\"\npayload_schema = \"" + folder_ + "/render.json\"\n";
  const auto first = digest(types, "{}");
  EXPECT_EQ(digest(types, "{}"), first) << "read again";
  EXPECT_NE(digest(types, R"({"type":"object"})"), first);
  EXPECT_NE(digest(types + "retries = 1\n", "{}"), first);
  EXPECT_NE(first, crypto::Digest32{});
}

TEST_F(HubRules, TakeNumbersAndTypesOfJobs) {
  write("types.toml", "[[type]]\nname = \"RENDER\"\ntimeout = \"1m\"\n");
  const auto rules =
      load(std::string(kTokens) + kHub +
               "[jobs]\nper_engine = 2\nunfinished_per_user = 3\nunfinished_per_mesh = 4\n"
               "most_leases = 5\nkeep_finished = \"6h\"\nfinished_per_mesh = 7\n"
               "bytes_per_mesh = \"8MiB\"\n"
               "[[mesh]]\nslug = \"a\"\njobs_types = \"@/types.toml\"\n",
           false, "a");
  ASSERT_TRUE(rules.ok()) << rules.error().detail;
  const auto& hub = (*rules)->of("a").hub;
  ASSERT_NE(hub, nullptr);
  EXPECT_EQ(hub->jobs->jobs_per_engine, 2U);
  EXPECT_EQ(hub->jobs->unfinished_per_user, 3U);
  EXPECT_EQ(hub->jobs->unfinished_per_mesh, 4U);
  EXPECT_EQ(hub->jobs->most_leases, 5U);
  EXPECT_EQ(hub->jobs->keep_finished, std::chrono::hours(6));
  EXPECT_EQ(hub->jobs->finished_per_mesh, 7U);
  EXPECT_EQ(hub->jobs->bytes_per_mesh, std::size_t{8} * 1024 * 1024);
  ASSERT_EQ(hub->jobs->types.size(), 1U);
  EXPECT_EQ(hub->jobs->types[0].name, "RENDER");
  EXPECT_EQ(hub->source, folder_ + "/types.toml");
}

TEST_F(HubRules, RefuseWhatIsNoSecretAndSayWhy) {
  const std::string tokens(kTokens);
  const std::string mesh = "[[mesh]]\nslug = \"a\"\n";
  const std::string bound = "[server]\nbindings = [\"hub=a\"]\n" + tokens;
  const struct {
    const char* name;
    std::string text;
    const char* fault;
  } rows[] = {
      // clang-format off
      {"a published one", bound + "[hub]\naction_secret_file = \"@/sample\"\n" + mesh, "hub.action_secret: everybody can look this one up or guess it"},
      {"a published one of engines", bound + "[hub]\nengine_secret_file = \"@/sample\"\n" + mesh, "hub.engine_secret: everybody can look this one up or guess it"},
      {"a published one of a mesh", tokens + mesh + "hub_engine_secret_file = \"@/sample\"\n", "sample: everybody can look this one up or guess it"},
      {"a short one", bound + "[hub]\naction_secret_file = \"@/short\"\n" + mesh, "hub.action_secret: a secret has 16 to 1024 bytes without control characters"},
      {"one for both", bound + "[hub]\naction_secret_file = \"@/actions\"\nengine_secret_file = \"@/actions\"\n" + mesh, "hub.engine_secret is hub.action_secret: users could speak as engines; make another"},
      {"one for tokens, too", "[server]\nbindings = [\"hub=a\"]\n[tokens]\nissuer = \"i\"\nsecret_file = \"@/actions\"\n" + std::string(kHub) + mesh, "a: tokens.secret is a secret of Hub, too; make another"},
      {"none of tokens", "[server]\nbindings = [\"hub=a\"]\n" + std::string(kHub) + mesh, "mesh a: users and engines of Hub prove themselves by tokens, of which it believes none: set tokens.keys"},
      {"no proof at all", bound + std::string(kHub) + "simulated = true\n" + mesh, "hub.simulated lets in who proves nothing, and is for dev mode only"},
      {"no such file", tokens + mesh + "hub_action_secret_file = \"@/absent\"\n", "absent: no such file"},
      {"types that are none", bound + std::string(kHub) + "[jobs]\ntypes_file = \"@/keys.json\"\n" + mesh, ""},
      {"two ways to believe", bound + "secret_file = \"@/actions\"\n" + mesh, "tokens.keys and tokens.secret both say which tokens are believed: set one"},
      {"no issuer", "[tokens]\nsecret_file = \"@/actions\"\n" + mesh, "tokens.secret: keys of tokens want the issuer that signs them: set tokens.issuer"},
      {"a short one of tokens", "[tokens]\nissuer = \"i\"\nsecret_file = \"@/short\"\n" + mesh, ""},
      {"a published one of tokens", "[tokens]\nissuer = \"i\"\nsecret_file = \"@/sample\"\n" + mesh, "tokens.secret: everybody can look this one up or guess it"},
      // clang-format on
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string said = fault(row.text);
    EXPECT_NE(said, "taken");
    if (*row.fault != '\0') {
      EXPECT_EQ(said, row.fault);
    }
  }
}

// base64url of microbridge_jwt_secret_dev_12345.
TEST_F(HubRules, RefuseAPublishedSecretAsAKeyOfTokensOutsideOfDevMode) {
  write("keys.json",
        R"({"kty":"oct","k":"bWljcm9icmlkZ2Vfand0X3NlY3JldF9kZXZfMTIzNDU","kid":"any"})");
  const std::string text = std::string(kTokens) + "[[mesh]]\nslug = \"a\"\n";
  EXPECT_EQ(fault(text), "keys.json: has a secret that everybody can look up: make another");
  EXPECT_EQ(fault(text, true), "taken");
}

TEST_F(HubRules, BindHubLikeTheOthers) {
  EXPECT_EQ(parse_binding("hub@page.example/socket.io/=lab")->dialect, "hub");
  EXPECT_FALSE(parse_binding("claudemesh=lab").ok());
}

}  // namespace
}  // namespace signet
