// The operator's calls on the secrets of sources: who gets one, what a list shows, what is logged.
#include "admin/story_for_test.h"
#include "base/captured_log_for_test.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using membership::SourceSecret;

constexpr const char* kSources = "/meshes/team/sources";

class SourcesTest : public AdminStory {
 protected:
  const membership::MeshSnapshot& team() { return *controller_->table().mesh(MeshNumber{1}); }
  // A field of what was answered.
  static std::string field(const net::HttpResponse& response, const std::string& name) {
    wire::JsonDocument document;
    EXPECT_TRUE(document.parse(response.body).ok()) << response.body;
    return std::string(document.root()[name].string().value_or("none"));
  }
  net::HttpResponse add(const std::string& source, const std::string& rest = {}) {
    return operate("POST", kSources, R"({"source":")" + source + "\"" + rest + "}");
  }
};

TEST_F(SourcesTest, EveryRouteGoodAndBad) {
  const std::string gauge = std::string(kSources) + "/lab/gauge";
  const struct {
    const char* name;
    const char* method;
    std::string path;
    std::string body;
    int status;
    const char* error;  // nullptr: ok
  } rows[] = {
      {"nobody yet", "GET", kSources, "", 200, nullptr},
      {"a new one", "POST", kSources, R"({"source":"lab/gauge","tags":["lab"]})", 200, nullptr},
      {"again", "POST", kSources, R"({"source":"lab/gauge"})", 409, "conflict"},
      {"of a member", "POST", kSources,
       R"({"source":"relay","pubkey":")" + key_text("ann") + R"("})", 200, nullptr},
      {"of a stranger", "POST", kSources,
       R"({"source":"other","pubkey":")" + key_text("zed") + R"("})", 404, "not_found"},
      {"with the sample", "POST", kSources, R"({"source":"s","secret":"mirror:logos:2025"})", 400,
       "bad_request"},
      {"with one of its own", "POST", kSources,
       R"({"source":"s","secret":"the heron waits at noon"})", 200, nullptr},
      {"a field of another name", "POST", kSources, R"({"source":"t","tag":"lab"})", 400,
       "bad_request"},
      {"no name", "POST", kSources, "{}", 400, "bad_request"},
      {"the shared one", "POST", kSources, R"({"source":"*"})", 400, "bad_request"},
      {"no JSON", "POST", kSources, "gauge", 400, "bad_request"},
      {"of no mesh", "POST", "/meshes/none/sources", R"({"source":"x"})", 404, "not_found"},
      {"a list", "GET", kSources, "", 200, nullptr},
      {"a page", "GET", std::string(kSources) + "?limit=1&after=lab%2Fgauge", "", 200, nullptr},
      {"after nobody", "GET", std::string(kSources) + "?after=a%20b", "", 400, "bad_request"},
      {"too many", "GET", std::string(kSources) + "?limit=1001", "", 400, "bad_request"},
      {"with a slash", "GET", std::string(kSources) + "/", "", 404, "not_found"},
      {"one by GET", "GET", gauge, "", 404, "not_found"},
      {"all by DELETE", "DELETE", kSources, "", 404, "not_found"},
      {"rotated", "POST", gauge + "/rotate", "", 200, nullptr},
      {"with an overlap", "POST", gauge + "/rotate", R"({"overlap_seconds":60})", 200, nullptr},
      {"with its slash escaped", "POST", std::string(kSources) + "/lab%2Fgauge/rotate", "{}", 200,
       nullptr},
      {"for ever", "POST", gauge + "/rotate", R"({"overlap_seconds":99999999})", 400,
       "bad_request"},
      {"backwards", "POST", gauge + "/rotate", R"({"overlap_seconds":-1})", 400, "bad_request"},
      {"with no number", "POST", gauge + "/rotate", R"({"overlap_seconds":"1h"})", 400,
       "bad_request"},
      {"rotated by GET", "GET", gauge + "/rotate", "", 404, "not_found"},
      {"nobody rotated", "POST", std::string(kSources) + "/nobody/rotate", "", 404, "not_found"},
      {"no name rotated", "POST", std::string(kSources) + "/rotate", "", 404, "not_found"},
      {"another verb", "POST", gauge + "/show", "", 404, "not_found"},
      {"its member's tags", "POST", gauge + "/role", R"({"role":"member","tags":["ops"]})", 200,
       nullptr},
      {"its member's standing", "POST", gauge + "/standing", R"({"standing":"quarantined"})", 200,
       nullptr},
      {"nobody's standing", "POST", std::string(kSources) + "/nobody/standing",
       R"({"standing":"quarantined"})", 404, "not_found"},
      {"the shared one revoked", "POST", std::string(kSources) + "/*/revoke", "", 404, "not_found"},
      {"revoked", "POST", gauge + "/revoke", "", 200, nullptr},
      {"revoked again", "POST", gauge + "/revoke", "", 200, nullptr},
      {"rotated then", "POST", gauge + "/rotate", "", 403, "denied"},
      {"nobody revoked", "POST", std::string(kSources) + "/nobody/revoke", "", 404, "not_found"},
  };
  start_admin();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto response = operate(row.method, row.path, row.body);
    EXPECT_EQ(response.status, row.status) << response.body;
    EXPECT_EQ(header(response, "Cache-Control"), "no-store");
    if (row.error == nullptr) continue;
    const std::string start = R"({"ok":false,"error":")" + std::string(row.error) + "\"";
    EXPECT_EQ(response.body.substr(0, start.size()), start);
  }
  EXPECT_EQ(team().member_with_id("lab/gauge")->tags, std::vector<std::string>{"ops"});
  EXPECT_EQ(team().member_with_id("lab/gauge")->standing, membership::Standing::kQuarantined);
}

