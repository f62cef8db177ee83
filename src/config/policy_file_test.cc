#include "config/policy_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "config/routes_file.h"
#include "config/shipped_documents.h"
#include "routing/pulsemesh_routes.h"
#include "trust/policy.h"

namespace signet::config {
namespace {

constexpr std::string_view kRule = "[[rule]]\nid = \"r\"\nallow = [\"connect\"]\n";

std::string faults_of(std::string_view text) {
  const auto read = read_policy(text, "p.toml");
  if (read.ok()) return "";
  EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
  return read.error().detail;
}

TEST(ReadPolicy, KnowsEveryKey) {
  const std::string text = R"(
[role.sensor]
tags = ["sensor"]
members = ["m1", "m2"]
sources = ["mirror"]
token_roles = ["engine", "e2"]
proof = "token"
pulses_per_second = 10
burst = 20.5
pulses_per_minute = 300
sends_per_second = 0.5
sends_burst = 3
[[rule]]
id = "a"
allow = ["publish", "send"]
roles = ["sensor"]
except = ["guest", "admin"]
topics = ["a.>", "b"]
channels = ["ops"]
to = ["member", "everyone", "tag"]
tags = ["x"]
proof = "secret"
[[rule]]
id = "b"
deny = ["administer"]
[[test]]
name = "n"
as = { roles = ["sensor"], tags = ["x"], proof = "shared" }
action = "publish"
on = "a.b"
expect = "deny"
[[test]]
as = { tags = ["sensor"], id = "m1", source = "mirror", proof = "key", admin = true, member = true }
action = "administer"
expect = "deny"
rule = "b"
[[test]]
as = { token_roles = ["engine"], proof = "token" }
action = "connect"
expect = "deny"
)";
  const auto read = read_policy(text, "p.toml");
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_EQ(read->text, text);
  EXPECT_EQ(read->name, "p.toml");
  ASSERT_EQ(read->roles.size(), 1U);
  const auto& role = read->roles[0];
  EXPECT_EQ(role.name.text, "sensor");
  EXPECT_EQ(role.members[1].text, "m2");
  EXPECT_EQ(role.sources[0].text, "mirror");
  EXPECT_EQ(role.token_roles[1].text, "e2");
  EXPECT_EQ(role.proof, trust::Proof::kToken);
  EXPECT_EQ(role.limits, (trust::RoleLimits{10.0, 20.5, 300.0, 0.5, 3.0}));
  ASSERT_EQ(read->rules.size(), 2U);
  const auto& rule = read->rules[0];
  EXPECT_EQ(rule.id.at.line, 14U);
  EXPECT_TRUE(rule.allows);
  EXPECT_EQ(rule.actions, (std::vector{trust::Action::kPublish, trust::Action::kSend}));
  EXPECT_EQ(rule.topics[1].text, "b");
  EXPECT_EQ(rule.channels[0].text, "ops");
  EXPECT_EQ(rule.except[1].text, "admin");
  EXPECT_EQ(rule.to.size(), 3U);
  EXPECT_EQ(rule.tags[0].text, "x");
  EXPECT_EQ(rule.proof, trust::Proof::kSecret);
  EXPECT_FALSE(read->rules[1].allows);
  ASSERT_EQ(read->tests.size(), 3U);
  EXPECT_EQ(read->tests[0].name, "n");
  EXPECT_EQ(read->tests[0].on, "a.b");
  EXPECT_EQ(read->tests[0].as.proof, trust::Proof::kShared);
  EXPECT_FALSE(read->tests[0].allowed);
  EXPECT_EQ(read->tests[1].as.id, "m1");
  EXPECT_EQ(read->tests[1].as.source, "mirror");
  EXPECT_TRUE(read->tests[1].as.admin);
  EXPECT_EQ(read->tests[1].as.member, true);
  EXPECT_EQ(read->tests[1].rule.text, "b");
  EXPECT_EQ(read->tests[2].as.token_roles[0].text, "engine");
  EXPECT_EQ(read->tests[2].as.proof, trust::Proof::kToken);
}

TEST(ReadPolicy, TellsWhatIsWrongAndWhere) {
  const std::string rule(kRule);
  struct Row {
    const char* name;
    std::string text;
    const char* faults;
  };
  const Row rows[] = {
      {"a good one", rule, ""},
      {"no TOML", "[[rule", "p.toml:1:7: "},
      {"a third bracket", "[[[rule]]]\n", "p.toml:1:3: "},
      {"a table of nothing", "[=]\n", "p.toml:1:2: "},
      {"a table of a control", "[\x01]\n", "p.toml:1:2: "},
      {"an umlaut outside of a text", "\xc3\xa9 = 1\n", "p.toml:1:1: "},
      {"an umlaut as a value", "x = \xc3\xa9\n", "p.toml:1:5: "},
      {"an umlaut behind a folded line", rule + "proof = \"\"\"\\\n\xc3\xa9\"\"\"\n",
       "p.toml:4:9: '\xc3\xa9' is no proof"},
      {"a key twice", rule + "id = \"x\"\n", "p.toml:4:"},
      {"an unknown table", rule + "[rules]\n",
       "p.toml:4:2: a policy has no key 'rules'; did you mean 'rule'?"},
      {"a misspelled key", rule + "topcs = [\"a\"]\n",
       "p.toml:4:1: a rule has no key 'topcs'; did you mean 'topics'?"},
      {"a key like no other", rule + "zzzzzzzzz = 1\n",
       "p.toml:4:1: a rule has no key 'zzzzzzzzz'; its keys are id, allow, deny, roles, except, "
       "topics, "
       "channels, to, tags, proof"},
      {"a role's key", rule + "[role.x]\ntag = [\"a\"]\n",
       "p.toml:5:1: a role has no key 'tag'; did you mean 'tags'?"},
      {"an actor's key",
       rule + "[[test]]\nas = { role = [\"member\"] }\naction = \"connect\"\nexpect = \"allow\"\n",
       "p.toml:5:8: 'as' has no key 'role'; did you mean 'roles'?"},
      {"an unknown action", "[[rule]]\nid = \"r\"\nallow = [\"publsh\"]\n",
       "p.toml:3:10: 'publsh' is no action; did you mean 'publish'?"},
      {"an unknown proof", rule + "proof = \"password\"\n",
       "p.toml:4:9: 'password' is no proof; there are none, shared, secret, token, certificate, "
       "key"},
      {"an unknown outcome",
       rule + "[[test]]\nas = { roles = [\"member\"] }\naction = \"connect\"\nexpect = \"yes\"\n",
       "p.toml:7:10: 'yes' is no outcome; there are deny, allow"},
      {"an unknown kind of address", "[[rule]]\nid = \"r\"\nallow = [\"send\"]\nto = [\"all\"]\n",
       "p.toml:4:7: 'all' is no kind of address; there are member, everyone, tag, channel"},
      {"neither allow nor deny", "[[rule]]\nid = \"r\"\n",
       "p.toml:1:1: a rule has either allow or deny"},
      {"both", rule + "deny = [\"connect\"]\n", "p.toml:1:1: a rule has either allow or deny"},
      {"no id", "[[rule]]\nallow = [\"connect\"]\n", "p.toml:1:1: a rule needs an id"},
      {"a number for a text", "[[rule]]\nid = 7\nallow = [\"connect\"]\n",
       "p.toml:2:1: 'id' takes a text"},
      {"a text for a list", "[[rule]]\nid = \"r\"\nallow = \"connect\"\n",
       "p.toml:3:1: 'allow' takes a list of texts"},
      {"a number in a list", "[[rule]]\nid = \"r\"\nallow = [\"connect\", 1]\n",
       "p.toml:3:21: 'allow' takes a list of texts"},
      {"an empty list", rule + "roles = []\n",
       "p.toml:4:1: 'roles' is empty: name something or leave it out"},
      {"a text for a number", rule + "[role.x]\ntags = [\"a\"]\nburst = \"5\"\n",
       "p.toml:6:1: 'burst' takes a number"},
      {"a text for yes or no",
       rule + "[[test]]\nas = { admin = \"yes\" }\naction = \"connect\"\nexpect = \"allow\"\n",
       "p.toml:5:8: 'admin' takes true or false"},
      {"a role that is no table", rule + "[role]\nx = 1\n",
       "p.toml:5:1: a role is a table: write [role.NAME] above its keys"},
      {"roles that are no table", "role = 1\n" + rule, "p.toml:1:1: 'role' is a table"},
      {"one bracket only", "[rule]\nid = \"r\"\nallow = [\"connect\"]\n",
       "p.toml:1:2: 'rule' is a list: write [[rule]] above each"},
      {"rules that are no tables", "rule = [1]\n", "p.toml:1:9: 'rule' is a list of tables"},
      {"a test without anything", rule + "[[test]]\n",
       "p.toml:4:1: a test needs 'as'\np.toml:4:1: a test needs 'action'\n"
       "p.toml:4:1: a test needs 'expect'"},
      {"an actor that is no table",
       rule + "[[test]]\nas = \"member\"\naction = \"connect\"\nexpect = \"allow\"\n",
       "p.toml:5:1: 'as' says who"},
      {"a meaning at its place", rule + "roles = [\"member\", \"membr\"]\n",
       "p.toml:4:20: there is no role 'membr'; the roles are admin, guest, member, shared"},
      {"a pattern at its place",
       "[[rule]]\nid = \"r\"\nallow = [\"publish\"]\ntopics = [\"a.>\", \"a..b\"]\n",
       "p.toml:4:18: 'a..b' is no pattern: pattern has an empty segment"},
      {"a role with a fault is known by name",
       "[[rule]]\nid = \"r\"\nallow = [\"connect\"]\nroles = [\"x\"]\n[role.x]\ntagz = 1\n",
       "p.toml:6:1: a role has no key 'tagz'; did you mean 'tags'?"},
      {"an empty file", "", "p.toml:1:1: there is no [[rule]]: nobody could do anything"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string got = faults_of(row.text);
    const std::string_view want = row.faults;
    EXPECT_TRUE(got.starts_with(want)) << got;
    EXPECT_EQ(std::count(got.begin(), got.end(), '\n'), std::count(want.begin(), want.end(), '\n'))
        << got;
    EXPECT_EQ(got.empty(), want.empty()) << got;
  }
}

TEST(ReadPolicy, TellsEveryFaultInTheOrderOfTheLines) {
  EXPECT_EQ(
      faults_of("[[rule]]\n"
                "id = \"a\"\n"
                "allow = [\"conect\"]\n"
                "[[rule]]\n"
                "id = \"b\"\n"
                "allow = [\"connect\"]\n"
                "roles = [\"x\"]\n"
                "[role.sensor]\n"
                "burst = 0\n"
                "[[rule]]\n"
                "id = \"b\"\n"
                "deny = [\"connect\"]\n"),
      "p.toml:3:10: 'conect' is no action; did you mean 'connect'?\n"
      "p.toml:7:10: there is no role 'x'; the roles are admin, guest, member, sensor, "
      "shared\n"
      "p.toml:8:7: the role 'sensor' names nobody: give it tags, members, sources or token_roles\n"
      "p.toml:8:7: burst of role 'sensor' is at least 1 and at most 1000000\n"
      "p.toml:11:6: another rule has the id 'b'");
}

TEST(ReadPolicy, SurvivesWhatIsTooMuch) {
  EXPECT_NE(faults_of(std::string(kMaxPolicyBytes + 1, ' ')).find("more than 262144 bytes"),
            std::string::npos);
  std::string deep = "[";
  for (int i = 0; i < 60'000; ++i) deep += "a.";
  EXPECT_EQ(faults_of(deep + "a]\n"), "p.toml:1:1: the keys have too many dots");
  // Strings that hide quotes do not hide the dots behind them.
  for (const char* const before : {"x = \"\\\"\"\n", "x = '\"'\n", "x = '''\n'''\n",
                                   "x = \"\"\"\"quoted\"\"\"\n", "# it's\n"}) {
    SCOPED_TRACE(before);
    EXPECT_EQ(faults_of(before + deep + "a]\n"), "p.toml:1:1: the keys have too many dots");
  }
  std::string many(kRule);
  for (int i = 0; i < 400; ++i) {
    many += "[[rule]]\nid = \"r" + std::to_string(i) +
            "\"\nallow = [\"publish\"]\ntopics = [\"a.b.c.d.e.f.g.h\"]\n";
  }
  EXPECT_EQ(faults_of(many), "");  // dots in strings are no matter
  EXPECT_FALSE(faults_of(std::string(100'000, '[')).empty());
  EXPECT_FALSE(faults_of("a = \"\xff\xfe\"").empty());
}

TEST(ReadPolicy, RefusesTheDocumentWhoseTestFails) {
  const std::string text = std::string(kRule) +
                           "[[test]]\nname = \"guests stay out\"\nas = { roles = [\"guest\"] }\n"
                           "action = \"connect\"\nexpect = \"deny\"\n";
  auto read = read_policy(text, "p.toml");
  ASSERT_TRUE(read.ok());
  const auto policy = trust::Policy::compile(*std::move(read));
  ASSERT_FALSE(policy.ok());
  EXPECT_EQ(policy.error().detail,
            "p.toml:4:1: test 'guests stay out' expects deny, but it is allowed by rule 'r' "
            "(line 2)");
}

class Files : public ::testing::Test {
 protected:
  std::string write(std::string_view text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_.string();
  }
  void TearDown() override { std::filesystem::remove(path_); }
  std::filesystem::path path_ = std::filesystem::temp_directory_path() /
                                ("signet_policy_" + std::to_string(::getpid()) + ".toml");
};

TEST_F(Files, AreReadWhole) {
  const auto read = read_policy_file(write(kAllowMembersPolicy));
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_EQ(read->text, kAllowMembersPolicy);
  EXPECT_EQ(read->name, path_.string());
}

TEST_F(Files, ThatAreNotThereOrTooLarge) {
  const auto missing = read_policy_file(path_.string());
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
  const auto folder = read_policy_file(std::filesystem::temp_directory_path().string());
  EXPECT_FALSE(folder.ok());
  const auto large = read_policy_file(write(std::string(kMaxPolicyBytes + 1, ' ')));
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(read_routes_file("/nowhere/at/all").error().code, ErrorCode::kNotFound);
}

constexpr std::string_view kPulseMesh = R"(
[nodes]
mirror = ["mirror.intent", "mirror.update", "mirror.query"]
pulsemesh = [
  "system.genesis", "system.health_check", "system.health_response", "wake.node_ready",
]
core = ["core.reply", "core.status", "core.ingest", "core.reasoning"]
sage = ["audit.log", "governance.decision", "governance.validate"]
kronos = ["kronos.index", "kronos.decay", "kronos.query", "kronos.query_result"]
shadow = ["shadow.provenance", "shadow.query", "shadow.query_result"]

[targets]
"mirror.intent" = ["core", "sage", "pulsemesh"]
"mirror.update" = ["core", "pulsemesh"]
"mirror.query" = ["core"]
"system.genesis" = ["mirror", "core", "sage", "kronos", "shadow"]
"system.health_check" = ["mirror", "core", "sage", "kronos", "shadow"]
"system.health_response" = ["pulsemesh"]
"wake.node_ready" = ["pulsemesh"]
"core.reply" = ["mirror", "pulsemesh"]
"core.status" = ["mirror", "sage", "pulsemesh"]
"core.ingest" = ["sage", "kronos", "shadow"]
"core.reasoning" = ["mirror", "sage", "kronos"]
"audit.log" = ["core", "mirror", "shadow"]
"governance.decision" = ["core", "mirror", "shadow"]
"governance.validate" = ["sage"]
"kronos.index" = ["kronos"]
"kronos.query" = ["kronos"]
"kronos.decay" = ["core", "sage", "mirror"]
"kronos.query_result" = ["core", "mirror"]
"shadow.provenance" = ["shadow"]
"shadow.query" = ["shadow"]
"shadow.query_result" = ["core", "mirror"]
)";

TEST(ReadRoutes, ReadsThePublishedTable) {
  const auto read = read_routes(kPulseMesh, "r.toml");
  ASSERT_TRUE(read.ok()) << read.error().detail;
  EXPECT_EQ(read->nodes, routing::pulsemesh_routes().nodes);
  EXPECT_EQ(read->targets, routing::pulsemesh_routes().targets);
}

TEST(ReadRoutes, TellsWhatIsWrongAndWhere) {
  struct Row {
    const char* name;
    std::string text;
    const char* faults;
  };
  std::string large = "[nodes]\n";
  for (int i = 0; i < 300; ++i) large += "n" + std::to_string(i) + " = []\n";
  const Row rows[] = {
      {"nothing routes nothing", "", ""},
      {"a node without topics", "[nodes]\na = []\n", ""},
      {"a topic of no node", "[nodes]\na = [\"x\"]\n[targets]\n\"y.z\" = [\"a\"]\n", ""},
      {"an unknown table", "[node]\na = []\n",
       "r.toml:1:2: a routing table has no key 'node'; did you mean 'nodes'?"},
      {"a node's name", "[nodes]\n\"a b\" = []\n", "r.toml:2:1: 'a b' is no name of a node"},
      {"a node's topic", "[nodes]\na = [\"x\", \"y..z\"]\n", "r.toml:2:11: 'y..z' is no topic"},
      {"a pattern is no topic", "[nodes]\na = [\"x.>\"]\n", "r.toml:2:6: 'x.>' is no topic"},
      {"a target's topic", "[nodes]\na = []\n[targets]\n\"*\" = [\"a\"]\n",
       "r.toml:4:1: '*' is no topic"},
      {"a topic without quotes", "[nodes]\na = []\n[targets]\nx.y = [\"a\"]\n",
       "r.toml:4:1: a topic with dots is one key only in quotes"},
      {"an unknown node", "[nodes]\nmirror = []\n[targets]\nx = [\"miror\"]\n",
       "r.toml:4:6: there is no node 'miror'; did you mean 'mirror'?"},
      {"a text for a list", "[nodes]\na = \"x\"\n", "r.toml:2:1: 'a' takes a list of texts"},
      {"too many nodes", large, "r.toml:1:1: more than 256 nodes"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto read = read_routes(row.text, "r.toml");
    const std::string got = read.ok() ? "" : read.error().detail;
    EXPECT_TRUE(got.starts_with(row.faults)) << got;
    EXPECT_EQ(read.ok(), *row.faults == '\0') << got;
  }
}

}  // namespace
}  // namespace signet::config
