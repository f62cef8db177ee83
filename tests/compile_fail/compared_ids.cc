// The fifth member is not the fifth mesh.
#include "base/ids.h"

bool control(signet::MeshNumber mesh, [[maybe_unused]] signet::MemberNumber member) {
#ifdef SIGNET_MISUSE
  if (mesh == member) return true;
#endif
  return mesh == signet::MeshNumber{5};
}
