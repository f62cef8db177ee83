// The routing table that PulseMesh v1 ships with: six nodes of one orchestration.
#pragma once

#include "routing/routing_table.h"

namespace signet::routing {

// What the mesh of `signetd --dev` routes by. Compiles.
const RoutingDocument& pulsemesh_routes();

}  // namespace signet::routing
