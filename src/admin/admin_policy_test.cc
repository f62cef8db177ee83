// What the operator's API says of policies: the one that holds, what it would decide, and why it
// said no.
#include "admin/story_for_test.h"

namespace signet::admin {
namespace {

constexpr const char* kPolicy = R"([role.lab]
tags = ["dev"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish", "subscribe"]

[[rule]]
id = "by-key"
roles = ["lab"]
allow = ["read_history"]
proof = "key"

[[rule]]
id = "vault"
deny = ["publish"]
topics = ["vault.>"]
)";

class PolicyTest : public AdminStory {
 protected:
  void start_team() {
    set_policy(kPolicy);
    rules_.otherwise.source = "/etc/signet/team.toml";
    rules_.otherwise.loaded = {1'700'000'000'000};
    add_source(11, "sage", {"dev"});
    add_source(12, "*");
    start_admin();
  }
  std::string explain(const std::string& as, const std::string& action, const std::string& on) {
    return operate("POST", "/meshes/team/policy/explain",
                   R"({"as":{)" + as + R"(},"action":")" + action + R"(","on":")" + on + "\"}")
        .body;
  }
  static bool holds(const std::string& body, const std::string& part) {
    return body.find(part) != std::string::npos;
  }
};

TEST_F(PolicyTest, ShowsTheTextThatHoldsAndWhereItIsFrom) {
  start_team();
  const auto response = operate("GET", "/meshes/team/policy");
  EXPECT_EQ(response.status, 200);
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(response.body).ok());
  EXPECT_EQ(document.root()["text"].string(), kPolicy);
  EXPECT_EQ(document.root()["source"].string(), "/etc/signet/team.toml");
  EXPECT_EQ(document.root()["loaded_at"].string(), "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(document.root()["rules"].integer(), 3);
}

TEST_F(PolicyTest, IsTheOperatorsAlone) {
  start_team();
  const std::string policy = "/api/signet/v1/meshes/team/policy";
  EXPECT_EQ(answer("GET", policy).status, 401);
  EXPECT_EQ(answer("POST", policy + "/explain", "{}").status, 401);
  EXPECT_EQ(answer("GET", "/api/signet/v1/decisions").status, 401);
  EXPECT_EQ(answer("GET", "/api/signet/v1/decisions/x").status, 401);
  EXPECT_EQ(operate("GET", "/meshes/none/policy").status, 404);
  EXPECT_EQ(operate("POST", "/meshes/team/policy", "{}").status, 404);
}

TEST_F(PolicyTest, ExplainsWhatSomebodyMayDoAndWhy) {
  start_team();
  const std::string ann = R"("pubkey":")" + key_text("ann") + "\"";
  const std::string bob = R"("pubkey":")" + key_text("bob") + "\"";
  struct Row {
    const char* name;
    std::string as;
    const char* action;
    const char* on;
    const char* answer;  // how it begins
    const char* roles;
  };
  const Row rows[] = {
      {"a member", ann, "publish", "a", R"({"allowed":true,"rule":"members")",
       R"("roles":["member"])"},
      {"denied by a rule", ann, "publish", "vault.a", R"({"allowed":false,"rule":"vault")",
       R"("roles":["member"])"},
      {"denied by default", ann, "read_history", "a", R"({"allowed":false,"rule":null)",
       R"("roles":["member"])"},
      {"with a tag", bob, "read_history", "a", R"({"allowed":true,"rule":"by-key")",
       R"("roles":["member","lab"])"},
      {"a source", R"("source":"sage")", "publish", "a", R"({"allowed":true,"rule":"members")",
       R"("roles":["member","lab"])"},
      {"a source has no key", R"("source":"sage")", "read_history", "a",
       R"({"allowed":false,"rule":null)", R"("effect":"too_little_proof")"},
      {"a source of the shared secret", R"("source":"anybody")", "publish", "a",
       R"({"allowed":false,"rule":null)", R"("roles":["shared"])"},
      {"a role", R"("roles":["lab"])", "read_history", "a", R"({"allowed":true,"rule":"by-key")",
       R"("roles":["lab"])"},
  };
  for (const Row& row : rows) {
    const std::string body = explain(row.as, row.action, row.on);
    EXPECT_EQ(body.substr(0, std::string(row.answer).size()), row.answer) << row.name;
    EXPECT_TRUE(holds(body, row.roles)) << row.name << ": " << body;
    EXPECT_TRUE(holds(body, R"("because":")")) << row.name;
  }
  EXPECT_TRUE(holds(explain(ann, "publish", "vault.a"),
                    R"("matched":[{"rule":"members","effect":"allow"},)"
                    R"({"rule":"vault","effect":"deny"}])"))
      << "all that had to do with it: " << explain(ann, "publish", "vault.a");
}

TEST_F(PolicyTest, ExplainsNothingOfWhomItDoesNotKnow) {
  start_team();
  const auto status = [&](const std::string& body) {
    return operate("POST", "/meshes/team/policy/explain", body).status;
  };
  EXPECT_EQ(status(R"({"as":{"pubkey":")" + key_text("zed") + R"("},"action":"connect"})"), 404);
  EXPECT_EQ(status(R"({"as":{"roles":["nobody"]},"action":"connect"})"), 404);
  for (const char* body :
       {"", "{}", R"({"as":{},"action":"connect"})", R"({"as":{"roles":[]},"action":"connect"})",
        R"({"as":{"roles":["lab"]},"action":"fly"})",
        R"({"as":{"pubkey":"x"},"action":"connect"})"}) {
    EXPECT_EQ(status(body), 400) << body;
  }
}

TEST_F(PolicyTest, ARefusalIsFoundByTheReferenceThatThePeerWasTold) {
  start_team();
  broker::FakeConnection& ann = peer("ann");
  say(ann, publish("m1", "vault.a", "x"));
  settle();
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(ann.texts.at(0)).ok());
  const std::string ref(document.root()["ref"].string().value_or(""));
  ASSERT_FALSE(ref.empty());
  const std::string body = operate("GET", "/decisions/" + ref).body;
  EXPECT_TRUE(holds(body, R"({"id":")" + ref + "\"")) << body;
  EXPECT_TRUE(holds(body, R"("mesh":"team","who":")" + key_text("ann") + "\"")) << body;
  EXPECT_TRUE(holds(body, R"("action":"publish","on":"vault.a","allowed":false,"rule":"vault")"))
      << body;
  EXPECT_EQ(operate("GET", "/decisions/000000000000").status, 404);
}

TEST_F(PolicyTest, TheLatestRefusalsAreListedNewestFirst) {
  start_team();
  EXPECT_TRUE(holds(operate("GET", "/decisions").body, R"("decisions":[])"));
  broker::FakeConnection& ann = peer("ann");
  for (const char* topic : {"vault.first", "vault.second"}) ask(ann, publish("", topic, "x"));
  const std::string body = operate("GET", "/decisions").body;
  const auto second = body.find("vault.second");
  ASSERT_NE(second, std::string::npos);
  EXPECT_NE(body.find("vault.first", second), std::string::npos) << body;
}

}  // namespace
}  // namespace signet::admin
