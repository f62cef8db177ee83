// Alive, ready and well: each way to be neither, and the page of figures.
#include <ctime>
#include <future>
#include <limits>
#include <regex>
#include <set>
#include <sstream>

#include "admin/story_for_test.h"

namespace signet::admin {
namespace {

using namespace std::chrono_literals;

class HealthTest : public AdminStory {};

TEST_F(HealthTest, SaysHowTheStoreIsAndForHowLong) {
  start_admin();
  advance(90s);
  const struct {
    const char* name;
    Status store;
    int status;
    const char* start_of_body;
  } rows[] = {
      {"well", Done{}, 200, R"({"status":"ok","db":"up",)"},
      {"full disk", Error{ErrorCode::kOverloaded, "s"}, 503, R"({"status":"degraded","db":"up",)"},
      {"failed", Error{ErrorCode::kUnavailable, "s"}, 503, R"({"status":"down","db":"down",)"},
      {"a bug", Error{ErrorCode::kBug, "s"}, 503, R"({"status":"down","db":"down",)"},
      {"well again", Done{}, 200, R"({"status":"ok","db":"up",)"},
  };
  for (const auto& row : rows) {
    store_.probe_answer = row.store;
    const auto response = answer("GET", "/health");
    EXPECT_EQ(response.status, row.status) << row.name;
    EXPECT_EQ(response.content_type, "application/json");
    EXPECT_EQ(response.body,
              row.start_of_body + std::string(R"("version":"1.2.3","gitSha":"abc","uptime":90})"))
        << row.name;
  }
}

TEST_F(HealthTest, SaysWhatTimeItIs) {
  start_admin();
  const time_t second = static_cast<time_t>(clock_.wall().ms / 1000);
  tm said{};
  for (const auto& [name, value] : answer("GET", "/health").headers) {
    if (name == "Date") strptime(value.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &said);
  }
  EXPECT_EQ(timegm(&said), second);
}

TEST_F(HealthTest, IsReadyWhenStoreDiskAndClockAre) {
  const struct {
    const char* name;
    bool store, disk, clock;
    const char* body;
  } rows[] = {
      // clang-format off
      {"all well",        true,  true,  true,  R"({"ready":true,"store":"ok","disk":"ok","clock":"ok"})"},
      {"store",           false, true,  true,  R"({"ready":false,"store":"failed","disk":"ok","clock":"ok"})"},
      {"disk",            true,  false, true,  R"({"ready":false,"store":"ok","disk":"nearly full","clock":"ok"})"},
      {"store and disk",  false, false, true,  R"({"ready":false,"store":"failed","disk":"nearly full","clock":"ok"})"},
      {"clock",           true,  true,  false, R"({"ready":false,"store":"ok","disk":"ok","clock":"stepped"})"},
      {"store and clock", false, true,  false, R"({"ready":false,"store":"failed","disk":"ok","clock":"stepped"})"},
      {"disk and clock",  true,  false, false, R"({"ready":false,"store":"ok","disk":"nearly full","clock":"stepped"})"},
      {"all three",       false, false, false, R"({"ready":false,"store":"failed","disk":"nearly full","clock":"stepped"})"},
      // clang-format on
  };
  start_admin();
  advance(1s);  // the watch has seen the clock once
  bool stepped = false;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    if (!row.clock && !stepped) advance(1s, 6s);
    stepped = stepped || !row.clock;
    store_.probe_answer = row.store ? Status(Done{}) : Error{ErrorCode::kUnavailable, "s"};
    admin_options_.min_free_bytes = row.disk ? 0 : std::numeric_limits<std::int64_t>::max();
    const auto response = answer("GET", "/readyz");
    const bool ready = row.store && row.disk && row.clock;
    EXPECT_EQ(response.status, ready ? 200 : 503);
    EXPECT_EQ(response.body, row.body);
  }
}

TEST_F(HealthTest, ADirectoryThatIsGoneHasNoRoom) {
  admin_options_.data_directory = "/nowhere/at/all";
  admin_options_.min_free_bytes = 1;
  start_admin();
  EXPECT_EQ(answer("GET", "/readyz").body,
            R"({"ready":false,"store":"ok","disk":"nearly full","clock":"ok"})");
}

TEST_F(HealthTest, AStepOfTheWallClockCountsAndPasses) {
  options_.max_skew = 60'000ms;
  start_admin();
  const struct {
    const char* name;
    std::chrono::milliseconds advance;
    std::chrono::milliseconds step;
    int status;
    int steps;
  } story[] = {
      {"it stands", 1s, 0s, 200, 0},          {"a small move is none", 1s, 4s, 200, 0},
      {"small moves add up", 1s, 4s, 503, 1}, {"for twice the window of a hello", 118s, 0s, 503, 1},
      {"then it is steady", 2s, 0s, 200, 1},  {"a step back is one too", 1s, -3600s, 503, 2},
  };
  for (const auto& row : story) {
    advance(row.advance, row.step);
    EXPECT_EQ(answer("GET", "/readyz").status, row.status) << row.name;
    EXPECT_EQ(metric("signet_clock_steps_total"), row.steps) << row.name;
  }
}

TEST_F(HealthTest, AStepBeforeTheFirstLookIsOneToo) {
  start_admin();
  advance(0s, -3600s);
  advance(1s, 0s);
  EXPECT_EQ(answer("GET", "/readyz").status, 503);
  EXPECT_EQ(metric("signet_clock_steps_total"), 1);
}

TEST_F(HealthTest, AliveNeedsNeitherStoreNorControlThread) {
  start_admin();
  store_.probe_answer = Error{ErrorCode::kUnavailable, "s"};
  std::promise<void> blocked;
  control_.mailbox().post([held = blocked.get_future().share()] { held.wait(); });
  broker::FakeConnection& connection = shards_[0]->accept();
  request(connection, "GET", "/livez", false);
  ASSERT_EQ(connection.responses.size(), 1U);
  EXPECT_EQ(connection.responses[0].status, 200);
  EXPECT_EQ(connection.responses[0].body, "alive\n");
  blocked.set_value();
}

// The text format 0.0.4, read slowly and strictly: HELP and TYPE once before the samples of a
// family, families in one piece, every series once. Answers the first fault.
std::string fault_of(const std::string& page) {
  static const std::regex help(R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*))");
  static const std::regex type(R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge))");
  static const std::regex sample(
      R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*",?)+\})? )"
      R"((-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?|NaN|[+-]Inf))");
  std::set<std::string> families, series;
  std::string helped, typed, kind;
  std::istringstream lines(page);
  if (page.empty() || page.back() != '\n') return "the last line does not end";
  for (std::string line; std::getline(lines, line);) {
    std::smatch part;
    if (std::regex_match(line, part, help)) {
      helped = part[1];
      if (!families.insert(helped).second) return "family twice: " + line;
    } else if (std::regex_match(line, part, type)) {
      typed = part[1];
      kind = part[2];
      if (typed != helped) return "TYPE without HELP: " + line;
    } else if (std::regex_match(line, part, sample)) {
      if (part[1] != typed) return "outside of its family: " + line;
      if (!series.insert(std::string(part[1]) + std::string(part[2])).second) {
        return "series twice: " + line;
      }
      if (kind == "counter" && line.find(" -") != std::string::npos) return "negative: " + line;
      const bool named = typed.ends_with("_total");
      if (kind == "counter" && !named) return "a counter that is no _total: " + line;
    } else {
      return "no line of the format: " + line;
    }
  }
  return series.empty() ? "nothing" : "";
}

