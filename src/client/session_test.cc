#include "client/session.h"

#include <gtest/gtest.h>

#include "dialects/claudemesh.h"
#include "signet/client.h"
#include "wire/websocket_upgrade.h"

namespace signet::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr WallTime kWall{1'700'000'000'000};
constexpr const char* kHelloAck =
    R"({"type":"hello_ack","presenceId":"p-1","memberDisplayName":"Ada"})";

const crypto::SecretKey& ada() {
  static const auto* key = new crypto::SecretKey(crypto::SecretKey::from_seed({1, 2, 3}));
  return *key;
}

std::string text_frame(std::string_view text) {
  std::string out;
  wire::append_frame(out, wire::Opcode::kText, text);
  return out;
}
std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string out;
  wire::append_close(out, code, reason);
  return out;
}
std::string error_frame(const std::string& code) {
  return text_frame(R"({"type":"error","code":")" + code + R"(","message":"x"})");
}
std::string ping_frame(std::string_view payload) {
  std::string out;
  wire::append_frame(out, wire::Opcode::kPing, payload);
  return out;
}

// One frame that a client wrote.
struct Written {
  std::string kind, payload;
  bool operator==(const Written&) const = default;
};
class ClientFrames : private wire::FrameEvents {
 public:
  std::vector<Written> read(std::string& bytes) {
    EXPECT_FALSE(reader_.feed(bytes, {.max_message_bytes = 1 << 24}, *this));
    bytes.clear();
    return std::exchange(frames_, {});
  }

 private:
  bool on_message(wire::MessageKind, std::string_view payload) override {
    return note("text", payload);
  }
  bool on_ping(std::string_view payload) override { return note("ping", payload); }
  bool on_pong(std::string_view payload) override { return note("pong", payload); }
  void on_close(std::uint16_t code, std::string_view) override {
    note("close", std::to_string(code));
  }
  bool note(const char* kind, std::string_view payload) {
    frames_.push_back({kind, std::string(payload)});
    return true;
  }
  wire::FrameReader reader_{wire::Role::kServer};
  std::vector<Written> frames_;
};

class SessionStory : public testing::Test, protected SessionEvents {
 protected:
  SessionStory() { start(); }
  void start(const SessionOptions& options = {}) {
    SessionIdentity identity;
    identity.mesh_id = "mesh-1";
    identity.member_id = "member-1";
    identity.key = &ada();
    identity.display_name = "Ada";
    session_.emplace(options, identity, "broker:1", "/ws", now_);
    heard_.clear();
    written_ = {};
  }
  void on_admitted(const dialects::HelloAnswer& answer) override {
    heard_ += "admitted as " + answer.display_name + "; ";
  }
  void on_answer(dialects::Answer answer) override {
    const bool is_understood = !std::holds_alternative<dialects::NotUnderstood>(answer);
    heard_ += (is_understood ? std::to_string(answer.index()) : "noise") + "; ";
    if (lose_at_answer_) session_->lost("the owner is tired");
  }
  void feed(std::string bytes) { session_->feed(bytes, now_, kWall, *this); }
  void wait(milliseconds time) {
    now_ = now_ + time;
    session_->on_time(now_);
  }
  // The head that a true broker answers the request with.
  std::string accepted() {
    const std::string& request = session_->output();
    const std::string mark = "Sec-WebSocket-Key: ";
    const auto at = request.find(mark) + mark.size();
    std::string head;
    wire::append_switching_protocols(head, request.substr(at, request.find('\r', at) - at), "");
    return head;
  }
  void upgrade() {
    const std::string head = accepted();
    session_->output().clear();
    feed(head);
  }
  void admit() {
    upgrade();
    feed(text_frame(kHelloAck));
    EXPECT_TRUE(session_->is_admitted());
    written();
    heard_.clear();
  }
  std::vector<Written> written() { return written_.read(session_->output()); }
  std::string code() {
    return session_->end() ? std::string(code_of(session_->end()->error)) : "none";
  }

  Elapsed now_{seconds(100)};
  std::optional<Session> session_;
  ClientFrames written_;
  std::string heard_;
  bool lose_at_answer_ = false;
};

