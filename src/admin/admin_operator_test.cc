// The operator's API: who may, and every route good and bad.
#include <algorithm>

#include "admin/story_for_test.h"
#include "base/captured_log_for_test.h"
#include "dialects/claudemesh_http.h"

namespace signet::admin {
namespace {

using membership::Role;
using membership::Standing;

class OperatorTest : public AdminStory {
 protected:
  const membership::Member& member(const std::string& name) {
    return *controller_->table().mesh(MeshNumber{1})->member(membership::key_of(name).public_key());
  }
  static std::string link(const std::string& slug, const std::string& signer,
                          const std::string& role = "member") {
    membership::InviteClaim claim;
    claim.mesh_id = "mesh-" + slug;
    claim.mesh_slug = slug;
    claim.broker_url = "ws://127.0.0.1:1/ws";
    claim.expires_at = 1'800'000'000;
    claim.root_key = "cm9vdA";
    claim.role = role;
    const auto key = membership::key_of(signer);
    claim.owner_key = crypto::to_hex(key.public_key());
    claim.signature = to_hex(key.sign(bytes_of(membership::canonical_text(claim))));
    return "ic://join/" + dialects::write_invite_token(claim);
  }
  static std::string invite_body(const std::string& text, const std::string& uses = {}) {
    return R"({"invite_token":")" + text + "\"" + (uses.empty() ? "" : R"(,"max_uses":)" + uses) +
           "}";
  }
};

TEST_F(OperatorTest, AnswersNobodyWithoutTheToken) {
  const struct {
    const char* name;
    const char* token;
    const char* authorization;
    int status;
  } rows[] = {
      {"nothing", "secret", "", 401},
      {"another token", "secret", "Bearer wrong!", 403},
      {"an empty token", "secret", "Bearer ", 403},
      {"a longer one", "secret", "Bearer secret2", 403},
      {"a shorter one", "secret", "Bearer secre", 403},
      {"another case", "secret", "Bearer SECRET", 403},
      {"another scheme", "secret", "Basic secret", 403},
      {"no scheme", "secret", "secret", 403},
      {"a space before", "secret", " Bearer secret", 403},
      {"two spaces", "secret", "Bearer  secret", 403},
      {"the token", "secret", "Bearer secret", 200},
      {"none is set: nothing", "", "", 401},
      {"none is set: an empty token", "", "Bearer ", 403},
      {"none is set: any", "", "Bearer x", 403},
  };
  start_admin();
  int denied = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    admin_options_.operator_token = row.token;
    broker::HttpCall call = call_of("GET", "/api/signet/v1/meshes");
    call.authorization = row.authorization;
    const auto response = answer(std::move(call));
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "none");
    EXPECT_EQ(header(response, "WWW-Authenticate"), row.status == 401 ? "Bearer" : "none");
    if (row.status != 200) {
      ++denied;
      EXPECT_EQ(response.body,
                R"({"ok":false,"error":"denied","detail":"the operator token is needed"})");
    }
    EXPECT_EQ(metric("signet_operator_denied_total"), denied);
  }
}

TEST_F(OperatorTest, NoRouteTellsAStrangerWhetherItExists) {
  start_admin();
  for (const char* path : {"/meshes", "/meshes/team/members", "/nothing", "/", "/invites"}) {
    for (const char* method : {"GET", "POST", "DELETE"}) {
      EXPECT_EQ(answer(method, std::string("/api/signet/v1") + path, "{}").status, 401) << path;
    }
  }
  EXPECT_TRUE(store_.committed.empty());
}

TEST_F(OperatorTest, AFloodOfGuessesIsOneLineASecondWithoutTheGuesses) {
  start_admin();
  CapturedLog captured;
  set_log_level(LogLevel::kInfo);
  for (int i = 0; i < 50; ++i) {
    broker::HttpCall call = call_of("GET", "/api/signet/v1/meshes");
    call.authorization = "Bearer guess" + std::to_string(i);
    (void)answer(std::move(call));
  }
  const std::string text = captured.take();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find(R"("event":"operator.denied","repeated":0)"), std::string::npos) << text;
  EXPECT_EQ(text.find("guess"), std::string::npos) << "a token is never logged";
}

