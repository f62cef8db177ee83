// Which entries a change of what operators decided makes.
#include "signetd/audit_record.h"

#include <gtest/gtest.h>

#include "config/policy_file.h"
#include "trust/signing_key.h"

namespace signet {
namespace {

std::shared_ptr<const trust::Policy> policy(const std::string& action) {
  auto document = config::read_policy(
      "[[rule]]\nid = \"a\"\nroles = [\"member\"]\nallow = [\"" + action + "\"]\n", "test");
  EXPECT_TRUE(document.ok());
  return *trust::Policy::compile(*std::move(document));
}

std::shared_ptr<const broker::TokenDoor> door(std::optional<unsigned char> digest) {
  static const std::string text =
      trust::SigningKey::generate(crypto::TokenAlgorithm::kEdDsa, "one");
  auto keys = trust::KeySet::parse(*trust::public_key_set({text}));
  std::optional<crypto::Digest32> hash;
  if (digest) hash = crypto::Digest32{*digest};
  return std::make_shared<const broker::TokenDoor>(
      broker::TokenDoor{*std::move(keys), {}, "", hash});
}

broker::Rules rules_with(const std::string& action) {
  broker::Rules rules = *broker::default_rules();
  rules.otherwise.policy = policy(action);
  return rules;
}

// `policy_changed 1`: the event and the mesh, in their order.
std::vector<std::string> drafts(const broker::Rules* before, const broker::Rules& after) {
  std::vector<std::string> words;
  const auto number_of = [](std::string_view slug) { return MeshNumber{slug == "team" ? 1 : 2}; };
  for (const audit::Draft& draft : drafts_of_rules(before, after, number_of)) {
    EXPECT_EQ(draft.by, "configuration");
    words.push_back(std::string(audit::name_of(draft.event)) + " " +
                    std::to_string(draft.mesh.value));
    if (!draft.code.empty()) words.back() += " " + draft.code + (draft.hash ? " hash" : "");
  }
  return words;
}
using Words = std::vector<std::string>;

TEST(AuditRecord, TheStartTellsOfAllThatHolds) {
  broker::Rules rules = rules_with("connect");
  EXPECT_EQ(drafts(nullptr, rules), (Words{"policy_changed 0", "routes_changed 0"}));
  rules.otherwise.tokens = door(1);
  rules.meshes["team"] = rules.otherwise;
  EXPECT_EQ(drafts(nullptr, rules),
            (Words{"policy_changed 0", "routes_changed 0", "token_keys_changed 0",
                   "policy_changed 1", "routes_changed 1", "token_keys_changed 1"}));
}

TEST(AuditRecord, AChangeIsToldOnceAndNothingElse) {
  const broker::Rules before = rules_with("connect");
  EXPECT_EQ(drafts(&before, before), Words{});
  EXPECT_EQ(drafts(&before, rules_with("publish")), Words{"policy_changed 0"});
  broker::Rules routed = before;
  routed.otherwise.routes_digest[0] = 1;
  EXPECT_EQ(drafts(&before, routed), Words{"routes_changed 0"});
  EXPECT_EQ(drafts(&routed, before), Words{"routes_changed 0"});
}

TEST(AuditRecord, AMeshThatGetsOrLosesRulesOfItsOwnIsTold) {
  const broker::Rules before = rules_with("connect");
  broker::Rules after = before;
  after.meshes["team"] = rules_with("publish").otherwise;
  EXPECT_EQ(drafts(&before, after), (Words{"policy_changed 1", "routes_changed 1"}));
  EXPECT_EQ(drafts(&after, before), Words{"policy_changed 1"})
      << "from then on what holds for all holds for it";
}

TEST(AuditRecord, KeysOfTokensAreToldByTheirDigest) {
  const broker::Rules none = rules_with("connect");
  broker::Rules one = none;
  one.otherwise.tokens = door(1);
  broker::Rules two = none;
  two.otherwise.tokens = door(2);
  broker::Rules secret = none;
  secret.otherwise.tokens = door(std::nullopt);
  const Words changed{"token_keys_changed 0"};
  EXPECT_EQ(drafts(&none, one), changed);
  EXPECT_EQ(drafts(&one, one), Words{});
  EXPECT_EQ(drafts(&one, two), changed);
  EXPECT_EQ(drafts(&two, none), changed);
  EXPECT_EQ(drafts(&none, secret), changed);
  EXPECT_EQ(drafts(&secret, secret), changed) << "secrets have no digest that could be compared";
  EXPECT_EQ(drafts(&secret, none), changed);
}

TEST(AuditRecord, SecretsAndTypesOfHubAreToldByWhichOfThemChanged) {
  const auto hub = [](const char* action, const char* engine, unsigned char types) {
    broker::HubDoor door;
    door.action_secret = crypto::SecretText(action);
    door.engine_secret = crypto::SecretText(engine);
    door.types_digest = crypto::Digest32{types};
    broker::Rules rules = rules_with("connect");
    rules.otherwise.hub = std::make_shared<const broker::HubDoor>(door);
    return rules;
  };
  const broker::Rules off = rules_with("connect");
  const broker::Rules on = hub("an action secret", "an engine secret", 1);
  const std::string actions = "hub_changed 0 action_secret";
  const std::string engines = "hub_changed 0 engine_secret";
  const std::string types = "hub_changed 0 job_types hash";
  const struct {
    const char* name;
    const broker::Rules before, after;
    Words told;
  } rows[] = {
      {"on", off, on, {actions, engines, types}},
      {"off", on, off, {actions, engines, "hub_changed 0 job_types"}},
      {"read again", on, hub("an action secret", "an engine secret", 1), {}},
      {"another for users", on, hub("another", "an engine secret", 1), {actions}},
      {"none for users", on, hub("", "an engine secret", 1), {actions}},
      {"another for engines", on, hub("an action secret", "another", 1), {engines}},
      {"none for engines", on, hub("an action secret", "", 1), {engines}},
      {"other types", on, hub("an action secret", "an engine secret", 2), {types}},
      {"they change places",
       on,
       hub("an engine secret", "an action secret", 1),
       {actions, engines}},
  };
  for (const auto& row : rows) EXPECT_EQ(drafts(&row.before, row.after), row.told) << row.name;
  broker::Rules own = off;
  own.meshes["team"] = on.otherwise;
  EXPECT_EQ(drafts(&off, own),
            (Words{"policy_changed 1", "routes_changed 1", "hub_changed 1 action_secret",
                   "hub_changed 1 engine_secret", "hub_changed 1 job_types hash"}));
}

}  // namespace
}  // namespace signet
