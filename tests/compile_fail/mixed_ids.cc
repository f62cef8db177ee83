// A member is no mesh, though both are numbers.
#include "base/ids.h"

void close_mesh(signet::MeshNumber mesh);

void control(signet::MeshNumber mesh, [[maybe_unused]] signet::MemberNumber member) {
  close_mesh(mesh);
#ifdef SIGNET_MISUSE
  close_mesh(member);
#endif
}
