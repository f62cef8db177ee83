// A Status is a Result too.
#include "signet/result.h"

signet::Status check();

bool control() {
#ifdef SIGNET_MISUSE
  check();
#endif
  return check().ok();
}
