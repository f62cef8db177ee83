// What is signed of Hub, told by truth tables. Whole events with their JSON, made by Python and
// Node, are protocol/vectors/hub.json (dialects/hub_vectors_test.cc).
#include "trust/signed_action.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "base/encoding.h"
#include "crypto/mac.h"
#include "trust/token.h"

namespace signet::trust {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{1'700'000'000'000};
constexpr std::string_view kSecret = "HMAC_SECRET_987654321";
constexpr std::string_view kEngineSecret = "engine_shared_secret_mno345";
constexpr std::string_view kLongest =
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
static_assert(kLongest.size() == kMaxNonceBytes);

std::string mac(std::string_view key, std::string_view text) {
  return to_hex(crypto::hmac_sha256(key, text));
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

template <class Code>
std::string verdict_of(const std::optional<Code>& refused) {
  return refused ? std::string(name_of(*refused)) : "good";
}

// A claim and the signature that it shows.
template <class Claim>
struct Signed {
  Claim claim;
  std::string signature;
};

template <class Claim>
Signed<Claim> sign(const Claim& claim, std::string_view key) {
  return {claim, mac(key, signed_text(claim))};
}

template <class Claim>
Claim shown(const Signed<Claim>& made) {
  Claim claim = made.claim;
  claim.signature = made.signature;
  return claim;
}

ActionClaim click() { return {"click", "null", kNow.ms, "abc123", std::nullopt}; }

AgentClaim heartbeat() {
  AgentClaim claim;
  claim.agent = "HintAgent";
  claim.timestamp_ms = kNow.ms;
  claim.nonce = "n1";
  claim.body = R"({"load":1})";
  return claim;
}

EngineClaim started() {
  return {R"({"job_id":"j1","timestamp":1700000000000})", "00112233", kNow.ms, std::nullopt};
}

std::string verdict(const ActionClaim& claim, WallTime now = kNow) {
  return verdict_of(check_action(claim, {kSecret}, now, {}));
}
std::string verdict(const AgentClaim& claim, WallTime now = kNow) {
  return verdict_of(check_agent(claim, {kSecret}, now, {}));
}
std::string verdict(const EngineClaim& claim, WallTime now = kNow) {
  return verdict_of(check_engine(claim, kEngineSecret, now, {}));
}

TEST(SignedAction, TakesTheVectorsOfThePage) {
  ActionClaim claim = click();
  claim.signature = "cbcac8a9533944c5c119a5918c75acb7d42d4aca60331b98602d9ac8c7e3b1cc";
  EXPECT_EQ(verdict(claim), "good");
  ActionClaim speak{"speak", R"("hello")", kNow.ms, "abc124",
                    "1fd4f0217d4bd8e313ec02e72b0b0873090cf35019f4731efb23d26aa348e655"};
  EXPECT_EQ(verdict(speak), "good");
  speak.payload = R"("hell0")";
  EXPECT_EQ(verdict(speak), "invalid_signature");
}

// Each fault alone and together with those that are looked at later.
TEST(SignedAction, NamesTheFirstFault) {
  struct Row {
    const char* name;
    void (*change)(ActionClaim&);
    const char* verdict;
    const char* when_old;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", [](ActionClaim&) {}, "good", "timestamp_expired"},
      {"no type", [](ActionClaim& c) { c.type.reset(); }, "invalid_signature", "timestamp_expired"},
      {"an empty type", [](ActionClaim& c) { c.type = ""; }, "invalid_signature", "timestamp_expired"},
      {"another type", [](ActionClaim& c) { c.type = "clicks"; }, "invalid_signature", "timestamp_expired"},
      {"another payload", [](ActionClaim& c) { c.payload = "undefined"; }, "invalid_signature", "timestamp_expired"},
      {"no time", [](ActionClaim& c) { c.timestamp_ms.reset(); }, "invalid_signature", "invalid_signature"},
      {"another time", [](ActionClaim& c) { ++*c.timestamp_ms; }, "invalid_signature", "timestamp_expired"},
      {"no nonce", [](ActionClaim& c) { c.nonce.reset(); }, "invalid_signature", "timestamp_expired"},
      {"an empty nonce", [](ActionClaim& c) { c.nonce = ""; }, "invalid_signature", "timestamp_expired"},
      {"another nonce", [](ActionClaim& c) { c.nonce = "abc124"; }, "invalid_signature", "timestamp_expired"},
      {"no signature", [](ActionClaim& c) { c.signature.reset(); }, "invalid_signature", "timestamp_expired"},
      {"an empty signature", [](ActionClaim& c) { c.signature = ""; }, "invalid_signature", "timestamp_expired"},
      {"a short signature", [](ActionClaim& c) { c.signature->remove_suffix(1); }, "invalid_signature", "timestamp_expired"},
      {"half a signature", [](ActionClaim& c) { c.signature->remove_suffix(32); }, "invalid_signature", "timestamp_expired"},
      {"no hex", [](ActionClaim& c) { c.signature = "zz00000000000000000000000000000000000000000000000000000000000000"; }, "invalid_signature", "timestamp_expired"},
      {"zeros", [](ActionClaim& c) { c.signature = "0000000000000000000000000000000000000000000000000000000000000000"; }, "invalid_signature", "timestamp_expired"},
  };
  // clang-format on
  for (const Row& row : rows) {
    const auto made = sign(click(), kSecret);
    ActionClaim claim = shown(made);
    row.change(claim);
    EXPECT_EQ(verdict(claim), row.verdict) << row.name;
    EXPECT_EQ(verdict(claim, kNow + 16s), row.when_old) << row.name;
    EXPECT_EQ(verdict(claim, kNow - 16s), row.when_old) << row.name;
  }
}

TEST(SignedAction, NamesTheFirstFaultOfAnAgent) {
  struct Row {
    const char* name;
    void (*change)(AgentClaim&);
    const char* verdict;
    const char* when_old;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", [](AgentClaim&) {}, "good", "timestamp_skew"},
      {"no agent", [](AgentClaim& c) { c.agent.reset(); }, "signature_failed", "timestamp_skew"},
      {"an agent that is no name", [](AgentClaim& c) { c.agent = "Hint Agent"; }, "signature_failed", "timestamp_skew"},
      {"another agent", [](AgentClaim& c) { c.agent = "NavAgent"; }, "signature_failed", "timestamp_skew"},
      {"no time", [](AgentClaim& c) { c.timestamp_ms.reset(); }, "signature_failed", "signature_failed"},
      {"another time", [](AgentClaim& c) { --*c.timestamp_ms; }, "signature_failed", "timestamp_skew"},
      {"no nonce", [](AgentClaim& c) { c.nonce.reset(); }, "signature_failed", "timestamp_skew"},
      {"another nonce, which nobody signs", [](AgentClaim& c) { c.nonce = "n2"; }, "good", "timestamp_skew"},
      {"another body", [](AgentClaim& c) { c.body = "{}"; }, "signature_failed", "timestamp_skew"},
      {"no signature", [](AgentClaim& c) { c.signature.reset(); }, "signature_failed", "timestamp_skew"},
      {"another algorithm", [](AgentClaim& c) { c.algorithm = "SHA-256"; }, "signature_failed", "timestamp_skew"},
  };
  // clang-format on
  for (const Row& row : rows) {
    const auto made = sign(heartbeat(), kSecret);
    AgentClaim claim = shown(made);
    row.change(claim);
    EXPECT_EQ(verdict(claim), row.verdict) << row.name;
    EXPECT_EQ(verdict(claim, kNow + 16s), row.when_old) << row.name;
  }
}

TEST(SignedAction, KnowsTheUsualNamesOfItsAlgorithm) {
  const auto made = sign(heartbeat(), kSecret);
  for (const std::string_view name : {"HMAC-SHA-256", "HMAC-SHA256", "hmac-sha256", "HMAC_SHA_256",
                                      "hmacSHA256", "HS256", "hs256"}) {
    AgentClaim claim = shown(made);
    claim.algorithm = name;
    EXPECT_EQ(verdict(claim), "good") << name;
  }
  for (const std::string_view name :
       {"", "none", "null", "HMAC", "SHA256", "HS512", "HMAC-SHA-2566", "HMAC SHA 256", "RS256",
        "HMAC-----SHA-256", "hmac-sha256\n"}) {
    AgentClaim claim = shown(made);
    claim.algorithm = name;
    EXPECT_EQ(verdict(claim), "signature_failed") << name;
  }
}

TEST(SignedAction, ABodyOfTextIsSignedBareOrQuoted) {
  AgentClaim claim = heartbeat();
  claim.body = R"("all well")";
  claim.bare_body = "all well";
  const std::string quoted = mac(kSecret, R"(HintAgent|1700000000000|"all well")");
  const std::string bare = mac(kSecret, "HintAgent|1700000000000|all well");
  claim.signature = quoted;
  EXPECT_EQ(verdict(claim), "good");
  claim.signature = bare;
  EXPECT_EQ(verdict(claim), "good");
  claim.bare_body.reset();
  EXPECT_EQ(verdict(claim), "signature_failed");
}

TEST(SignedAction, NamesTheFirstFaultOfAnEngine) {
  struct Row {
    const char* name;
    void (*change)(EngineClaim&);
    const char* verdict;
    const char* when_old;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", [](EngineClaim&) {}, "good", "ENGINE_TIMESTAMP_EXPIRED"},
      {"no payload", [](EngineClaim& c) { c.payload.reset(); }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"an empty payload", [](EngineClaim& c) { c.payload = ""; }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"another payload", [](EngineClaim& c) { c.payload = "{}"; }, "ENGINE_SIGNATURE_INVALID", "ENGINE_TIMESTAMP_EXPIRED"},
      {"no nonce", [](EngineClaim& c) { c.nonce.reset(); }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"an empty nonce", [](EngineClaim& c) { c.nonce = ""; }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"a nonce that is none", [](EngineClaim& c) { c.nonce = "a|b"; }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"another nonce", [](EngineClaim& c) { c.nonce = "00112234"; }, "ENGINE_SIGNATURE_INVALID", "ENGINE_TIMESTAMP_EXPIRED"},
      {"no time", [](EngineClaim& c) { c.timestamp_ms.reset(); }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"another time", [](EngineClaim& c) { --*c.timestamp_ms; }, "ENGINE_SIGNATURE_INVALID", "ENGINE_TIMESTAMP_EXPIRED"},
      {"no signature", [](EngineClaim& c) { c.signature.reset(); }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"an empty signature", [](EngineClaim& c) { c.signature = ""; }, "ENGINE_PACKET_INCOMPLETE", "ENGINE_PACKET_INCOMPLETE"},
      {"no hex", [](EngineClaim& c) { c.signature = "x"; }, "ENGINE_SIGNATURE_INVALID", "ENGINE_TIMESTAMP_EXPIRED"},
  };
  // clang-format on
  for (const Row& row : rows) {
    const auto made = sign(started(), kEngineSecret);
    EXPECT_EQ(made.signature, "69557411b3eb8e063d56df26dd6d1c66a50a9e3e19b6299cb652d6bf81b1595a");
    EngineClaim claim = shown(made);
    row.change(claim);
    EXPECT_EQ(verdict(claim), row.verdict) << row.name;
    EXPECT_EQ(verdict(claim, kNow + 31s), row.when_old) << row.name;
  }
}

// The edges are in the window; no time of a peer overflows.
TEST(SignedAction, TheWindowsHaveTheseEdges) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  struct Row {
    std::int64_t at;
    bool user, engine;
  };
  // clang-format off
  constexpr Row kRows[] = {
      {kNow.ms, true, true},
      {kNow.ms - 15'000, true, true}, {kNow.ms - 15'001, false, true},
      {kNow.ms + 15'000, true, true}, {kNow.ms + 15'001, false, true},
      {kNow.ms - 30'000, false, true}, {kNow.ms - 30'001, false, false},
      {kNow.ms + 30'000, false, true}, {kNow.ms + 30'001, false, false},
      {kNow.ms / 1'000, false, false}, {kNow.ms * 1'000, false, false},
      {0, false, false}, {-1, false, false}, {-kNow.ms, false, false},
      {kLeast, false, false}, {kLeast + 1, false, false}, {kMost, false, false}, {kMost - 1, false, false},
  };
  // clang-format on
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.at);
    ActionClaim action = click();
    AgentClaim agent = heartbeat();
    EngineClaim engine = started();
    action.timestamp_ms = agent.timestamp_ms = engine.timestamp_ms = row.at;
    EXPECT_EQ(verdict(shown(sign(action, kSecret))), row.user ? "good" : "timestamp_expired");
    EXPECT_EQ(verdict(shown(sign(agent, kSecret))), row.user ? "good" : "timestamp_skew");
    EXPECT_EQ(verdict(shown(sign(engine, kEngineSecret))),
              row.engine ? "good" : "ENGINE_TIMESTAMP_EXPIRED");
  }
}

