// Nothing prints a secret: whoever wants its bytes says reveal().
#include <iostream>

#include "crypto/secret_text.h"

void tell(const signet::crypto::SecretText& secret) {
  std::cout << secret.reveal().size();
#ifdef SIGNET_MISUSE
  std::cout << secret;
#endif
}
