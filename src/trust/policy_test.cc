// What a policy decides, told with documents built here; src/config/policy_decisions_test.cc has
// the truth table over documents as an operator writes them.
#include "trust/policy.h"

#include <gtest/gtest.h>

#include "trust/policy_for_test.h"

namespace signet::trust {
namespace {

PolicyDocument sensors() {
  PolicyDocument document;
  document.name = "t";
  document.roles = {role("sensor"), role("plant"), role("pump"), role("anon")};
  document.roles[0].tags = {"sensor", "probe"};
  document.roles[1].members = {"m-7", "m-8"};
  document.roles[1].proof = Proof::kKey;
  document.roles[2].sources = {"pump-1"};
  document.roles[3].sources = {"pump-1"};
  document.roles[3].proof = Proof::kShared;
  document.rules = {allow("all", {Action::kConnect}, {"*"}),
                    allow("tagged", {Action::kDispatch}, {"member"})};
  document.rules[1].tags = {"night", "day"};
  return document;
}

TEST(Policy, GivesRolesByWhatIsProven) {
  const auto policy = compiled(sensors());
  const std::vector<std::string> none;
  const std::vector<std::string> sensor{"sensor"};
  const std::vector<std::string> both{"x", "probe"};
  using V = std::vector<std::string>;
  struct Row {
    const char* name;
    Subject subject;
    V roles;
  };
  // clang-format off
  const Row rows[] = {
    // name                                member admin  id     source    tags     proof
    {"nobody",                            {false, false, "",    "",       nullptr, Proof::kNone},   {}},
    {"a member without proof",            {true,  true,  "m-7", "",       nullptr, Proof::kNone},   {}},
    {"a key of no member",                {false, false, "",    "",       nullptr, Proof::kKey},    {"guest"}},
    {"a guest is no admin",               {false, true,  "",    "",       nullptr, Proof::kKey},    {"guest"}},
    {"a secret of no member",             {false, false, "",    "",       nullptr, Proof::kSecret}, {}},
    {"a key of a member",                 {true,  false, "m-1", "",       &none,   Proof::kKey},    {"member"}},
    {"a secret of a member",              {true,  false, "m-1", "",       &none,   Proof::kSecret}, {"member"}},
    {"an admin",                          {true,  true,  "m-1", "",       &none,   Proof::kKey},    {"member", "admin"}},
    {"an admin by own secret",            {true,  true,  "m-1", "",       &none,   Proof::kSecret}, {"member", "admin"}},
    {"the shared secret",                 {false, false, "",    "",       nullptr, Proof::kShared}, {"shared"}},
    {"it makes no member",                {true,  true,  "m-1", "",       &none,   Proof::kShared}, {"shared"}},
    {"by tag",                            {true,  false, "m-1", "",       &sensor, Proof::kKey},    {"member", "sensor"}},
    {"by one of several tags",            {true,  false, "m-1", "",       &both,   Proof::kSecret}, {"member", "sensor"}},
    {"tags are of members",               {false, false, "",    "",       &sensor, Proof::kKey},    {"guest"}},
    {"tags are not of the shared secret", {true,  false, "",    "",       &sensor, Proof::kShared}, {"shared"}},
    {"by member id",                      {true,  false, "m-8", "",       &none,   Proof::kKey},    {"member", "plant"}},
    {"by member id, too little proof",    {true,  false, "m-8", "",       &none,   Proof::kSecret}, {"member"}},
    {"an id that somebody claims",        {false, false, "m-8", "",       nullptr, Proof::kKey},    {"guest"}},
    {"an id in other letters",            {true,  false, "M-8", "",       &none,   Proof::kKey},    {"member"}},
    {"by source",                         {true,  false, "",    "pump-1", &none,   Proof::kSecret}, {"member", "pump", "anon"}},
    {"a source of no member",             {false, false, "",    "pump-1", nullptr, Proof::kSecret}, {"pump", "anon"}},
    {"a source that is only claimed",     {false, false, "",    "pump-1", nullptr, Proof::kShared}, {"shared", "anon"}},
    {"a source without any proof",        {false, false, "",    "pump-1", nullptr, Proof::kNone},   {}},
    {"the beginning of a source",         {false, false, "",    "pump-",  nullptr, Proof::kSecret}, {}},
    {"a token of a member",               {true,  true,  "m-1", "",       &none,   Proof::kToken},  {"member", "admin"}},
    {"a token of no member is no guest",  {false, false, "",    "pump-1", nullptr, Proof::kToken},  {"pump", "anon"}},
    {"a token is less than a key",        {true,  false, "m-8", "",       &none,   Proof::kToken},  {"member"}},
    {"a certificate of a member",         {true,  false, "m-1", "",       &sensor, Proof::kCertificate}, {"member", "sensor"}},
    {"a certificate of no member",        {false, false, "",    "",       nullptr, Proof::kCertificate}, {}},
    {"a certificate is less than a key",  {true,  false, "m-8", "",       &none,   Proof::kCertificate}, {"member"}},
    {"everything at once",                {true,  true,  "m-7", "pump-1", &sensor, Proof::kKey},
     {"member", "admin", "anon", "plant", "pump", "sensor"}},
  };
  // clang-format on
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    V got = policy->names_of(policy->roles_of(row.subject));
    V want = row.roles;
    std::sort(got.begin(), got.end());
    std::sort(want.begin(), want.end());
    EXPECT_EQ(got, want);
  }
}

TEST(Policy, CountsTheRolesOfATokenForATokenOnly) {
  PolicyDocument document = sensors();
  document.roles.push_back(role("engine"));
  document.roles.back().token_roles = {"engine", "world-engine"};
  document.roles.push_back(role("strict"));
  document.roles.back().token_roles = {"strict"};
  document.roles.back().proof = Proof::kToken;
  const auto policy = compiled(std::move(document));
  const std::vector<std::string> engine{"x", "engine"};
  const std::vector<std::string> both{"strict", "world-engine"};
  const std::vector<std::string> sensor{"sensor"};
  using V = std::vector<std::string>;
  struct Row {
    const char* name;
    bool member;
    Proof proof;
    const std::vector<std::string>* tags;
    const std::vector<std::string>* token_roles;
    V roles;
  };
  // clang-format off
  const Row rows[] = {
    // name                              member proof                tags     token_roles
    {"a token of a member",              true,  Proof::kToken,       nullptr, &engine, {"member", "engine"}},
    {"a token of no member",             false, Proof::kToken,       nullptr, &engine, {"engine"}},
    {"a token with several roles",       true,  Proof::kToken,       nullptr, &both,   {"member", "engine", "strict"}},
    {"a token without roles",            true,  Proof::kToken,       nullptr, nullptr, {"member"}},
    {"a certificate has no such roles",  true,  Proof::kCertificate, nullptr, &both,   {"member"}},
    {"nor has a key",                    true,  Proof::kKey,         nullptr, &both,   {"member"}},
    {"nor a secret",                     true,  Proof::kSecret,      nullptr, &both,   {"member"}},
    {"nor the shared one",               false, Proof::kShared,      nullptr, &both,   {"shared"}},
    {"a token's role is no tag",         true,  Proof::kToken,       nullptr, &sensor, {"member"}},
    {"a tag is no role of a token",      true,  Proof::kToken,       &engine, nullptr, {"member"}},
  };
  // clang-format on
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(policy->names_of(policy->roles_of(
                  {row.member, false, "m-1", "", row.tags, row.proof, row.token_roles})),
              row.roles);
  }
  PolicyActor as;
  as.token_roles = {"engine"};
  EXPECT_EQ(policy->actor(as),
            std::pair(kMemberRole | policy->role_named("engine"), Proof::kToken));
}

