// SigningKey makes the signatures of tokens: `signet token` has one, the broker none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "crypto/token_key.h"
#include "signet/result.h"

namespace signet::trust {

class SigningKey {
 public:
  // Reads one JWK with its private members. Fails kMalformed with what is wrong with it.
  static Result<SigningKey> parse(std::string_view json);

  // A key of its own, as JWK with its private members: what parse() reads. The caller wipes it.
  // REQUIRES: is_key_id(id).
  static std::string generate(crypto::TokenAlgorithm algorithm, std::string id);

  const std::string& id() const { return id_; }  // may be empty
  crypto::TokenAlgorithm algorithm() const { return key_.algorithm(); }
  Result<std::string> sign(std::string_view text) const { return key_.sign(text); }

 private:
  SigningKey(std::string id, crypto::TokenKey key) : id_(std::move(id)), key_(std::move(key)) {}
  std::string id_;
  crypto::TokenKey key_;
};

// One set, on one line, of the public parts of all the keys in these texts: sets or single keys,
// with or without private members. What a broker reads while one key takes the place of another.
// Fails kMalformed for secrets, which have no public part, and for what KeySet::parse() would
// refuse.
Result<std::string> public_key_set(const std::vector<std::string>& texts);

}  // namespace signet::trust
