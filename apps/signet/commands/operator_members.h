// The members of a mesh as the operator's API lists them, and which of them somebody means.
#pragma once

#include <string>
#include <vector>

#include "signet/commands/operator_api.h"

namespace signet::cli {

struct MeshMember {
  std::string id, key, name, role, standing, joined_at;
  std::vector<std::string> tags;
};

// Those with a key, in the order of their keys.
Result<std::vector<MeshMember>> all_members(const OperatorApi& api, const OperatorMesh& mesh);

// By name, key, id or the first 8 digits of a key, or more. Fails kNotFound (no_such_member),
// kConflict (ambiguous_name).
Result<MeshMember> find_member(const OperatorApi& api, const OperatorMesh& mesh,
                               const std::string& who);

}  // namespace signet::cli
