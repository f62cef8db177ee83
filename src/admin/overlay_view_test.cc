// What operators are told of a mesh's overlay, and what they do to it: ann and bob of "mesh-team"
// are its members, and each is a node.
#include "admin/overlay_view.h"

#include "admin/story_for_test.h"
#include "dialects/overlay.h"
#include "overlay/trend.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using wire::JsonDocument;
using wire::JsonKind;
using wire::JsonValue;

class OverlayViewTest : public AdminStory {
 protected:
  ~OverlayViewTest() override { control_.stop(); }

  void begin() {
    start_admin();
    std::array<unsigned char, 32> key{};
    key.fill(7);
    control_.run_and_wait([&] {
      epochs_.emplace(overlay_, MeshNumber{1}, controller::OverlayVault(key, {1}), control_, store_,
                      clock_, *controller_, metrics_);
      admin_->serve_overlay({}, *epochs_, "mesh-team");
      epochs_->load([&](const Status& status) { loaded_ = status.ok(); });
    });
    settle();
    ASSERT_TRUE(loaded_);
  }
  void pass(std::chrono::milliseconds time) {
    advance(time);
    for (int i = 0; i < 8; ++i) {
      control_.run_and_wait([&] { epochs_->turn(); });
      settle();
    }
  }
  void join(const std::string& name) {
    bool good = false;
    const controller::NewNode node{"node-" + name, membership::key_of(name).public_key(),
                                   crypto::digest32("test-wireguard", {name}), "192.0.2.7:51820"};
    control_.run_and_wait([&] {
      epochs_->register_node(node, [&](const controller::NodeAnswer& answer) {
        good = std::holds_alternative<Done>(answer);
      });
    });
    settle();
    ASSERT_TRUE(good) << name;
  }
  void submit(const std::string& name, double overall) {
    overlay::Submission said;
    said.node = "node-" + name;
    said.timestamp = clock_.wall();
    said.suite = "test";
    said.notes = "of my machine";
    said.scores.emplace("overall", *overlay::Score::from(overall));
    said.sequence = ++sequence_;
    said.nonce = "n" + std::to_string(sequence_);
    said.signed_text = dialects::text_to_sign(said, "mesh-team");
    said.signature = membership::key_of(name).sign(bytes_of(said.signed_text));
    bool good = false;
    control_.run_and_wait([&] {
      epochs_->submit(said, said.node, [&](const controller::SubmissionAnswer& answer) {
        good = std::holds_alternative<controller::Received>(answer);
      });
    });
    settle();
    ASSERT_TRUE(good) << name;
  }
  void begin_with_two() {
    begin();
    for (const char* name : {"ann", "bob"}) join(name);
    submit("ann", 0.92);
    submit("bob", 0.65);
    pass(std::chrono::minutes(1));
  }
  static std::string below(const std::string& path) { return "/meshes/mesh-team/" + path; }
  // The answer as JSON; fails the test unless it has this status.
  JsonDocument told(const std::string& method, const std::string& path, int status = 200,
                    const std::string& body = {}) {
    const net::HttpResponse response = operate(method, below(path), body);
    EXPECT_EQ(response.status, status) << path << ": " << response.body;
    JsonDocument document;
    EXPECT_TRUE(document.parse(response.body).ok()) << response.body;
    return document;
  }
  static std::string text(const JsonValue& value) {
    return std::string(value.string().value_or("none"));
  }

  controller::OverlayOptions overlay_;
  std::optional<controller::Epochs> epochs_;
  bool loaded_ = false;
  std::uint64_t sequence_ = 0;
};

