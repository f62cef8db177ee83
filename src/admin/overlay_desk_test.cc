// Stories of nodes that ask over HTTP: ann and bob are members of "mesh-team", and their keys are
// those of two nodes.
#include "admin/overlay_desk.h"

#include "admin/story_for_test.h"
#include "crypto/fresh_box.h"
#include "overlay/wireguard_config.h"

namespace signet::admin {
namespace {

constexpr std::string_view kMesh = "mesh-team";

class OverlayDeskTest : public AdminStory {
 protected:
  ~OverlayDeskTest() override { control_.stop(); }

  void begin() {
    start_admin();
    std::array<unsigned char, 32> key{};
    key.fill(7);
    control_.run_and_wait([&] {
      epochs_.emplace(overlay_, MeshNumber{1}, controller::OverlayVault(key, {1}), control_, store_,
                      clock_, *controller_, metrics_);
      admin_->serve_overlay(desk_, *epochs_, std::string(kMesh));
      epochs_->load([&](const Status& status) { loaded_ = status.ok(); });
    });
    settle();
    EXPECT_TRUE(loaded_);
  }
  void pass(std::chrono::milliseconds time) {
    advance(time);
    for (int i = 0; i < 8; ++i) {
      control_.run_and_wait([&] { epochs_->turn(); });
      settle();
    }
  }
  static const crypto::SecretKey& key_of(const std::string& name) {
    static std::map<std::string, crypto::SecretKey> keys;
    const auto found = keys.find(name);
    return found != keys.end() ? found->second
                               : keys.emplace(name, membership::key_of(name)).first->second;
  }
  static std::string path(const std::string& subject, const std::string& name) {
    return "/v1/" + subject + "/node-" + name;
  }
  net::HttpResponse join(const std::string& name) {
    dialects::NodeRegistration wanted;
    wanted.node = "node-" + name;
    wanted.key = key_of(name).public_key();
    wanted.wireguard = crypto::digest32("test-wireguard", {name});
    wanted.timestamp = next_time();
    wanted.signature = key_of(name).sign(bytes_of(dialects::text_to_sign(wanted, kMesh)));
    return answer("POST", path("nodes", name), dialects::write_registration(wanted, kMesh));
  }
  net::HttpResponse submit(const std::string& name, double overall) {
    overlay::Submission said;
    said.node = "node-" + name;
    said.timestamp = clock_.wall();
    said.suite = "test";
    said.scores.emplace("overall", *overlay::Score::from(overall));
    said.sequence = ++sequence_;
    said.nonce = "n" + std::to_string(sequence_);
    said.fresh_key = fresh_.public_key();
    said.signature = key_of(name).sign(bytes_of(dialects::text_to_sign(said, kMesh)));
    return answer("POST", path("benchmarks", name), dialects::write_submission(said, kMesh));
  }
  net::HttpResponse config(const std::string& name, const std::string& query = {}) {
    broker::HttpCall call = call_of("GET", path("config", name) + query);
    overlay::NodeRequest request{"node-" + name, next_time(), "nonce", {}};
    const std::string text =
        overlay::text_to_sign(request, "GET", path("config", name) + query, kMesh);
    request.signature = key_of(name).sign(bytes_of(text));
    call.authorization = crypto::SecretText(dialects::write_node_authorization(request));
    return answer(std::move(call));
  }
  WallTime next_time() {
    advance(std::chrono::milliseconds(1));
    return clock_.wall();
  }

