// A wall clock steps; no timeout may be built on it.
#include "base/time.h"

void expire_at(signet::Elapsed deadline);

void control(signet::Elapsed now, [[maybe_unused]] signet::WallTime wall) {
  expire_at(now + std::chrono::seconds(1));
#ifdef SIGNET_MISUSE
  expire_at(wall + std::chrono::seconds(1));
#endif
}
