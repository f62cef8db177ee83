#include "broker/rules.h"

#include <gtest/gtest.h>

namespace signet::broker {
namespace {

TEST(Rules, TheFirstBindingThatFitsNamesTheMesh) {
  Rules rules;
  rules.bindings = {{"pulsemesh", "lab.example", "/ws/mesh/ops.", "ops"},
                    {"pulsemesh", "lab.example", "", "lab"},
                    {"simpatico", "", "/relay/", "relay"},
                    {"", "[::1]", "", "here"},
                    {"simpatico", "127.0.0.1", "", "local"},
                    {"pulsemesh", "", "", "rest"}};
  struct Row {
    const char* name;
    const char* dialect;
    const char* host;
    const char* path;
    const char* mesh;  // "": none
  };
  // clang-format off
  const Row rows[] = {
      {"all three fit", "pulsemesh", "lab.example", "/ws/mesh/ops.a", "ops"},
      {"the path does not", "pulsemesh", "lab.example", "/ws/mesh/opsa", "lab"},
      {"the host has a port", "pulsemesh", "lab.example:8088", "/ws/mesh/ops.a", "ops"},
      {"the host is in capitals", "pulsemesh", "LAB.Example", "/ws/mesh/x", "lab"},
      {"a longer host", "pulsemesh", "lab.example.org", "/ws/mesh/x", "rest"},
      {"a host that ends so", "pulsemesh", "my.lab.example", "/ws/mesh/x", "rest"},
      {"no host", "pulsemesh", "", "/ws/mesh/x", "rest"},
      {"another format", "simpatico", "lab.example", "/relay/k", "relay"},
      {"IPv6", "simpatico", "[::1]", "/k", "here"},
      {"IPv6 with a port", "pulsemesh", "[::1]:8088", "/ws/mesh/x", "here"},
      {"another IPv6", "simpatico", "[::2]:8088", "/k", ""},
      {"IPv4", "simpatico", "127.0.0.1", "/k", "local"},
      {"IPv4 with a port", "simpatico", "127.0.0.1:80", "/k", "local"},
      {"another IPv4", "simpatico", "127.0.0.11", "/k", ""},
      {"nothing fits", "simpatico", "elsewhere", "/k", ""},
      {"an unknown format on a bound host", "hub", "[::1]", "/k", "here"},
  };
  // clang-format on
  for (const Row& row : rows) {
    EXPECT_EQ(rules.mesh_for(row.dialect, row.host, row.path).value_or(""), row.mesh) << row.name;
  }
  EXPECT_FALSE(Rules().mesh_for("pulsemesh", "lab.example", "/")) << "nothing is bound by itself";
}

TEST(Rules, AMeshIsBoundByAnyRowThatIsReached) {
  Rules rules;
  rules.bindings = {{"pulsemesh", "lab.example", "", "lab"},
                    {"pulsemesh", "", "/ws/mesh/ops.", "ops"},
                    {"simpatico", "", "", "relay"},
                    {"pulsemesh", "lab.example", "/x", "hidden"},
                    {"", "", "/ws/mesh/ops.a", "hidden"},
                    {"", "", "", "rest"},
                    {"pulsemesh", "late.example", "", "hidden"}};
  for (const char* slug : {"lab", "ops", "rest"}) {
    EXPECT_TRUE(rules.binds("pulsemesh", slug)) << slug;
  }
  for (const char* slug : {"relay", "hidden", "none"}) {
    EXPECT_FALSE(rules.binds("pulsemesh", slug)) << slug;
  }
  EXPECT_TRUE(rules.binds("simpatico", "relay"));
  EXPECT_FALSE(rules.binds("simpatico", "rest"));
  EXPECT_FALSE(Rules().binds("pulsemesh", ""));
}

TEST(Rules, AMeshThatIsNotNamedHasTheRulesOfTheOthers) {
  Rules rules;
  rules.otherwise.source = "others";
  rules.meshes["lab"].source = "lab";
  EXPECT_EQ(rules.of("lab").source, "lab");
  EXPECT_EQ(rules.of("lab2").source, "others");
  EXPECT_EQ(rules.of("").source, "others");
}

TEST(Rules, ByDefaultMembersDoWhatMembersDoAndStrangersNothing) {
  const auto rules = default_rules();
  ASSERT_NE(rules, nullptr);
  EXPECT_TRUE(rules->bindings.empty());
  EXPECT_FALSE(rules->otherwise.relay_open);
  EXPECT_GT(rules->otherwise.max_skew.count(), 0) << "replays are looked for";
  EXPECT_TRUE(rules->otherwise.routes->topics().empty());
  const trust::Policy& policy = *rules->otherwise.policy;
  using trust::Action, trust::Proof;
  EXPECT_TRUE(policy.decide(trust::kMemberRole, Proof::kKey, Action::kPublish, "a").allowed);
  EXPECT_FALSE(policy.decide(trust::kSharedRole, Proof::kShared, Action::kPublish, "a").allowed);
  EXPECT_FALSE(policy.decide(0, Proof::kNone, Action::kConnect, "").allowed);
  EXPECT_EQ(default_rules(), rules) << "one for all shards";
}

}  // namespace
}  // namespace signet::broker