TEST(MetricsPage, TheReaderFindsFaults) {
  const std::string good = "# HELP a_total x\n# TYPE a_total counter\na_total 1\n";
  EXPECT_EQ(fault_of(good), "");
  EXPECT_EQ(fault_of(good + "a_total{b=\"c\"} 2\n"), "");
  for (const std::string& bad :
       {good + good, good + "a_total 2\n", good + "b 1\n", good + "a_total{b=c} 1\n",
        good + "a_total{b=\"c} 1\n", good + "\n", good.substr(0, good.size() - 1), std::string(),
        std::string("# TYPE a_total counter\na_total 1\n"), good + "a_total{c=\"d\"} -1\n"}) {
    EXPECT_NE(fault_of(bad), "") << bad;
  }
}

TEST_F(HealthTest, FiguresAreAValidPage) {
  start_admin();
  peer("ann");
  (void)answer("POST", "/join", "{");
  (void)answer("GET", "/api/signet/v1/meshes");
  const auto response = answer("GET", "/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(fault_of(response.body), "");
  for (const char* series :
       {"broker_connections_total 1", "broker_connections_active 1",
        R"(broker_connections_rejected_total{reason="capacity"} 0)",
        R"(broker_messages_routed_total{priority="now"} 0)",
        R"(broker_messages_rejected_total{reason="no_hello"} 0)", "broker_hook_requests_total 0",
        "broker_hook_requests_rate_limited_total 0", "signet_operator_denied_total 1",
        R"(signet_join_refused_total{reason="bad_request"} 1)", "signet_joined_total 0",
        R"(signet_build_info{version="1.2.3",git_sha="abc"} 1)"}) {
    EXPECT_NE(response.body.find("\n" + std::string(series) + "\n"), std::string::npos) << series;
  }
  EXPECT_GT(metric("process_resident_memory_bytes"), 1 << 20) << "a test program has a MiB";
}

}  // namespace
}  // namespace signet::admin
