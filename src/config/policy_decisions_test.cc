// The truth table of the policy: documents as an operator writes them, and what they decide.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "config/policy_file.h"
#include "config/shipped_documents.h"
#include "trust/policy.h"

namespace signet::config {
namespace {

using trust::Action;
using trust::PlacedList;
using trust::Policy;
using trust::PolicyActor;
using trust::Proof;

std::shared_ptr<const Policy> compiled(std::string_view text) {
  auto document = read_policy(text, "t.toml");
  if (!document.ok()) {
    ADD_FAILURE() << document.error().detail;
    return nullptr;
  }
  auto policy = Policy::compile(*std::move(document));
  if (policy.ok()) return *policy;
  ADD_FAILURE() << policy.error().detail;
  return nullptr;
}

constexpr std::string_view kPlant = R"(
[role.sensor]
tags = ["sensor"]
[role.operator]
members = ["m-op"]
proof = "key"
[role.legacy]
sources = ["old-1"]
proof = "shared"

[[rule]]
id = "everybody-connects"
allow = ["connect"]
[[rule]]
id = "never-guests"
deny = ["connect", "see_presence"]
roles = ["guest"]
[[rule]]
id = "sensors-publish"
roles = ["sensor"]
allow = ["publish"]
topics = ["plant.*.temp", "plant.*.alarm.>"]
[[rule]]
id = "operators-read"
roles = ["operator"]
allow = ["subscribe", "read_history"]
topics = ["plant.>"]
[[rule]]
id = "not-the-vault"
deny = ["subscribe", "read_history", "publish"]
topics = ["plant.vault.>"]
[[rule]]
id = "legacy-on-old"
roles = ["legacy"]
allow = ["publish", "subscribe"]
topics = ["old.>"]
[[rule]]
id = "members-write-anywhere"
roles = ["member"]
allow = ["send"]
channels = ["ops.*", "chat"]
to = ["member", "tag"]
[[rule]]
id = "no-announcements"
deny = ["send"]
to = ["everyone"]
[[rule]]
id = "operators-announce-nothing"
roles = ["operator"]
allow = ["send"]
[[rule]]
id = "by-day"
allow = ["dispatch"]
roles = ["member"]
tags = ["day", "weekend"]
[[rule]]
id = "not-the-suspended"
deny = ["dispatch"]
tags = ["suspended"]
[[rule]]
id = "presence-by-key"
allow = ["see_presence"]
roles = ["member", "shared"]
proof = "key"
[[rule]]
id = "presence-by-secret"
allow = ["see_presence"]
roles = ["sensor"]
proof = "secret"
[[rule]]
id = "admins"
roles = ["admin"]
allow = ["administer"]
)";

PolicyActor with_roles(PlacedList roles, PlacedList tags = {}) {
  PolicyActor as;
  as.roles = std::move(roles);
  as.tags = std::move(tags);
  return as;
}
PolicyActor with_proof(PlacedList roles, Proof proof) {
  PolicyActor as = with_roles(std::move(roles));
  as.proof = proof;
  return as;
}
PolicyActor source(const char* name, Proof proof) {
  PolicyActor as;
  as.source = name;
  as.proof = proof;
  return as;
}
PolicyActor member(const char* id, PlacedList tags = {}) {
  PolicyActor as;
  as.id = id;
  as.tags = std::move(tags);
  return as;
}

struct Row {
  const char* name;
  PolicyActor as;
  Action action;
  std::string on;
  bool allowed;
  const char* rule;  // empty: none
};

void expect(const Policy& policy, const Row& row) {
  SCOPED_TRACE(row.name);
  const auto [roles, proof] = policy.actor(row.as);
  const trust::Decision got = policy.decide(roles, proof, row.action, row.on);
  EXPECT_EQ(got.allowed, row.allowed);
  EXPECT_EQ(got.rule, row.rule);
  EXPECT_EQ(got.by_deny_rule, !row.allowed && *row.rule != '\0');
  const std::string why = policy.explanation(roles, proof, row.action, row.on);
  EXPECT_TRUE(why.starts_with(row.allowed ? "allowed by rule '" : "denied")) << why;
}

TEST(PolicyDecisions, FollowTheDocument) {
  const auto policy = compiled(kPlant);
  ASSERT_NE(policy, nullptr);
  const std::string key(64, 'a');
  constexpr auto kConnect = Action::kConnect;
  constexpr auto kPublish = Action::kPublish;
  constexpr auto kSubscribe = Action::kSubscribe;
  constexpr auto kHistory = Action::kReadHistory;
  constexpr auto kSend = Action::kSend;
  constexpr auto kPresence = Action::kSeePresence;
  constexpr auto kDispatch = Action::kDispatch;
  constexpr auto kAdminister = Action::kAdminister;
  // clang-format off
  const Row rows[] = {
    // name                                  as                                action       on                      allowed rule
    {"nobody connects, too",                with_roles({}),                    kConnect,    "",                     true,  "everybody-connects"},
    {"a member connects",                   with_roles({"member"}),            kConnect,    "",                     true,  "everybody-connects"},
    {"the shared secret connects",          with_roles({"shared"}),            kConnect,    "",                     true,  "everybody-connects"},
    {"a guest does not",                    with_roles({"guest"}),             kConnect,    "",                     false, "never-guests"},
    {"a guest with a better role, neither", with_roles({"guest", "operator"}), kConnect,    "",                     false, "never-guests"},
    {"the resource of connect is nothing",  with_roles({"member"}),            kConnect,    "anything",             true,  "everybody-connects"},

    {"a sensor on its topic",               with_roles({"sensor"}),            kPublish,    "plant.7.temp",         true,  "sensors-publish"},
    {"* is one segment",                    with_roles({"sensor"}),            kPublish,    "plant.7.8.temp",       false, ""},
    {"* is never none",                     with_roles({"sensor"}),            kPublish,    "plant.temp",           false, ""},
    {"nothing may follow",                  with_roles({"sensor"}),            kPublish,    "plant.7.temp.x",       false, ""},
    {"nothing may precede",                 with_roles({"sensor"}),            kPublish,    "x.plant.7.temp",       false, ""},
    {"> is one",                            with_roles({"sensor"}),            kPublish,    "plant.7.alarm.a",      true,  "sensors-publish"},
    {"> is several",                        with_roles({"sensor"}),            kPublish,    "plant.7.alarm.a.b.c",  true,  "sensors-publish"},
    {"> is never none",                     with_roles({"sensor"}),            kPublish,    "plant.7.alarm",        false, ""},
    {"letters have a case",                 with_roles({"sensor"}),            kPublish,    "Plant.7.temp",         false, ""},
    {"a word's beginning is not it",        with_roles({"sensor"}),            kPublish,    "plant.7.temperature",  false, ""},
    {"a dot is a dot",                      with_roles({"sensor"}),            kPublish,    "plant-7-temp",         false, ""},
    {"no topic",                            with_roles({"sensor"}),            kPublish,    "",                     false, ""},
    {"a topic that looks like a pattern",   with_roles({"sensor"}),            kPublish,    "plant.*.temp",         true,  "sensors-publish"},
    {"another role",                        with_roles({"operator"}),          kPublish,    "plant.7.temp",         false, ""},
    {"no role",                             with_roles({}),                    kPublish,    "plant.7.temp",         false, ""},
    {"publish is not subscribe",            with_roles({"sensor"}),            kSubscribe,  "plant.7.temp",         false, ""},
    {"publish is not read_history",         with_roles({"sensor"}),            kHistory,    "plant.7.temp",         false, ""},
    {"a member by its tag",                 member("m-1", {"sensor"}),         kPublish,    "plant.7.temp",         true,  "sensors-publish"},
    {"a member by another tag",             member("m-1", {"sensors"}),        kPublish,    "plant.7.temp",         false, ""},

    {"an operator subscribes",              with_roles({"operator"}),          kSubscribe,  "plant.7.temp",         true,  "operators-read"},
    {"an operator reads history",           with_roles({"operator"}),          kHistory,    "plant.7",              true,  "operators-read"},
    {"not the root",                        with_roles({"operator"}),          kSubscribe,  "plant",                false, ""},
    {"not another tree",                    with_roles({"operator"}),          kSubscribe,  "office.7",             false, ""},
    {"not the vault",                       with_roles({"operator"}),          kSubscribe,  "plant.vault.door",     false, "not-the-vault"},
    {"nor its history",                     with_roles({"operator"}),          kHistory,    "plant.vault.door",     false, "not-the-vault"},
    {"the vault is not denied itself",      with_roles({"operator"}),          kSubscribe,  "plant.vault",          true,  "operators-read"},
    {"what begins like the vault",          with_roles({"operator"}),          kSubscribe,  "plant.vaults.door",    true,  "operators-read"},
    {"a sensor in the vault",               with_roles({"sensor"}),            kPublish,    "plant.vault.temp",     false, "not-the-vault"},
    {"an admin in the vault",               with_roles({"member", "admin"}),   kSubscribe,  "plant.vault.door",     false, "not-the-vault"},
    {"a stranger in the vault",             with_roles({}),                    kSubscribe,  "plant.vault.door",     false, "not-the-vault"},
    {"sensor and operator publish",         with_roles({"sensor", "operator"}), kPublish,   "plant.1.temp",         true,  "sensors-publish"},
    {"sensor and operator subscribe",       with_roles({"sensor", "operator"}), kSubscribe, "plant.1.temp",         true,  "operators-read"},
    {"by member id",                        member("m-op"),                    kSubscribe,  "plant.1",              true,  "operators-read"},
    {"by another member id",                member("m-opp"),                   kSubscribe,  "plant.1",              false, ""},
    {"not who only claims the id",          source("m-op", Proof::kSecret),    kSubscribe,  "plant.1",              false, ""},

    {"a legacy source",                     source("old-1", Proof::kShared),   kPublish,    "old.a",                true,  "legacy-on-old"},
    {"with a secret of its own",            source("old-1", Proof::kSecret),   kPublish,    "old.a",                true,  "legacy-on-old"},
    {"with no proof",                       source("old-1", Proof::kNone),     kPublish,    "old.a",                false, ""},
    {"another source",                      source("old-2", Proof::kShared),   kPublish,    "old.a",                false, ""},
    {"on another's topic",                  source("old-1", Proof::kShared),   kPublish,    "plant.7.temp",         false, ""},
    {"it reads no history",                 source("old-1", Proof::kShared),   kHistory,    "old.a",                false, ""},
    {"a source that is no operator",        source("m-op", Proof::kKey),       kSubscribe,  "plant.1",              false, ""},

    {"to a member",                         with_roles({"member"}),            kSend,       key,                    true,  "members-write-anywhere"},
    {"to a tag",                            with_roles({"member"}),            kSend,       "tag:sensor",           true,  "members-write-anywhere"},
    {"to a channel of the pattern",         with_roles({"member"}),            kSend,       "#ops.day",             true,  "members-write-anywhere"},
    {"to a channel by name",                with_roles({"member"}),            kSend,       "#chat",                true,  "members-write-anywhere"},
    {"to another channel",                  with_roles({"member"}),            kSend,       "#secret",              false, ""},
    {"to a deeper channel",                 with_roles({"member"}),            kSend,       "#ops.day.night",       false, ""},
    {"to the pattern's root",               with_roles({"member"}),            kSend,       "#ops",                 false, ""},
    {"a tag is no channel",                 with_roles({"member"}),            kSend,       "tag:chat",             true,  "members-write-anywhere"},
    {"a channel with dots in a row",        with_roles({"member"}),            kSend,       "#ops.",                true,  "members-write-anywhere"},
    {"to everyone",                         with_roles({"member"}),            kSend,       "*",                    false, "no-announcements"},
    {"an operator to everyone",             with_roles({"operator"}),          kSend,       "*",                    false, "no-announcements"},
    {"an operator to any channel",          with_roles({"operator"}),          kSend,       "#secret",              true,  "operators-announce-nothing"},
    {"the first rule is named",             with_roles({"operator", "member"}), kSend,      "#chat",                true,  "members-write-anywhere"},
    {"to what is no address",               with_roles({"member"}),            kSend,       "chat",                 false, ""},
    {"to nothing",                          with_roles({"member"}),            kSend,       "",                     false, ""},
    {"to a short key",                      with_roles({"member"}),            kSend,       key.substr(1),          false, ""},
    {"a guest to a member",                 with_roles({"guest"}),             kSend,       key,                    false, ""},
    {"the shared secret to a member",       with_roles({"shared"}),            kSend,       key,                    false, ""},
    {"a sensor alone is no member",         with_roles({"sensor"}),            kSend,       key,                    false, ""},

    {"a member by day",                     with_roles({"member"}, {"day"}),   kDispatch,   "",                     true,  "by-day"},
    {"a member at the weekend",             with_roles({"member"}, {"weekend"}), kDispatch, "",                     true,  "by-day"},
    {"a member with both tags",             with_roles({"member"}, {"weekend", "day"}), kDispatch, "",              true,  "by-day"},
    {"a member with neither",               with_roles({"member"}, {"night"}), kDispatch,   "",                     false, ""},
    {"a member without tags",               with_roles({"member"}),            kDispatch,   "",                     false, ""},
    {"the tag without the role",            with_roles({"guest"}, {"day"}),    kDispatch,   "",                     false, ""},
    {"suspended by day",                    with_roles({"member"}, {"day", "suspended"}), kDispatch, "",            false, "not-the-suspended"},
    {"suspended only",                      with_roles({}, {"suspended"}),     kDispatch,   "",                     false, "not-the-suspended"},
    {"a real member by day",                member("m-1", {"day"}),            kDispatch,   "",                     true,  "by-day"},
    {"a real member suspended",             member("m-1", {"day", "suspended"}), kDispatch, "",                     false, "not-the-suspended"},

    {"presence by key",                     with_proof({"member"}, Proof::kKey), kPresence, "",                     true,  "presence-by-key"},
    {"presence by secret",                  with_proof({"member"}, Proof::kSecret), kPresence, "",                  false, ""},
    {"presence by the shared secret",       with_proof({"shared"}, Proof::kShared), kPresence, "",                  false, ""},
    {"a sensor's presence by secret",       with_proof({"sensor"}, Proof::kSecret), kPresence, "",                  true,  "presence-by-secret"},
    {"a sensor's by key, no member",        with_proof({"sensor"}, Proof::kKey), kPresence, "",                     true,  "presence-by-secret"},
    {"both: the first in the document",     with_proof({"sensor", "member"}, Proof::kKey), kPresence, "",           true,  "presence-by-key"},
    {"both, with a secret only",            with_proof({"sensor", "member"}, Proof::kSecret), kPresence, "",        true,  "presence-by-secret"},
    {"a sensor with the shared secret",     with_proof({"sensor"}, Proof::kShared), kPresence, "",                  false, ""},
    {"a deny asks for no proof",            with_proof({"guest", "sensor"}, Proof::kNone), kPresence, "",           false, "never-guests"},
    {"nor for less than a key",             with_proof({"guest", "sensor"}, Proof::kKey), kPresence, "",            false, "never-guests"},

    {"an admin administers",                with_roles({"member", "admin"}),   kAdminister, "",                     true,  "admins"},
    {"a member does not",                   with_roles({"member"}),            kAdminister, "",                     false, ""},
    {"an operator does not",                with_roles({"operator"}),          kAdminister, "",                     false, ""},
    {"the shared secret does not",          with_roles({"shared"}),            kAdminister, "",                     false, ""},
    {"a guest does not administer",         with_roles({"guest"}),             kAdminister, "",                     false, ""},
    {"administering is no publishing",      with_roles({"admin"}),             kPublish,    "plant.7.temp",         false, ""},
    {"nor subscribing",                     with_roles({"admin"}),             kSubscribe,  "plant.7.temp",         false, ""},
    {"nor dispatching",                     with_roles({"admin"}),             kDispatch,   "",                     false, ""},
    {"nor sending",                         with_roles({"admin"}),             kSend,       key,                    false, ""},
    {"nor seeing who is there",             with_roles({"admin"}),             kPresence,   "",                     false, ""},
  };
  // clang-format on
  static_assert(std::size(rows) >= 95);
  for (const Row& row : rows) expect(*policy, row);
}

// What the shipped default means, action by action.
TEST(PolicyDecisions, OfTheShippedDefault) {
  const auto policy = compiled(kAllowMembersPolicy);
  ASSERT_NE(policy, nullptr);
  const std::string key(64, 'a');
  struct Line {
    const char* who;
    PolicyActor as;
    // connect, publish, subscribe, send, read_history, see_presence, dispatch, administer
    const char* on_public;    // y or n each; topics are public.a, sends go to a member
    const char* on_others;    // topics are mirror.intent, sends go to a channel
    const char* on_governed;  // topics are governance.decision and audit.log, sends go to a channel
  };
  PolicyActor admin = member("m");
  admin.admin = true;
  PolicyActor guest;
  guest.member = false;
  const Line lines[] = {
      {"a member", member("m"), "yyyyyyyn", "yyyyyyyn", "ynnynyyn"},
      {"an admin", admin, "yyyyyyyy", "yyyyyyyy", "yyyyyyyy"},
      {"a member by secret", source("sage", Proof::kSecret), "yyyyyyyn", "yyyyyyyn", "ynnynyyn"},
      {"the shared secret", source("sage", Proof::kShared), "yyynynnn", "ynnnnnnn", "ynnnnnnn"},
      {"a guest", guest, "ynnynnnn", "ynnnnnnn", "ynnnnnnn"},
      {"no proof", source("mirror", Proof::kNone), "nnnnnnnn", "nnnnnnnn", "nnnnnnnn"},
      {"the admin role alone", with_roles({"admin"}), "nnnnnnny", "nnnnnnny", "nnnnnnny"},
  };
  const auto check = [&](const Line& line, const char* expected, const char* topic,
                         const std::string& to) {
    const auto [roles, proof] = policy->actor(line.as);
    for (std::size_t i = 0; i < trust::kActions; ++i) {
      const auto action = static_cast<Action>(i);
      SCOPED_TRACE(std::string(line.who) + " " + std::string(name_of(action)));
      const std::string on = action == Action::kSend ? to : topic;
      EXPECT_EQ(policy->decide(roles, proof, action, on).allowed, expected[i] == 'y');
    }
  };
  for (const Line& line : lines) {
    check(line, line.on_public, "public.a", key);
    check(line, line.on_others, "mirror.intent", "#ops");
    for (const char* topic : {"governance.decision", "governance.a.b", "audit.log"}) {
      check(line, line.on_governed, topic, "#ops");
    }
  }
}

TEST(PolicyDecisions, OfTheDevMeshLetTheSharedSecretUseEveryTopic) {
  const auto policy = compiled(kDevPolicy);
  ASSERT_NE(policy, nullptr);
  const auto [roles, proof] = policy->actor(source("mirror", Proof::kShared));
  for (const Action action :
       {Action::kConnect, Action::kPublish, Action::kSubscribe, Action::kReadHistory}) {
    EXPECT_TRUE(policy->decide(roles, proof, action, "mirror.intent").allowed);
    EXPECT_TRUE(policy->decide(roles, proof, action, "governance.decision").allowed);
  }
  EXPECT_FALSE(policy->decide(roles, proof, Action::kSend, "*").allowed);
  EXPECT_FALSE(policy->decide(roles, proof, Action::kAdminister, "").allowed);
  EXPECT_EQ(policy->limits_of(roles), trust::RoleLimits{});
}

// The examples of docs/policy.md are policies, and the default in it is the one that is compiled
// in.
TEST(PolicyDecisions, AreShownInAGuideWhoseExamplesHold) {
  std::ifstream file(std::string(SIGNET_SOURCE_DIR) + "/docs/policy.md");
  const std::string guide((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const std::string open = "```toml\n";
  std::string example;
  int examples = 0;
  for (auto at = guide.find(open); at != std::string::npos; at = guide.find(open, at)) {
    at += open.size();
    example = guide.substr(at, guide.find("```\n", at) - at);
    SCOPED_TRACE(example);
    const bool has_rule = example.find("[[rule]]") != std::string::npos;
    EXPECT_NE(compiled(has_rule ? example : example + "[[rule]]\nid='r'\nallow=['connect']\n"),
              nullptr);
    ++examples;
  }
  EXPECT_GE(examples, 4);
  EXPECT_EQ(example, kAllowMembersPolicy);  // the last one
}

}  // namespace
}  // namespace signet::config