TEST(Policy, KnowsTheProofsByNameInTheirOrder) {
  const std::vector<std::string> names{"none", "shared", "secret", "token", "certificate", "key"};
  EXPECT_EQ(proof_names(), names);
  ASSERT_EQ(names.size(), kProofs);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto proof = static_cast<Proof>(i);
    EXPECT_EQ(name_of(proof), names[i]);
    EXPECT_EQ(proof_from(names[i]), proof);
  }
  EXPECT_EQ(name_of(Proof::kToken), "token");
  EXPECT_EQ(name_of(Proof::kCertificate), "certificate");
  EXPECT_LT(Proof::kSecret, Proof::kToken);
  EXPECT_LT(Proof::kToken, Proof::kCertificate);
  EXPECT_LT(Proof::kCertificate, Proof::kKey);
  EXPECT_EQ(proof_from("jwt"), std::nullopt);
}

TEST(Policy, HidesTheRolesOfTagsAndStillDecidesByThem) {
  const auto policy = compiled(sensors());
  const std::vector<std::string> day{"day"};
  const std::vector<std::string> other{"dusk"};
  const Roles with = policy->roles_of({true, false, "", "", &day, Proof::kKey});
  const Roles without = policy->roles_of({true, false, "", "", &other, Proof::kKey});
  EXPECT_EQ(policy->names_of(with), policy->names_of(without));
  EXPECT_TRUE(policy->decide(with, Proof::kKey, Action::kDispatch, "").allowed);
  EXPECT_FALSE(policy->decide(without, Proof::kKey, Action::kDispatch, "").allowed);
}