TEST_F(OverlayViewTest, EachCallHasItsPathItsMethodAndItsMesh) {
  begin_with_two();
  struct Row {
    const char* method;
    const char* path;
    int status;
  };
  const Row rows[] = {
      {"GET", "/meshes/mesh-team/nodes", 200},
      {"GET", "/meshes/team/nodes", 200},
      {"POST", "/meshes/mesh-team/nodes", 404},
      {"GET", "/meshes/mesh-team/nodes/node-ann", 200},
      {"POST", "/meshes/mesh-team/nodes/node-ann", 404},
      {"GET", "/meshes/mesh-team/nodes/node-ann/", 404},
      {"GET", "/meshes/mesh-team/nodes/node-ann/export", 200},
      {"GET", "/meshes/mesh-team/nodes/node-ann/forget", 404},
      {"GET", "/meshes/mesh-team/nodes/nobody", 404},
      {"POST", "/meshes/mesh-team/nodes/nobody/forget", 404},
      {"GET", "/meshes/mesh-team/nodes?limit=0", 400},
      {"GET", "/meshes/mesh-team/nodes?limit=1001", 400},
      {"GET", "/meshes/mesh-team/nodes/node-ann/export?limit=0", 400},
      {"GET", "/meshes/mesh-team/nodes/node-ann/export?after=x", 400},
      {"GET", "/meshes/mesh-team/epoch", 200},
      {"POST", "/meshes/mesh-team/epoch", 404},
      {"GET", "/meshes/mesh-team/epoch/rotate", 404},
      {"GET", "/meshes/mesh-team/epoch/deny", 404},
      {"POST", "/meshes/mesh-team/epoch/deny", 400},
      {"GET", "/meshes/none/nodes", 404},
  };
  for (const Row& row : rows) {
    const net::HttpResponse response = operate(row.method, row.path);
    EXPECT_EQ(response.status, row.status) << row.path << ": " << response.body;
  }
  for (const char* path : {"/meshes/mesh-other/nodes", "/meshes/mesh-other/epoch"}) {
    const net::HttpResponse response = operate("GET", path);
    EXPECT_EQ(response.status, 404);
    EXPECT_NE(response.body.find("no overlay is bound to this mesh"), response.body.npos)
        << path << ": " << response.body;
  }
}

TEST_F(OverlayViewTest, ItIsForOperators) {
  begin_with_two();
  for (const char* path : {"nodes", "nodes/node-ann", "nodes/node-ann/export", "epoch"}) {
    EXPECT_EQ(answer("GET", "/api/signet/v1" + below(path)).status, 401) << path;
  }
  EXPECT_EQ(answer("POST", "/api/signet/v1" + below("nodes/node-ann/forget")).status, 401);
  EXPECT_EQ(answer("POST", "/api/signet/v1" + below("epoch/rotate")).status, 401);
  EXPECT_EQ(answer("POST", "/api/signet/v1" + below("epoch/deny")).status, 401);
  EXPECT_NE(epochs_->node("node-ann"), nullptr);
}

TEST_F(OverlayViewTest, WithoutAnOverlayThereIsNone) {
  start_admin();
  const net::HttpResponse response = operate("GET", below("nodes"));
  EXPECT_EQ(response.status, 404);
  EXPECT_NE(response.body.find("no overlay is bound"), response.body.npos) << response.body;
}

TEST_F(OverlayViewTest, NodesAreListedInPages) {
  begin_with_two();
  const JsonDocument first = told("GET", "nodes?limit=1");
  ASSERT_EQ(first.root()["nodes"].size(), 1U);
  const JsonValue ann = first.root()["nodes"][std::size_t{0}];
  EXPECT_EQ(text(ann["node"]), "node-ann");
  EXPECT_EQ(text(ann["verdict"]), "ALLOWED");
  EXPECT_EQ(text(ann["reason"]), "score 0.92 >= 0.70, fresh");
  EXPECT_EQ(text(ann["standing"]), "admitted");
  EXPECT_EQ(ann["overall"].number(), 0.92);
  EXPECT_EQ(text(first.root()["next"]), "node-ann");
  const JsonDocument rest = told("GET", "nodes?limit=1&after=node-ann");
  ASSERT_EQ(rest.root()["nodes"].size(), 1U);
  EXPECT_EQ(text(rest.root()["nodes"][std::size_t{0}]["node"]), "node-bob");
  EXPECT_TRUE(rest.root()["next"].is(JsonKind::kNull));
}

