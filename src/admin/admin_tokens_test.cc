// Tokens at the operator's door: which are taken back, and what one may read.
#include "admin/story_for_test.h"
#include "broker/tokens_for_test.h"

namespace signet::admin {
namespace {

using namespace std::chrono_literals;
using trust::TokenFacts;

constexpr const char* kRevoke = "/meshes/team/tokens/revoke";

class TokensTest : public AdminStory {
 protected:
  TokensTest() { rules_.otherwise.tokens = broker::door_of({broker::key_text_of("one")}); }
  TokenFacts facts(const std::string& subject) const {
    return broker::facts_at(clock_.wall(), subject);
  }
  static std::string bearer(const TokenFacts& facts) {
    return "Bearer " + broker::signed_by("one", facts);
  }
  std::string bearer(const std::string& subject) const { return bearer(facts(subject)); }

  struct From {
    const char* address = "127.0.0.1:4000";
    bool encrypted = false;
    bool forwarded = false;
  };
  int read(const std::string& authorization, const From& from,
           const std::string& path = "/api/mesh/topics") {
    broker::HttpCall call = call_of("GET", path);
    call.authorization = crypto::SecretText(authorization);
    call.peer = *net::parse_address(from.address);
    call.encrypted = from.encrypted;
    call.forwarded = from.forwarded;
    return answer(std::move(call)).status;
  }
  const membership::MeshSnapshot& team() { return *controller_->table().mesh(MeshNumber{1}); }
};

TEST_F(TokensTest, ARevocationNamesATokenOrASubject) {
  const std::string long_id(trust::kMaxTokenIdBytes, 'a');
  const std::string now = iso8601(clock_.wall());
  const std::string soon = iso8601(clock_.wall() + 4min);
  const std::string late = iso8601(clock_.wall() + 6min);
  const struct {
    const char* name;
    std::string body;
    int status;
  } rows[] = {
      {"a token", R"({"id":"t-1"})", 200},
      {"again", R"({"id":"t-1"})", 200},
      {"the longest id", R"({"id":")" + long_id + R"("})", 200},
      {"a longer one", R"({"id":")" + long_id + R"(a"})", 400},
      {"an empty id", R"({"id":""})", 400},
      {"an id that is no text", R"({"id":7})", 400},
      {"a token from before a moment", R"({"id":"t-2","issuedBefore":")" + now + R"("})", 400},
      {"a subject", R"({"subject":"gauge"})", 200},
      {"from before now", R"({"subject":"gauge","issuedBefore":")" + now + R"("})", 200},
      {"from before a moment to come", R"({"subject":"gauge","issuedBefore":")" + soon + R"("})",
       200},
      {"from before a far one", R"({"subject":"gauge","issuedBefore":")" + late + R"("})", 400},
      {"no moment", R"({"subject":"gauge","issuedBefore":"yesterday"})", 400},
      {"a moment that is no text", R"({"subject":"gauge","issuedBefore":7})", 400},
      {"an empty subject", R"({"subject":""})", 400},
      {"no name", R"({"subject":"a b"})", 400},
      {"the shared secret", R"({"subject":"*"})", 400},
      {"both", R"({"id":"t-3","subject":"gauge"})", 400},
      {"neither", "{}", 400},
      {"a moment alone", R"({"issuedBefore":")" + now + R"("})", 400},
      {"a field of another name", R"({"token":"t-3"})", 400},
      {"no object", R"(["t-3"])", 400},
      {"no JSON", "t-3", 400},
      {"nothing", "", 400},
  };
  start_admin();
  for (const auto& row : rows) {
    const auto response = operate("POST", kRevoke, row.body);
    EXPECT_EQ(response.status, row.status) << row.name << ": " << response.body;
  }
  EXPECT_TRUE(team().is_token_revoked("t-1", "a", clock_.wall()));
  EXPECT_FALSE(team().is_token_revoked("t-2", "a", clock_.wall()));
  EXPECT_FALSE(team().is_token_revoked("t-3", "a", clock_.wall()));
  EXPECT_TRUE(team().is_token_revoked("", "gauge", clock_.wall() + 3min));
  EXPECT_FALSE(team().is_token_revoked("", "gauge", clock_.wall() + 5min));
  for (const std::string& by : store_.words) EXPECT_EQ(by, "operator");
}

TEST_F(TokensTest, ARevocationIsRememberedAsLongAsATokenCouldBeTaken) {
  start_admin();
  ASSERT_EQ(operate("POST", kRevoke, R"({"id":"t-1"})").status, 200);
  ASSERT_EQ(operate("POST", kRevoke, R"({"subject":"gauge"})").status, 200);
  ASSERT_EQ(store_.committed.size(), 2U);
  for (const auto& change : store_.committed) {
    const auto& revocation = std::get<membership::TokensRevoked>(change).revocation;
    EXPECT_GE(revocation.until, clock_.wall() + 2 * 366 * 24h);
  }
}

TEST_F(TokensTest, OneOfASubjectMeansWhatAnIssuerWhoseClockIsAheadHasIssued) {
  start_admin();
  ASSERT_EQ(operate("POST", kRevoke, R"({"subject":"gauge"})").status, 200);
  const auto leeway = rules_.otherwise.tokens->rules.leeway;
  EXPECT_TRUE(team().is_token_revoked("", "gauge", clock_.wall() + leeway));
  EXPECT_FALSE(team().is_token_revoked("", "gauge", clock_.wall() + leeway + 1s));
  const std::string now = iso8601(clock_.wall());
  const std::string body = R"({"subject":"core","issuedBefore":")" + now + R"("})";
  ASSERT_EQ(operate("POST", kRevoke, body).status, 200);
  EXPECT_TRUE(team().is_token_revoked("", "core", clock_.wall() - 1s));
  EXPECT_FALSE(team().is_token_revoked("", "core", clock_.wall())) << "a moment is what it says";
}

TEST_F(TokensTest, ARevocationNeedsTheOperatorTheMethodAndTheMesh) {
  put_keyless(20, "gauge");
  start_admin();
  const std::string path = std::string("/api/signet/v1") + kRevoke;
  const std::string body = R"({"id":"t-1"})";
  EXPECT_EQ(answer("POST", path, body).status, 401);
  broker::HttpCall call = call_of("POST", path, body);
  call.authorization = crypto::SecretText(bearer("gauge"));
  EXPECT_EQ(answer(std::move(call)).status, 403) << "a token of the mesh is no operator's";
  EXPECT_EQ(operate("GET", kRevoke).status, 404);
  EXPECT_EQ(operate("POST", "/meshes/none/tokens/revoke", body).status, 404);
  EXPECT_EQ(operate("POST", "/meshes/team/tokens", body).status, 404);
  EXPECT_FALSE(team().is_token_revoked("t-1", "gauge", clock_.wall()));
}

TEST_F(TokensTest, WhatTheStoreDoesNotTakeIsNotTakenBack) {
  store_.commit_answers = {Error{ErrorCode::kUnavailable, ""}, Error{ErrorCode::kOverloaded, ""}};
  start_admin();
  EXPECT_GE(operate("POST", kRevoke, R"({"id":"t-1"})").status, 500);
  EXPECT_GE(operate("POST", kRevoke, R"({"id":"t-1"})").status, 429);
  EXPECT_FALSE(team().is_token_revoked("t-1", "gauge", clock_.wall()));
}

TEST_F(TokensTest, OneReadsForWhoIsThereWhereNobodyListensIn) {
  put_keyless(20, "gauge");
  put_keyless(21, "quiet").standing = membership::Standing::kQuarantined;
  add_source(13, membership::kSharedSource.data());
  start_admin();
  ASSERT_EQ(operate("POST", kRevoke, R"({"id":"t-1"})").status, 200);
  ASSERT_EQ(operate("POST", kRevoke, R"({"subject":"core"})").status, 200);
  TokenFacts expired = facts("gauge");
  expired.issued = clock_.wall() - 2h;
  expired.expires = clock_.wall() - 1h;
  TokenFacts elsewhere = facts("gauge");
  elsewhere.audience = {"other"};
  TokenFacts revoked = facts("gauge");
  revoked.id = "t-1";
  const struct {
    const char* name;
    std::string authorization;
    From from;
    int status;
  } rows[] = {
      {"on this machine", bearer("gauge"), {"127.0.0.11:4000"}, 200},
      {"on IPv6", bearer("gauge"), {"[::1]:4000"}, 200},
      {"from afar", bearer("gauge"), {"192.0.2.11:4000"}, 403},
      {"from afar under TLS", bearer("gauge"), {"192.0.2.12:4000", true}, 200},
      {"through a proxy", bearer("gauge"), {"127.0.0.12:4000", false, true}, 403},
      {"through one under TLS", bearer("gauge"), {"127.0.0.13:4000", true, true}, 200},
      {"of nobody", bearer("zed"), {"127.0.0.14:4000"}, 403},
      {"of a member with a key", bearer("member-ann"), {"127.0.0.15:4000"}, 403},
      {"of whom the shared secret proves", bearer("legacy-shared"), {"127.0.0.16:4000"}, 403},
      {"of who lost its standing", bearer("quiet"), {"127.0.0.17:4000"}, 403},
      {"expired", bearer(expired), {"127.0.0.18:4000"}, 403},
      {"for another mesh", bearer(elsewhere), {"127.0.0.19:4000"}, 403},
      {"taken back", bearer(revoked), {"127.0.0.20:4000"}, 403},
      {"no token", "Bearer a.b.c", {"127.0.0.21:4000"}, 403},
      {"in another case", "bearer" + bearer("gauge").substr(6), {"127.0.0.22:4000"}, 403},
      {"cut", bearer("gauge").substr(0, 60), {"127.0.0.23:4000"}, 403},
      {"nothing", "", {"127.0.0.24:4000"}, 401},
  };
  for (const auto& row : rows) {
    for (const char* path : {"/api/mesh/topics", "/api/mesh/history"}) {
      EXPECT_EQ(read(row.authorization, row.from, path), row.status) << row.name << " " << path;
    }
  }
  EXPECT_EQ(team().member_with_id("zed"), nullptr) << "who reads makes no member";
  EXPECT_EQ(metric("signet_tokens_refused_total{rule=\"expired\"}"), 2) << "once a request";
  EXPECT_EQ(metric("signet_tokens_refused_total{rule=\"revoked\"}"), 2);
  EXPECT_EQ(metric("signet_operator_denied_total"), 0);
}

TEST_F(TokensTest, ARefusalToReadNamesTheRuleOfTheToken) {
  put_keyless(20, "gauge");
  start_admin();
  TokenFacts elsewhere = facts("gauge");
  elsewhere.audience = {"other"};
  const auto refusal = [&](const std::string& authorization) {
    broker::HttpCall call = call_of("GET", "/api/mesh/topics");
    call.authorization = crypto::SecretText(authorization);
    return answer(std::move(call)).body;
  };
  EXPECT_EQ(refusal(bearer(elsewhere)),
            R"({"ok":false,"error":"bad_token","detail":"wrong_audience"})");
  EXPECT_EQ(refusal("Bearer a.b.c"), R"({"ok":false,"error":"bad_token","detail":"malformed"})");
  EXPECT_NE(refusal(bearer("zed")).find(R"("error":"not_permitted")"), std::string::npos);
}

TEST_F(TokensTest, MembersThatTheyBroughtAreListed) {
  put_keyless(20, "lab/gauge");
  put_keyless(21, "quiet").standing = membership::Standing::kQuarantined;
  add_source(22, "sage");
  start_admin();
  const auto list = [this](const std::string& query) {
    const auto response = operate("GET", "/meshes/team/members?" + query);
    wire::JsonDocument document;
    EXPECT_TRUE(document.parse(response.body).ok()) << response.body;
    std::string ids = response.status == 200 ? "" : std::to_string(response.status);
    const wire::JsonValue members = document.root()["members"];
    for (std::size_t i = 0; i < members.size(); ++i) {
      EXPECT_EQ(members[i]["pubkey"].string(), "");
      ids += std::string(members[i]["id"].string().value_or("")) + " ";
    }
    return ids + std::string(document.root()["next"].string().value_or("end"));
  };
  EXPECT_EQ(list("keyless=true"), "lab/gauge quiet sage end");
  EXPECT_EQ(list("keyless=true&limit=2"), "lab/gauge quiet quiet");
  EXPECT_EQ(list("keyless=true&limit=2&after=quiet"), "sage end");
  EXPECT_EQ(list("keyless=true&after=lab%2Fgauge&limit=1"), "quiet quiet");
  EXPECT_EQ(list("keyless=true&standing=quarantined"), "quiet end");
  EXPECT_EQ(operate("GET", "/meshes/team/members?keyless=yes").status, 400);
  EXPECT_EQ(operate("GET", "/meshes/team/members?keyless=true&after=a+b").status, 400);
  EXPECT_EQ(operate("GET", "/meshes/team/members").body.find("gauge"), std::string::npos);
}

TEST_F(TokensTest, ASecretReadsFromElsewhereUnderTlsAlone) {
  add_source(11, "sage");
  start_admin();
  const std::string shown = basic("sage", secret_of("sage"));
  EXPECT_EQ(read(shown, {"192.0.2.11:4000"}), 403);
  EXPECT_EQ(read(shown, {"192.0.2.12:4000", true}), 200);
  EXPECT_EQ(read(shown, {"127.0.0.13:4000", false, true}), 403);
}

TEST_F(TokensTest, OneReadsWhatItsRolesMay) {
  set_policy(R"(
[role.reader]
token_roles = ["reader"]

[[rule]]
id = "members"
roles = ["member"]
allow = ["connect", "publish"]

[[rule]]
id = "readers"
roles = ["reader"]
allow = ["subscribe", "read_history"]
topics = ["open.>"]
)");
  put_keyless(20, "gauge");
  start_admin();
  broker::FakeConnection& ann = peer("ann");
  for (const char* topic : {"open.1", "shut.2"}) ask(ann, publish("", topic, topic));
  TokenFacts reader = facts("gauge");
  reader.roles = {"reader"};
  const auto history = [this](const std::string& authorization) {
    broker::HttpCall call = call_of("GET", "/api/mesh/history");
    call.authorization = crypto::SecretText(authorization);
    return answer(std::move(call)).body;
  };
  EXPECT_NE(history(bearer(reader)).find("open.1"), std::string::npos);
  EXPECT_EQ(history(bearer(reader)).find("shut.2"), std::string::npos);
  EXPECT_EQ(history(bearer("gauge")).find("open.1"), std::string::npos);
}

TEST_F(TokensTest, WithoutADoorNoneReads) {
  rules_.otherwise.tokens = nullptr;
  put_keyless(20, "gauge");
  start_admin();
  EXPECT_EQ(read(bearer("gauge"), {}), 403);
}

TEST_F(TokensTest, WhoGuessesWaits) {
  admin_options_.penalty_failures = 3;
  start_admin();
  int guesses = 0;
  while (guesses < 10 && read("Bearer a.b.c", {}) == 403) ++guesses;
  EXPECT_GE(guesses, 3);
  EXPECT_LE(guesses, 4);
}

}  // namespace
}  // namespace signet::admin
