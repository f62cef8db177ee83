// A world is a description of a place that a user of Hub asks for, and what it takes to build one
// is a list of jobs. Format: protocol/hub.md; protocol/schemas/world.json.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::jobs {

struct WorldJob {
  std::string type;
  std::string payload;  // JSON
};

// The jobs of a world, in the order in which they are asked for: BUILD_SCENE {sceneId,
// ambientLight, skybox}, LOAD_ASSETS {assets: every mesh and texture, each once, in the order of
// ECMAScript's sort}, then SPAWN_ENTITY {id, type, transform, material, components} for each
// entity, in their order. What is taken over from the world keeps the text that it was sent in.
// Holds no world against its schema; fails kMalformed, with the place, where a part that a job is
// made of is not there: a mesh may have another schema than the one that ships.
Result<std::vector<WorldJob>> jobs_of_world(std::string_view json);

}  // namespace signet::jobs