TEST_F(OverlayViewTest, ADecisionIsExplainedByItsInputsItsRuleAndItsTrend) {
  begin_with_two();
  submit("bob", 0.66);  // after the decision: it is shown and does not change what was decided
  control_.run_and_wait([&] { epochs_->add_signals({2}, {1, 2, 3}); });
  const JsonDocument document = told("GET", "nodes/node-bob");
  const JsonValue root = document.root();
  EXPECT_EQ(text(root["pubkey"]), crypto::to_hex(membership::key_of("bob").public_key()));
  EXPECT_EQ(text(root["address"]), "10.10.0.3");
  EXPECT_EQ(text(root["endpoint"]), "192.0.2.7:51820");
  EXPECT_EQ(root["sequence"].integer(), 3);
  EXPECT_EQ(root["reports"][std::size_t{0}]["overall"].number(), 0.66);
  EXPECT_EQ(root["signals"]["replays"].integer(), 2);
  const JsonValue decision = root["decision"];
  EXPECT_EQ(decision["inputs"]["signals"]["replays"].integer(), 0);
  EXPECT_EQ(text(decision["step"]), "below");
  EXPECT_EQ(text(decision["verdict"]), "DENIED");
  EXPECT_EQ(text(decision["reason"]), "score 0.65 < threshold 0.70");
  EXPECT_EQ(decision["epoch"].integer(), 1);
  EXPECT_EQ(decision["score"].number(), 0.65);
  EXPECT_EQ(decision["again"]["same"].boolean(), true);
  EXPECT_EQ(text(decision["again"]["reason"]), "score 0.65 < threshold 0.70");
  EXPECT_EQ(decision["inputs"]["reports"][std::size_t{0}]["overall"].number(), 0.65);
  EXPECT_EQ(text(decision["inputs"]["verdict"]), "UNKNOWN");
  const JsonValue lines = decision["lines"];
  ASSERT_GT(lines.size(), 3U);
  EXPECT_EQ(text(lines[lines.size() - 2]), "decision: DENIED, score 0.65 < threshold 0.70");
  EXPECT_EQ(root["rule"]["version"].integer(), 1);
  EXPECT_EQ(root["rule"]["threshold"].number(), 0.7);
  ASSERT_EQ(root["scores"].size(), 2U);
  EXPECT_EQ(root["scores"][std::size_t{1}]["overall"].number(), 0.66);
  EXPECT_EQ(text(root["sparkline"]),
            overlay::sparkline(std::vector<overlay::Score>{{650'000}, {660'000}}));
}

TEST_F(OverlayViewTest, BeforeADecisionThereIsNoneToExplain) {
  begin();
  join("ann");
  const JsonDocument document = told("GET", "nodes/node-ann");
  EXPECT_TRUE(document.root()["decision"].is(JsonKind::kNull));
  EXPECT_TRUE(document.root()["rule"].is(JsonKind::kNull));
  EXPECT_EQ(text(document.root()["verdict"]), "UNKNOWN");
  EXPECT_EQ(document.root()["scores"].size(), 0U);
}

TEST_F(OverlayViewTest, AnExportHasEveryReportWithItsSignatureInPages) {
  begin();
  join("ann");
  for (const double score : {0.7, 0.8, 0.9}) submit("ann", score);
  pass(std::chrono::minutes(1));
  std::vector<std::string> texts;
  std::string after;
  for (int pages = 0; pages < 5; ++pages) {
    const JsonDocument page = told("GET", "nodes/node-ann/export?limit=2" + after);
    EXPECT_EQ(text(page.root()["node"]), "node-ann") << "each page says whose it is";
    EXPECT_TRUE(page.root()["decision"].is(JsonKind::kObject));
    const JsonValue listed = page.root()["submissions"];
    for (std::size_t i = 0; i < listed.size(); ++i) {
      const std::string said = text(listed[i]["signed"]);
      texts.push_back(said);
      EXPECT_EQ(text(listed[i]["signature"]),
                to_hex(membership::key_of("ann").sign(bytes_of(said))));
    }
    if (page.root()["next"].is(JsonKind::kNull)) break;
    after = "&after=" + text(page.root()["next"]);
  }
  ASSERT_EQ(texts.size(), 3U);
  for (const char* score : {"0.7", "0.8", "0.9"}) {
    const auto holds = [&](const std::string& said) {
      return said.find(std::string("\"overall\":") + score) != said.npos &&
             said.find("of my machine") != said.npos;
    };
    EXPECT_EQ(std::count_if(texts.begin(), texts.end(), holds), 1) << score;
  }
}

TEST_F(OverlayViewTest, APageOfAnExportEndsBeforeItIsTooLong) {
  begin();
  join("ann");
  for (const double score : {0.7, 0.8, 0.9}) submit("ann", score);
  OverlayViewOptions small;
  small.export_bytes = 300;  // one text is 200 bytes
  OverlayDesk desk({}, *epochs_, "mesh-team", shared_->control_trail, clock_, metrics_);
  OverlayView view(small, *epochs_, desk);
  const auto page_of = [&](const std::string& query) {
    std::string body;
    broker::HttpCall call = call_of("GET", "/x?" + query);
    call.reply = [&](const net::HttpResponse& response) { body = response.body; };
    control_.run_and_wait([&] { view.answer(call, "nodes", "/node-ann/export"); });
    settle();
    JsonDocument document;
    EXPECT_TRUE(document.parse(body).ok()) << body;
    return document;
  };
  std::size_t seen = 0;
  std::string query = "limit=100";
  for (int pages = 0; pages < 5; ++pages) {
    const JsonDocument page = page_of(query);
    EXPECT_EQ(page.root()["submissions"].size(), 1U) << "one always fits";
    seen += page.root()["submissions"].size();
    if (page.root()["next"].is(JsonKind::kNull)) break;
    query = "limit=100&after=" + text(page.root()["next"]);
  }
  EXPECT_EQ(seen, 3U);
}

