#include "signet/relay/session.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "signet/relay/frames.h"
#include "signet/terminal/failure.h"
#include "trust/challenge.h"
#include "wire/websocket_upgrade.h"

namespace signet::cli {
namespace {

using crypto::RelaySecretKey;

constexpr Elapsed kStart{std::chrono::seconds(1'000)};
constexpr std::string_view kAddress = "relay.example:80";

// What the client wrote, as a server reads it.
struct ClientFrames final : wire::FrameEvents {
  std::vector<std::string> texts;
  std::size_t pongs = 0;
  bool on_message(wire::MessageKind, std::string_view payload) override {
    texts.emplace_back(payload);
    return true;
  }
  bool on_ping(std::string_view) override { return true; }
  bool on_pong(std::string_view) override { return ++pongs > 0; }
  void on_close(std::uint16_t, std::string_view) override {}
};

// A session and the server that it talks to.
class Story {
 public:
  explicit Story(KnownKeys known = {}) : known_(std::move(known)) {
    session_.emplace(key_, known_, std::string(kAddress), "/relay/", kStart);
  }

  Story& upgrade() {
    const std::string request = std::exchange(session_->output(), {});
    const auto at = request.find("Sec-WebSocket-Key: ") + 19;
    std::string answer;
    wire::append_switching_protocols(answer, request.substr(at, request.find("\r\n", at) - at), "");
    return bytes(answer);
  }
  Story& bytes(std::string text) {
    session_->feed(text, kStart);
    return *this;
  }
  Story& says(std::string_view frame) {
    std::string out;
    wire::append_frame(out, wire::Opcode::kText, frame);
    return bytes(out);
  }
  Story& closes(std::uint16_t code, std::string_view reason) {
    std::string out;
    wire::append_close(out, code, reason);
    return bytes(out);
  }
  Story& challenges() { return says(challenge()); }
  Story& registered() { return upgrade().challenges().says(R"({"type":"REGISTER_SUCCESS"})"); }

  std::string challenge() const {
    wire::JsonWriter frame;
    frame.object().key("type").value("CHALLENGE");
    frame.key("from").value(crypto::relay_key_text(server_.public_key()));
    frame.key("nonce").value(to_base64url(issued_.nonce));
    return frame.key("challengeText").value(issued_.text).end().take();
  }
  // What the client wrote since it was asked last.
  ClientFrames said() {
    ClientFrames frames;
    std::string output = std::exchange(session_->output(), {});
    (void)reader_.feed(output, {}, frames);
    return frames;
  }
  std::string end() const { return session_->end() ? tell(*session_->end()).code : ""; }

  RelaySecretKey key_ = RelaySecretKey::generate();
  RelaySecretKey server_ = RelaySecretKey::generate();
  trust::IssuedChallenge issued_ = trust::issue_challenge(WallTime{1'767'616'490'123});
  KnownKeys known_;
  std::optional<RelaySession> session_;
  wire::FrameReader reader_{wire::Role::kServer};
};

TEST(RelaySession, ProvesItsKeyAsAServerChecksIt) {
  Story story;
  story.upgrade().challenges();
  const ClientFrames said = story.said();
  ASSERT_EQ(said.texts.size(), 1U);
  wire::JsonDocument response;
  ASSERT_TRUE(response.parse(said.texts[0]).ok());
  const auto text = [&](std::string_view name) { return *response.root()[name].string(); };
  EXPECT_EQ(text("type"), "CHALLENGE_RESPONSE");
  const auto checked = trust::check_response(
      {text("from"), text("to"), text("nonce"), text("message")}, story.issued_, story.server_);
  ASSERT_TRUE(std::holds_alternative<crypto::RelayKey>(checked));
  EXPECT_EQ(std::get<crypto::RelayKey>(checked), story.key_.public_key());
  EXPECT_FALSE(story.session_->is_registered());
  story.says(R"({"type":"REGISTER_SUCCESS"})");
  EXPECT_TRUE(story.session_->is_registered());
  EXPECT_EQ(story.session_->server(), story.server_.public_key());
}

// A relay that is not the one that is known gets nothing sealed by this key.
TEST(RelaySession, AnswersNoServerThatItMayNotTrust) {
  const auto other = RelaySecretKey::generate().public_key();
  // clang-format off
  const struct { const char* name; bool pins_it; bool pins_other; bool is_peer; std::string_view end; } rows[] = {
      {"unknown yet", false, false, false, ""},
      {"the one that is pinned", true, false, false, ""},
      {"another is pinned", false, true, false, "relay_key_changed"},
      {"a friend's key", false, false, true, "relay_key_is_a_peer"},
      {"another is pinned, and a friend's key", false, true, true, "relay_key_changed"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Story story;
    const std::string address(kAddress);
    if (row.pins_it) story.known_.servers.emplace(address, story.server_.public_key());
    if (row.pins_other) story.known_.servers.emplace(address, other);
    if (row.is_peer) story.known_.peers.insert(story.server_.public_key());
    story.known_.servers.emplace("elsewhere:80", other);
    story.upgrade().challenges();
    EXPECT_EQ(story.end(), row.end);
    EXPECT_EQ(story.said().texts.size(), row.end.empty() ? 1U : 0U);
  }
}

TEST(RelaySession, EndsOnWhatIsNoRelay) {
  const std::string zero(43, 'A');
  // clang-format off
  const struct { const char* name; std::string frame; std::string_view end; } rows[] = {
      {"no JSON", "hello", "protocol_error"},
      {"another frame", R"({"type":"REGISTER_SUCCESS"})", "protocol_error"},
      {"a zero key", R"({"type":"CHALLENGE","from":")" + zero + R"(","nonce":")" + std::string(32, 'A') + R"(","challengeText":"x"})", "protocol_error"},
  };
  // clang-format on
  for (const auto& row : rows) {
    Story story;
    EXPECT_EQ(story.upgrade().says(row.frame).end(), row.end) << row.name;
    EXPECT_TRUE(story.said().texts.empty());
  }
  Story page;
  EXPECT_EQ(page.bytes("HTTP/1.1 404 Not Found\r\n\r\n").end(), "no_relay");
  Story flood;
  EXPECT_EQ(flood.bytes(std::string(20'000, 'x')).end(), "no_relay");
}

TEST(RelaySession, SaysWhyItWasRefused) {
  // clang-format off
  const struct { const char* frame; std::string_view end; ErrorCode code; } rows[] = {
      {R"({"type":"REGISTER_FAILURE","reason":"not a member"})", "not_a_member", ErrorCode::kUnauthorized},
      {R"({"type":"REGISTER_FAILURE","reason":"too many registrations"})", "rate_limited", ErrorCode::kOverloaded},
      {R"({"type":"REGISTER_FAILURE","reason":"Registration timed out"})", "timed_out", ErrorCode::kOverloaded},
      {R"({"type":"REGISTER_FAILURE","reason":"go away"})", "register_refused", ErrorCode::kUnauthorized},
      {R"({"error":"SOCKET_ALREADY_REGISTERED"})", "register_refused", ErrorCode::kUnauthorized},
      {R"({"type":"FOO"})", "protocol_error", ErrorCode::kUnavailable},
      {"noise", "protocol_error", ErrorCode::kUnavailable},
  };
  // clang-format on
  for (const auto& row : rows) {
    Story story;
    EXPECT_EQ(story.upgrade().challenges().says(row.frame).end(), row.end) << row.frame;
    EXPECT_EQ(story.session_->end()->code, row.code) << row.frame;
  }
}

TEST(RelaySession, HandsOverFramesAndSaysWhyItEnded) {
  Story story;
  story.registered().says("one").says("two");
  EXPECT_EQ(story.session_->take(), (std::vector<std::string>{"one", "two"}));
  EXPECT_TRUE(story.session_->take().empty());
  (void)story.said();
  story.session_->say("an envelope");
  std::string ping;
  wire::append_frame(ping, wire::Opcode::kPing, "x");
  story.bytes(ping);
  const ClientFrames said = story.said();
  EXPECT_EQ(said.texts, std::vector<std::string>{"an envelope"});
  EXPECT_EQ(said.pongs, 1U);
  EXPECT_EQ(story.closes(4006, "replaced").end(), "replaced");

  Story silent;
  silent.registered().session_->on_time(kStart + std::chrono::seconds(60));
  EXPECT_EQ(silent.end(), "");
  silent.session_->on_time(kStart + std::chrono::seconds(120));
  EXPECT_EQ(silent.end(), "connection_lost");
  Story closed;
  EXPECT_EQ(closed.registered().closes(1001, "going_away").end(), "connection_lost");
}

}  // namespace
}  // namespace signet::cli
