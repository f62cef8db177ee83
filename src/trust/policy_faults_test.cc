#include <gtest/gtest.h>

#include <functional>

#include "trust/policy_for_test.h"

namespace signet::trust {
namespace {

using Change = std::function<void(PolicyDocument&)>;

PolicyDocument good() {
  PolicyDocument document;
  document.name = "p";
  document.roles = {role("sensor")};
  document.roles[0].tags = {"sensor"};
  document.rules = {allow("publish", {Action::kPublish}, {"sensor"})};
  document.rules[0].topics = {"plant.>"};
  PolicyTest test;
  test.as.roles = PolicyRoles({"sensor"});
  test.action = Action::kPublish;
  test.on = "plant.a";
  test.allowed = true;
  document.tests = {test};
  return document;
}

struct Row {
  const char* name;
  Change change;
  const char* sentence;  // a part of the one fault; empty: none
};

void add_role(PolicyDocument& d, const char* name, PlacedList tags) {
  d.roles.push_back(role(name));
  d.roles.back().tags = std::move(tags);
}
PolicyRule& add(PolicyDocument& d, PolicyRule made) {
  d.rules.push_back(std::move(made));
  return d.rules.back();
}

TEST(PolicyFaults, AreToldInASentenceEach) {
  // clang-format off
  const Row rows[] = {
    {"nothing is wrong", [](auto&) {}, ""},
    {"no rule", [](auto& d) { d.rules.clear(); d.tests.clear(); }, "there is no [[rule]]"},
    {"too many rules", [](auto& d) { for (std::size_t i = 0; i < kMaxPolicyRules; ++i) add(d, allow("r" + std::to_string(i), {Action::kSend}, {})); }, "more than 1024 rules"},
    {"as many rules as can be", [](auto& d) { for (std::size_t i = 1; i < kMaxPolicyRules; ++i) add(d, allow("r" + std::to_string(i), {Action::kSend}, {})); }, ""},
    {"too many tests", [](auto& d) { d.tests.resize(kMaxPolicyTests + 1, d.tests[0]); }, "more than 1024 tests"},
    {"59 more roles", [](auto& d) { for (int i = 0; i < 59; ++i) add_role(d, ("r" + std::to_string(i)).c_str(), {"t"}); }, ""},
    {"60 more roles", [](auto& d) { for (int i = 0; i < 60; ++i) add_role(d, ("r" + std::to_string(i)).c_str(), {"t"}); }, "more than 64 roles"},
    {"the same tags are one role", [](auto& d) { for (int i = 0; i < 70; ++i) add(d, allow("r" + std::to_string(i), {Action::kSend}, {})).tags = {"a", "b"}; }, ""},
    {"other tags are others", [](auto& d) { for (int i = 0; i < 60; ++i) add(d, allow("r" + std::to_string(i), {Action::kSend}, {})).tags = {Placed("t" + std::to_string(i))}; }, "every different list of tags"},
    {"a role's name", [](auto& d) { add_role(d, "a b", {"t"}); }, "'a b' is no name of a role"},
    {"a role called *", [](auto& d) { add_role(d, "*", {"t"}); }, "'*' is no name of a role"},
    {"a role twice", [](auto& d) { d.rules[0].roles = {"member"}; d.tests.clear(); add_role(d, "x", {"t"}); add_role(d, "x", {"t"}); d.roles[1].is_told = true; }, "the role 'x' is there twice"},
    {"a role of nobody", [](auto& d) { add_role(d, "x", {}); }, "the role 'x' names nobody"},
    {"limits of a built-in role", [](auto& d) { add_role(d, "member", {}); d.roles[1].limits.burst = 2; }, ""},
    {"a built-in role by tags", [](auto& d) { add_role(d, "member", {"t"}); }, "'member' is built in"},
    {"a built-in role by proof", [](auto& d) { add_role(d, "guest", {}); d.roles[1].proof = Proof::kKey; }, "'guest' is built in"},
    {"a role without proof", [](auto& d) { d.roles[0].proof = Proof::kNone; }, "a role needs a proof"},
    {"a tag that nobody has", [](auto& d) { d.roles[0].tags = {"a b"}; }, "no member can have the tag 'a b'"},
    {"an empty member", [](auto& d) { d.roles[0].members = {""}; }, "members are texts of 1 to 256"},
    {"a long source", [](auto& d) { d.roles[0].sources = {Placed(std::string(257, 'x'))}; }, "sources are texts of 1 to 256"},
    {"many tags", [](auto& d) { d.roles[0].tags.assign(257, "t"); }, "tags has more than 256"},
    {"a token's role that none has", [](auto& d) { d.roles[0].token_roles = {"a b"}; }, "no token can have the role 'a b'"},
    {"many roles of tokens", [](auto& d) { d.roles[0].token_roles.assign(257, "t"); }, "token_roles has more than 256"},
    {"roles of tokens alone", [](auto& d) { add_role(d, "x", {}); d.roles[1].token_roles = {"t"}; }, ""},
    {"and of any proof that tokens have", [](auto& d) { d.roles[0].token_roles = {"t"}; d.roles[0].proof = Proof::kToken; }, ""},
    {"and of more than tokens prove", [](auto& d) { d.roles[0].token_roles = {"t"}; d.roles[0].proof = Proof::kCertificate; }, "which is less than certificate"},
    {"a built-in role by tokens", [](auto& d) { add_role(d, "member", {}); d.roles[1].token_roles = {"t"}; }, "'member' is built in"},
    {"a test by a token's roles", [](auto& d) { d.roles[0].token_roles = {"t"}; d.tests[0].as = {}; d.tests[0].as.token_roles = {"t"}; }, ""},
    {"and of too little proof", [](auto& d) { d.tests[0].as = {}; d.tests[0].as.token_roles = {"t"}; d.tests[0].as.proof = Proof::kSecret; }, "token_roles come with the proof token"},
    {"and of too much", [](auto& d) { d.tests[0].as = {}; d.tests[0].as.token_roles = {"t"}; d.tests[0].as.proof = Proof::kKey; }, "which is less than key"},
    {"and beside roles", [](auto& d) { d.tests[0].as.token_roles = {"t"}; }, "who has roles needs no id"},
    {"a rate of nothing", [](auto& d) { d.roles[0].limits.pulses_per_second = 0; }, "pulses_per_second of role 'sensor' is more than 0"},
    {"a rate below nothing", [](auto& d) { d.roles[0].limits.pulses_per_minute = -1; }, "pulses_per_minute of"},
    {"a rate that is no number", [](auto& d) { d.roles[0].limits.sends_per_second = std::stod("nan"); }, "sends_per_second of"},
    {"a rate without end", [](auto& d) { d.roles[0].limits.sends_per_second = std::stod("inf"); }, "sends_per_second of"},
    {"a burst of less than one", [](auto& d) { d.roles[0].limits.burst = 0.5; }, "burst of role 'sensor' is at least 1"},
    {"a burst of too much", [](auto& d) { d.roles[0].limits.sends_burst = 1e7; }, "sends_burst of"},
    {"an id twice", [](auto& d) { add(d, d.rules[0]); }, "another rule has the id 'publish'"},
    {"no id", [](auto& d) { d.rules[0].id = ""; }, "the id of a rule is"},
    {"an id with a space", [](auto& d) { d.rules[0].id = "a b"; }, "the id of a rule is"},
    {"the id of no rule", [](auto& d) { d.rules[0].id = "default"; }, "'default' is what it is called"},
    {"no action", [](auto& d) { d.rules[0].actions.clear(); d.rules[0].topics.clear(); d.tests.clear(); }, "allows and denies nothing"},
    {"an unknown role", [](auto& d) { d.rules[0].roles = {"sensors"}; }, "there is no role 'sensors'; the roles are admin, guest, member, sensor, shared"},
    {"everybody and more", [](auto& d) { d.rules[0].roles = {"*", "member"}; }, "is everybody: leave the other roles out"},
    {"a rule's tag", [](auto& d) { d.rules[0].tags = {"#"}; d.tests.clear(); }, "no member can have the tag"},
    {"an empty topic", [](auto& d) { d.rules[0].topics = {""}; }, "'' is no pattern: pattern is empty"},
    {"a wildcard in a segment", [](auto& d) { d.rules[0].topics = {"a*"}; }, "'a*' is no pattern"},
    {"> before the end", [](auto& d) { d.rules[0].topics = {">.a"}; }, "'>.a' is no pattern"},
    {"a channel with #", [](auto& d) { add(d, allow("s", {Action::kSend}, {})).channels = {"#ops"}; }, "a channel is written without its '#'"},
    {"topics of a send", [](auto& d) { add(d, allow("s", {Action::kSend}, {})).topics = {"a"}; }, "*2"},
    {"topics of connect and publish", [](auto& d) { d.rules[0].actions = {Action::kPublish, Action::kConnect}; }, "connect is not limited by what the rule names"},
    {"topics of publish and send", [](auto& d) { d.rules[0].actions = {Action::kPublish, Action::kSend}; }, "send is not limited by what the rule names"},
    {"topics and channels", [](auto& d) { d.rules[0].actions = {Action::kPublish, Action::kSend}; d.rules[0].channels = {"ops"}; }, ""},
    {"channels of publish", [](auto& d) { d.rules[0].channels = {"ops"}; }, "channels and to are for send"},
    {"to of publish", [](auto& d) { d.rules[0].to = {AddressKind::kTag}; }, "channels and to are for send"},
    {"channels and every channel", [](auto& d) { auto& r = add(d, allow("s", {Action::kSend}, {})); r.channels = {"a"}; r.to = {AddressKind::kChannel}; }, "is every channel: keep one of the two"},
    {"channels and members", [](auto& d) { auto& r = add(d, allow("s", {Action::kSend}, {})); r.channels = {"a"}; r.to = {AddressKind::kMember}; }, ""},
    {"a deny with a proof", [](auto& d) { add(d, deny("s", {Action::kSend}, {})).proof = Proof::kKey; }, "a deny holds whatever the proof"},
    {"an allow without proof", [](auto& d) { d.rules[0].proof = Proof::kNone; }, "every proof is at least none"},
    {"a test of nobody", [](auto& d) { d.tests[0].as = {}; }, "'as' says of nobody who it is"},
    {"a test of both forms", [](auto& d) { d.tests[0].as.id = "m"; }, "who has roles needs no id"},
    {"an exception of an unknown role", [](auto& d) { d.rules[0].except = {"sensors"}; }, "there is no role 'sensors'"},
    {"an exception of everybody", [](auto& d) { d.rules[0].except = {"*"}; }, "a rule that excepts everybody is for nobody"},
    {"an exception", [](auto& d) { d.rules[0].except = {"guest"}; }, ""},
    {"a test of an unknown role", [](auto& d) { d.tests[0].as.roles = PolicyRoles({"x"}); }, "there is no role 'x'"},
    {"a test of everybody", [](auto& d) { d.tests[0].as.roles = PolicyRoles({"*"}); }, "\"*\" is no role that somebody has"},
    {"a test on no topic", [](auto& d) { d.tests[0].on = ""; }, "publish is on a topic"},
    {"a test on a pattern", [](auto& d) { d.tests[0].on = "plant.*"; }, "publish is on a topic"},
    {"a test to no address", [](auto& d) { d.tests[0].action = Action::kSend; d.tests[0].on = "ops"; }, "send is to 64 hex digits"},
    {"a test of an unknown rule", [](auto& d) { d.tests[0].rule = "x"; }, "there is no rule 'x'"},
    {"what is told already", [](auto& d) { d.rules[0].is_told = true; d.rules[0].roles = {"x"}; }, ""},
  };
  // clang-format on
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    PolicyDocument document = good();
    row.change(document);
    const auto faults = faults_of(document);
    std::string all;
    for (const auto& fault : faults) all += fault.sentence + "\n";
    const std::string_view want = row.sentence;
    if (want == "*2") {  // one fault of the action, one of the key
      EXPECT_EQ(faults.size(), 2U) << all;
      continue;
    }
    EXPECT_EQ(faults.size(), want.empty() ? 0U : 1U) << all;
    EXPECT_NE(all.find(want), std::string::npos) << all;
    if (!faults.empty()) {
      const auto compiled = Policy::compile(document);
      ASSERT_FALSE(compiled.ok());
      EXPECT_EQ(compiled.error().code, ErrorCode::kMalformed);
      EXPECT_EQ(compiled.error().detail, text_of("p", faults));
    }
  }
}

TEST(PolicyFaults, AreALineEachInTheOrderOfTheText) {
  EXPECT_EQ(text_of("p.toml", {{{9, 2}, "b"}, {{3, 4}, "a"}, {{9, 1}, "c"}}),
            "p.toml:3:4: a\np.toml:9:1: c\np.toml:9:2: b");
  EXPECT_EQ(text_of("p", {}), "");
  const std::string many = text_of("p", std::vector<PolicyFault>(120, {{1, 1}, "x"}));
  EXPECT_TRUE(many.ends_with("\nand 20 more"));
}

}  // namespace
}  // namespace signet::trust
