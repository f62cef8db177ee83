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
  static std::string digest_of(const std::string& link_or_token) {
    return to_hex(membership::invite_digest(dialects::token_of_link(link_or_token)));
  }
  static std::string digest_body(const std::string& link_or_token) {
    return R"({"digest":")" + digest_of(link_or_token) + "\"}";
  }
  static std::string mesh_body(const std::string& slug, const std::string& owner,
                               const std::string& id = {}) {
    return R"({"slug":")" + slug + R"(","owner_pubkey":")" + key_text(owner) + "\"" +
           (id.empty() ? "" : R"(,"id":")" + id + "\"") + "}";
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
    admin_options_.operator_token = crypto::SecretText(row.token);
    broker::HttpCall call = call_of("GET", "/api/signet/v1/meshes");
    call.authorization = crypto::SecretText(row.authorization);
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
    call.authorization = crypto::SecretText("Bearer guess" + std::to_string(i));
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
  const std::string requeue = "/meshes/team/dead-letters/requeue";
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
      {"a mesh", "GET", "/meshes/team", "", 200, nullptr},
      {"a mesh by its id", "GET", "/meshes/mesh-team", "", 200, nullptr},
      {"no such mesh", "GET", "/meshes/none", "", 404, "not_found"},
      {"a mesh with a slash", "GET", "/meshes/team/", "", 404, "not_found"},
      {"a mesh by POST", "POST", "/meshes/team", "{}", 404, "not_found"},
      {"a new mesh", "POST", "/meshes", mesh_body("fresh", "zoe"), 200, nullptr},
      {"the same again", "POST", "/meshes", mesh_body("fresh", "zoe"), 200, nullptr},
      {"of another owner", "POST", "/meshes", mesh_body("fresh", "ann"), 409, "conflict"},
      {"with the id of another", "POST", "/meshes", mesh_body("new", "zoe", "mesh-team"), 409,
       "conflict"},
      {"a mesh without an owner", "POST", "/meshes", R"({"slug":"x"})", 400, "bad_request"},
      {"a mesh, no JSON", "POST", "/meshes", "mesh", 400, "bad_request"},
      {"members", "GET", "/meshes/team/members", "", 200, nullptr},
      {"members by the mesh's id", "GET", "/meshes/mesh-team/members", "", 200, nullptr},
      {"members of no mesh", "GET", "/meshes/none/members", "", 404, "not_found"},
      {"members, deeper", "GET", "/meshes/team/members/x", "", 404, "not_found"},
      {"members by DELETE", "DELETE", "/meshes/team/members", "", 404, "not_found"},
      {"members of a standing", "GET", "/meshes/team/members?standing=revoked", "", 200, nullptr},
      {"of none", "GET", "/meshes/team/members?standing=all", "", 400, "bad_request"},
      {"too many members", "GET", "/meshes/team/members?limit=1001", "", 400, "bad_request"},
      {"after nobody", "GET", "/meshes/team/members?after=ann", "", 400, "bad_request"},
      {"invites", "GET", "/meshes/team/invites", "", 200, nullptr},
      {"invites, too many", "GET", "/meshes/team/invites?limit=0", "", 400, "bad_request"},
      {"invites after none", "GET", "/meshes/team/invites?after=1", "", 400, "bad_request"},
      {"invites of no mesh", "GET", "/meshes/none/invites", "", 404, "not_found"},
      {"an invite", "GET", "/meshes/team/invites/x", "", 404, "not_found"},
      {"requeue", "POST", requeue, R"({"all":true})", 200, nullptr},
      {"requeue one", "POST", requeue, R"({"number":1,"recipient":")" + key_text("bob") + "\"}",
       200, nullptr},
      {"requeue of a stranger", "POST", requeue,
       R"({"number":1,"recipient":")" + key_text("zed") + "\"}", 404, "not_found"},
      {"requeue of another mesh", "POST", "/meshes/other/dead-letters/requeue",
       R"({"number":1,"recipient":")" + key_text("bob") + "\"}", 404, "not_found"},
      {"requeue nothing", "POST", requeue, "{}", 400, "bad_request"},
      {"requeue by GET", "GET", requeue, "", 404, "not_found"},
      {"dead letters by POST", "POST", "/meshes/team/dead-letters", "{}", 404, "not_found"},
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
      {"taken back by its digest", "POST", "/invites/revoke",
       digest_body(link("team", "owner of team")), 200, nullptr},
      {"by an unknown digest", "POST", "/invites/revoke", digest_body("unknown"), 404, "not_found"},
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
            R"({"meshes":[{"id":"mesh-team","slug":"team","ownerPubkey":")" +
                key_text("owner of team") + R"(","members":3,"connections":2},)" +
                R"({"id":"mesh-other","slug":"other","ownerPubkey":")" +
                key_text("owner of other") + R"(","members":1,"connections":0}]})");
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