TEST_F(OperatorTest, EachRouteAnswers) {
  const std::string bob = "/meshes/team/members/" + key_text("bob");
  const std::string standing = bob + "/standing";
  const std::string role = bob + "/role";
  const struct {
    const char* name;
    const char* method;
    std::string path;
    std::string body;
    int status;
    const char* error;  // nullptr: ok
  } rows[] = {
      {"meshes", "GET", "/meshes", "", 200, nullptr},
      {"meshes with a slash", "GET", "/meshes/", "", 404, "not_found"},
      {"a mesh", "GET", "/meshes/team", "", 404, "not_found"},
      {"members", "GET", "/meshes/team/members", "", 200, nullptr},
      {"members by the mesh's id", "GET", "/meshes/mesh-team/members", "", 200, nullptr},
      {"members of no mesh", "GET", "/meshes/none/members", "", 404, "not_found"},
      {"members, deeper", "GET", "/meshes/team/members/x", "", 404, "not_found"},
      {"members by DELETE", "DELETE", "/meshes/team/members", "", 404, "not_found"},
      {"dead letters", "GET", "/meshes/team/dead-letters", "", 200, nullptr},
      {"dead letters of no mesh", "GET", "/meshes/none/dead-letters", "", 404, "not_found"},
      {"no subject", "GET", "/", "", 404, "not_found"},
      {"another subject", "GET", "/secrets", "", 404, "not_found"},
      {"a path of slashes", "GET", "////", "", 404, "not_found"},

      {"standing", "POST", standing, R"({"standing":"quarantined"})", 200, nullptr},
      {"standing back", "POST", standing, R"({"standing":"admitted"})", 200, nullptr},
      {"standing unknown", "POST", standing, R"({"standing":"unknown"})", 400, "bad_request"},
      {"standing a number", "POST", standing, R"({"standing":4})", 400, "bad_request"},
      {"standing missing", "POST", standing, "{}", 400, "bad_request"},
      {"standing of a list", "POST", standing, "[]", 400, "bad_request"},
      {"no JSON", "POST", standing, "{", 400, "bad_request"},
      {"no body", "POST", standing, "", 400, "bad_request"},
      {"no key", "POST", "/meshes/team/members", R"({"standing":"revoked"})", 400, "bad_request"},
      {"half a key", "POST", "/meshes/team/members/abcd/standing", R"({"standing":"revoked"})", 400,
       "bad_request"},
      {"a stranger's key", "POST", "/meshes/team/members/" + key_text("zed") + "/standing",
       R"({"standing":"revoked"})", 404, "not_found"},
      {"a key of another mesh", "POST", "/meshes/other/members/" + key_text("bob") + "/standing",
       R"({"standing":"revoked"})", 404, "not_found"},
      {"another property", "POST", bob + "/name", "{}", 404, "not_found"},
      {"below the property", "POST", standing + "/x", R"({"standing":"revoked"})", 404,
       "not_found"},

      {"role", "POST", role, R"({"role":"admin","tags":["ops","dev"]})", 200, nullptr},
      {"role without tags", "POST", role, R"({"role":"member"})", 200, nullptr},
      {"role unknown", "POST", role, R"({"role":"owner"})", 400, "bad_request"},
      {"role missing", "POST", role, R"({"tags":[]})", 400, "bad_request"},
      {"a tag with a space", "POST", role, R"({"role":"member","tags":["a b"]})", 400,
       "bad_request"},
      {"a tag that is no text", "POST", role, R"({"role":"member","tags":[1]})", 400,
       "bad_request"},
      {"a stranger's role", "POST", "/meshes/team/members/" + key_text("zed") + "/role",
       R"({"role":"member"})", 404, "not_found"},

      {"invite", "POST", "/invites", invite_body(link("team", "owner of team")), 200, nullptr},
      {"the same again", "POST", "/invites", invite_body(link("team", "owner of team"), "3"), 200,
       nullptr},
      {"of no mesh", "POST", "/invites", invite_body(link("none", "owner of none")), 404,
       "not_found"},
      {"of a stranger", "POST", "/invites", invite_body(link("team", "stranger")), 403, "denied"},
      {"for nobody", "POST", "/invites", invite_body(link("team", "owner of team"), "0"), 400,
       "bad_request"},
      {"for fewer", "POST", "/invites", invite_body(link("team", "owner of team"), "-1"), 400,
       "bad_request"},
      {"no link", "POST", "/invites", invite_body("ic://join/!!"), 400, "bad_request"},
      {"no token", "POST", "/invites", "{}", 400, "bad_request"},
      {"invite, no JSON", "POST", "/invites", "invite", 400, "bad_request"},
      {"invites are not listed", "GET", "/invites", "", 404, "not_found"},
      {"taken back", "POST", "/invites/revoke", invite_body(link("team", "owner of team")), 200,
       nullptr},
      {"taken back, unknown", "POST", "/invites/revoke", invite_body("unknown"), 404, "not_found"},
      {"taken back, no JSON", "POST", "/invites/revoke", "[", 400, "bad_request"},

      {"revoked", "POST", standing, R"({"standing":"revoked"})", 200, nullptr},
      {"for ever", "POST", standing, R"({"standing":"admitted"})", 403, "denied"},
  };
  start_admin();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto response = operate(row.method, row.path, row.body);
    EXPECT_EQ(response.status, row.status) << response.body;
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "none");
    const std::string error = row.error == nullptr ? "" : row.error;
    const std::string start = R"({"ok":false,"error":")" + error + "\"";
    if (error.empty()) {
      EXPECT_EQ(header(response, "Cache-Control"), "no-store");
    } else {
      EXPECT_EQ(response.body.substr(0, start.size()), start);
    }
  }
  EXPECT_EQ(member("bob").standing, Standing::kRevoked);
}

