// Secrets that the daemon keeps in its data directory: made once, mode 0600, refused when others
// could read them.
#pragma once

#include <string>

#include "crypto/relay_box.h"
#include "crypto/sign.h"
#include "signet/result.h"

namespace signet {

// The secret text in `path`, or a fresh random one (64 hex digits) that is written there. Fails
// kForbidden when the file has rights for others, kUnavailable when it can't be made.
Result<std::string> secret_text(const std::string& path);

// The same for a signing key, kept as its seed in hex.
Result<crypto::SecretKey> secret_key(const std::string& path);

// And for the relay's X25519 key.
Result<crypto::RelaySecretKey> relay_key(const std::string& path);

}  // namespace signet
