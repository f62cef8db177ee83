// A shared key has one place in memory, so that wiping it wipes it.
#include <utility>

#include "crypto/box.h"

void control(signet::crypto::DirectBox box) {
#ifdef SIGNET_MISUSE
  const signet::crypto::DirectBox copy = box;
#endif
  const signet::crypto::DirectBox moved = std::move(box);
}
