// What a token must be, told by protocol/vectors/tokens.json, which another library made, and by
// tokens that are made here.
#include "trust/token.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <map>

#include "wire/json.h"

namespace signet::trust {
namespace {

using namespace std::chrono_literals;
using crypto::TokenAlgorithm;
using wire::JsonValue;

constexpr WallTime kNow{1'780'000'000'000};
constexpr TokenAlgorithm kAlgorithms[] = {TokenAlgorithm::kHs256, TokenAlgorithm::kEdDsa,
                                          TokenAlgorithm::kEs256, TokenAlgorithm::kRs256};

// The vectors, read once.
const JsonValue& vectors() {
  static wire::JsonDocument document;
  static const JsonValue root = [] {
    std::ifstream stream(std::string(SIGNET_SOURCE_DIR) + "/protocol/vectors/tokens.json",
                         std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_TRUE(document.parse(text).ok());
    return document.root();
  }();
  return root;
}

std::string text_of(const JsonValue& value) { return std::string(value.string().value_or("")); }

KeySet parsed(std::string_view json) {
  auto set = KeySet::parse(json);
  EXPECT_TRUE(set.ok()) << (set.ok() ? "" : set.error().detail);
  return *std::move(set);
}

KeySet set_of(std::string_view name) { return parsed(vectors()["key_sets"][name].raw()); }

TokenRules rules_of(const JsonValue& value) {
  TokenRules rules;
  rules.issuer = text_of(value["issuer"]);
  rules.audience = text_of(value["audience"]);
  rules.require_audience = value["require_audience"].boolean().value_or(false);
  rules.type = text_of(value["type"]);
  rules.leeway = std::chrono::seconds(value["leeway_seconds"].integer().value_or(0));
  rules.max_lifetime = std::chrono::seconds(value["max_lifetime_seconds"].integer().value_or(0));
  return rules;
}

std::string verdict_of(const std::variant<TokenFacts, TokenRefusal>& checked) {
  const auto* const refusal = std::get_if<TokenRefusal>(&checked);
  return refusal == nullptr ? "admitted" : std::string(name_of(*refusal));
}

std::vector<std::string> texts_of(const JsonValue& list) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(text_of(list[i]));
  return texts;
}

std::optional<WallTime> time_of(const JsonValue& seconds) {
  if (!seconds) return std::nullopt;
  return WallTime{*seconds.integer() * 1'000};
}

void expect_facts(const TokenFacts& facts, const JsonValue& want) {
  EXPECT_EQ(facts.subject, text_of(want["subject"]));
  EXPECT_EQ(facts.id, text_of(want["id"]));
  EXPECT_EQ(facts.key_id, text_of(want["key_id"]));
  EXPECT_EQ(facts.roles, texts_of(want["roles"]));
  EXPECT_EQ(facts.audience, texts_of(want["audience"]));
  EXPECT_EQ(facts.expires, *time_of(want["expires"]));
  EXPECT_EQ(facts.issued, time_of(want["issued"]));
  EXPECT_EQ(facts.not_before, time_of(want["not_before"]));
}

TEST(CheckToken, AnswersEveryVectorAsItSays) {
  std::map<std::string, int> seen;
  const JsonValue all = vectors()["vectors"];
  for (std::size_t i = 0; i < all.size(); ++i) {
    const JsonValue each = all[i];
    SCOPED_TRACE(text_of(each["name"]));
    const TokenRules rules = rules_of(vectors()["rules"][text_of(each["rules"])]);
    const auto checked = check_token(text_of(each["token"]), set_of(text_of(each["keys"])), rules,
                                     *time_of(each["now"]));
    EXPECT_EQ(verdict_of(checked), text_of(each["expected"]));
    const auto* const facts = std::get_if<TokenFacts>(&checked);
    if (facts == nullptr) {
      EXPECT_FALSE(each["facts"]);
    } else {
      EXPECT_EQ(facts->issuer, rules.issuer);
      if (each["facts"]) expect_facts(*facts, each["facts"]);
    }
    ++seen[text_of(each["expected"])];
  }
  EXPECT_EQ(all.size(), 245U);
  EXPECT_EQ(seen.size(), kTokenRefusalCount);  // all but `revoked`, and `admitted`
}

SigningKey new_key(TokenAlgorithm algorithm, const std::string& id, std::string* jwk = nullptr) {
  const std::string text = SigningKey::generate(algorithm, id);
  if (jwk != nullptr) *jwk = text;
  auto key = SigningKey::parse(text);
  EXPECT_TRUE(key.ok()) << (key.ok() ? "" : key.error().detail);
  return *std::move(key);
}

TokenFacts facts() {
  TokenFacts facts;
  facts.issuer = "me";
  facts.subject = "gauge-1";
  facts.id = "t1";
  facts.key_id = "k1";
  facts.audience = {"mesh-1", "mesh-2"};
  facts.roles = {"engine"};
  facts.expires = kNow + 1h;
  facts.issued = kNow;
  facts.not_before = kNow - 1min;
  return facts;
}

TokenRules my_rules() {
  TokenRules rules;
  rules.issuer = "me";
  rules.audience = "mesh-1";
  return rules;
}

TEST(SignToken, MakesWhatCheckTokenTakes) {
  for (const TokenAlgorithm algorithm : kAlgorithms) {
    SCOPED_TRACE(crypto::name_of(algorithm));
    std::string jwk;
    const SigningKey key = new_key(algorithm, "k1", &jwk);
    const bool symmetric = algorithm == TokenAlgorithm::kHs256;
    const auto shown = public_key_set({jwk});
    ASSERT_EQ(shown.ok(), !symmetric);
    const KeySet set = parsed(symmetric ? jwk : *shown);
    EXPECT_EQ(set.has_symmetric(), symmetric);
    EXPECT_EQ(set.count(), 1U);
    const auto token = sign_token(facts(), key);
    ASSERT_TRUE(token.ok());
    const auto checked = check_token(*token, set, my_rules(), kNow);
    ASSERT_EQ(verdict_of(checked), "admitted");
    EXPECT_EQ(std::get<TokenFacts>(checked), facts());
    EXPECT_EQ(verdict_of(check_token(*token, set, my_rules(), kNow + 1h + 29s)), "admitted");
    EXPECT_EQ(verdict_of(check_token(*token, set, my_rules(), kNow + 1h + 30s)), "expired");
    EXPECT_EQ(verdict_of(check_token(*token, set, my_rules(), kNow - 31s)), "not_yet_valid");
    const std::string other = SigningKey::generate(algorithm, "k1");
    const KeySet strange = parsed(symmetric ? other : *public_key_set({other}));
    EXPECT_EQ(verdict_of(check_token(*token, strange, my_rules(), kNow)), "bad_signature");
  }
}

// Each bit of a token, in turn: no other text than what was signed is admitted.
TEST(CheckToken, TakesNoTokenOfWhichABitIsAnother) {
  for (const TokenAlgorithm algorithm : {TokenAlgorithm::kEdDsa, TokenAlgorithm::kHs256}) {
    std::string jwk;
    const SigningKey key = new_key(algorithm, "k1", &jwk);
    const KeySet set = parsed(algorithm == TokenAlgorithm::kHs256 ? jwk : *public_key_set({jwk}));
    const std::string token = *sign_token(facts(), key);
    for (std::size_t i = 0; i < token.size() * 8; ++i) {
      std::string other = token;
      other[i / 8] = static_cast<char>(other[i / 8] ^ (1 << (i % 8)));
      EXPECT_NE(verdict_of(check_token(other, set, my_rules(), kNow)), "admitted") << i;
    }
  }
}

TEST(CheckToken, BelievesOldAndNewKeyWhileTheyOverlap) {
  std::string old_jwk, new_jwk;
  const SigningKey before = new_key(TokenAlgorithm::kEs256, "2026-05", &old_jwk);
  const SigningKey after = new_key(TokenAlgorithm::kEdDsa, "2026-06", &new_jwk);
  const KeySet both = parsed(*public_key_set({old_jwk, new_jwk}));
  const KeySet later = parsed(*public_key_set({new_jwk}));
  const std::string old_token = *sign_token(facts(), before);
  const std::string new_token = *sign_token(facts(), after);
  EXPECT_EQ(verdict_of(check_token(old_token, both, my_rules(), kNow)), "admitted");
  EXPECT_EQ(verdict_of(check_token(new_token, both, my_rules(), kNow)), "admitted");
  EXPECT_EQ(verdict_of(check_token(old_token, later, my_rules(), kNow)), "unknown_key");
  EXPECT_EQ(verdict_of(check_token(new_token, later, my_rules(), kNow)), "admitted");
}

TEST(CheckToken, TakesTheTypeThatIsAskedFor) {
  std::string jwk;
  const SigningKey key = new_key(TokenAlgorithm::kEdDsa, "k1", &jwk);
  const KeySet set = parsed(*public_key_set({jwk}));
  TokenRules rules = my_rules();
  rules.type = "application/AT+jwt";
  EXPECT_EQ(verdict_of(check_token(*sign_token(facts(), key), set, rules, kNow)), "wrong_type");
  EXPECT_EQ(verdict_of(check_token(*sign_token(facts(), key, "at+jwt"), set, rules, kNow)),
            "admitted");
}

TEST(CheckToken, WithoutAnIssuerToBelieveTakesNone) {
  std::string jwk;
  const SigningKey key = new_key(TokenAlgorithm::kEdDsa, "k1", &jwk);
  TokenFacts nobody = facts();
  nobody.issuer.clear();
  TokenRules rules = my_rules();
  rules.issuer.clear();
  const KeySet set = parsed(*public_key_set({jwk}));
  EXPECT_EQ(verdict_of(check_token(*sign_token(nobody, key), set, rules, kNow)), "wrong_issuer");
}

// The claims of a token of which only some are of interest.
std::string claims_with(const std::string& some) { return R"({"exp":1780003600,)" + some + "}"; }

TokenRules engine_rules() {
  TokenRules rules;
  rules.issuer = "me";
  rules.more_issuers = {"sovereign-core", ""};
  rules.subject_claim = "engineId";
  return rules;
}

TEST(CheckToken, BelievesTheIssuersOfAListAndNoneOnlyWhereThatIsAllowed) {
  struct Row {
    const char* name;
    std::string claim;
    const char* listed;    // the verdict with a list,
    const char* none_too;  // and where tokens without an issuer are taken
  };
  // clang-format off
  const Row rows[] = {
      {"the configured one", R"("iss":"me",)", "admitted", "admitted"},
      {"one of the list", R"("iss":"sovereign-core",)", "admitted", "admitted"},
      {"another", R"("iss":"you",)", "wrong_issuer", "wrong_issuer"},
      {"a part of one", R"("iss":"sovereign",)", "wrong_issuer", "wrong_issuer"},
      {"in another case", R"("iss":"Me",)", "wrong_issuer", "wrong_issuer"},
      {"an empty one, though one is on the list", R"("iss":"",)", "wrong_issuer", "wrong_issuer"},
      {"null", R"("iss":null,)", "bad_claim", "bad_claim"},
      {"a list of them", R"("iss":["me"],)", "bad_claim", "bad_claim"},
      {"none", "", "missing_claim", "admitted"},
  };
  // clang-format on
  std::string jwk;
  const SigningKey key = new_key(TokenAlgorithm::kHs256, "", &jwk);
  const KeySet set = parsed(jwk);
  TokenRules lenient = engine_rules();
  lenient.allow_no_issuer = true;
  for (const Row& row : rows) {
    const auto token =
        *sign_jws(R"({"alg":"HS256"})", claims_with(row.claim + R"("engineId":"e1")"), key);
    EXPECT_EQ(verdict_of(check_token(token, set, engine_rules(), kNow)), row.listed) << row.name;
    EXPECT_EQ(verdict_of(check_token(token, set, lenient, kNow)), row.none_too) << row.name;
  }
}

TEST(CheckToken, TakesSubjectAndRoleOfAnEngineFromClaimsOfItsOwn) {
  struct Row {
    const char* name;
    std::string claims;
    const char* as_engine;
    const char* role;
    const char* as_user;  // under the usual rules
    const char* user_role;
  };
  const std::string long_role(kMaxTokenRoleBytes, 'r');
  const std::string too_long_role(kMaxTokenRoleBytes + 1, 'r');
  // clang-format off
  const Row rows[] = {
      {"an engine", R"("engineId":"e1","role":"engine")", "admitted", "engine", "missing_claim", ""},
      {"with a subject", R"("sub":"u","engineId":"e1","role":"engine")", "admitted", "engine", "admitted", "engine"},
      {"a subject alone", R"("sub":"u","role":"engine")", "missing_claim", "", "admitted", "engine"},
      {"no role", R"("sub":"u","engineId":"e1")", "admitted", "", "admitted", ""},
      {"an empty role", R"("sub":"u","engineId":"e1","role":"")", "admitted", "", "admitted", ""},
      {"roles are no role", R"("sub":"u","engineId":"e1","roles":["engine"])", "admitted", "", "admitted", ""},
      {"a long role", R"("sub":"u","engineId":"e1","role":")" + long_role + "\"", "admitted", long_role.c_str(), "admitted", long_role.c_str()},
      {"too long a role", R"("sub":"u","engineId":"e1","role":")" + too_long_role + "\"", "bad_claim", "", "admitted", ""},
      {"a list of roles", R"("sub":"u","engineId":"e1","role":["engine"])", "bad_claim", "", "admitted", ""},
      {"null for a role", R"("sub":"u","engineId":"e1","role":null)", "bad_claim", "", "admitted", ""},
      {"a number for a role", R"("sub":"u","engineId":"e1","role":1)", "bad_claim", "", "admitted", ""},
      {"a number for an id", R"("sub":"u","engineId":1)", "bad_claim", "", "admitted", ""},
      {"an id that is no name", R"("sub":"u","engineId":"e 1")", "bad_claim", "", "admitted", ""},
      {"an empty id", R"("sub":"u","engineId":"")", "bad_claim", "", "admitted", ""},
      {"two ids", R"("engineId":"e1","engineId":"e2")", "malformed", "", "malformed", ""},
  };
  // clang-format on
  std::string jwk;
  const SigningKey key = new_key(TokenAlgorithm::kHs256, "", &jwk);
  const KeySet set = parsed(jwk);
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto token =
        *sign_jws(R"({"alg":"HS256"})", claims_with(R"("iss":"me",)" + row.claims), key);
    const auto engine = check_token(token, set, engine_rules(), kNow);
    EXPECT_EQ(verdict_of(engine), row.as_engine);
    if (const auto* const told = std::get_if<TokenFacts>(&engine)) {
      EXPECT_EQ(told->subject, "e1");
      EXPECT_EQ(told->role, row.role);
    }
    const auto user = check_token(token, set, my_rules(), kNow);
    EXPECT_EQ(verdict_of(user), row.as_user);
    if (const auto* const told = std::get_if<TokenFacts>(&user)) {
      EXPECT_EQ(told->subject, "u");
      EXPECT_EQ(told->role, row.user_role);
    }
  }
}

