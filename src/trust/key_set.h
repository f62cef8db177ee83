// KeySet is the keys that a mesh believes tokens by: a JWK set (RFC 7517, section 5), read once and
// then only looked up in. Each key checks one algorithm, whatever a token asks for.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "crypto/token_key.h"
#include "signet/result.h"

namespace signet::trust {

// Immutable; copies share their keys, also between threads.
class KeySet {
 public:
  // {"keys":[…]}, or one key alone. Keys for encryption are skipped and counted. Fails kMalformed
  // with the place ("keys[2]: …") for any other fault: a key of another algorithm, one that signs
  // (it has no business here), a name that is none or that two keys have, secrets beside public
  // keys, more than 64 keys, or none for signatures.
  static Result<KeySet> parse(std::string_view json);

  // Null where no key has the name. Alive as long as this set.
  const crypto::TokenKey* find(std::string_view id) const;
  // The one key of a set of one, for tokens that name none; else null.
  const crypto::TokenKey* only() const;

  // Does a key stand in both, by whatever name?
  bool shares_key_with(const KeySet& other) const;

  bool has_symmetric() const { return symmetric_; }  // then the text is a secret
  std::size_t count() const { return keys_.size(); }
  std::size_t skipped() const { return skipped_; }

 private:
  KeySet() = default;
  std::map<std::string, crypto::TokenKey, std::less<>> keys_;  // a key alone may have no name: ""
  std::size_t skipped_ = 0;
  bool symmetric_ = false;
};

}  // namespace signet::trust
