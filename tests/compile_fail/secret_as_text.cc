// A secret becomes no text by itself, which would be neither wiped nor kept out of cores.
#include <string>

#include "config/secret.h"

std::string copied(const signet::config::Secret& secret) {
#ifdef SIGNET_MISUSE
  return secret;
#else
  return std::string(secret.reveal());
#endif
}
