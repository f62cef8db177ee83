// SHA-1, for the accept key of RFC 6455 only. It is broken as a hash for anything that must not be
// forged; there it proves no more than that the answer was made for the request.
#pragma once

#include <array>

#include "base/encoding.h"

namespace signet::crypto {

std::array<unsigned char, 20> sha1(ByteView bytes);

}  // namespace signet::crypto