TEST_F(OperatorTest, AFailingStoreIsNoSuccess) {
  const struct {
    const char* name;
    ErrorCode code;
    int status;
  } rows[] = {{"conflict", ErrorCode::kConflict, 409},
              {"full", ErrorCode::kOverloaded, 503},
              {"down", ErrorCode::kUnavailable, 503},
              {"a bug", ErrorCode::kBug, 503}};
  start_admin();
  for (const auto& row : rows) {
    store_.commit_answers = {Error{row.code, "scripted"}};
    const auto response = operate("POST", "/meshes/team/members/" + key_text("bob") + "/standing",
                                  R"({"standing":"revoked"})");
    EXPECT_EQ(response.status, row.status) << row.name;
  }
  EXPECT_EQ(member("bob").standing, Standing::kAdmitted);
}

TEST_F(OperatorTest, ListsMeshesWithWhoIsConnected) {
  start_admin();
  peer("ann");
  peer("ann", 1, {.pid = 2});
  EXPECT_EQ(operate("GET", "/meshes").body,
            R"({"meshes":[{"id":"mesh-team","slug":"team","members":3,"connections":2},)"
            R"({"id":"mesh-other","slug":"other","members":1,"connections":0}]})");
}

TEST_F(OperatorTest, ListsMembersAsTheyAre) {
  start_admin();
  const std::string text = operate("GET", "/meshes/team/members").body;
  EXPECT_NE(text.find(R"({"id":"member-bob","pubkey":")" + key_text("bob") +
                      R"(","displayName":"bob","role":"member","standing":"admitted",)"
                      R"("tags":["dev"],"joinedAt":"1970-01-01T00:00:00.000Z"})"),
            std::string::npos)
      << text;
  (void)operate("POST", "/meshes/team/members/" + key_text("bob") + "/role",
                R"({"role":"admin","tags":["z","a","z"]})");
  EXPECT_EQ(member("bob").role, Role::kAdmin);
  EXPECT_NE(operate("GET", "/meshes/team/members").body.find(R"("tags":["a","z"])"),
            std::string::npos);
}

TEST_F(OperatorTest, RevocationClosesTheSessionsBeforeItIsAnswered) {
  start_admin();
  broker::FakeConnection& bob = peer("bob");
  const auto response = operate("POST", "/meshes/team/members/" + key_text("bob") + "/standing",
                                R"({"standing":"revoked"})");
  EXPECT_EQ(response.body, R"({"ok":true})");
  ASSERT_TRUE(bob.closed.has_value());
  EXPECT_EQ(bob.closed->reason, CloseReason::kRevoked);
}

TEST_F(OperatorTest, ListsDeadLettersWithinItsBound) {
  for (std::int64_t i = 1; i <= 150; ++i) {
    auto envelope = std::make_shared<routing::Envelope>();
    envelope->id.fill(static_cast<unsigned char>(i));
    envelope->sender = {1};
    envelope->to = "*";
    envelope->body = "never shown";
    store_.dead.push_back(
        {{i},
         envelope,
         {i == 1 ? 2 : 99},
         i == 1 ? store::DeathReason::kExpired : store::DeathReason::kRecipientRevoked,
         {1'000}});
  }
  admin_options_.max_dead_letters = 120;
  start_admin();
  const struct {
    const char* name;
    const char* query;
    std::size_t letters;
  } rows[] = {
      {"a hundred unless asked", "", 100},
      {"fewer", "?limit=1", 1},
      {"none", "?limit=0", 0},
      {"less than none", "?limit=-5", 0},
      {"more than the bound", "?limit=999", 120},
      {"no number", "?limit=many", 100},
      {"a number too long", "?limit=99999999999999999999", 100},
      {"another parameter", "?limits=1", 100},
      {"the second", "?a=b&limit=2", 2},
      {"empty ones between", "?&&=&limit=3&", 3},
      {"with a place", "?before=7&limit=4", 4},
  };
  for (const auto& row : rows) {
    const auto response = operate("GET", std::string("/meshes/team/dead-letters") + row.query);
    EXPECT_EQ(response.status, 200) << row.name;
    std::size_t letters = 0;
    for (auto at = response.body.find("messageId"); at != std::string::npos; ++letters) {
      at = response.body.find("messageId", at + 1);
    }
    EXPECT_EQ(letters, row.letters) << row.name;
    EXPECT_EQ(response.body.find("never shown"), std::string::npos) << "a body is the peers' own";
  }
  EXPECT_EQ(
      operate("GET", "/meshes/team/dead-letters?limit=2").body,
      R"({"deadLetters":[{"number":1,"messageId":"01010101010101010101010101010101","from":")" +
          key_text("ann") + R"(","to":"*","recipient":")" + key_text("bob") +
          R"(","reason":"expired","createdAt":"1970-01-01T00:00:00.000Z",)"
          R"("diedAt":"1970-01-01T00:00:01.000Z"},)"
          R"({"number":2,"messageId":"02020202020202020202020202020202","from":")" +
          key_text("ann") +
          R"(","to":"*","recipient":"","reason":"recipient_revoked",)"
          R"("createdAt":"1970-01-01T00:00:00.000Z","diedAt":"1970-01-01T00:00:01.000Z"}]})");
}

}  // namespace
}  // namespace signet::admin