TEST(Policy, HasTheBuiltInRolesAtTheSameBitsEverywhere) {
  const auto policy = compiled(sensors());
  EXPECT_EQ(policy->role_named("member"), kMemberRole);
  EXPECT_EQ(policy->role_named("admin"), kAdminRole);
  EXPECT_EQ(policy->role_named("shared"), kSharedRole);
  EXPECT_EQ(policy->role_named("guest"), kGuestRole);
  EXPECT_EQ(policy->role_named("sensor"), Roles{16});
  EXPECT_EQ(policy->role_named(""), Roles{0});
  EXPECT_EQ(policy->role_named("nobody"), Roles{0});
}

TEST(Policy, GrantsTheLargestOfEachLimit) {
  PolicyDocument document = sensors();
  document.roles[0].limits = {10.0, 20.0, std::nullopt, 1.0, std::nullopt};
  document.roles[1].limits = {5.0, 40.0, 300.0, std::nullopt, std::nullopt};
  document.roles.push_back(role("member"));
  document.roles.back().limits.sends_burst = 7;
  const auto policy = compiled(std::move(document));
  const Roles sensor = policy->role_named("sensor");
  const Roles plant = policy->role_named("plant");
  EXPECT_EQ(policy->limits_of(0), RoleLimits{});
  EXPECT_EQ(policy->limits_of(policy->role_named("pump")), RoleLimits{});
  EXPECT_EQ(policy->limits_of(sensor), (RoleLimits{10.0, 20.0, {}, 1.0, {}}));
  EXPECT_EQ(policy->limits_of(sensor | plant), (RoleLimits{10.0, 40.0, 300.0, 1.0, {}}));
  EXPECT_EQ(policy->limits_of(kMemberRole), (RoleLimits{{}, {}, {}, {}, 7.0}));
}

TEST(Policy, LetsDenyWinWhateverTheOrder) {
  for (const bool deny_first : {true, false}) {
    SCOPED_TRACE(deny_first);
    PolicyDocument document;
    document.rules = {allow("yes", {Action::kPublish}, {"member"}),
                      deny("no", {Action::kPublish}, {"*"})};
    document.rules[1].topics = {"secret.>"};
    if (deny_first) std::swap(document.rules[0], document.rules[1]);
    const auto policy = compiled(std::move(document));
    EXPECT_EQ(policy->decide(kMemberRole, Proof::kKey, Action::kPublish, "open.a"),
              (Decision{true, false, "yes"}));
    EXPECT_EQ(policy->decide(kMemberRole, Proof::kKey, Action::kPublish, "secret.a"),
              (Decision{false, true, "no"}));
    EXPECT_EQ(policy->decide(0, Proof::kNone, Action::kPublish, "open.a"),
              (Decision{false, false, ""}));
  }
}

