// The keys of tokens that OpenSSL computes with: P-256 and RSA. Part of token_key.h, for its use.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "crypto/token_key.h"

struct evp_pkey_st;  // EVP_PKEY, without the library's header

namespace signet::crypto {

struct FreesEvpKey {
  void operator()(evp_pkey_st* key) const;
};
using EvpKey = std::unique_ptr<evp_pkey_st, FreesEvpKey>;

// Of ES256 or RS256 parts. Fail kMalformed with what is wrong with them.
Result<EvpKey> public_evp_key(const TokenKeyParts& parts);
Result<EvpKey> private_evp_key(const TokenKeyParts& parts);

void generate_evp_parts(TokenKeyParts& parts);

// Signatures as JSON Web Signature has them; those of P-256 are r and s, 32 bytes each.
bool verify_p256(const EvpKey& key, std::string_view text, ByteView signature);
bool verify_rsa(const EvpKey& key, std::string_view text, ByteView signature);
Result<std::string> sign_p256(const EvpKey& key, std::string_view text);
Result<std::string> sign_rsa(const EvpKey& key, std::string_view text);

}  // namespace signet::crypto
