// Meshes and members for the tests of membership and of what stands on it.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "membership/membership_table.h"

namespace signet::membership {

// The key pair of a name; the same name is always the same key.
inline crypto::SecretKey key_of(std::string_view name) {
  const crypto::Digest32 seed = crypto::digest32("test-key", {name});
  return crypto::SecretKey::from_seed(seed);
}

inline Mesh mesh_named(std::int64_t number, const std::string& slug) {
  Mesh mesh;
  mesh.number = {number};
  mesh.id = "mesh-" + slug;
  mesh.slug = slug;
  mesh.owner = key_of("owner of " + slug).public_key();
  mesh.root_key = "cm9vdA";
  return mesh;
}

inline Member member_named(std::int64_t number, std::int64_t mesh, const std::string& name,
                           std::vector<std::string> tags = {}) {
  Member member;
  member.number = {number};
  member.mesh = {mesh};
  member.id = "member-" + name;
  member.key = key_of(name).public_key();
  member.display_name = name;
  std::sort(tags.begin(), tags.end());
  member.tags = std::move(tags);
  return member;
}

}  // namespace signet::membership
