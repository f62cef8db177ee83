#include "crypto/compare.h"

#include <sodium.h>

namespace signet::crypto {

bool equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace signet::crypto
