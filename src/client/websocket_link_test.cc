#include "client/websocket_link.h"

#include <gtest/gtest.h>

#include "wire/websocket_upgrade.h"

namespace signet::client {
namespace {

class WebSocketLinkStory : public testing::Test, protected WebSocketEvents {
 protected:
  void start(std::size_t max_output = 10'000) { link_.emplace(100, max_output, "hub:80", "/p"); }
  void SetUp() override { start(); }

  std::string answer() {
    constexpr std::string_view kName = "Sec-WebSocket-Key: ";
    const std::string& asked = link_->output();
    std::string out;
    wire::append_switching_protocols(out, asked.substr(asked.find(kName) + kName.size(), 24), "");
    return out;
  }
  void feed(std::string bytes) { link_->feed(bytes, *this); }
  void open() {
    const std::string upgraded = answer();
    link_->output().clear();
    feed(upgraded);
  }
  static std::string frame(wire::Opcode opcode, std::string_view payload) {
    std::string out;
    wire::append_frame(out, opcode, payload);
    return out;
  }
  std::string code() const {
    if (!link_->fault()) return "";
    const std::string& detail = link_->fault()->detail;
    return detail.substr(0, detail.find(':'));
  }

  void on_open() override { heard_ += "open;"; }
  void on_message(wire::MessageKind kind, std::string_view message) override {
    heard_ += (kind == wire::MessageKind::kText ? "" : "binary ") + std::string(message) + ";";
    if (message == "stop") link_->fail(ErrorCode::kUnavailable, "stopped", "as told");
  }
  void on_close(std::uint16_t code, std::string_view reason) override {
    heard_ += std::to_string(code) + " " + std::string(reason) + ";";
    if (reason == "revoked") link_->fail(ErrorCode::kUnauthorized, "revoked", "for good");
  }

  std::optional<WebSocketLink> link_;
  std::string heard_;
};

TEST_F(WebSocketLinkStory, OpensAndHearsWhateverTheCuts) {
  const std::string frames = frame(wire::Opcode::kText, "one") +
                             frame(wire::Opcode::kBinary, "two") +
                             frame(wire::Opcode::kText, "three");
  for (const std::size_t cut : {1, 7, 100, 1'000}) {
    heard_.clear();
    start();
    const std::string bytes = answer() + frames;
    for (std::size_t at = 0; at < bytes.size(); at += cut) feed(bytes.substr(at, cut));
    EXPECT_EQ(heard_, "open;one;binary two;three;") << cut;
    EXPECT_EQ(code(), "");
  }
}

TEST_F(WebSocketLinkStory, SaysNothingBeforeItIsOpenAndAfterItsGoodbye) {
  const std::string request = link_->output();
  link_->say("too early");
  EXPECT_EQ(link_->output(), request);
  open();
  link_->say_goodbye();
  const std::string goodbye = link_->output();
  EXPECT_FALSE(goodbye.empty());
  link_->say("too late");
  EXPECT_EQ(link_->output(), goodbye);
}

TEST_F(WebSocketLinkStory, AnswersPings) {
  open();
  feed(frame(wire::Opcode::kPing, "p"));
  ASSERT_FALSE(link_->output().empty());
  EXPECT_EQ(static_cast<unsigned char>(link_->output().front()), 0x8A);
}

TEST_F(WebSocketLinkStory, EveryEndHasItsCode) {
  const std::string closed("\x03\xe9gone", 6);
  const std::string revoked("\x03\xf0revoked", 9);
  const struct {
    const char* name;
    std::string bytes;
    const char* code;
  } rows[] = {
      {"closed", frame(wire::Opcode::kClose, closed), "connection_lost"},
      {"closed for a reason that its owner knows", frame(wire::Opcode::kClose, revoked), "revoked"},
      {"masked, as no server does", std::string("\x81\x81\0\0\0\0a", 7), "protocol_error"},
      {"too long", frame(wire::Opcode::kText, std::string(101, 'a')), "protocol_error"},
      {"its owner's word", frame(wire::Opcode::kText, "stop"), "stopped"}};
  for (const auto& row : rows) {
    start();
    open();
    heard_.clear();
    feed(row.bytes + frame(wire::Opcode::kText, "more"));
    EXPECT_EQ(code(), row.code) << row.name;
    feed(frame(wire::Opcode::kText, "later"));
    EXPECT_EQ(heard_.find("more"), std::string::npos) << row.name;
    EXPECT_EQ(heard_.find("later"), std::string::npos) << row.name;
  }
}

TEST_F(WebSocketLinkStory, WhatIsNoUpgradeIsNoBroker) {
  for (const std::string& bytes : {std::string("HTTP/1.1 404 Not Found\r\n\r\n"),
                                   std::string("SSH-2.0-x\r\n\r\n"), std::string(20'000, 'a')}) {
    start();
    feed(bytes);
    EXPECT_EQ(code(), "no_broker");
  }
  EXPECT_EQ(heard_, "");
}

TEST_F(WebSocketLinkStory, APeerThatDoesNotReadIsLeft) {
  start(50);
  open();
  for (int i = 0; i < 100; ++i) feed(frame(wire::Opcode::kPing, "0123456789"));
  EXPECT_EQ(code(), "connection_lost");
  EXPECT_LT(link_->output().size(), 100U);
}

}  // namespace
}  // namespace signet::client