TEST_F(SessionStory, SaysASignedHelloOnceItIsUpgraded) {
  upgrade();
  const auto frames = written();
  ASSERT_EQ(frames.size(), 1U);
  dialects::Claudemesh broker;
  const auto verb = broker.read(frames[0].payload, dialects::Stage::kAdmitted);
  const auto* hello = std::get_if<dialects::Hello>(&verb);
  ASSERT_NE(hello, nullptr);
  EXPECT_EQ(hello->claim.mesh_id, "mesh-1");
  EXPECT_EQ(hello->claim.timestamp, "1700000000000");
  EXPECT_TRUE(hello->confirms_itself);
  EXPECT_FALSE(session_->is_admitted());
}

TEST_F(SessionStory, UpgradesInEverySplit) {
  const std::size_t size = accepted().size() + text_frame(kHelloAck).size();
  for (std::size_t cut = 0; cut <= size; ++cut) {
    SCOPED_TRACE(cut);
    start();
    const std::string all = accepted() + text_frame(kHelloAck);
    session_->output().clear();
    feed(all.substr(0, cut));
    feed(all.substr(cut));
    EXPECT_TRUE(session_->is_admitted());
    EXPECT_EQ(heard_, "admitted as Ada; ");
  }
  start();
  for (const char byte : accepted() + text_frame(kHelloAck)) feed(std::string(1, byte));
  EXPECT_TRUE(session_->is_admitted());
}

