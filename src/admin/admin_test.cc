// Which path answers which method.
#include "admin/story_for_test.h"

namespace signet::admin {
namespace {

TEST_F(AdminStory, EachPathAnswersItsMethods) {
  start_admin();
  const struct {
    const char* name;
    const char* method;
    const char* path;
    int status;
    const char* allow;
  } rows[] = {
      {"health", "GET", "/health", 200, "none"},
      {"health to HEAD", "HEAD", "/health", 200, "none"},
      {"health to POST", "POST", "/health", 405, "GET, HEAD, OPTIONS"},
      {"readiness", "GET", "/readyz", 200, "none"},
      {"metrics", "GET", "/metrics", 200, "none"},
      {"metrics to DELETE", "DELETE", "/metrics", 405, "GET, HEAD, OPTIONS"},
      {"metrics with a query", "GET", "/metrics?x=1", 200, "none"},
      {"a join is posted", "GET", "/join", 405, "POST, OPTIONS"},
      {"and not asked by HEAD", "HEAD", "/join", 405, "POST, OPTIONS"},
      {"a hook too", "PUT", "/hook/set-status", 405, "POST, OPTIONS"},
      {"no such path", "GET", "/", 404, "none"},
      {"a longer path", "GET", "/health/", 404, "none"},
      {"an encoded path", "GET", "/%68ealth", 404, "none"},
      {"in capitals", "GET", "/HEALTH", 404, "none"},
      {"the operator's root without its slash", "GET", "/api/signet/v1", 404, "none"},
  };
  for (const auto& row : rows) {
    const auto response = answer(row.method, row.path);
    EXPECT_EQ(response.status, row.status) << row.name;
    EXPECT_EQ(header(response, "Allow"), row.allow) << row.name;
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*") << row.name;
  }
}

TEST_F(AdminStory, PagesOfOtherOriginsMayAskFirst) {
  start_admin();
  for (const char* path : {"/join", "/hook/set-status", "/health"}) {
    const auto response = answer("OPTIONS", path);
    EXPECT_EQ(response.status, 204) << path;
    EXPECT_EQ(header(response, "Access-Control-Allow-Origin"), "*");
    EXPECT_EQ(header(response, "Access-Control-Allow-Methods"), "GET, POST, OPTIONS");
    EXPECT_EQ(header(response, "Access-Control-Allow-Headers"), "Content-Type");
    EXPECT_EQ(response.body, "");
  }
  EXPECT_EQ(answer("OPTIONS", "/api/signet/v1/meshes").status, 401) << "but not the operator's";
}

}  // namespace
}  // namespace signet::admin
