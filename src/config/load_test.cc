#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/core_for_test.h"
#include "config/config.h"

namespace signet::config {
namespace {

using namespace std::chrono_literals;

// A folder of its own, in which files are written and loaded.
class Load : public testing::Test {
 protected:
  Load() {
    std::string pattern = testing::TempDir() + "signet_config_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~Load() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  // The error's text with the folder's name taken out.
  std::string fault(const Sources& sources) {
    const auto config = load(sources);
    if (config.ok()) return "loaded";
    std::string text = config.error().detail;
    for (std::size_t at = 0; (at = text.find(folder_ + "/", at)) != std::string::npos;) {
      text.erase(at, folder_.size() + 1);
    }
    return text;
  }

  Sources from_file(const std::string& text) {
    Sources sources;
    sources.file = write("signet.toml", text);
    return sources;
  }

  std::string folder_;
};

TEST_F(Load, LaterSourcesWin) {
  struct Case {
    const char* name;
    const char* file;
    std::vector<std::string> environment;
    std::vector<Flag> flags;
    std::chrono::milliseconds expected;
    Origin::Kind kind;
    const char* where;
  };
  const std::vector<std::string> environment{"SIGNET_NET_PING_INTERVAL=20s"};
  const std::vector<Flag> flags{{"net.ping_interval", "10s"}};
  const char* file = "[net]\nping_interval = \"40s\"\n";
  // clang-format off
  const Case cases[] = {
      {"nothing", "", {}, {}, 30s, Origin::Kind::kDefault, "default"},
      {"the file over the default", file, {}, {}, 40s, Origin::Kind::kFile, "signet.toml:2"},
      {"the environment over the file", file, environment, {}, 20s, Origin::Kind::kEnvironment, "SIGNET_NET_PING_INTERVAL"},
      {"a flag over all", file, environment, flags, 10s, Origin::Kind::kFlag, "--set"},
      {"a flag over the default", "", {}, flags, 10s, Origin::Kind::kFlag, "--set"},
      {"the last of two flags", "", {}, {flags[0], {"net.ping_interval", "5s"}}, 5s, Origin::Kind::kFlag, "--set"},
  };
  // clang-format on
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Sources sources = from_file(c.file);
    sources.environment = c.environment;
    sources.flags = c.flags;
    const auto config = load(sources);
    ASSERT_TRUE(config.ok()) << config.error().detail;
    EXPECT_EQ(config->duration("net.ping_interval"), c.expected);
    const Origin& origin = config->entries()[index_of("net.ping_interval")].origin;
    EXPECT_EQ(origin.kind, c.kind);
    EXPECT_TRUE(origin.text().ends_with(c.where)) << origin.text();
  }
}

TEST_F(Load, ReadsEveryType) {
  const auto config = load(from_file(R"(
[server]
listen = ["127.0.0.1:1", "[::1]:2"]
shards = 3
log_level = "debug"
data = "/var/lib/signet"
[store]
message_ttl = "2d"
mailbox_bytes = "128MiB"
mesh_bytes = 1073741824
[claudemesh]
legacy_join = true
)"));
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->list("server.listen"), (std::vector<std::string>{"127.0.0.1:1", "[::1]:2"}));
  EXPECT_EQ(config->integer("server.shards"), 3);
  EXPECT_EQ(config->text("server.log_level"), "debug");
  EXPECT_EQ(config->text("server.data"), "/var/lib/signet");
  EXPECT_EQ(config->duration<std::chrono::hours>("store.message_ttl"), 48h);
  EXPECT_EQ(config->size("store.mailbox_bytes"), 128u << 20);
  EXPECT_EQ(config->integer("store.mesh_bytes"), 1 << 30);
  EXPECT_TRUE(config->flag("claudemesh.legacy_join"));
}

TEST_F(Load, NamesThePlaceOfEveryFault) {
  struct Case {
    const char* name;
    const char* file;
    const char* fault;
  };
  // clang-format off
  const Case cases[] = {
      {"unknown key", "[net]\nping_intervall = \"1s\"", "signet.toml:2:1: net.ping_intervall is no setting; did you mean net.ping_interval?"},
      {"unknown section", "[nett]\nspin = \"1us\"", "signet.toml:2:1: nett.spin is no setting; did you mean net.spin?"},
      {"nothing near", "[net]\nxyzzy_quux = 1", "signet.toml:2:1: net.xyzzy_quux is no setting"},
      {"key outside of a section", "\nspin = \"1us\"", "signet.toml:2:1: spin is no setting"},
      {"bad duration", "[net]\n\nspin = \"1x\"", "signet.toml:3:1: net.spin is \"1x\"; allowed is a duration such as \"250ms\", \"30s\" or \"7d\", from 0 to 10ms in steps of 1us"},
      {"number for a duration", "[net]\nspin = 1", "signet.toml:2:1: net.spin is 1; allowed is a duration such as \"250ms\", \"30s\" or \"7d\", from 0 to 10ms in steps of 1us"},
      {"out of bounds", "[server]\nshards = 65", "signet.toml:2:1: server.shards is 65; allowed is a whole number from 0 to 64"},
      {"negative", "[server]\nshards = -1", "signet.toml:2:1: server.shards is -1; allowed is a whole number from 0 to 64"},
      {"text for a number", "[server]\nshards = \"2\"", "signet.toml:2:1: server.shards is \"2\"; allowed is a whole number from 0 to 64"},
      {"number for a truth", "[claudemesh]\nlegacy_join = 1", "signet.toml:2:1: claudemesh.legacy_join is 1; allowed is true, false, 1 or 0"},
      {"fraction", "[server]\nshards = 1.5", "signet.toml:2:1: server.shards is a value of another kind; allowed is a whole number from 0 to 64"},
      {"table for a value", "[server.shards]\na = 1", "signet.toml:1:9: server.shards is a value of another kind; allowed is a whole number from 0 to 64"},
      {"text for a list", "[server]\nlisten = \"a:1\"", "signet.toml:2:1: server.listen is \"a:1\"; allowed is a list of 1 to 16 addresses such as \"127.0.0.1:8088\" or \"[::1]:8088\""},
      {"bad entry", "[server]\nlisten = [\"a:1\", \"b\"]", "signet.toml:2:1: server.listen is [\"a:1\", \"b\"]; allowed is a list of 1 to 16 addresses such as \"127.0.0.1:8088\" or \"[::1]:8088\""},
      {"secret in the file", "[admin]\ntoken = \"0123456789\"", "signet.toml:2:1: admin.token is a secret and not written into this file; use admin.token_file or SIGNET_ADMIN_TOKEN"},
      {"two faults, two lines", "[server]\nshards = 99\nlog_level = \"loud\"", "signet.toml:2:1: server.shards is 99; allowed is a whole number from 0 to 64\nsignet.toml:3:1: server.log_level is \"loud\"; allowed is one of debug, info, warn, error"},
      {"order of two settings", "[net]\nping_interval = \"75s\"", "FOLDER:2: net.ping_interval is 75s (FOLDER:2) and must be less than net.dead_after, 75s (default): a peer must have the time to answer a ping"},

      {"mesh without slug", "\n[[mesh]]\nid = \"a\"", "signet.toml:2: this [[mesh]] has no slug"},
      {"bad slug", "[[mesh]]\nslug = \"A b\"", "signet.toml:2:1: mesh.slug is \"A b\"; allowed is a-z, 0-9 and '-', not first"},
      {"slug twice", "[[mesh]]\nslug = \"a\"\n[[mesh]]\nslug = \"a\"", "signet.toml:3: mesh.slug is \"a\", as in signet.toml:1"},
      {"id twice", "[[mesh]]\nslug = \"a\"\nid = \"x\"\n[[mesh]]\nslug = \"b\"\nid = \"x\"", "signet.toml:4: mesh.id is \"x\", as in signet.toml:1"},
      {"id with a bar", "[[mesh]]\nslug = \"a\"\nid = \"x|y\"", "signet.toml:3:1: mesh.id is \"x|y\"; allowed is 1 to 64 of A-Z, a-z, 0-9, '.', '_' and '-', as in a hello"},
      {"owner of 63 digits", "[[mesh]]\nslug = \"a\"\nowner = \"00000000000000000000000000000000000000000000000000000000000000a\"", "signet.toml:3:1: mesh.owner is \"00000000000000000000000000000000000000000000000000000000000000a\"; allowed is 64 hex digits"},
      {"owner no hex", "[[mesh]]\nslug = \"a\"\nowner = \"g000000000000000000000000000000000000000000000000000000000000000\"", "signet.toml:3:1: mesh.owner is \"g000000000000000000000000000000000000000000000000000000000000000\"; allowed is 64 hex digits"},
      {"unknown key of a mesh", "[[mesh]]\nslug = \"a\"\nonwer = \"\"", "signet.toml:3:1: mesh.onwer is no setting of a [[mesh]]; did you mean mesh.owner?"},
      {"mesh as a table", "[mesh]\nslug = \"a\"", "signet.toml:2:1: meshes are written [[mesh]], one table each"},
      {"mesh as a number", "mesh = 1", "signet.toml:1:1: mesh is no setting"},
  };
  // clang-format on
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    std::string expected = c.fault;
    for (std::size_t at = 0; (at = expected.find("FOLDER", at)) != std::string::npos;) {
      expected.replace(at, 6, "signet.toml");
    }
    EXPECT_EQ(fault(from_file(c.file)), expected);
  }
}

TEST_F(Load, NamesTheLineOfBrokenToml) {
  const char* cases[] = {"[net]\nspin = ", "[net]\nspin = \"1us\"\nspin = \"2us\"", "[net]\n[net",
                         "[net]\nspin = \"\xff\""};
  for (const char* text : cases) {
    SCOPED_TRACE(text);
    EXPECT_TRUE(fault(from_file(text)).starts_with("signet.toml:")) << fault(from_file(text));
  }
}

TEST_F(Load, RefusesFilesThatCannotBeRead) {
  Sources sources;
  sources.file = folder_ + "/absent.toml";
  EXPECT_EQ(load(sources).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(fault(sources), "absent.toml: cannot be opened");
  sources.file = folder_;
  EXPECT_EQ(load(sources).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(fault(from_file(std::string(1024 * 1024 + 1, '#'))), "signet.toml: is over 1 MiB");
}

TEST_F(Load, NamesTheVariableOrFlagOfAFault) {
  struct Case {
    const char* name;
    std::vector<std::string> environment;
    std::vector<Flag> flags;
    const char* fault;
  };
  // clang-format off
  const Case cases[] = {
      {"bad variable", {"SIGNET_SERVER_SHARDS=x"}, {}, "SIGNET_SERVER_SHARDS: server.shards is \"x\"; allowed is a whole number from 0 to 64"},
      {"bad flag", {}, {{"server.shards", "x"}}, "--set: server.shards is \"x\"; allowed is a whole number from 0 to 64"},
      {"bad named flag", {}, {{"server.listen", "8088", "--listen"}}, "--listen: server.listen is \"8088\"; allowed is a list of 1 to 16 addresses such as \"127.0.0.1:8088\" or \"[::1]:8088\""},
      {"unknown flag", {}, {{"server.shard", "1"}}, "--set: server.shard is no setting; did you mean server.shards?"},
      {"secret as a flag", {}, {{"admin.token", "hunter2"}}, "--set: admin.token is a secret, and every user of this machine can read a command line; use admin.token_file or SIGNET_ADMIN_TOKEN"},
      {"bad secret is not repeated", {"SIGNET_ADMIN_TOKEN=hunter2"}, {}, "SIGNET_ADMIN_TOKEN: admin.token is ********; allowed is a text of 32 to 512 printable bytes"},
      {"order across sources", {"SIGNET_NET_PING_INTERVAL=80s"}, {}, "SIGNET_NET_PING_INTERVAL: net.ping_interval is 80s (SIGNET_NET_PING_INTERVAL) and must be less than net.dead_after, 75s (default): a peer must have the time to answer a ping"},
  };
  // clang-format on
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    Sources sources;
    sources.environment = c.environment;
    sources.flags = c.flags;
    EXPECT_EQ(fault(sources), c.fault);
  }
}

TEST_F(Load, WarnsOfUnknownVariablesAndGoesOn) {
  Sources sources;
  sources.environment = {"SIGNET_NET_SPINN=1us",
                         "SIGNET_",
                         "PATH=/bin",
                         "SIGNETX=1",
                         "SIGNET_OPERATOR_SOCKET=/of/the/command",
                         "SIGNET_CLAUDEMESH_LEGACY_JOIN=1"};
  const auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->warnings(),
            (std::vector<std::string>{
                "SIGNET_NET_SPINN is no setting and is ignored; did you mean SIGNET_NET_SPIN?",
                "SIGNET_ is no setting and is ignored"}));
  EXPECT_TRUE(config->flag("claudemesh.legacy_join"));
}

TEST_F(Load, ListsOfFlagsAddUpAndReplaceOtherSources) {
  Sources sources = from_file("[server]\nlisten = [\"127.0.0.1:1\"]");
  sources.flags = {{"server.listen", "127.0.0.1:2", "--listen"},
                   {"server.listen", "127.0.0.1:3,127.0.0.1:4", "--listen"}};
  const auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->list("server.listen"),
            (std::vector<std::string>{"127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"}));
  sources.flags.assign(17, {"server.listen", "127.0.0.1:2", "--listen"});
  EXPECT_FALSE(load(sources).ok()) << "more than the bound, one by one";
}

