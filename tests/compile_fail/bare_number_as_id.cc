// A number becomes an id only where the code says so.
#include "base/ids.h"

void close_mesh(signet::MeshNumber mesh);

void control([[maybe_unused]] std::int64_t number) {
  close_mesh(signet::MeshNumber{number});
#ifdef SIGNET_MISUSE
  close_mesh(number);
#endif
}
