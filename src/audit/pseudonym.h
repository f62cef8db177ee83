// Pseudonyms stand for members and names in the log. Who has the key and the tables of membership
// can tell who is meant; when the member's row is gone, nobody can. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/ids.h"
#include "crypto/mac.h"
#include "crypto/secret_text.h"

namespace signet::audit {

using Pseudonym = std::string;  // 32 lowercase hex digits: the first half of HMAC-SHA-256
bool is_pseudonym(std::string_view text);

class Pseudonyms {
 public:
  // `key` is secret, and is wiped. REQUIRES: at least 32 bytes.
  explicit Pseudonyms(std::string key);
  Pseudonyms(const Pseudonyms&) = default;
  Pseudonyms& operator=(const Pseudonyms&) = delete;

  Pseudonym of_member(MemberNumber member) const;
  // Of a name that nobody proved to have, within its kind ("source", "address", "invite").
  Pseudonym of_name(std::string_view kind, std::string_view name) const;

 private:
  const crypto::SecretText key_;
};

}  // namespace signet::audit
