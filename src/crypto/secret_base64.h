// Base64 of secrets: no branch and no look-up in memory depends on what they are, and what it makes
// is in no core dump and wiped at its end. For what anybody may see there is base/encoding.h.
#pragma once

#include <optional>
#include <string_view>

#include "base/encoding.h"
#include "base/secret_memory.h"

namespace signet::crypto {

SecretBytes to_secret_base64(ByteView secret);  // standard alphabet, padded

// Strict, as from_base64 (base/encoding.h). That a text is none of base64 may show in the time.
std::optional<SecretBytes> from_secret_base64(std::string_view text);

}  // namespace signet::crypto