TEST(Policy, ARuleIsNotForWhomItExcepts) {
  PolicyDocument document;
  document.name = "t";
  document.roles = {role("chief")};
  document.roles[0].tags = {"chief"};
  document.rules = {allow("all", {Action::kPublish}, {"member"}),
                    deny("but", {Action::kPublish}, {})};
  document.rules[1].except = {"admin", "chief"};
  const auto policy = compiled(std::move(document));
  const Roles chief = policy->role_named("chief");
  const auto by = [&](Roles roles) {
    return policy->decide(roles, Proof::kKey, Action::kPublish, "a").rule;
  };
  EXPECT_EQ(by(kMemberRole), "but");
  EXPECT_EQ(by(kGuestRole), "but");
  EXPECT_EQ(by(kMemberRole | kAdminRole), "all");
  EXPECT_EQ(by(kMemberRole | chief), "all");
  EXPECT_EQ(by(chief), "") << "an exception allows nothing";
  EXPECT_FALSE(policy->may_some(kMemberRole, Proof::kKey, Action::kPublish));
  EXPECT_TRUE(policy->may_some(kMemberRole | chief, Proof::kKey, Action::kPublish));
}

TEST(Policy, KnowsWhoMayDoAnActionToNothingAtAll) {
  PolicyDocument document;
  document.name = "t";
  document.roles = {role("some"), role("shut"), role("strong")};
  for (PolicyRole& each : document.roles) each.tags = {each.name.text};
  document.rules = {allow("some", {Action::kReadHistory}, {"some"}),
                    deny("part", {Action::kReadHistory}, {"some"}),
                    allow("shut", {Action::kReadHistory}, {"shut"}),
                    deny("all", {Action::kReadHistory}, {"shut"}),
                    allow("strong", {Action::kReadHistory}, {"strong"}),
                    deny("publish", {Action::kPublish}, {"some"})};
  document.rules[0].topics = {"a.>"};
  document.rules[1].topics = {"a.b"};
  document.rules[3].topics = {">"};
  document.rules[4].proof = Proof::kKey;
  const auto policy = compiled(std::move(document));
  const auto may = [&](const char* name, Action action, Proof proof = Proof::kKey) {
    return policy->may_some(policy->role_named(name), proof, action);
  };
  EXPECT_TRUE(may("some", Action::kReadHistory));
  EXPECT_FALSE(may("some", Action::kSubscribe)) << "no rule is about it";
  EXPECT_FALSE(may("some", Action::kPublish));
  EXPECT_FALSE(may("shut", Action::kReadHistory)) << "whatever is allowed is denied";
  EXPECT_TRUE(may("strong", Action::kReadHistory));
  EXPECT_FALSE(may("strong", Action::kReadHistory, Proof::kSecret));
  EXPECT_FALSE(may("member", Action::kReadHistory));
}

TEST(Policy, SaysWhy) {
  PolicyDocument document;
  document.rules = {allow("strong", {Action::kSend}, {"*"}),
                    deny("no", {Action::kSend}, {"shared"}),
                    allow("plain", {Action::kSend}, {"member", "shared"})};
  document.rules[0].proof = Proof::kKey;
  document.rules[0].id.at = {3, 1};
  document.rules[1].id.at = {7, 1};
  document.rules[2].id.at = {11, 1};
  const auto policy = compiled(std::move(document));
  const auto why = [&](Roles roles, Proof proof) {
    return policy->explanation(roles, proof, Action::kSend, "#ops");
  };
  EXPECT_EQ(why(kMemberRole, Proof::kKey),
            "allowed by rule 'strong' (line 3), rule 'plain' (line 11)");
  EXPECT_EQ(why(kMemberRole, Proof::kSecret), "allowed by rule 'plain' (line 11)");
  EXPECT_EQ(why(kSharedRole, Proof::kShared),
            "denied by rule 'no' (line 7), which beats rule 'plain' (line 11)");
  EXPECT_EQ(why(0, Proof::kSecret),
            "denied: no rule allows send on #ops to nobody in particular; rule 'strong' (line 3) "
            "from proof key on would");
  using Effect = Match::Effect;
  EXPECT_EQ(
      policy->matches(kSharedRole, Proof::kShared, Action::kSend, "#ops"),
      (std::vector<Match>{
          {"strong", Effect::kTooLittleProof}, {"no", Effect::kDeny}, {"plain", Effect::kAllow}}));
  EXPECT_TRUE(policy->matches(kMemberRole, Proof::kKey, Action::kConnect, "").empty());
}

