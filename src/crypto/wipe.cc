#include "crypto/wipe.h"

#include <sodium.h>

namespace signet::crypto {

void wipe(std::span<unsigned char> bytes) {
  if (!bytes.empty()) sodium_memzero(bytes.data(), bytes.size());
}

void wipe(std::string& text) {
  text.resize(text.capacity());  // what a longer text left behind its end is wiped too
  if (!text.empty()) sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace signet::crypto
