// Tokens for whoever asks, in dev mode: they prove what they say, and nobody else hands them out.
#include "admin/story_for_test.h"
#include "trust/key_set.h"

namespace signet::admin {
namespace {

using namespace std::chrono_literals;

// 32 bytes of 'k'.
constexpr char kKey[] =
    R"({"kty":"oct","alg":"HS256","k":"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"})";
constexpr char kPage[] = "http://localhost:5173";

class HubTokens : public AdminStory {
 protected:
  void start_dev(std::chrono::seconds lifetime = 1h) {
    admin_options_.dev_tokens = DevTokens{*trust::SigningKey::parse(kKey), "its-issuer", lifetime};
    start_admin();
  }
  net::HttpResponse ask(const std::string& method, const std::string& path,
                        const std::string& body = {}) {
    broker::HttpCall call = call_of(method, path, body);
    call.origin = kPage;
    return answer(std::move(call));
  }
  static std::string token_of(const net::HttpResponse& response) {
    wire::JsonDocument document;
    if (!document.parse(response.body).ok()) return {};
    return std::string(document.root()["token"].string().value_or(""));
  }
  // What a mesh reads of it, as a user's or as an engine's.
  std::optional<trust::TokenFacts> facts_of(const net::HttpResponse& response,
                                            const std::string& subject_claim) {
    trust::TokenRules rules;
    rules.issuer = "its-issuer";
    rules.subject_claim = subject_claim;
    const auto checked =
        trust::check_token(token_of(response), *trust::KeySet::parse(kKey), rules, clock_.wall());
    const auto* const facts = std::get_if<trust::TokenFacts>(&checked);
    return facts == nullptr ? std::nullopt : std::optional(*facts);
  }
};

TEST_F(HubTokens, AreForTheUserWhoIsNamed) {
  start_dev();
  const auto response = ask("POST", "/auth/token", R"({"userId":"alice"})");
  EXPECT_EQ(response.status, 200);
  const auto facts = facts_of(response, "sub");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->subject, "alice");
  EXPECT_EQ(facts->roles, std::vector<std::string>{"user"});
  EXPECT_EQ(facts->role, "");
  EXPECT_EQ(facts->expires.ms, clock_.wall().ms / 1000 * 1000 + 3'600'000);
  EXPECT_FALSE(facts_of(response, "engineId")) << "a user is no engine";
  const auto admin =
      facts_of(ask("POST", "/auth/token", R"({"userId":"root","roles":["admin","user"]})"), "sub");
  ASSERT_TRUE(admin);
  EXPECT_EQ(admin->roles, (std::vector<std::string>{"admin", "user"}));
}

TEST_F(HubTokens, AreForEnginesEachOfItsOwnName) {
  start_dev();
  const auto first = facts_of(ask("GET", "/auth/engine-token"), "engineId");
  const auto response = ask("GET", "/auth/engine-token");
  const auto second = facts_of(response, "engineId");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->role, "engine");
  EXPECT_TRUE(first->subject.starts_with("engine-"));
  EXPECT_NE(first->subject, second->subject);
  EXPECT_FALSE(facts_of(response, "sub")) << "an engine is no user";
}

TEST_F(HubTokens, NameNobodyWhoIsNoName) {
  start_dev();
  for (const char* body :
       {"", "[]", "{}", R"({"userId":1})", R"({"userId":""})", R"({"userId":"a b"})",
        R"({"userId":"a","userId":"b"})", R"({"userId":"a","roles":"admin"})",
        R"({"userId":"a","roles":[1]})", R"({"userId":"a","roles":[""]})"}) {
    SCOPED_TRACE(body);
    const auto response = ask("POST", "/auth/token", body);
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body, R"({"error":"userId required"})");
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), kPage);
  }
}

TEST_F(HubTokens, AreReadByThePageThatAsksWithItsCookies) {
  start_dev();
  const struct {
    const char* name;
    const char* method;
    const char* path;
    int status;
  } rows[] = {
      {"a token", "POST", "/auth/token", 200},
      {"an engine's", "GET", "/auth/engine-token", 200},
      {"may I?", "OPTIONS", "/auth/token", 204},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto response = ask(row.method, row.path, R"({"userId":"alice"})");
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), kPage);
    EXPECT_EQ(header(response, "Access-Control-Allow-Credentials"), "true");
    EXPECT_EQ(header(response, "Vary"), "Origin");
  }
  const auto program = answer("GET", "/auth/engine-token");
  EXPECT_EQ(program.status, 200);
  EXPECT_EQ(header(program, "Access-Control-Allow-Credentials"), "none");
  EXPECT_EQ(header(ask("GET", "/health"), "Access-Control-Allow-Credentials"), "none");
}

TEST_F(HubTokens, AreNobodysOutsideOfDevMode) {
  start_admin();
  EXPECT_EQ(ask("POST", "/auth/token", R"({"userId":"alice"})").status, 404);
  EXPECT_EQ(ask("GET", "/auth/token").status, 404);
  EXPECT_EQ(ask("GET", "/auth/engine-token").status, 404);
}

TEST_F(HubTokens, AreAskedForAtThePublicDoorAlone) {
  start_dev();
  EXPECT_EQ(ask("GET", "/auth/token").status, 405);
  broker::HttpCall call = call_of("GET", "/auth/engine-token");
  call.door = net::Door::kOperator;
  EXPECT_EQ(answer(std::move(call)).status, 404);
}

}  // namespace
}  // namespace signet::admin
