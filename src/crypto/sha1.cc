#include "crypto/sha1.h"

#include <openssl/evp.h>

#include <cstdlib>

namespace signet::crypto {

std::array<unsigned char, 20> sha1(ByteView bytes) {
  std::array<unsigned char, 20> digest{};
  unsigned int length = 0;
  const int ok =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha1(), nullptr);
  if (ok != 1 || length != digest.size()) std::abort();  // a library without SHA-1: no handshakes
  return digest;
}

}  // namespace signet::crypto
