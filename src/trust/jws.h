// JSON Web Signature in its compact form (RFC 7515, section 7.1): was this signed by a key of the
// set? Says nothing of what is in it; that is token.h.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "base/codes.h"
#include "signet/result.h"
#include "trust/key_set.h"
#include "trust/signing_key.h"

namespace signet::trust {

// Larger ones are refused before anything is decoded: what an unknown peer makes us do is bounded.
inline constexpr std::size_t kMaxTokenBytes = std::size_t{8} * 1024;

struct VerifiedJws {
  std::string payload;  // the bytes that were signed
  std::string key_id;   // as the header names it; empty where it names none
  std::string header;   // strict JSON, an object
};

// The first rule that is broken, in this order: the size, three parts of canonical base64url, the
// header as strict JSON with an algorithm of ours and nothing that would have to be understood, a
// key of the set by its name alone, the same algorithm as that key's, the signature. What a header
// brings to check itself by (jwk, jku, x5u, x5c, x5t) is not looked at, and nothing is fetched.
std::variant<VerifiedJws, TokenRefusal> verify_jws(std::string_view token, const KeySet& keys);

// The same parts of a token that nobody has checked.
struct UnverifiedJws {
  std::string header, payload;
};
std::variant<UnverifiedJws, TokenRefusal> split_jws(std::string_view token);

// Signs `header` and `payload`, both as they are.
Result<std::string> sign_jws(std::string_view header, std::string_view payload,
                             const SigningKey& key);

}  // namespace signet::trust
