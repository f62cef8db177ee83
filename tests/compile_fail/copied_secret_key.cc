// A secret key has one place in memory, so that wiping it wipes it.
#include <utility>

#include "crypto/sign.h"

void control(signet::crypto::SecretKey key) {
#ifdef SIGNET_MISUSE
  const signet::crypto::SecretKey copy = key;
#endif
  const signet::crypto::SecretKey moved = std::move(key);
}
