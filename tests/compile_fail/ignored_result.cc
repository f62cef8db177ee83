// A Result must be looked at: an error that nobody reads is a check that was not made.
#include "signet/result.h"

signet::Result<int> answer();

int control() {
  const auto result = answer();
#ifdef SIGNET_MISUSE
  answer();
#endif
  return result.ok() ? *result : 0;
}