TEST_F(OverlayViewTest, AnExportSaysWhomTheNodeWasBefore) {
  begin_with_two();
  EXPECT_EQ(told("GET", "nodes/node-ann/export").root()["former"].size(), 0U);
  const auto before = static_cast<std::int64_t>(epochs_->node("node-ann")->member.value);
  bool good = false;
  control_.run_and_wait([&] {
    epochs_->rekey(
        {"node-ann", std::nullopt, membership::key_of("anna").public_key(), {}},
        [&](const controller::NodeAnswer& answer) { good = std::holds_alternative<Done>(answer); });
  });
  settle();
  ASSERT_TRUE(good);
  for (const char* path : {"nodes/node-ann", "nodes/node-ann/export"}) {
    const JsonDocument document = told("GET", path);
    ASSERT_EQ(document.root()["former"].size(), 1U) << path;
    EXPECT_EQ(document.root()["former"][std::size_t{0}].integer(), before) << path;
    EXPECT_TRUE(document.root()["namesake_was"].is(JsonKind::kNull)) << path;
  }
}

TEST_F(OverlayViewTest, ForgettingTakesTheNodeAndLeavesTheMember) {
  begin_with_two();
  const JsonDocument done = told("POST", "nodes/node-ann/forget", 200, "{}");
  EXPECT_EQ(done.root()["ok"].boolean(), true);
  EXPECT_EQ(text(done.root()["standing"]), "admitted");
  told("GET", "nodes/node-ann", 404);
  told("POST", "nodes/node-ann/forget", 404, "{}");
  for (const store::SealedReport& report : store_.reports) EXPECT_EQ(report.name, "node-bob");
  EXPECT_EQ(told("GET", "nodes").root()["nodes"].size(), 1U);
}

// Or to forget would be a way around a revocation.
TEST_F(OverlayViewTest, WhoIsRevokedStaysSoWhenItsNodeIsForgotten) {
  begin_with_two();
  const std::string key = crypto::to_hex(membership::key_of("ann").public_key());
  ASSERT_EQ(
      operate("POST", below("members/" + key + "/standing"), R"({"standing":"revoked"})").status,
      200);
  pass(std::chrono::milliseconds(300));
  EXPECT_EQ(text(told("POST", "nodes/node-ann/forget", 200, "{}").root()["standing"]), "revoked");
  std::optional<NodeRefusal> refused;
  control_.run_and_wait([&] {
    epochs_->register_node({"node-ann", membership::key_of("ann").public_key(),
                            crypto::digest32("test-wireguard", {"new"}), ""},
                           [&](const controller::NodeAnswer& answer) {
                             const auto* why = std::get_if<NodeRefusal>(&answer);
                             if (why != nullptr) refused = *why;
                           });
  });
  settle();
  EXPECT_EQ(refused, NodeRefusal::kRevoked);
}

TEST_F(OverlayViewTest, AStoreThatCannotForgetSaysSo) {
  begin_with_two();
  store_.commit_answers = {Error{ErrorCode::kUnavailable, "scripted"}};
  EXPECT_EQ(text(told("POST", "nodes/node-ann/forget", 503, "{}").root()["error"]), "unavailable");
  EXPECT_NE(epochs_->node("node-ann"), nullptr);
}