TEST_F(OperatorTest, ShowsAMeshWithItsCounts) {
  start_admin();
  broker::FakeConnection& ann = peer("ann");
  (void)ask(ann, R"({"type":"channel_join","name":"ops"})");
  (void)operate("POST", "/invites", invite_body(link("team", "owner of team")));
  (void)operate("POST", "/invites", invite_body(link("other", "owner of other")));
  EXPECT_EQ(operate("GET", "/meshes/team").body,
            R"({"id":"mesh-team","slug":"team","ownerPubkey":")" + key_text("owner of team") +
                R"(","rootKey":")" + controller_->table().mesh("mesh-team")->mesh().root_key +
                R"(","maxConnections":10000,"legacyJoin":false,"members":3,"connections":1,)"
                R"("channels":1,"invites":1})");
}

TEST_F(OperatorTest, AMeshWithoutAnOwnerSaysSo) {
  membership::Mesh orphan = membership::mesh_named(3, "orphan");
  orphan.owner.reset();
  store_.at_start.push_back(membership::MeshAdded{orphan});
  start_admin();
  EXPECT_NE(operate("GET", "/meshes/orphan").body.find(R"("ownerPubkey":null)"), std::string::npos);
}

TEST_F(OperatorTest, ANewMeshTakesTheDefaultsAndMembersAtOnce) {
  admin_options_.mesh_connections = 7;
  start_admin();
  CapturedLog captured;
  set_log_level(LogLevel::kInfo);
  EXPECT_EQ(operate("POST", "/meshes", mesh_body("fresh", "zoe", "mesh-fresh")).body,
            R"({"ok":true,"id":"mesh-fresh","slug":"fresh","created":true})");
  EXPECT_EQ(operate("POST", "/meshes", mesh_body("fresh", "zoe")).body,
            R"({"ok":true,"id":"mesh-fresh","slug":"fresh","created":false})");
  const std::string text = captured.take();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_NE(text.find(R"("event":"mesh.created","mesh":"mesh-fresh","slug":"fresh","owner":")" +
                      key_text("zoe") + R"(","by":"127.0.0.1:4000")"),
            std::string::npos)
      << text;
  EXPECT_EQ(controller_->table().mesh("mesh-fresh")->mesh().max_connections, 7);
  EXPECT_EQ(operate("POST", "/invites", invite_body(link("fresh", "zoe"))).status, 200);
}

TEST_F(OperatorTest, TheOwnerOfAMeshIsNoSampleKey) {
  const auto sample = crypto::SecretKey::from_seed({}).public_key();
  ASSERT_TRUE(crypto::is_published_sample(sample));
  const std::string body = R"({"slug":"fresh","owner_pubkey":")" + crypto::to_hex(sample) + "\"}";
  start_admin();
  EXPECT_EQ(operate("POST", "/meshes", body).status, 400);
  admin_options_.allow_sample_keys = true;
  EXPECT_EQ(operate("POST", "/meshes", body).status, 200);
}

TEST_F(OperatorTest, ListsMembersPageByPageInTheOrderOfTheirKeys) {
  for (int i = 10; i < 30; ++i) {
    auto member = membership::member_named(i, 1, "m" + std::to_string(i));
    if (i % 2 == 0) member.standing = Standing::kQuarantined;
    store_.at_start.push_back(membership::MemberAdded{member, {}});
  }
  start_admin();
  const struct {
    const char* name;
    std::string query;
    std::size_t members;
    std::size_t pages;
  } rows[] = {{"all at once", "", 23, 1},
              {"in fours", "limit=4", 23, 6},
              {"one by one", "limit=1", 23, 23},
              {"exactly", "limit=23", 23, 1},
              {"of a standing", "standing=quarantined&limit=3", 10, 4},
              {"of one that nobody has", "standing=revoked", 0, 1}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    std::vector<std::string> keys;
    std::size_t pages = 0;
    for (std::string after; pages < 50; ++pages) {
      const std::string text = operate("GET", "/meshes/team/members?" + row.query + after).body;
      wire::JsonDocument page;
      ASSERT_TRUE(page.parse(text).ok());
      const auto members = page.root()["members"];
      for (std::size_t i = 0; i < members.size(); ++i) {
        keys.emplace_back(*members[i]["pubkey"].string());
      }
      const auto next = page.root()["next"].string();
      if (!next) break;
      EXPECT_EQ(*next, keys.back());
      after = "&after=" + std::string(*next);
    }
    EXPECT_EQ(pages + 1, row.pages);
    EXPECT_EQ(keys.size(), row.members);
    EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
    EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
  }
}

