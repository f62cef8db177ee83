// Stories of operators who ask over HTTP: olga, omar and otto decide together for "mesh-team", any
// two of them; ann and bob are its members.
#include "admin/operators_desk.h"

#include "admin/story_for_test.h"
#include "dialects/overlay_revocations.h"

namespace signet::admin {
namespace {

using membership::OperatorAction;
using membership::OperatorStatement;

class OperatorsDeskTest : public AdminStory {
 protected:
  OperatorsDeskTest() : server_(membership::key_of("server")) {
    for (const char* name : {"olga", "omar", "otto"}) {
      overlay_.operators.keys.push_back(membership::key_of(name).public_key());
    }
    desk_.signer = {server_.public_key(),
                    [this](std::string_view text) { return server_.sign(bytes_of(text)); }};
  }
  ~OperatorsDeskTest() override { control_.stop(); }

  void begin() {
    start_admin();
    std::array<unsigned char, 32> key{};
    key.fill(7);
    bool loaded = false;
    control_.run_and_wait([&] {
      epochs_.emplace(overlay_, MeshNumber{1}, controller::OverlayVault(key, {1}), control_, store_,
                      clock_, *controller_, metrics_);
      admin_->serve_overlay(desk_, *epochs_, "mesh-team");
      epochs_->load([&](const Status& status) { loaded = status.ok(); });
    });
    settle();
    ASSERT_TRUE(loaded);
  }
  std::string id_of(const std::string& name) {
    return controller_->table()
        .mesh("mesh-team")
        ->member(membership::key_of(name).public_key())
        ->id;
  }
  std::string body_of(OperatorAction action, const std::string& target, std::uint64_t serial,
                      const std::vector<std::string>& names) {
    const OperatorStatement what{"mesh-team", action, target,
                                 serial,      1,      clock_.wall() + std::chrono::hours(1)};
    membership::SignedStatement said{what.text(), {}};
    for (const std::string& name : names) {
      const crypto::SecretKey key = membership::key_of(name);
      said.signatures.push_back({key.public_key(), key.sign(bytes_of(said.text))});
    }
    return dialects::write_signed_statement(said);
  }
  net::HttpResponse revoke(const std::string& member, std::uint64_t serial,
                           const std::vector<std::string>& names) {
    return answer("POST", "/v1/revoke",
                  body_of(OperatorAction::kRevoke, id_of(member), serial, names));
  }
  std::string standing_path(const std::string& name) {
    return "/meshes/team/members/" + crypto::to_hex(membership::key_of(name).public_key()) +
           "/standing";
  }
  std::optional<double> count_of(const std::string& family, const std::string& label = {}) {
    return metrics_.sum(family, label);
  }

  crypto::SecretKey server_;
  controller::OverlayOptions overlay_;
  OverlayDeskOptions desk_;
  std::optional<controller::Epochs> epochs_;
};

TEST_F(OperatorsDeskTest, TwoRevokeAndTheListSaysSo) {
  begin();
  const auto empty = dialects::read_revocations(answer("GET", "/v1/revocations").body);
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->serial, 0U);
  EXPECT_TRUE(empty->entries.empty());

  const net::HttpResponse done = revoke("bob", 1, {"olga", "otto"});
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.body, R"({"status":"done","serial":1,"action":"revoke"})");
  const auto list = dialects::read_revocations(answer("GET", "/v1/revocations").body);
  ASSERT_TRUE(list.ok()) << list.error().detail;
  EXPECT_TRUE(dialects::verifies(*list));
  EXPECT_EQ(list->signer, server_.public_key());
  EXPECT_EQ(list->serial, 1U);
  ASSERT_EQ(list->entries.size(), 1U);
  EXPECT_EQ(OperatorStatement::of(list->entries[0].statement)->target, id_of("bob"));
  EXPECT_EQ(list->entries[0].signatures.size(), 2U);
  EXPECT_EQ(count_of("signet_operator_statements_total"), 1.0);
}