TEST(SignedAction, TheWindowsAreTheRules) {
  ActionRules rules;
  rules.window = 1s;
  rules.engine_window = 2s;
  const auto action = sign(click(), kSecret);
  const auto engine = sign(started(), kEngineSecret);
  EXPECT_FALSE(check_action(shown(action), {kSecret}, kNow + 1s, rules));
  EXPECT_TRUE(check_action(shown(action), {kSecret}, kNow + 1'001ms, rules));
  EXPECT_FALSE(check_engine(shown(engine), kEngineSecret, kNow + 2s, rules));
  EXPECT_TRUE(check_engine(shown(engine), kEngineSecret, kNow + 2'001ms, rules));
}

TEST(SignedAction, ANonceIsShortPrintableAndEndsNoField) {
  constexpr std::string_view kGood[] = {
      "a", "00112233", "550e8400-e29b-41d4-a716-446655440000", "AbC+/==", "a.b:c~d!",
      "'", kLongest};
  for (const std::string_view nonce : kGood) {
    EXPECT_TRUE(is_nonce(nonce)) << nonce;
    ActionClaim claim = click();
    claim.nonce = nonce;
    EXPECT_EQ(verdict(shown(sign(claim, kSecret))), "good") << nonce;
  }
  const std::string longer = std::string(kLongest) + "0";
  const std::string_view zero("a\0b", 3);
  for (const std::string_view nonce :
       {std::string_view(), std::string_view(longer), zero, std::string_view("a b"),
        std::string_view("a|b"), std::string_view("a\"b"), std::string_view("a\\b"),
        std::string_view("{a"), std::string_view("a}"), std::string_view("a\n"),
        std::string_view("\x7f"), std::string_view("é"), std::string_view("\xff")}) {
    EXPECT_FALSE(is_nonce(nonce)) << nonce;
    ActionClaim claim = click();
    claim.nonce = nonce;
    EXPECT_EQ(verdict(shown(sign(claim, kSecret))), "invalid_signature") << nonce;
  }
}

TEST(SignedAction, ASignatureHasEitherCaseAndEachOfItsBits) {
  const auto made = sign(click(), kSecret);
  ActionClaim claim = shown(made);
  const std::string in_upper = upper(made.signature);
  claim.signature = in_upper;
  EXPECT_EQ(verdict(claim), "good");
  for (std::size_t bit = 0; bit < 256; ++bit) {
    std::array<unsigned char, 32> bytes{};
    ASSERT_TRUE(from_hex(made.signature, bytes));
    bytes[bit / 8] = static_cast<unsigned char>(bytes[bit / 8] ^ (1U << (bit % 8)));
    const std::string other = to_hex(bytes);
    claim.signature = other;
    EXPECT_EQ(verdict(claim), "invalid_signature") << bit;
  }
}

TEST(SignedAction, AnyOfTheKeysMaySign) {
  const auto made = sign(click(), kSecret);
  struct Row {
    const char* name;
    std::vector<std::string_view> keys;
    bool good;
  };
  const Row rows[] = {
      {"the only one", {kSecret}, true},
      {"the first", {kSecret, "other"}, true},
      {"the last", {"other", kSecret}, true},
      {"none of them", {"other", "another"}, false},
      {"no keys", {}, false},
      {"beside an empty one", {"", kSecret}, true},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(!check_action(shown(made), row.keys, kNow, {}), row.good) << row.name;
  }
}

TEST(SignedAction, AnEmptyKeySignsNothing) {
  EXPECT_TRUE(check_action(shown(sign(click(), "")), {""}, kNow, {}));
  EXPECT_TRUE(check_agent(shown(sign(heartbeat(), "")), {""}, kNow, {}));
  EXPECT_EQ(check_engine(shown(sign(started(), "")), "", kNow, {}),
            EngineRefusal::kEngineSignatureInvalid);
}

// Made by Python, as protocol/vectors/hub.json has them, too.
TEST(SessionActionKey, IsOneOfItsUserAndSession) {
  const auto alice = session_action_key(kSecret, "alice", "Vb3xQ8aYxkM9x1oDAAAB");
  EXPECT_EQ(alice.reveal(), "142d492767d7c25ab91bbcff097dcb9f690f46f1d779e73096c062759242cdb7");
  const std::set<std::string> keys{
      std::string(alice.reveal()),
      std::string(session_action_key(kSecret, "alice", "Vb3xQ8aYxkM9x1oDAAAC").reveal()),
      std::string(session_action_key(kSecret, "bob", "Vb3xQ8aYxkM9x1oDAAAB").reveal()),
      std::string(session_action_key("another", "alice", "Vb3xQ8aYxkM9x1oDAAAB").reveal())};
  EXPECT_EQ(keys.size(), 4U);
}

// What A signed does for no other user and no other session: threat B6.
TEST(SessionActionKey, SignsForItsOwnSessionOnly) {
  const auto own = session_action_key(kSecret, "alice", "s1");
  const auto made = sign(click(), own.reveal());
  EXPECT_FALSE(check_action(shown(made), {own.reveal()}, kNow, {}));
  const auto others = {session_action_key(kSecret, "alice", "s2"),
                       session_action_key(kSecret, "bob", "s1")};
  for (const crypto::SecretText& other : others) {
    EXPECT_TRUE(check_action(shown(made), {other.reveal()}, kNow, {}));
  }
  EXPECT_TRUE(check_action(shown(made), {kSecret}, kNow, {}));
  EXPECT_TRUE(check_action(shown(sign(click(), kSecret)), {own.reveal()}, kNow, {}));
}

// One secret for everything, which the operator was told not to have: what is signed as one thing
// is still no other. Threat B7.
TEST(SignedAction, IsNothingElseUnderTheSameKey) {
  const std::string time = std::to_string(kNow.ms);
  // An action whose text would be that of an envelope: its payload is whatever stands before.
  const std::string within = R"({"a":"|null|)" + time + R"(|"})";
  const std::string as_engine = within + "x" + time;
  EngineClaim engine{within, "x", kNow.ms, std::nullopt};
  ASSERT_EQ(signed_text(engine), as_engine);
  const std::string nonce = R"("}x)" + time;
  const ActionClaim action{R"({"a":")", "null", kNow.ms, nonce, std::nullopt};
  ASSERT_EQ(signed_text(action), as_engine);
  EXPECT_EQ(verdict(shown(sign(action, kSecret))), "invalid_signature");

  // A heartbeat whose text would be that of an action.
  AgentClaim agent = heartbeat();
  agent.agent = "click|null";
  agent.body = "123";
  const ActionClaim same{"click", "null", kNow.ms, "123", std::nullopt};
  ASSERT_EQ(signed_text(agent), signed_text(same));
  EXPECT_EQ(verdict(shown(sign(agent, kSecret))), "signature_failed");
  agent = heartbeat();
  const std::string bare = time + "|n";
  const std::string body = '"' + bare + '"';
  agent.body = body;
  agent.bare_body = bare;
  const std::string as_action = mac(kSecret, "HintAgent|" + time + "|" + bare);
  agent.signature = as_action;
  EXPECT_EQ(verdict(agent), "signature_failed");

  // One action, told as another: its nonce would have to hold the bar.
  const std::string with_bar = time + "|m";
  ActionClaim first{"a", "1", kNow.ms, with_bar, std::nullopt};
  const ActionClaim second{"a|1", time, kNow.ms, "m", std::nullopt};
  ASSERT_EQ(signed_text(first), signed_text(second));
  EXPECT_EQ(verdict(shown(sign(first, kSecret))), "invalid_signature");
}

TEST(SignedAction, IsNoTokenUnderTheSameKeyAndATokenIsNoAction) {
  const std::string jwk =
      R"({"kty":"oct","k":")" + to_base64url(bytes_of(std::string(32, 's'))) + "\"}";
  const std::string secret(32, 's');
  auto key = SigningKey::parse(jwk);
  auto set = KeySet::parse(jwk);
  ASSERT_TRUE(key.ok() && set.ok());
  const std::string token =
      *sign_jws(R"({"alg":"HS256"})", R"({"iss":"i","sub":"u","exp":1700000100})", *key);
  TokenRules rules;
  rules.issuer = "i";
  ASSERT_TRUE(std::holds_alternative<TokenFacts>(check_token(token, *set, rules, kNow)));
  // The signature of an action in the place of a token's, and the other way round.
  const std::size_t dot = token.rfind('.');
  const crypto::Digest32 digest = crypto::hmac_sha256(secret, signed_text(click()));
  const std::string forged = token.substr(0, dot + 1) + to_base64url(digest);
  EXPECT_EQ(std::get<TokenRefusal>(check_token(forged, *set, rules, kNow)),
            TokenRefusal::kBadSignature);
  ActionClaim claim = click();
  const std::string of_token = to_hex(bytes_of(*from_base64url(token.substr(dot + 1))));
  claim.signature = of_token;
  EXPECT_EQ(check_action(claim, {secret}, kNow, {}), ActionRefusal::kInvalidSignature);
}

TEST(CategoryOf, IsThatOfTheTable) {
  struct Row {
    std::string_view type, category;
  };
  constexpr Row kRows[] = {
      {"agent_x", "agent"},
      {"agent_", "agent"},
      {"agent_security", "agent"},
      {"agent", "system"},
      {"click", "ui"},
      {"scroll", "ui"},
      {"input", "ui"},
      {"clicks", "system"},
      {"Click", "system"},
      {"nav_home", "nav"},
      {"nav_security", "nav"},
      {"nav", "system"},
      {"security", "security"},
      {"my_security_x", "security"},
      {"Security", "system"},
      {"speak", "system"},
      {"", "system"},
  };
  for (const Row& row : kRows) EXPECT_EQ(category_of(row.type), row.category) << row.type;
}

}  // namespace
}  // namespace signet::trust