TEST_F(Load, DevProfileTakesPenaltiesOff) {
  Sources sources;
  sources.profile = Profile::kDev;
  const auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->integer("limits.sends_per_second"), 10'000);
  EXPECT_EQ(config->integer("limits.channel_changes_per_minute"), 0);
  EXPECT_EQ(config->integer("limits.hellos_per_second_address"), 0);
  EXPECT_EQ(config->integer("limits.hellos_per_second_member"), 0);
  EXPECT_EQ(config->integer("limits.requests_per_second_address"), 0);
  EXPECT_EQ(config->integer("net.max_connections_per_address"), 0);
  EXPECT_EQ(config->integer("store.mailbox_messages"), 100'000);
  EXPECT_EQ(config->integer("limits.channels_per_member"), 64) << "no dev default of its own";
}

TEST_F(Load, ReadsMeshesAndInheritsWhatTheyLeaveOut) {
  Sources sources = from_file(R"([claudemesh]
legacy_join = true
max_connections = 500
[[mesh]]
slug = "team"
owner = "03A107BFF3CE10BE1D70DD18E74BC09967E4D6309BA50D5F1DDC8664125531B8"
[[mesh]]
slug = "other-2"
id = "m-7"
max_connections = 7
legacy_join = false
hub_action_secret_file = "/a"
hub_engine_secret_file = "/e"
hub_shared_actions = true
jobs_types = "/j"
)");
  const auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  ASSERT_EQ(config->meshes().size(), 2u);
  const MeshSetting &team = config->meshes()[0], &other = config->meshes()[1];
  EXPECT_EQ(team.slug, "team");
  EXPECT_EQ(team.owner, "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
  EXPECT_EQ(team.id, "");
  EXPECT_EQ(team.max_connections, 500);
  EXPECT_TRUE(team.legacy_join);
  EXPECT_EQ(other.slug, "other-2");
  EXPECT_EQ(other.id, "m-7");
  EXPECT_EQ(other.max_connections, 7);
  EXPECT_FALSE(other.legacy_join);
  EXPECT_EQ(other.hub_action_secret_file, "/a");
  EXPECT_EQ(other.hub_engine_secret_file, "/e");
  EXPECT_TRUE(other.hub_shared_actions);
  EXPECT_FALSE(team.hub_shared_actions);
  EXPECT_EQ(other.jobs_types, "/j");
  EXPECT_EQ(other.origin.where, sources.file + ":7");
}

TEST_F(Load, TakesSecretsFromFilesAndTheEnvironmentOnly) {
  const std::string token = "0123456789abcdef0123456789abcdef";
  const std::string good = write("good", token + "\n");
  Sources sources = from_file("[admin]\ntoken_file = \"" + good + "\"");
  auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->secret("admin.token").reveal(), token);

  sources.environment = {"SIGNET_ADMIN_TOKEN=" + std::string(32, 'e')};
  config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->secret("admin.token").reveal(), std::string(32, 'e'));

  sources.environment = {"SIGNET_ADMIN_TOKEN="};
  config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->secret("admin.token").reveal(), token) << "an empty variable gives none";
  EXPECT_TRUE(load(Sources{})->secret("admin.token").empty());
}

