// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), for formats that ask for them: PulseMesh clients
// prove a shared secret by one of the two. Own digests are BLAKE2b (hash.h).
#pragma once

#include <initializer_list>
#include <string_view>

#include "crypto/hash.h"

namespace signet::crypto {

// Over the parts one behind the other, as if they were one text: nothing marks their borders. No
// copy of a part stays behind, so that one of them may be a secret.
Digest32 sha256(std::initializer_list<std::string_view> parts);

// A key of any length. No copy of it stays behind. Compare with equal_secrets (compare.h).
Digest32 hmac_sha256(std::string_view key, std::string_view message);

}  // namespace signet::crypto