TEST(Policy, RefusesADocumentWhoseTestsFailAsAWhole) {
  const auto with_test = [](bool expected, const char* rule) {
    PolicyDocument document;
    document.name = "p.toml";
    document.rules = {allow("yes", {Action::kPublish}, {"member"}),
                      allow("too", {Action::kPublish}, {"admin"})};
    PolicyTest test;
    test.at = {9, 1};
    test.name = "members publish";
    test.as.roles = PolicyRoles({"member", "admin"});
    test.action = Action::kPublish;
    test.on = "a.b";
    test.allowed = expected;
    test.rule = rule;
    document.tests.push_back(test);
    return Policy::compile(std::move(document));
  };
  EXPECT_TRUE(with_test(true, "").ok());
  EXPECT_TRUE(with_test(true, "yes").ok());
  const auto wrong = with_test(false, "");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(wrong.error().detail,
            "p.toml:9:1: test 'members publish' expects deny, but it is allowed by rule 'yes' "
            "(line 0), rule 'too' (line 0)");
  const auto because = with_test(true, "too");
  ASSERT_FALSE(because.ok());
  EXPECT_NE(because.error().detail.find("expects allow by rule 'too'"), std::string::npos);
}

TEST(Policy, ShowsHowTestsComeOutThatWouldBlock) {
  PolicyDocument document;
  document.rules = {allow("yes", {Action::kConnect}, {"member"})};
  document.tests.resize(2);
  document.tests[0].as.roles = PolicyRoles({"guest"});
  document.tests[0].allowed = true;
  document.tests[1].as.roles = PolicyRoles({"member"});
  document.tests[1].allowed = true;
  EXPECT_FALSE(Policy::compile(document).ok());
  const auto policy = Policy::compile_untested(document);
  ASSERT_TRUE(policy.ok());
  const auto outcomes = (*policy)->run_tests();
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_FALSE(outcomes[0].passed);
  EXPECT_FALSE(outcomes[0].sentence.empty());
  EXPECT_TRUE(outcomes[1].passed);
  EXPECT_EQ(outcomes[1].decision.rule, "yes");
}

TEST(Policy, ReadsWhoATestIs) {
  const auto policy = compiled(sensors());
  const Roles day = policy->actor(acting({}, {"day"})).first & ~kMemberRole;
  struct Row {
    const char* name;
    PolicyActor as;
    Roles roles;
    Proof proof;
  };
  PolicyActor shared;
  shared.proof = Proof::kShared;
  PolicyActor guest;
  guest.member = false;
  PolicyActor admin;
  admin.admin = true;
  PolicyActor pump;
  pump.source = "pump-1";
  pump.proof = Proof::kSecret;
  PolicyActor weak_sensor = acting(PolicyRoles({"sensor"}), {});
  weak_sensor.proof = Proof::kSecret;
  const Roles both = policy->role_named("pump") | policy->role_named("anon");
  const Row rows[] = {
      {"a member by default", acting({}, {"day"}), kMemberRole | day, Proof::kKey},
      {"the shared secret", shared, kSharedRole, Proof::kShared},
      {"a guest", guest, kGuestRole, Proof::kKey},
      {"an admin", admin, kMemberRole | kAdminRole, Proof::kKey},
      {"a source", pump, kMemberRole | both, Proof::kSecret},
      {"by roles", acting(PolicyRoles({"sensor"}), {}), policy->role_named("sensor"), Proof::kKey},
      {"by roles and proof", weak_sensor, policy->role_named("sensor"), Proof::kSecret},
      {"the shared role proves no more", acting(PolicyRoles({"shared"}), {}), kSharedRole,
       Proof::kShared},
      {"roles and tags", acting(PolicyRoles({"guest"}), {"night"}), kGuestRole | day, Proof::kKey},
      {"no role at all", acting(PolicyRoles({}), {}), 0, Proof::kKey},
  };
  EXPECT_NE(day, Roles{0});
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(policy->actor(row.as), std::pair(row.roles, row.proof));
  }
}

}  // namespace
}  // namespace signet::trust