TEST_F(OperatorTest, ListsInvitesByTheirDigests) {
  start_admin();
  std::vector<std::string> links{link("team", "owner of team"),
                                 link("team", "owner of team", "admin")};
  for (const std::string& each : links) {
    const auto added = operate("POST", "/invites", invite_body(each, "3"));
    EXPECT_EQ(added.body, R"({"ok":true,"digest":")" + digest_of(each) + "\"}");
  }
  (void)operate("POST", "/invites", invite_body(link("other", "owner of other")));
  (void)operate("POST", "/invites/revoke", digest_body(links[0]));
  const auto row = [&](const std::string& each, const char* role, bool revoked) {
    return R"({"digest":")" + digest_of(each) + R"(","role":")" + role +
           R"(","uses":0,"maxUses":3,"expiresAt":"2027-01-15T08:00:00.000Z","revoked":)" +
           (revoked ? "true}" : "false}");
  };
  std::vector<std::string> sorted{row(links[0], "member", true), row(links[1], "admin", false)};
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(operate("GET", "/meshes/team/invites").body,
            R"({"invites":[)" + sorted[0] + "," + sorted[1] + R"(],"next":null})");
  const std::string first = sorted[0].substr(11, 64);
  EXPECT_EQ(operate("GET", "/meshes/team/invites?limit=1").body,
            R"({"invites":[)" + sorted[0] + R"(],"next":")" + first + "\"}");
  EXPECT_EQ(operate("GET", "/meshes/team/invites?limit=1&after=" + first).body,
            R"({"invites":[)" + sorted[1] + R"(],"next":null})");
}

TEST_F(OperatorTest, RequeueSaysWhatCameOfIt) {
  const std::string one = R"({"number":7,"recipient":")" + key_text("bob") + "\"}";
  const std::string all = R"({"all":true})";
  const struct {
    const char* name;
    const std::string& body;
    Result<store::Requeued> done;
    int status;
    std::string answer;
  } rows[] = {
      {"one", one, store::Requeued{1, 0, 0, false}, 200,
       R"({"ok":true,"requeued":1,"refused":0,"full":0,"more":false})"},
      {"one that is none", one, store::Requeued{}, 200,
       R"({"ok":true,"requeued":0,"refused":0,"full":0,"more":false})"},
      {"one of who may not connect", one, store::Requeued{0, 1, 0, false}, 403,
       R"({"ok":false,"error":"denied","detail":"its recipient may not connect"})"},
      {"one for a full mailbox", one, store::Requeued{0, 0, 1, false}, 409,
       R"({"ok":false,"error":"conflict","detail":"there is no room for it"})"},
      {"all, some of them", all, store::Requeued{5, 2, 1, true}, 200,
       R"({"ok":true,"requeued":5,"refused":2,"full":1,"more":true})"},
      {"all, none of them", all, store::Requeued{0, 2, 1, false}, 200,
       R"({"ok":true,"requeued":0,"refused":2,"full":1,"more":false})"},
      {"a full disk", all, Error{ErrorCode::kOverloaded, "the disk is full"}, 503,
       R"({"ok":false,"error":"unavailable","detail":"the disk is full"})"},
  };
  start_admin();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    store_.requeue_answers = {row.done};
    const auto response = operate("POST", "/meshes/team/dead-letters/requeue", row.body);
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.body, row.answer);
    const store::RequeueDead& asked = store_.requeues.back();
    EXPECT_EQ(asked.mesh, MeshNumber{1});
    ASSERT_EQ(asked.only.has_value(), &row.body == &one);
    if (asked.only) {
      EXPECT_EQ(asked.only->number, MessageNumber{7});
      EXPECT_EQ(asked.only->recipient, MemberNumber{2});
    }
  }
}

TEST_F(OperatorTest, EachChangeThatWasMadeIsOneLineThatSaysByWhom) {
  const std::string bob = "/meshes/team/members/" + key_text("bob");
  const std::string text = link("team", "owner of team");
  const struct {
    const char* name;
    std::string path;
    std::string body;
    const char* event;  // nullptr: none
  } rows[] = {
      {"a role", bob + "/role", R"({"role":"admin","tags":["ops"]})", "role.set"},
      {"a standing", bob + "/standing", R"({"standing":"revoked"})", "standing.set"},
      {"a standing that is final", bob + "/standing", R"({"standing":"admitted"})", nullptr},
      {"an invite", "/invites", invite_body(text), "invite.added"},
      {"an invite of a stranger", "/invites", invite_body(link("team", "eve")), nullptr},
      {"taken back", "/invites/revoke", invite_body(text), "invite.revoked"},
      {"taken back, unknown", "/invites/revoke", invite_body("unknown"), nullptr},
      {"a mesh", "/meshes", mesh_body("fresh", "zoe"), "mesh.created"},
      {"dead letters", "/meshes/team/dead-letters/requeue", R"({"all":true})",
       "dead_letters.requeued"},
      {"no dead letters", "/meshes/team/dead-letters/requeue", R"({"all":true})", nullptr},
  };
  start_admin();
  CapturedLog captured;
  set_log_level(LogLevel::kInfo);
  store_.requeue_answers = {store::Requeued{2, 0, 0, false}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    (void)operate("POST", row.path, row.body);
    const std::string line = captured.take();
    if (row.event == nullptr) {
      EXPECT_EQ(line, "");
      continue;
    }
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_NE(line.find(std::string(R"("event":")") + row.event + "\""), std::string::npos) << line;
    EXPECT_NE(line.find(R"("by":"127.0.0.1:4000")"), std::string::npos) << line;
    EXPECT_EQ(line.find(dialects::token_of_link(text)), std::string::npos) << "no link in the log";
  }
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