TEST_F(SourcesTest, TheTokenIsNeeded) {
  start_admin();
  EXPECT_EQ(answer("GET", std::string("/api/signet/v1") + kSources).status, 401);
  EXPECT_EQ(answer("POST", std::string("/api/signet/v1") + kSources, R"({"source":"x"})").status,
            401);
  EXPECT_EQ(team().source("x"), nullptr);
}

TEST_F(SourcesTest, TheSecretIsInTheAnswerThatMadeItAndNowhereElse) {
  start_admin();
  CapturedLog captured;
  set_log_level(LogLevel::kInfo);
  const auto added = add("gauge", R"(,"tags":["lab","sensors"])");
  const std::string first = field(added, "secret");
  EXPECT_EQ(first.size(), 43U);
  EXPECT_EQ(field(added, "member"), "gauge");
  EXPECT_TRUE(team().source("gauge")->secret.matches(first));
  const auto rotated = operate("POST", std::string(kSources) + "/gauge/rotate", "");
  const std::string second = field(rotated, "secret");
  EXPECT_TRUE(team().source("gauge")->secret.matches(second));
  EXPECT_TRUE(team().source("gauge")->previous.matches(first));
  EXPECT_EQ(team().source("gauge")->previous_until,
            clock_.wall() + std::chrono::milliseconds(std::chrono::hours(24)));
  const std::string list = operate("GET", kSources).body;
  const std::string changed = iso8601(clock_.wall());
  const std::string until =
      iso8601(clock_.wall() + std::chrono::milliseconds(std::chrono::hours(24)));
  EXPECT_EQ(list, R"({"sources":[{"source":"gauge","member":"gauge","tags":["lab","sensors"],)"
                  R"("changed":")" +
                      changed + R"(","overlap_until":")" + until +
                      R"(","revoked":false}],"next":null})");
  EXPECT_EQ(operate("POST", std::string(kSources) + "/gauge/revoke", "").body, R"({"ok":true})");
  const std::string lines = captured.take();
  for (const char* event : {"source.added", "source.rotated", "source.revoked"}) {
    EXPECT_NE(lines.find(event), std::string::npos) << event;
  }
  for (const std::string& secret : {first, second}) {
    EXPECT_EQ(lines.find(secret), std::string::npos);
    EXPECT_EQ(list.find(secret), std::string::npos);
  }
}

TEST_F(SourcesTest, AnOverlapThatIsOverIsShownNoMore) {
  start_admin();
  add("gauge");
  operate("POST", std::string(kSources) + "/gauge/rotate", R"({"overlap_seconds":60})");
  EXPECT_EQ(operate("GET", kSources).body.find(R"("overlap_until":null)"), std::string::npos);
  advance(std::chrono::minutes(1));
  EXPECT_NE(operate("GET", kSources).body.find(R"("overlap_until":null)"), std::string::npos);
}

TEST_F(SourcesTest, PagesFollowTheNames) {
  start_admin();
  for (const char* name : {"d", "b/1", "a", "c"}) add(name);
  std::string seen;
  std::string after;
  for (int page = 0; page < 5; ++page) {
    const auto response = operate(
        "GET", std::string(kSources) + "?limit=1" + (after.empty() ? "" : "&after=" + after));
    wire::JsonDocument document;
    ASSERT_TRUE(document.parse(response.body).ok());
    seen += std::string(document.root()["sources"][0]["source"].string().value_or("?")) + " ";
    after = document.root()["next"].string().value_or("");
    if (after.empty()) break;
  }
  EXPECT_EQ(seen, "a b/1 c d ");
}

TEST_F(SourcesTest, MembersWithoutKeysAreListedByTheirSourcesOnly) {
  start_admin();
  add("gauge");
  EXPECT_EQ(operate("GET", "/meshes/team/members").body.find("gauge"), std::string::npos);
}

}  // namespace
}  // namespace signet::admin
