#include "signet/node/controller_link.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <string>
#include <thread>
#include <utility>

#include "signet/node/fake_controller_for_test.h"
#include "signet/terminal/failure.h"

namespace signet::node {
namespace {

constexpr WallTime kLinkNow{1'700'000'000'000};

// Answers once, and keeps what was asked.
class OneAnswer final : public ControllerLink {
 public:
  Result<client::HttpAnswer> ask(std::string_view method, const std::string& target,
                                 std::string_view body, std::string_view authorization,
                                 std::size_t max_answer) override {
    most = max_answer;
    asked = std::string(method) + " " + target;
    sent = body;
    proof = authorization;
    return answer;
  }
  client::HttpAnswer answer{200, "{}"};
  std::string asked, sent, proof;
  std::size_t most = 0;
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
      {"http://127.3.2.1:8088", false, ""},
      {"http://127.evil.example:8088", false, "insecure_http"},
      {"http://127.0.0.1.evil.example:8088", false, "insecure_http"},
      {"http://127.1:8088", false, "insecure_http"},
      {"http://128.0.0.1:8088", false, "insecure_http"},
      {"http://12.7.0.1:8088", false, "insecure_http"},
      {"http://[::2]:8088", false, "insecure_http"},
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

TEST(ControllerTalk, EachQuestionTakesAsMuchAsItsAnswerMayHave) {
  OneAnswer link;
  const KeptState kept = test_state();
  ASSERT_TRUE(ask_config(link, kept, test_key(1), {}, kLinkNow).ok());
  EXPECT_GT(link.most, dialects::kMaxConfigBytes);
  EXPECT_LT(link.most, dialects::kMaxConfigBytes + client::kMaxAnswerBytes);
  ASSERT_TRUE(ask_revocations(link).ok());
  EXPECT_GT(link.most, dialects::kMaxRevocationsBytes);
  ASSERT_TRUE(send_registration(link, kept, test_key(1), kLinkNow).ok());
  EXPECT_EQ(link.most, client::kMaxAnswerBytes);
}

// A server on the loopback that answers one question with these bytes.
class OneRawAnswer {
 public:
  explicit OneRawAnswer(std::string bytes) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);  // NOLINT: as the system has it
    EXPECT_EQ(::bind(socket_, any, size), 0);
    EXPECT_EQ(::listen(socket_, 1), 0);
    EXPECT_EQ(::getsockname(socket_, any, &size), 0);
    port_ = ntohs(address.sin_port);
    const timeval patience{10, 0};
    EXPECT_EQ(::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    thread_ = std::thread([this, said = std::move(bytes)] {
      const int peer = ::accept(socket_, nullptr, nullptr);
      if (peer < 0) return;
      std::array<char, 4'096> question{};
      (void)::recv(peer, question.data(), question.size(), 0);
      (void)::send(peer, said.data(), said.size(), MSG_NOSIGNAL);
      ::close(peer);
    });
  }
  OneRawAnswer(const OneRawAnswer&) = delete;
  OneRawAnswer& operator=(const OneRawAnswer&) = delete;
  ~OneRawAnswer() {
    thread_.join();
    ::close(socket_);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
  std::thread thread_;
};

TEST(HttpControllerLink, AnAnswerThatIsTooLongIsNoControllerThatIsAway) {
  const OneRawAnswer server("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n{");
  ControllerLinkOptions options;
  options.url = server.url();
  const auto link = HttpControllerLink::to(options);
  ASSERT_TRUE(link.ok());
  const auto answer = ask_revocations(**link);
  ASSERT_FALSE(answer.ok());
  EXPECT_TRUE(is_too_long(answer.error())) << answer.error().detail;
  EXPECT_FALSE(is_too_long({ErrorCode::kUnavailable, "unreachable: nobody there"}));
}

TEST(ControllerTalk, OnlyAClearNoEndsAChangeOfKeys) {
  const struct {
    const char* code;
    int status;
    bool no;
  } rows[] = {
      {"malformed", 422, true},    {"bad_key", 400, true},     {"key_taken", 409, true},
      {"revoked", 403, true},      {"not_invited", 403, true}, {"name_taken", 409, true},
      {"unproven", 401, false},    {"replayed", 401, false},   {"rate_limited", 429, false},
      {"unavailable", 503, false}, {"status_500", 500, false}, {"key_taken", 502, false},
      {"status_404", 404, false},  {"something", 403, false},  {"key_taken", 200, false},
      {"revoked", 302, false},
  };
  for (const auto& row : rows) {
    Answered answer;
    answer.status = row.status;
    answer.code = row.code;
    EXPECT_EQ(means_no(answer), row.no) << row.status << " " << row.code;
  }
}

TEST(ControllerTalk, AControllerWithoutAnOverlayIsToldFromOneWithoutTheNode) {
  OneAnswer link;
  link.answer = {404, "not found\n"};
  const cli::Told bare = cli::tell(refused(*ask_revocations(link), "the registration"));
  EXPECT_EQ(bare.code, "no_overlay");
  EXPECT_EQ(bare.message, "the registration was refused: the controller has no overlay");
  EXPECT_NE(bare.advice.find("overlay.key_file"), std::string::npos);
  link.answer = {404, R"({"code":"unknown_node","detail":"no such node"})"};
  EXPECT_EQ(cli::tell(refused(*ask_revocations(link), "it")).code, "unknown_node");
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
