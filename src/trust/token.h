// JSON Web Tokens (RFC 7519, with the advice of RFC 8725): does this token, by a key that the mesh
// believes, name somebody for this mesh and this moment? Pure: the time is an argument.
// docs/tokens.md says it to people; protocol/vectors/tokens.json to other programs.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/codes.h"
#include "base/time.h"
#include "signet/result.h"
#include "trust/jws.h"

namespace signet::trust {

// What a mesh asks of its tokens.
struct TokenRules {
  std::string issuer;             // the `iss`, byte for byte
  std::string audience;           // what an `aud` must name, where there is one
  bool require_audience = false;  // refuse tokens without `aud`
  std::string type;               // the `typ`; empty: none, JWT and at+jwt are taken
  std::chrono::seconds leeway{30};
  std::chrono::seconds max_lifetime = std::chrono::hours{24};

  // Of Hub's engines, whose tokens have other issuers and say whose they are in a claim of their
  // own.
  std::vector<std::string> more_issuers;  // believed like `issuer`
  bool allow_no_issuer = false;           // of tokens without `iss`; dev only
  std::string subject_claim = "sub";      // `engineId` of engines
};

// What a token says, all of it checked.
struct TokenFacts {
  std::string issuer, subject;
  std::string id;      // `jti`; empty where absent
  std::string key_id;  // of the header; empty where absent
  std::vector<std::string> audience, roles;
  std::string role;  // Hub's engines have one, at most kMaxTokenRoleBytes; empty where absent
  WallTime expires;
  std::optional<WallTime> issued, not_before;
  bool operator==(const TokenFacts&) const = default;
};

inline constexpr std::size_t kMaxTokenRoles = 64;  // as many as a policy can tell apart
inline constexpr std::size_t kMaxTokenAudiences = 64;
inline constexpr std::size_t kMaxTokenIdBytes = 256;   // of a `jti`, which a revocation remembers
inline constexpr std::size_t kMaxTokenRoleBytes = 64;  // of a `role`, as of a name

// The first rule that is broken, in this order: those of verify_jws, then the claims as strict
// JSON, typ, iss, sub, aud, exp, nbf, iat, how long it lives, jti, roles, role. Never answers
// kRevoked, which needs a memory. Before the signature, nothing but `alg` and `kid` is looked at.
// Where `subject_claim` is `sub`, a `role` that is no short text is another issuer's business and
// not read; elsewhere it is kBadClaim.
std::variant<TokenFacts, TokenRefusal> check_token(std::string_view token, const KeySet& keys,
                                                   const TokenRules& rules, WallTime now);

// Header and claims of a token that nobody has checked, each a strict JSON object, to be shown and
// for nothing else. Fails kMalformed.
Result<UnverifiedJws> read_token_unverified(std::string_view token);

// Times are written in whole seconds, rounded down; an empty `type` as JWT. Who has a `role` is an
// engine of Hub: its subject is written as `engineId` and not as `sub`, so that its token never
// does for a user's. Fails kMalformed where the token would be over 8 KiB.
Result<std::string> sign_token(const TokenFacts& facts, const SigningKey& key,
                               std::string_view type = {});

}  // namespace signet::trust