TEST_F(Load, RefusesSecretFilesThatOthersCanRead) {
  const std::string token(32, 't');
  write("group", token, 0640);
  write("world", token, 0604);
  write("lines", token + "\n" + token);
  write("short", "abc");
  write("empty", "");
  write("long", std::string(5'000, 'x'));
  write("real", token);
  std::filesystem::create_symlink(folder_ + "/real", folder_ + "/link");
  std::filesystem::create_directory(folder_ + "/directory");
  struct Case {
    const char* file;
    const char* why;
  };
  const Case cases[] = {
      {"group", "group: others than its owner have rights on it; chmod 600 mends that"},
      {"world", "world: others than its owner have rights on it; chmod 600 mends that"},
      {"lines", "lines: has more than one line"},
      {"empty", "the file is empty"},
      {"long", "long: is over 4 KiB"},
      {"link", "link: is a symbolic link"},
      {"directory", "directory: is no regular file"},
      {"absent", "absent: no such file"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.file);
    const std::string path = folder_ + "/" + c.file;
    EXPECT_EQ(fault(from_file("[admin]\ntoken_file = \"" + path + "\"")),
              "signet.toml:2: admin.token_file is \"" + std::string(c.file) + "\"; " + c.why);
  }
  EXPECT_EQ(fault(from_file("[admin]\ntoken_file = \"" + folder_ + "/short\"")),
            "short: admin.token is ********; allowed is a text of 32 to 512 printable bytes");
}

TEST_F(Load, TakesCredentialsWhereverAFileIsNamed) {
  const std::string token(32, 't');
  write("token", token);
  Sources sources = from_file(
      "[admin]\ntoken_file = \"credential:token\"\n[tls]\nkey = \"credential:tls.key\"\n"
      "[server]\nhosts = [\"credential:x\"]\ndata = \"credential:data\"\n"
      "[[mesh]]\nslug = \"lab\"\ntoken_keys = \"credential:jwks\"");
  EXPECT_EQ(load(sources).error().detail.find("credential:token\"; there are no credentials") !=
                std::string::npos,
            true);
  sources.environment = {"CREDENTIALS_DIRECTORY=" + folder_};
  const auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->secret("admin.token").reveal(), token);
  EXPECT_EQ(config->text("tls.key"), folder_ + "/tls.key");
  EXPECT_EQ(config->meshes().front().token_keys, folder_ + "/jwks");
  EXPECT_EQ(config->list("server.hosts").front(), "credential:x") << "no file is named there";
  EXPECT_EQ(config->text("server.data"), "credential:data") << "a folder that is written";
  sources.flags.push_back({"tls.key", "credential:../key", "--set"});
  EXPECT_NE(
      load(sources).error().detail.find("--set: tls.key is \"credential:../key\"; a credential"),
      std::string::npos);
}

TEST(TakeProcessEnvironment, LeavesNoSecretInIt) {
  const Needle needle(7);
  {
    std::string variable;
    variable.reserve(100);  // no piece of it is left behind
    variable.append("SIGNET_ADMIN_TOKEN=").append(needle.reveal().text());
    ASSERT_EQ(putenv(variable.data()), 0);  // the text itself becomes part of the environment
    Sources sources;
    take_process_environment(sources);
    EXPECT_STREQ(getenv("SIGNET_ADMIN_TOKEN"), "");
    ASSERT_EQ(sources.secrets.size(), 1U);
    const auto config = load(sources);
    ASSERT_TRUE(config.ok()) << config.error().detail;
    EXPECT_EQ(config->secret("admin.token").reveal(), needle.reveal().text());
    const Config again = *config;
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    unsetenv("SIGNET_ADMIN_TOKEN");
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

TEST_F(Load, LeavesNoCopyOfASecretFromAFile) {
  const Needle needle(8);
  {
    const int file = open((folder_ + "/token").c_str(), O_WRONLY | O_CREAT, 0600);
    const SecretBytes token = needle.reveal();
    ASSERT_EQ(::write(file, token.data(), token.size()), static_cast<ssize_t>(token.size()));
    close(file);
  }
  const auto config = load(from_file("[admin]\ntoken_file = \"" + folder_ + "/token\""));
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->secret("admin.token").reveal(), needle.reveal().text());
  EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U);
}

// Outside of dev mode they are wiped all the same: nobody meant to leave them there.
TEST(TakeProcessEnvironment, KnowsTheVariablesOfTheOriginalsInDevModeOnly) {
  ASSERT_EQ(setenv("SIGNET_HMAC_SECRET", "of actions", 1), 0);
  ASSERT_EQ(setenv("SIGNET_JWT_ISSUER", "its issuer", 1), 0);
  Sources sources;
  take_process_environment(sources);
  EXPECT_STREQ(getenv("SIGNET_HMAC_SECRET"), "");
  unsetenv("SIGNET_HMAC_SECRET");
  unsetenv("SIGNET_JWT_ISSUER");

  auto config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_TRUE(config->secret("hub.action_secret").empty());
  EXPECT_EQ(config->text("tokens.issuer"), "");
  EXPECT_EQ(config->warnings().size(), 2U);

  sources.profile = Profile::kDev;
  config = load(sources);
  ASSERT_TRUE(config.ok()) << config.error().detail;
  EXPECT_EQ(config->secret("hub.action_secret").reveal(), "of actions");
  EXPECT_EQ(config->text("tokens.issuer"), "its issuer");
  EXPECT_EQ(config->warnings().size(), 0U);
}

TEST(ParseSet, SplitsAtTheFirstEqualsSign) {
  const auto flag = parse_set("server.data=/a=b");
  ASSERT_TRUE(flag.ok());
  EXPECT_EQ(flag->name, "server.data");
  EXPECT_EQ(flag->value, "/a=b");
  EXPECT_FALSE(parse_set("server.data").ok());
  EXPECT_FALSE(parse_set("=x").ok());
  EXPECT_TRUE(parse_set("server.hosts=").ok());
}

}  // namespace
}  // namespace signet::config