TEST_F(SessionStory, RefusesWhatIsNoUpgrade) {
  const std::string good = accepted();
  // clang-format off
  const struct { const char* name; std::string head; } rows[] = {
      {"a web server", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
      {"a redirect", "HTTP/1.1 302 Found\r\nLocation: http://evil/\r\n\r\n"},
      {"not found", "HTTP/1.1 404 Not Found\r\n\r\n"},
      {"no HTTP", "SSH-2.0-x\r\n"},
      {"the accept of another key", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
       "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"},
      {"an extension that nobody offered",
       good.substr(0, good.size() - 2) + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"},
      {"a subprotocol that nobody offered",
       good.substr(0, good.size() - 2) + "Sec-WebSocket-Protocol: x\r\n\r\n"},
      {"an endless line", std::string(200'000, 'x')},
      {"an endless head", "HTTP/1.1 101 Switching Protocols\r\n" + [] {
         std::string text;
         for (int i = 0; i < 5'000; ++i) text += "X-Fill: " + std::string(30, 'x') + "\r\n";
         return text;
       }()},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    start();
    session_->output().clear();
    // The key is another one at each start, so the good head is another's here, which is no matter.
    for (std::size_t at = 0; at < row.head.size() && !session_->end(); at += 1'000) {
      feed(row.head.substr(at, 1'000));
    }
    EXPECT_EQ(code(), "no_broker");
    EXPECT_FALSE(session_->end()->is_final);
    EXPECT_TRUE(written().empty()) << "no hello for who is no broker";
  }
}

TEST_F(SessionStory, KnowsWhichRefusalsOfAHelloAreFinal) {
  // clang-format off
  const struct { const char* name; std::string bytes, code; bool is_final; } rows[] = {
      {"unauthorized", error_frame("unauthorized") + close_frame(1008, "unauthorized"),
       "unauthorized", true},
      {"bad_signature", error_frame("bad_signature") + close_frame(1008, "bad_signature"),
       "bad_signature", true},
      {"malformed", error_frame("malformed") + close_frame(1008, "malformed"), "malformed", true},
      {"revoked", error_frame("revoked") + close_frame(1008, "revoked"), "revoked", true},
      {"capacity", error_frame("capacity") + close_frame(1008, "capacity"), "capacity", false},
      {"timestamp_skew", error_frame("timestamp_skew") + close_frame(1008, "timestamp_skew"),
       "timestamp_skew", false},
      {"replayed", error_frame("replayed") + close_frame(1008, "replayed"), "replayed", false},
      {"rate_limited", error_frame("rate_limited") + close_frame(1008, "rate_limited"),
       "rate_limited", false},
      {"unavailable", error_frame("unavailable") + close_frame(1008, "unavailable"), "unavailable",
       false},
      {"hello_timeout", error_frame("hello_timeout") + close_frame(1008, "hello_timeout"),
       "hello_timeout", false},
      {"a code of later", error_frame("of_later") + close_frame(1008, "of_later"), "of_later",
       false},
      {"only the close", close_frame(1008, "unauthorized"), "unauthorized", true},
      {"a close that says nothing", error_frame("unauthorized") + close_frame(1008, ""),
       "unauthorized", true},
      {"a close of a proxy", error_frame("unauthorized") + close_frame(1008, "Policy violation!"),
       "unauthorized", true},
      {"a close of another reason", error_frame("capacity") + close_frame(1001, "going_away"),
       "capacity", false},
      {"neither says a code", close_frame(1008, "\x1b[2J"), "refused", false},
      {"a restart", close_frame(1001, "going_away"), "connection_lost", false},
      {"a close without a code", std::string("\x88\x00", 2), "connection_lost", false},
      {"a slow consumer", close_frame(1013, "slow_consumer"), "connection_lost", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    start();
    upgrade();
    feed(row.bytes);
    EXPECT_EQ(code(), row.code);
    ASSERT_TRUE(session_->end());
    EXPECT_EQ(session_->end()->is_final, row.is_final);
    EXPECT_EQ(session_->end()->error.code,
              row.is_final ? ErrorCode::kUnauthorized : ErrorCode::kUnavailable);
    EXPECT_EQ(session_->end()->error.detail.find('\x1b'), std::string::npos);
    EXPECT_EQ(heard_, "");
  }
  std::cout << "refusals: " << std::size(rows) << "\n";
}

TEST_F(SessionStory, KnowsARefusalThoughTheCloseNeverCame) {
  upgrade();
  feed(error_frame("unauthorized"));
  EXPECT_EQ(code(), "none");
  session_->lost("reset");
  EXPECT_EQ(code(), "unauthorized");
  EXPECT_TRUE(session_->end()->is_final);
  start();
  upgrade();
  feed(error_frame("capacity"));
  wait(seconds(5));
  EXPECT_EQ(code(), "capacity");
}

TEST_F(SessionStory, EndsForGoodWhenTheMemberIsRevoked) {
  // clang-format off
  const struct { const char* name; std::uint16_t code; const char* reason; bool is_final; } rows[] = {
      {"revoked", 1008, "revoked", true},
      {"revoked, under another code", 1000, "revoked", false},
      {"unauthorized, which is of a hello", 1008, "unauthorized", false},
      {"a restart", 1001, "going_away", false},
      {"a reason to clear the screen", 1000, "\x1b[2J", false},
      {"a reason of 123 letters", 1000, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    start();
    admit();
    feed(close_frame(row.code, row.reason));
    ASSERT_TRUE(session_->end());
    EXPECT_EQ(session_->end()->is_final, row.is_final);
    EXPECT_EQ(code(), row.is_final ? "revoked" : "connection_lost");
    EXPECT_EQ(session_->end()->error.detail.find_first_of("\x1b["), std::string::npos);
  }
}

TEST_F(SessionStory, HearsWhatComesBeforeAndAfterItIsAdmitted) {
  upgrade();
  const std::string push = text_frame(R"({"type":"push","messageId":"00","senderPubkey":")" +
                                      std::string(64, 'a') + R"(","nonce":"n","ciphertext":"c"})");
  feed(push + text_frame(kHelloAck) + push);
  EXPECT_EQ(heard_, "2; admitted as Ada; 2; ");
  feed(text_frame(kHelloAck));
  EXPECT_EQ(heard_, "2; admitted as Ada; 2; 0; ") << "a second one admits nobody";
  feed(text_frame("no JSON"));
  EXPECT_EQ(heard_, "2; admitted as Ada; 2; 0; noise; ");
}

TEST_F(SessionStory, PassesOverBinaryMessages) {
  admit();
  std::string bytes;
  wire::append_frame(bytes, wire::Opcode::kBinary, kHelloAck);
  feed(bytes);
  EXPECT_EQ(heard_, "");
  EXPECT_EQ(code(), "none");
}

TEST_F(SessionStory, AnswersPingsInEveryPhase) {
  upgrade();
  written();
  feed(ping_frame("one"));
  EXPECT_EQ(written(), (std::vector<Written>{{"pong", "one"}}));
  feed(text_frame(kHelloAck) + ping_frame("two"));
  EXPECT_EQ(written(), (std::vector<Written>{{"pong", "two"}}));
}

TEST_F(SessionStory, GivesABrokerSoMuchTimeAndNoMore) {
  EXPECT_EQ(session_->next_deadline(), now_ + seconds(5));
  feed("HTTP/1.1 101 ");  // a head that comes byte by byte is no longer awaited than another
  wait(milliseconds(4'999));
  EXPECT_EQ(code(), "none");
  wait(milliseconds(1));
  EXPECT_EQ(code(), "no_broker");

  start();
  upgrade();
  feed(ping_frame(""));
  wait(milliseconds(4'999));
  feed(ping_frame(""));
  EXPECT_EQ(code(), "none");
  wait(milliseconds(1));
  EXPECT_EQ(code(), "hello_timeout");
}

TEST_F(SessionStory, PingsASilentBrokerAndGivesItUp) {
  admit();
  EXPECT_EQ(session_->next_deadline(), now_ + seconds(30));
  wait(milliseconds(29'999));
  EXPECT_TRUE(written().empty());
  wait(milliseconds(1));
  EXPECT_EQ(written(), (std::vector<Written>{{"ping", ""}}));
  EXPECT_EQ(session_->next_deadline(), now_ + seconds(45));
  wait(seconds(44));
  EXPECT_TRUE(written().empty()) << "one ping is enough";
  std::string pong;
  wire::append_frame(pong, wire::Opcode::kPong, "");
  feed(pong);
  EXPECT_EQ(session_->next_deadline(), now_ + seconds(30));
  wait(seconds(30));
  EXPECT_EQ(written().size(), 1U);
  wait(milliseconds(44'999));
  EXPECT_EQ(code(), "none");
  wait(milliseconds(1));
  EXPECT_EQ(code(), "connection_lost");
}

TEST_F(SessionStory, EndsAtFramesThatBreakTheProtocol) {
  std::string masked;
  wire::append_masked_frame(masked, wire::Opcode::kText, "x", {1, 2, 3, 4});
  // clang-format off
  const struct { const char* name; std::string bytes; } rows[] = {
      {"a masked frame", masked},
      {"a frame of 1 MiB and a byte", std::string("\x81\x7f\0\0\0\0\0\x10\0\x01", 10)},
      {"a frame of 2^62", std::string("\x81\x7f\x40\0\0\0\0\0\0\0", 10)},
      {"a reserved bit", std::string("\xc1\x00", 2)},
      {"an unknown opcode", std::string("\x83\x00", 2)},
      {"no UTF-8", text_frame("\xff")},
      {"a continuation of nothing", std::string("\x80\x00", 2)},
      {"a close of one byte", std::string("\x88\x01\x03", 3)},
      {"fragments without end", [] {
         std::string text("\x01\x00", 2);
         for (int i = 0; i < 2'000; ++i) text += std::string("\x00\x00", 2);
         return text;
       }()},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    start();
    admit();
    feed(row.bytes);
    EXPECT_EQ(code(), "protocol_error");
    feed(text_frame(kHelloAck));
    EXPECT_EQ(heard_, "") << "nothing is heard after the end";
  }
  start();
  admit();
  feed(text_frame(std::string(1 << 20, 'x')));
  EXPECT_EQ(code(), "none") << "a frame of 1 MiB";
}

TEST_F(SessionStory, SaysNothingAfterItsGoodbye) {
  admit();
  session_->say("one");
  session_->say_goodbye();
  session_->say_goodbye();
  session_->say("two");
  feed(ping_frame("x"));
  wait(seconds(31));
  EXPECT_EQ(written(), (std::vector<Written>{{"text", "one"}, {"close", "1000"}}));
}

TEST_F(SessionStory, HearsAndSaysNothingAfterItsEnd) {
  admit();
  lose_at_answer_ = true;
  feed(text_frame("{}") + text_frame("{}") + ping_frame("x"));
  EXPECT_EQ(heard_, "noise; ") << "its owner ended it within the first";
  session_->say("one");
  session_->say_goodbye();
  session_->lost("another reason");
  EXPECT_EQ(session_->end()->error.detail, "connection_lost: the owner is tired");
  EXPECT_TRUE(written().empty());
}

// It pings and never reads: the answers may not fill the memory.
TEST_F(SessionStory, GivesUpABrokerThatDoesNotRead) {
  start({.max_output_bytes = 1'000});
  admit();
  for (int i = 0; i < 100 && !session_->end(); ++i) feed(ping_frame(std::string(125, 'x')));
  EXPECT_EQ(code(), "connection_lost");
  EXPECT_LT(session_->output().size(), 1'200U);
}

}  // namespace
}  // namespace signet::client
