#include "dialects/overlay_operators.h"

#include <gtest/gtest.h>

namespace signet::dialects {
namespace {

using membership::SignedStatement;

crypto::SecretKey operator_key(unsigned char seed) {
  std::array<unsigned char, 32> bytes{};
  bytes.fill(seed);
  return crypto::SecretKey::from_seed(bytes);
}

SignedStatement statement_with(std::size_t signatures) {
  SignedStatement said{"signet-operator-v1\nmesh-a\nrevoke\nm\n1\n1\n5\n", {}};
  const crypto::SecretKey key = operator_key(1);
  said.signatures.resize(signatures, {key.public_key(), key.sign(bytes_of(said.text))});
  return said;
}

OperatorsShown shown_with_two() {
  OperatorsShown shown;
  shown.mesh = "mesh-a";
  shown.operators = {operator_key(1).public_key(), operator_key(2).public_key()};
  shown.needed = 2;
  shown.serial = 7;
  shown.policy_version = 3;
  shown.longest_life_ms = 86'400'000;
  return shown;
}

TEST(OverlayOperators, AStatementIsReadBackWithItsSignatures) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{1}, kMaxStatementSignatures}) {
    const SignedStatement said = statement_with(count);
    const auto back = read_signed_statement(write_signed_statement(said));
    ASSERT_TRUE(back.ok()) << count << back.error().detail;
    EXPECT_EQ(back->text, said.text);
    EXPECT_EQ(back->signatures.size(), count);
  }
  EXPECT_FALSE(
      read_signed_statement(write_signed_statement(statement_with(kMaxStatementSignatures + 1)))
          .ok());
}

TEST(OverlayOperators, RefusesABodyThatIsNoStatement) {
  const std::string good = write_signed_statement(statement_with(1));
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string body = good;
    const auto at = body.find(from);
    EXPECT_NE(at, body.npos) << from;
    body.replace(at, from.size(), to);
    return read_signed_statement(body).ok();
  };
  EXPECT_TRUE(read_signed_statement(good).ok());
  EXPECT_FALSE(with("\"statement\"", "\"text\""));
  EXPECT_FALSE(with("\"signatures\":[", "\"signatures\":[7,"));
  EXPECT_FALSE(with("\"signer\"", "\"who\""));
  EXPECT_FALSE(with("\"signature\":\"", "\"signature\":\"0"));
  EXPECT_FALSE(with("{\"statement\"", "{\"statement\":\"\",\"was\""));
  EXPECT_FALSE(with("{\"statement\"", "{\"statement\":\"again\",\"statement\""));
  EXPECT_FALSE(with("mesh-a", std::string(2'000, 'a')));
  EXPECT_FALSE(read_signed_statement(std::string(kMaxStatementBody + 1, ' ')).ok());
  EXPECT_FALSE(read_signed_statement("[]").ok());
}

TEST(OverlayOperators, WhatTheNextStatementSaysIsReadBack) {
  OperatorsShown shown = shown_with_two();
  auto back = read_operators(write_operators(shown));
  ASSERT_TRUE(back.ok()) << back.error().detail;
  EXPECT_EQ(back->operators, shown.operators);
  EXPECT_EQ(back->serial, 7U);
  EXPECT_EQ(back->policy_version, 3U);
  EXPECT_EQ(back->held_digest, "");
  shown.held = 2;
  shown.held_digest = std::string(64, 'a');
  shown.held_names = {"node-a", "node-b"};
  back = read_operators(write_operators(shown));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->held_names, shown.held_names);
  EXPECT_EQ(back->held, 2U);
  EXPECT_TRUE(read_operators(write_operators({"mesh-a", {}, 0, false, 0, 0, 0, 0, "", {}})).ok());
}

TEST(OverlayOperators, RefusesAnAnswerThatCannotBe) {
  const auto refused = [](const auto& change) {
    OperatorsShown shown = shown_with_two();
    change(shown);
    return !read_operators(write_operators(shown)).ok();
  };
  EXPECT_TRUE(refused([](auto& shown) { shown.needed = 3; }));
  EXPECT_TRUE(refused([](auto& shown) { shown.mesh = ""; }));
  EXPECT_TRUE(refused([](auto& shown) { shown.longest_life_ms = -1; }));
  EXPECT_TRUE(refused([](auto& shown) { shown.held_digest = "short"; }));
  EXPECT_TRUE(refused([](auto& shown) { shown.held_names = {"a\nb"}; }));
  EXPECT_TRUE(refused([](auto& shown) { shown.operators.resize(33); }));
}

TEST(OverlayOperators, EachRefusalHasItsStatus) {
  for (std::size_t i = 0; i < kStatementRefusalCount; ++i) {
    const int status = status_of(static_cast<StatementRefusal>(i));
    const bool is_unavailable = static_cast<StatementRefusal>(i) == StatementRefusal::kUnavailable;
    EXPECT_TRUE(is_unavailable ? status == 503 : status >= 400 && status < 500)
        << name_of(static_cast<StatementRefusal>(i));
  }
  EXPECT_EQ(write_carried_out(8, membership::OperatorAction::kRevoke),
            R"({"status":"done","serial":8,"action":"revoke"})");
}

}  // namespace
}  // namespace signet::dialects
