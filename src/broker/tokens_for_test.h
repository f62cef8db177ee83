// TokenStory is a Story whose mesh believes the tokens of two keys, "one" and "two", of the issuer
// "issuer". What makes such tokens is for the tests of `admin`, too.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "broker/story_for_test.h"
#include "trust/signing_key.h"
#include "trust/token.h"

namespace signet::broker {

// One text a name, the same for all tests.
inline const std::string& key_text_of(const std::string& name) {
  static std::map<std::string, std::string> texts;
  const auto [found, is_new] = texts.try_emplace(name);
  if (is_new) {
    found->second = trust::SigningKey::generate(crypto::TokenAlgorithm::kEdDsa, name);
  }
  return found->second;
}
inline trust::SigningKey signing(const std::string& text) {
  return *trust::SigningKey::parse(text);
}
inline trust::SigningKey key_named(const std::string& name) { return signing(key_text_of(name)); }
inline std::string signed_by(const std::string& key, const trust::TokenFacts& facts) {
  return *trust::sign_token(facts, key_named(key));
}

inline std::shared_ptr<const TokenDoor> door_of(const std::vector<std::string>& key_texts) {
  auto set = trust::KeySet::parse(*trust::public_key_set(key_texts));
  EXPECT_TRUE(set.ok());
  trust::TokenRules rules;
  rules.issuer = "issuer";
  return std::make_shared<const TokenDoor>(TokenDoor{*std::move(set), rules, "test", {}});
}

inline trust::TokenFacts facts_at(WallTime now, const std::string& subject,
                                  std::chrono::seconds life = std::chrono::hours(1)) {
  trust::TokenFacts made;
  made.issuer = "issuer";
  made.subject = subject;
  made.issued = now;
  made.expires = now + life;
  return made;
}

class TokenStory : public Story {
 protected:
  TokenStory() {
    rules_.otherwise.tokens = door_of({key_text_of("one"), key_text_of("two")});
    options_.penalty_failures = 0;
    set_log_level(static_cast<LogLevel>(static_cast<int>(LogLevel::kError) + 1));
  }
  ~TokenStory() override { set_log_level(LogLevel::kInfo); }

  trust::TokenFacts facts(const std::string& subject,
                          std::chrono::seconds life = std::chrono::hours(1)) const {
    return facts_at(clock_.wall(), subject, life);
  }
  std::string token(const std::string& subject,
                    std::chrono::seconds life = std::chrono::hours(1)) const {
    return signed_by("one", facts(subject, life));
  }
  std::string with_id(const std::string& subject, const std::string& id) const {
    trust::TokenFacts made = facts(subject);
    made.id = id;
    return signed_by("one", made);
  }
  std::string with_roles(const std::string& subject, std::vector<std::string> roles) const {
    trust::TokenFacts made = facts(subject);
    made.roles = std::move(roles);
    return signed_by("one", made);
  }
  static std::string hello(const std::string& source, const std::string& token) {
    return R"({"message":{"source":")" + source + R"("},"token":")" + token + "\"}";
  }
  static std::string without_proof(const std::string& source) {
    return R"({"message":{"source":")" + source + R"("}})";
  }
  static std::string refresh(const std::string& token) {
    return R"({"type":"token_refresh","token":")" + token + "\"}";
  }

  // What a connection hears, and how it was closed.
  std::string answer_on(FakeConnection& connection, const std::string& frame) {
    std::string words = ask(connection, frame);
    if (!connection.closed) return words;
    EXPECT_EQ(connection.closed->text, words);
    return words + " and closed " + std::to_string(number_of(connection.closed->reason));
  }
  std::string answer(const std::string& frame, const std::string& target = "/ws/mesh/a") {
    return answer_on(connect(0, target), frame);
  }
  // An admitted one.
  FakeConnection& come(const std::string& source, const std::string& token,
                       const std::string& target = "/ws/mesh/a", std::size_t shard = 0) {
    FakeConnection& connection = connect(shard, target);
    EXPECT_EQ(ask(connection, hello(source, token)), "handshake_ok") << source;
    return connection;
  }
  FakeConnection& come_by_certificate(const std::string& name,
                                      std::chrono::milliseconds life = std::chrono::hours(24 *
                                                                                          90)) {
    FakeConnection& connection = connect(0, "/ws/mesh/a");
    connection.certificate = name;
    connection.certificate_end = clock_.wall() + life;
    EXPECT_EQ(ask(connection, without_proof(name)), "handshake_ok") << name;
    return connection;
  }
  std::string ended(FakeConnection& connection) {
    const std::string words = heard(connection);
    if (!connection.closed) return words.empty() ? "open" : words + " and open";
    return words + " and closed " + std::to_string(number_of(connection.closed->reason));
  }

  Status revoke(membership::TokenRevocation revocation) {
    std::optional<Status> answer;
    control_.run_and_wait([&] {
      controller_->revoke_tokens({1}, std::move(revocation),
                                 [&](const Status& status) { answer = status; });
    });
    settle();
    return answer.value_or(Error{ErrorCode::kBug, "no answer"});
  }
  const membership::Member* member(const std::string& id) {
    return controller_->table().mesh(MeshNumber{1})->member_with_id(id);
  }
  void expect_nobody_is_left(const std::string& after) {
    settle();
    EXPECT_EQ(shared_->loads.count({1}), 0) << after;
    EXPECT_EQ(metric("signet_pulsemesh_sessions"), 0) << after;
    for (auto& broker : brokers_) EXPECT_EQ(broker->names().names(), 0U) << after;
    for (auto& broker : brokers_) EXPECT_TRUE(broker->topics().topics({1}).empty()) << after;
  }
};

}  // namespace signet::broker