TEST_F(OverlayViewTest, TheEpochIsShownAndDecidedAheadOfItsTime) {
  begin();
  EXPECT_EQ(told("GET", "epoch").root()["epoch"].integer(), 0);
  EXPECT_TRUE(told("GET", "epoch").root()["ends"].is(JsonKind::kNull));
  for (const char* name : {"ann", "bob"}) join(name);
  submit("ann", 0.92);
  const JsonDocument rotated = told("POST", "epoch/rotate", 200, "{}");
  EXPECT_EQ(rotated.root()["epoch"].integer(), 1);
  pass(std::chrono::milliseconds(300));
  const JsonDocument document = told("GET", "epoch");
  const JsonValue root = document.root();
  EXPECT_EQ(root["epoch"].integer(), 1);
  EXPECT_EQ(root["nodes"].integer(), 2);
  EXPECT_EQ(root["allowed"].integer(), 1);
  EXPECT_EQ(root["rule"]["version"].integer(), 1);
  EXPECT_EQ(text(root["keys"]["phase"]), "steady");
  EXPECT_EQ(root["keys"]["current"].integer(), 1);
  EXPECT_EQ(text(root["secret_hash"]).substr(0, 7), "sha256:");
  ASSERT_EQ(told("POST", "epoch/rotate", 200, "{}").root()["epoch"].integer(), 2);
  pass(std::chrono::milliseconds(300));
  const JsonDocument staged = told("GET", "epoch");
  EXPECT_EQ(text(staged.root()["keys"]["phase"]), "staged");
  EXPECT_EQ(staged.root()["keys"]["waiting"].integer(), 1);
  EXPECT_EQ(text(staged.root()["keys"]["waits_for"][std::size_t{0}]), "node-ann");
}

// Without operators who decide together one token is enough, or they would be held for good.
TEST_F(OverlayViewTest, HeldDenialsHappenAsTheyWereShown) {
  begin();
  for (const char* name : {"ann", "bob"}) join(name);
  for (const char* name : {"ann", "bob"}) submit(name, 0.92);
  pass(std::chrono::minutes(1));
  EXPECT_TRUE(told("GET", "epoch").root()["held_digest"].is(JsonKind::kNull));
  const std::string other = R"({"held_digest":")" + std::string(64, 'a') + "\"}";
  told("POST", "epoch/deny", 409, other);
  for (const char* name : {"ann", "bob"}) submit(name, 0.1);
  pass(std::chrono::minutes(1));
  const JsonDocument shown = told("GET", "epoch");
  ASSERT_EQ(shown.root()["held_denials"].size(), 2U);
  const std::string body = R"({"held_digest":")" + text(shown.root()["held_digest"]) + "\"}";
  told("POST", "epoch/deny", 400, "{}");
  told("POST", "epoch/deny", 409, other);
  EXPECT_EQ(epochs_->node("node-ann")->verdict, overlay::Verdict::kAllowed);
  const JsonDocument done = told("POST", "epoch/deny", 200, body);
  ASSERT_EQ(done.root()["denied"].size(), 2U);
  EXPECT_EQ(text(done.root()["denied"][std::size_t{0}]), "node-ann");
  for (const char* name : {"node-ann", "node-bob"}) {
    EXPECT_EQ(epochs_->node(name)->verdict, overlay::Verdict::kDenied) << name;
  }
  told("POST", "epoch/deny", 409, body);
}

TEST_F(OverlayViewTest, AStoreThatCannotKeepDenialsSaysSo) {
  begin();
  for (const char* name : {"ann", "bob"}) join(name);
  for (const char* name : {"ann", "bob"}) submit(name, 0.92);
  pass(std::chrono::minutes(1));
  for (const char* name : {"ann", "bob"}) submit(name, 0.1);
  pass(std::chrono::minutes(1));
  const std::string body =
      R"({"held_digest":")" + text(told("GET", "epoch").root()["held_digest"]) + "\"}";
  store_.commit_answers = {Error{ErrorCode::kUnavailable, "scripted"}};
  told("POST", "epoch/deny", 503, body);
  EXPECT_EQ(epochs_->node("node-ann")->verdict, overlay::Verdict::kAllowed);
}

TEST_F(OverlayViewTest, StatusHasNoKeyAndNoSecret) {
  begin_with_two();
  std::string status;
  control_.run_and_wait([&] { status = OverlayView::status(*epochs_); });
  JsonDocument document;
  ASSERT_TRUE(document.parse(status).ok()) << status;
  const JsonValue root = document.root();
  EXPECT_EQ(root["epoch"]["id"].integer(), 1);
  EXPECT_EQ(text(root["epoch"]["secret_hash"]), epochs_->secret_hash());
  EXPECT_EQ(text(root["nodes"]["node-ann"]["membership"]), "ALLOWED");
  EXPECT_EQ(root["nodes"]["node-bob"]["last_benchmark"]["overall"].number(), 0.65);
  EXPECT_EQ(text(root["nodes"]["node-bob"]["last_benchmark"]["suite_version"]), "test");
  for (const char* name : {"ann", "bob"}) {
    EXPECT_EQ(status.find(crypto::to_hex(membership::key_of(name).public_key())), status.npos);
    EXPECT_EQ(status.find(to_base64(crypto::digest32("test-wireguard", {name}))), status.npos);
  }
}

}  // namespace
}  // namespace signet::admin