  controller::OverlayOptions overlay_;
  OverlayDeskOptions desk_;
  std::optional<controller::Epochs> epochs_;
  crypto::FreshKeyPair fresh_ = crypto::FreshKeyPair::generate();
  bool loaded_ = false;
  std::uint64_t sequence_ = 0;
};

TEST_F(OverlayDeskTest, EachPathHasItsMethodAndItsCredential) {
  begin();
  struct Row {
    const char* name;
    const char* method;
    const char* path;
    bool operates;
    int status;
  };
  const Row rows[] = {
      {"no such path", "GET", "/v1/nothing", true, 404},
      {"no node", "POST", "/v1/benchmarks", true, 404},
      {"a submission that is none", "POST", "/v1/benchmarks/n", false, 422},
      {"a registration that is none", "POST", "/v1/nodes/n", false, 422},
      {"the epoch, for nobody", "GET", "/v1/epoch", false, 401},
      {"the epoch, for operators", "GET", "/v1/epoch", true, 200},
      {"a configuration, for nobody", "GET", "/v1/config/n", false, 401},
      {"a configuration, for operators", "GET", "/v1/config/n", true, 200},
      {"to rotate, for nobody", "POST", "/v1/rotate", false, 401},
      {"to rotate, for operators", "POST", "/v1/rotate", true, 200},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    broker::HttpCall call = call_of(row.method, row.path);
    if (row.operates) call.authorization = operator_bearer();
    const net::HttpResponse got = answer(std::move(call));
    EXPECT_EQ(got.status, row.status) << got.body;
    if (row.status >= 400) {
      EXPECT_NE(got.body.find("\"detail\":\""), std::string::npos) << got.body;
    }
  }
}

TEST_F(OverlayDeskTest, WithoutAnOverlayNothingIsThere) {
  start_admin();
  EXPECT_EQ(answer("GET", "/v1/epoch").status, 404);
  EXPECT_EQ(answer("GET", "/health").body.find("epoch_id"), std::string::npos);
}

TEST_F(OverlayDeskTest, ANodeOpensItsOwnConfigurationUnderTheKeysOfItsEpoch) {
  begin();
  for (const char* name : {"ann", "bob"}) {
    ASSERT_EQ(join(name).status, 200);
    ASSERT_EQ(submit(name, 0.9).status, 200);
  }
  pass(std::chrono::minutes(1));
  const auto read = dialects::read_config(config("ann").body);
  ASSERT_TRUE(read.ok());
  ASSERT_TRUE(read->keys.has_value());
  ASSERT_EQ(read->keys->sealed.size(), 1U);
  const dialects::OverlaySealed& box = read->keys->sealed[0];
  const auto text =
      crypto::open_fresh(fresh_, overlay::delivery_context(kMesh, "node-ann", box.epoch), box.box);
  ASSERT_TRUE(text.has_value());
  const auto written = overlay::read_wireguard(text->text());
  ASSERT_TRUE(written.ok()) << written.error().detail;
  EXPECT_EQ(written->address, 0x0a0a0002U);
  ASSERT_EQ(written->peers.size(), 1U);
  EXPECT_EQ(written->peers[0].key, crypto::digest32("test-wireguard", {"bob"}));
  EXPECT_EQ(written->peers[0].allowed_ip, 0x0a0a0003U);
  EXPECT_FALSE(
      crypto::open_fresh(fresh_, overlay::delivery_context(kMesh, "node-bob", box.epoch), box.box))
      << "it opens as nobody else's";
}

TEST_F(OverlayDeskTest, AProofIsGoodForOneRequestOfOneNode) {
  begin();
  ASSERT_EQ(join("ann").status, 200);
  ASSERT_EQ(join("bob").status, 200);
  overlay::NodeRequest request{"node-ann", next_time(), "nonce", {}};
  const std::string target = path("config", "ann");
  request.signature =
      key_of("ann").sign(bytes_of(overlay::text_to_sign(request, "GET", target, kMesh)));
  const auto ask = [&](const std::string& where, const overlay::NodeRequest& said) {
    broker::HttpCall call = call_of("GET", where);
    call.authorization = crypto::SecretText(dialects::write_node_authorization(said));
    return answer(std::move(call)).status;
  };
  overlay::NodeRequest as_bob = request;
  as_bob.node = "node-bob";
  overlay::NodeRequest another_nonce = request;
  another_nonce.nonce = "another";
  EXPECT_EQ(ask(target, another_nonce), 401);
  EXPECT_EQ(ask(target + "?ready=1", request), 401) << "what it says of its keys is signed, too";
  EXPECT_EQ(ask(path("config", "bob"), request), 401);
  EXPECT_EQ(ask(path("config", "bob"), as_bob), 401);
  EXPECT_EQ(ask(target, request), 200);
  EXPECT_EQ(ask(target, request), 401) << "once";
  advance(std::chrono::minutes(2));
  EXPECT_EQ(config("ann").status, 200);
}

// As the page has it; and of a node nothing but by its own key.
TEST_F(OverlayDeskTest, OfANameThatNobodyHasNothingIsDecided) {
  begin();
  const net::HttpResponse got = config("zoe", "?ready=1");
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(
      got.body,
      R"({"node_id":"node-zoe","epoch_id":0,"allowed":null,"reason":"no membership decision"})");
  EXPECT_EQ(config("zoe", "?what=1").status, 422);
  const char* asked = "zoe";
  const auto show = [&](const std::string& header) {
    broker::HttpCall call = call_of("GET", path("config", asked));
    call.authorization = crypto::SecretText(header);
    return answer(std::move(call)).status;
  };
  EXPECT_EQ(show("Signet-Node node-zoe"), 401) << "it is no proof of anything";
  EXPECT_EQ(show("Signet-Node node-yan 1 n " + std::string(128, '0')), 401) << "of another name";
  EXPECT_EQ(show(""), 401) << "who shows nothing is told nothing of any name";
  EXPECT_EQ(config("bob").status, 200);
  ASSERT_EQ(join("bob").status, 200);
  asked = "bob";
  EXPECT_EQ(show("Signet-Node node-bob 1 n " + std::string(128, '0')), 401);
  EXPECT_NE(config("bob").body.find("\"allowed\":null"), std::string::npos);
}

TEST_F(OverlayDeskTest, WhoHasNotAskedSinceTheLastDecisionIsBehind) {
  begin();
  for (const char* name : {"ann", "bob"}) {
    ASSERT_EQ(join(name).status, 200);
    ASSERT_EQ(submit(name, 0.9).status, 200);
  }
  const auto behind = [&] {
    const std::string body = operate("GET", "/meshes/team/epoch").body;
    const auto at = body.find("\"behind\":"), end = body.find(",\"keys\":");
    return at == body.npos || end == body.npos ? body : body.substr(at, end - at);
  };
  const auto counted = [&] { return metrics_.sum("signet_overlay_nodes_behind"); };
  EXPECT_EQ(behind(), R"("behind":{"count":0,"nodes":[]})") << "nobody is a member yet";
  pass(std::chrono::minutes(1));
  EXPECT_EQ(behind(),
            R"("behind":{"count":2,"nodes":[{"node":"node-ann","epoch":null,"revocations":0},)"
            R"({"node":"node-bob","epoch":null,"revocations":0}]})");
  EXPECT_EQ(counted(), 2.0);
  ASSERT_EQ(config("ann").status, 200);
  EXPECT_EQ(answer("GET", path("config", "bob")).status, 401) << "without a proof nobody was told";
  EXPECT_EQ(behind(),
            R"("behind":{"count":1,"nodes":[{"node":"node-bob","epoch":null,"revocations":0}]})");
  EXPECT_EQ(counted(), 1.0);

  const std::string member =
      "/meshes/team/members/" + crypto::to_hex(key_of("bob").public_key()) + "/standing";
  ASSERT_EQ(operate("POST", member, R"({"standing":"quarantined"})").status, 200);
  pass(std::chrono::milliseconds(300));
  EXPECT_EQ(behind(),
            R"("behind":{"count":1,"nodes":[{"node":"node-ann","epoch":1,"revocations":0}]})")
      << "it may still have bob, who is none any more";
  ASSERT_EQ(config("ann").status, 200);
  EXPECT_EQ(behind(), R"("behind":{"count":0,"nodes":[]})");
  EXPECT_EQ(counted(), 0.0);
}

TEST_F(OverlayDeskTest, AMemberThatIsGivenNoPeersWasNotToldOfThem) {
  begin();
  ASSERT_EQ(join("ann").status, 200);
  ASSERT_EQ(submit("ann", 0.9).status, 200);
  pass(std::chrono::minutes(1));
  dialects::NodeRekey wanted;
  wanted.node = "node-ann";
  wanted.wireguard = crypto::digest32("test-wireguard", {"next"});
  wanted.timestamp = next_time();
  wanted.signature = key_of("ann").sign(bytes_of(dialects::text_to_sign(wanted, kMesh)));
  ASSERT_EQ(
      answer("POST", path("nodes", "ann") + "/key", dialects::write_rekey(wanted, kMesh)).status,
      200);
  ASSERT_EQ(config("ann").status, 200);
  EXPECT_EQ(metrics_.sum("signet_overlay_nodes_behind"), 1.0) << "it has to submit first";
  ASSERT_EQ(submit("ann", 0.9).status, 200);
  ASSERT_EQ(config("ann").status, 200);
  EXPECT_EQ(metrics_.sum("signet_overlay_nodes_behind"), 0.0);
}

TEST_F(OverlayDeskTest, AChangeOfKeysIsSignedByBothKeysAndSaidOnce) {
  begin();
  ASSERT_EQ(join("ann").status, 200);
  dialects::NodeRekey wanted;
  wanted.node = "node-ann";
  wanted.wireguard = crypto::digest32("test-wireguard", {"next"});
  wanted.key = key_of("anna").public_key();
  wanted.timestamp = next_time();
  const auto say = [&](const std::string& by, const std::string& agrees) {
    const std::string text = dialects::text_to_sign(wanted, kMesh);
    wanted.signature = key_of(by).sign(bytes_of(text));
    wanted.key_signature = key_of(agrees).sign(bytes_of(text));
    return answer("POST", path("nodes", "ann") + "/key", dialects::write_rekey(wanted, kMesh));
  };
  EXPECT_EQ(say("bob", "anna").status, 401);
  EXPECT_EQ(say("ann", "ann").status, 401) << "the new key has to agree";
  const auto got = say("ann", "anna");
  EXPECT_EQ(got.status, 200) << got.body;
  EXPECT_EQ(got.body, R"({"status":"rekeyed","node_id":"node-ann","address":"10.10.0.2"})");
  EXPECT_EQ(say("ann", "anna").status, 401) << "the old key is the node's no more";
  EXPECT_EQ(say("anna", "anna").status, 401) << "and it was said at that time already";
  wanted.timestamp = next_time();
  EXPECT_EQ(say("anna", "anna").status, 200) << "what is so already";
  EXPECT_EQ(config("ann").status, 401);
  EXPECT_EQ(answer("POST", path("nodes", "zoe") + "/key", "{").status, 422);
}

TEST_F(OverlayDeskTest, AQuarantinedNodeIsToldWhoseWordItsKeyTakes) {
  begin();
  ASSERT_EQ(join("ann").status, 200);
  const std::string member =
      "/meshes/team/members/" + crypto::to_hex(key_of("ann").public_key()) + "/standing";
  ASSERT_EQ(operate("POST", member, R"({"standing":"quarantined"})").status, 200);
  dialects::NodeRekey wanted;
  wanted.node = "node-ann";
  wanted.wireguard = crypto::digest32("test-wireguard", {"ann"});
  wanted.key = key_of("anna").public_key();
  wanted.timestamp = next_time();
  const std::string text = dialects::text_to_sign(wanted, kMesh);
  wanted.signature = key_of("ann").sign(bytes_of(text));
  wanted.key_signature = key_of("anna").sign(bytes_of(text));
  const auto got =
      answer("POST", path("nodes", "ann") + "/key", dialects::write_rekey(wanted, kMesh));
  EXPECT_EQ(got.status, 403) << got.body;
  EXPECT_NE(got.body.find("\"not_invited\""), std::string::npos) << got.body;
  EXPECT_NE(got.body.find("operators' word"), std::string::npos) << got.body;
}

// What an operator says of the key that a node had would look done, and the node go on.
TEST_F(OverlayDeskTest, OfAKeyThatItsNodeChangedTheOperatorIsToldTheNewOne) {
  begin();
  ASSERT_EQ(join("ann").status, 200);
  std::optional<controller::NodeAnswer> done;
  control_.run_and_wait([&] {
    epochs_->rekey({"node-ann", std::nullopt, key_of("anna").public_key(), {}},
                   [&](controller::NodeAnswer answer) { done = answer; });
  });
  settle();
  ASSERT_TRUE(done && std::holds_alternative<Done>(*done));
  const auto member = [](const std::string& name) {
    return "/meshes/team/members/" + crypto::to_hex(key_of(name).public_key());
  };
  const std::string next = crypto::to_hex(key_of("anna").public_key());
  const std::pair<const char*, const char*> said[] = {
      {"/standing", R"({"standing":"revoked"})"},
      {"/standing", R"({"standing":"quarantined"})"},
      {"/role", R"({"role":"admin","tags":[]})"}};
  for (const auto& [verb, body] : said) {
    const auto got = operate("POST", member("ann") + verb, body);
    EXPECT_EQ(got.status, 409) << body;
    EXPECT_NE(got.body.find(next), std::string::npos) << got.body;
  }
  EXPECT_EQ(operate("POST", member("anna") + "/standing", R"({"standing":"quarantined"})").status,
            200);
}

TEST_F(OverlayDeskTest, AnAddressRegistersNoOftenerThanItMay) {
  desk_.registrations_per_minute = 2;
  begin();
  EXPECT_EQ(join("ann").status, 200);
  EXPECT_EQ(join("bob").status, 200);
  EXPECT_EQ(join("bob").status, 429);
  advance(std::chrono::minutes(1));
  EXPECT_EQ(join("bob").status, 200);
}

TEST_F(OverlayDeskTest, NorMakesItMoreNodesWithoutASignature) {
  desk_.registrations_per_minute = 2;
  overlay_.submissions.allow_unsigned = true;
  begin();
  const auto say = [&](const std::string& name) {
    const std::string body = R"({"node_id":"node-)" + name +
                             R"(","suite_version":"p","scores":{"overall":0.9},"timestamp":")" +
                             iso8601(next_time()) + R"("})";
    return answer("POST", path("benchmarks", name), body);
  };
  EXPECT_EQ(say("a").status, 200);
  EXPECT_EQ(say("b").status, 200);
  const auto refused = say("c");
  EXPECT_EQ(refused.status, 429);
  EXPECT_NE(refused.body.find("\"rate_limited\""), std::string::npos) << refused.body;
  EXPECT_EQ(say("a").status, 200) << "who is there reports on";
  advance(std::chrono::minutes(1));
  EXPECT_EQ(say("c").status, 200);
}