TEST(SignToken, MakesATokenOfAnEngineThatIsNoUsers) {
  std::string jwk;
  const SigningKey key = new_key(TokenAlgorithm::kHs256, "k1", &jwk);
  TokenFacts engine = facts();
  engine.audience.clear();
  engine.role = "engine";
  const std::string token = *sign_token(engine, key);
  const auto checked = check_token(token, parsed(jwk), engine_rules(), kNow);
  ASSERT_EQ(verdict_of(checked), "admitted");
  EXPECT_EQ(std::get<TokenFacts>(checked), engine);
  EXPECT_EQ(verdict_of(check_token(token, parsed(jwk), my_rules(), kNow)), "missing_claim");
}

TEST(ReadTokenUnverified, ShowsWhatNobodyChecked) {
  const SigningKey key = new_key(TokenAlgorithm::kEdDsa, "k1");
  const auto read = read_token_unverified(*sign_token(facts(), key));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->header, R"({"alg":"EdDSA","typ":"JWT","kid":"k1"})");
  EXPECT_EQ(read->payload,
            R"({"iss":"me","sub":"gauge-1","aud":["mesh-1","mesh-2"],"exp":1780003600,)"
            R"("nbf":1779999940,"iat":1780000000,"jti":"t1","roles":["engine"]})");
  for (const char* const bad : {"", "a.b", "e30.e30", "e30.W10.", "bnVsbA.e30."}) {
    EXPECT_FALSE(read_token_unverified(bad).ok()) << bad;
  }
}

TEST(SignToken, MakesNoneThatNobodyWouldTake) {
  TokenFacts large = facts();
  large.roles.assign(200, std::string(60, 'r'));
  EXPECT_FALSE(sign_token(large, new_key(TokenAlgorithm::kEdDsa, "k1")).ok());
}

}  // namespace
}  // namespace signet::trust
