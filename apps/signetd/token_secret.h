// tokens.secret: the text that signs tokens by HS256, as the key that it is.
#pragma once

#include <string>
#include <string_view>

#include "signet/result.h"
#include "trust/key_set.h"

namespace signet {

// The secret as JSON Web Key, which is secret, too: the caller wipes it. With `dev`, one that is
// too short for HS256 becomes long enough by zeros at its end, which makes no other key (RFC 2104,
// section 2). Fails kMalformed, without `dev`, for one that everybody can look up.
Result<std::string> token_secret_key(std::string_view secret, bool dev);

// Has a set one of the secrets that the page of Hub publishes?
bool has_sample_key(const trust::KeySet& keys);

}  // namespace signet