TEST_F(OverlayDeskTest, AnAddressAsksNoOftenerThanItMay) {
  desk_.requests_per_second = 3;
  begin();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(answer("GET", "/v1/config/n").status, 401);
  EXPECT_EQ(answer("GET", "/v1/config/n").status, 429);
  broker::HttpCall call = call_of("GET", "/v1/epoch");
  call.authorization = operator_bearer();
  EXPECT_EQ(answer(std::move(call)).status, 200) << "operators are not held up by a flood";
}

TEST_F(OverlayDeskTest, AnOriginalNodeIsGivenItsKeyWhereTheMeshBelievesAnybody) {
  overlay_.submissions.allow_unsigned = true;
  begin();
  const std::string body =
      R"({"node_id":"node-old","suite_version":"p","scores":{"overall":0.9},"timestamp":")" +
      iso8601(clock_.wall()) + R"("})";
  EXPECT_EQ(answer("POST", path("benchmarks", "old"), body).status, 200);
  EXPECT_EQ(answer("GET", path("config", "old")).body.find("psk_base64"), std::string::npos)
      << "before the first decision";
  pass(std::chrono::minutes(1));
  EXPECT_NE(answer("GET", path("config", "old")).body.find("psk_base64"), std::string::npos);
  EXPECT_NE(answer("GET", "/health").body.find("\"epoch_id\":"), std::string::npos);
}

TEST_F(OverlayDeskTest, InDevModeVerdictsAreOpenAndKeysAreNot) {
  desk_.open = true;
  begin();
  ASSERT_EQ(join("ann").status, 200);
  ASSERT_EQ(submit("ann", 0.9).status, 200);
  pass(std::chrono::minutes(1));
  const auto got = answer("GET", path("config", "ann"));
  EXPECT_EQ(got.status, 200);
  EXPECT_NE(got.body.find("\"allowed\":true"), std::string::npos) << got.body;
  EXPECT_EQ(got.body.find("keys"), std::string::npos) << got.body;
  EXPECT_EQ(answer("GET", "/v1/epoch").status, 200);
}

}  // namespace
}  // namespace signet::admin
