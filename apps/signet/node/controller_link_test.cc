#include "signet/node/controller_link.h"

#include <gtest/gtest.h>

#include "signet/node/fake_controller_for_test.h"

namespace signet::node {
namespace {

constexpr WallTime kLinkNow{1'700'000'000'000};

// Answers once, and keeps what was asked.
class OneAnswer final : public ControllerLink {
 public:
  Result<client::HttpAnswer> ask(std::string_view method, const std::string& target,
                                 std::string_view body, std::string_view authorization) override {
    asked = std::string(method) + " " + target;
    sent = body;
    proof = authorization;
    return answer;
  }
  client::HttpAnswer answer{200, "{}"};
  std::string asked, sent, proof;
};

TEST(HttpControllerLink, BelievesOnlyTlsAndThisMachine) {
  const struct {
    const char* url;
    bool insecure;
    const char* code;  // empty: it is fine
  } rows[] = {
      {"https://controller.example:8443", false, ""},
      {"wss://controller.example/ws", false, ""},
      {"ws://127.0.0.1:8088/ws", false, ""},
      {"http://localhost:8088", false, ""},
      {"http://[::1]:8088", false, ""},
      {"ws://192.0.2.7:8088/ws", false, "insecure_http"},
      {"http://localhost.example:8088", false, "insecure_http"},
      {"http://192.0.2.7:8088", true, ""},
      {"ftp://192.0.2.7", true, "usage"},
      {"", false, "usage"},
  };
  for (const auto& row : rows) {
    ControllerLinkOptions options;
    options.url = row.url;
    options.insecure_http = row.insecure;
    const auto link = HttpControllerLink::to(options);
    EXPECT_EQ(link.ok() ? "" : std::string(code_of(link.error())), row.code) << row.url;
  }
}

TEST(SignedTimes, RiseAndStayNearTheClock) {
  SignedTimes times;
  EXPECT_EQ(times.next(kLinkNow), kLinkNow);
  EXPECT_EQ(times.next(kLinkNow).ms, kLinkNow.ms + 1);
  EXPECT_EQ(times.next(kLinkNow - std::chrono::seconds(10)).ms, kLinkNow.ms + 2);
  EXPECT_EQ(times.next(kLinkNow + std::chrono::seconds(5)).ms, kLinkNow.ms + 5'000);
  // Set back by an hour: what is an hour ahead is refused by everybody.
  EXPECT_EQ(times.next(kLinkNow - std::chrono::hours(1)).ms, kLinkNow.ms - 3'600'000);
}

TEST(ControllerTalk, ARegistrationIsReadByTheOtherSide) {
  OneAnswer link;
  KeptState kept = test_state();
  kept.endpoint = "192.0.2.7:51820";
  ASSERT_TRUE(send_registration(link, kept, test_key(1), kLinkNow).ok());
  EXPECT_EQ(link.asked, "POST /v1/nodes/node-a");
  const auto read = dialects::read_registration(link.sent, "node-a", kTestMesh);
  const auto* wanted = std::get_if<dialects::NodeRegistration>(&read);
  ASSERT_NE(wanted, nullptr);
  EXPECT_EQ(wanted->wireguard, wireguard_key_of(kept.wireguard));
  EXPECT_EQ(wanted->endpoint, "192.0.2.7:51820");
  EXPECT_EQ(wanted->timestamp, kLinkNow);
  EXPECT_EQ(overlay::check_proof(wanted->key, wanted->signed_text, wanted->signature, kLinkNow, {},
                                 kLinkNow),
            std::nullopt);
}

TEST(ControllerTalk, AChangeOfKeysIsOfThePendingKey) {
  OneAnswer link;
  KeptState kept = test_state();
  kept.pending = new_wireguard_secret();
  ASSERT_TRUE(send_rekey(link, kept, test_key(1), kLinkNow).ok());
  EXPECT_EQ(link.asked, "POST /v1/nodes/node-a/key");
  const auto read = dialects::read_rekey(link.sent, "node-a", kTestMesh);
  const auto* wanted = std::get_if<dialects::NodeRekey>(&read);
  ASSERT_NE(wanted, nullptr);
  EXPECT_EQ(wanted->wireguard, wireguard_key_of(kept.pending));
  EXPECT_EQ(wanted->key, std::nullopt);
  EXPECT_TRUE(
      crypto::verify(test_key(1).public_key(), bytes_of(wanted->signed_text), wanted->signature));
}

TEST(ControllerTalk, NoNonceIsUsedTwice) {
  OneAnswer link;
  const KeptState kept = test_state();
  ASSERT_TRUE(ask_config(link, kept, test_key(1), {8, 7}, kLinkNow).ok());
  EXPECT_EQ(link.asked, "GET /v1/config/node-a?ready=8&uses=7");
  const auto first = dialects::read_node_authorization(link.proof);
  ASSERT_TRUE(ask_config(link, kept, test_key(1), {8, 7}, kLinkNow).ok());
  const auto second = dialects::read_node_authorization(link.proof);
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->nonce, second->nonce);
}

TEST(ControllerTalk, ARefusalIsReadAsItsCodeAndShownOnOneLine) {
  const struct {
    const char* body;
    const char* code;
    const char* detail;
    int status;
    ErrorCode category;
  } rows[] = {
      // clang-format off
      {R"({"detail":"replayed","code":"replayed"})", "replayed", "replayed", 400, ErrorCode::kForbidden},
      {R"({"code":"rate_limited"})", "rate_limited", "", 429, ErrorCode::kUnavailable},
      {"busy", "status_503", "", 503, ErrorCode::kUnavailable},
      {R"({"code":"name_taken","detail":"a\nb"})", "name_taken", R"(a\nb)", 409, ErrorCode::kConflict},
      {"", "status_404", "", 404, ErrorCode::kNotFound},
      // clang-format on
  };
  for (const auto& row : rows) {
    OneAnswer link;
    link.answer = {row.status, row.body};
    const auto answer = ask_revocations(link);
    ASSERT_TRUE(answer.ok());
    EXPECT_FALSE(answer->is_taken());
    EXPECT_EQ(answer->code, row.code);
    EXPECT_EQ(answer->detail, row.detail);
    EXPECT_EQ(refused(*answer, "it").code, row.category);
  }
}

}  // namespace
}  // namespace signet::node