TEST_F(OperatorsDeskTest, EachRefusalHasItsStatusCodeAndCount) {
  begin();
  struct Row {
    const char* name;
    std::string body;
    int status;
    const char* code;
  };
  const std::string bob = id_of("bob");
  const Row rows[] = {
      {"no body", "", 422, "malformed"},
      {"no statement", R"({"statement":"x","signatures":[]})", 422, "malformed"},
      {"one", body_of(OperatorAction::kRevoke, bob, 1, {"olga"}), 403, "too_few_signatures"},
      {"a stranger", body_of(OperatorAction::kRevoke, bob, 1, {"olga", "ann"}), 403,
       "unknown_signer"},
      {"nobody's id", body_of(OperatorAction::kRevoke, "member-x", 1, {"olga", "omar"}), 404,
       "unknown_target"},
      {"an old serial", body_of(OperatorAction::kRevoke, bob, 0, {"olga", "omar"}), 409,
       "stale_serial"},
      {"nothing is held",
       body_of(OperatorAction::kDenyMany, std::string(64, 'a'), 1, {"olga", "omar"}), 409,
       "not_held"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const double before = count_of("signet_operator_statements_refused_total",
                                   "reason=\"" + std::string(row.code) + "\"")
                              .value_or(-1);
    const net::HttpResponse got = answer("POST", "/v1/revoke", row.body);
    EXPECT_EQ(got.status, row.status) << got.body;
    EXPECT_NE(got.body.find("\"code\":\"" + std::string(row.code) + "\""), std::string::npos)
        << got.body;
    EXPECT_EQ(count_of("signet_operator_statements_refused_total",
                       "reason=\"" + std::string(row.code) + "\""),
              before + 1);
  }
  EXPECT_EQ(answer("GET", "/v1/revoke").status, 404);
  EXPECT_EQ(answer("POST", "/v1/revocations").status, 404);
}

TEST_F(OperatorsDeskTest, OneOperatorsTokenMayQuarantineButNotRevoke) {
  begin();
  EXPECT_EQ(operate("POST", standing_path("bob"), R"({"standing":"quarantined"})").status, 200);
  const net::HttpResponse refused =
      operate("POST", standing_path("bob"), R"({"standing":"revoked"})");
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("signet revoke propose"), std::string::npos) << refused.body;
  EXPECT_EQ(count_of("signet_operator_alone_refused_total"), 1.0);
  EXPECT_EQ(revoke("bob", 1, {"olga", "omar"}).status, 200);
}

TEST_F(OperatorsDeskTest, OneOperatorsTokenLetsNoHeldDenialsHappen) {
  begin();
  const std::string body = R"({"held_digest":")" + std::string(64, 'a') + "\"}";
  const net::HttpResponse refused = operate("POST", "/meshes/team/epoch/deny", body);
  EXPECT_EQ(refused.status, 403);
  EXPECT_NE(refused.body.find("operators_needed"), std::string::npos) << refused.body;
  EXPECT_NE(refused.body.find("--deny-many"), std::string::npos) << refused.body;
  EXPECT_EQ(count_of("signet_operator_alone_refused_total"), 1.0);
}

TEST_F(OperatorsDeskTest, InAnEmergencyTheTokenIsEnoughAndTheGaugeSaysSo) {
  overlay_.operators.emergency = true;
  begin();
  const std::string body = R"({"held_digest":")" + std::string(64, 'a') + "\"}";
  EXPECT_EQ(operate("POST", "/meshes/team/epoch/deny", body).status, 409) << "none are held";
  EXPECT_EQ(count_of("signet_operators_emergency"), 1.0);
  EXPECT_EQ(operate("POST", standing_path("bob"), R"({"standing":"revoked"})").status, 200);
}

TEST_F(OperatorsDeskTest, WithoutOperatorsTheTokenRevokesAsEver) {
  overlay_.operators.keys.clear();
  begin();
  const net::HttpResponse refused = revoke("bob", 1, {"olga", "omar"});
  EXPECT_EQ(refused.status, 409);
  EXPECT_NE(refused.body.find("no_operators"), std::string::npos);
  EXPECT_EQ(operate("POST", standing_path("bob"), R"({"standing":"revoked"})").status, 200);
  EXPECT_EQ(count_of("signet_operators_emergency"), 0.0);
}

TEST_F(OperatorsDeskTest, ShowsWhatTheNextStatementHasToSay) {
  begin();
  const auto before = dialects::read_operators(answer("GET", "/v1/operators").body);
  ASSERT_TRUE(before.ok()) << before.error().detail;
  EXPECT_EQ(before->mesh, "mesh-team");
  EXPECT_EQ(before->operators, overlay_.operators.keys);
  EXPECT_EQ(before->needed, 2U);
  EXPECT_EQ(before->serial, 0U);
  EXPECT_EQ(before->policy_version, 1U);
  ASSERT_EQ(
      answer("POST", "/v1/revoke", body_of(OperatorAction::kThreshold, "0.85", 1, {"omar", "otto"}))
          .status,
      200);
  const auto after = dialects::read_operators(answer("GET", "/v1/operators").body);
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->serial, 1U);
  EXPECT_EQ(after->policy_version, 2U);
}

TEST_F(OperatorsDeskTest, AServerWithoutAKeyHasNoList) {
  desk_.signer = {};
  begin();
  EXPECT_EQ(answer("GET", "/v1/revocations").status, 404);
}

TEST_F(OperatorsDeskTest, IsLimitedByAddressAsTheRestOfTheOverlay) {
  desk_.requests_per_second = 2;
  begin();
  EXPECT_EQ(revoke("bob", 1, {"olga"}).status, 403);
  EXPECT_EQ(revoke("bob", 1, {"olga"}).status, 403);
  EXPECT_EQ(revoke("bob", 1, {"olga", "omar"}).status, 429);
}

}  // namespace
}  // namespace signet::admin
