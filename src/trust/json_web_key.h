// One JSON Web Key (RFC 7517, 7518, 8037) as far as it is for the signatures of tokens: its name,
// its algorithm and what it is made of. Used by key_set.h and signing_key.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/token_key.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::trust {

// Letters, digits and `- _ . : = @ + /`, one to 64 of them. Identity providers name keys by base64
// of either alphabet, and RFC 7520 by addresses. A name is only ever compared, so none of these can
// mean more than itself.
bool is_key_id(std::string_view text);

struct JsonWebKey {
  std::string id;               // empty: it has none
  crypto::TokenKeyParts parts;  // wiped at the end
  bool has_private = false;     // members that sign were there; HS256 is not counted
};

enum class KeyMembers : unsigned char { kPublic, kPrivate };

// nullopt: a key for another use than signatures. With kPublic, members that sign are not read, and
// `has_private` says that they were there. Fails kMalformed with what is wrong.
Result<std::optional<JsonWebKey>> read_json_web_key(const wire::JsonValue& value,
                                                    KeyMembers members);

// The key as an object, for a set of public keys or for its owner's file. What is written for the
// latter is secret: the caller wipes it.
std::string json_web_key(const JsonWebKey& key, KeyMembers members);

// The items of {"keys":[…]}, or the one key that a text is: at most kMaxKeys. Borrowed from `root`.
inline constexpr std::size_t kMaxKeys = 64;
inline constexpr std::size_t kMaxKeySetBytes = std::size_t{512} * 1024;  // 64 with certificates
Result<std::vector<wire::JsonValue>> keys_of(const wire::JsonValue& root);

// Parses within the bounds above. Fails kMalformed.
Result<wire::JsonDocument> read_key_text(std::string_view json);

}  // namespace signet::trust
