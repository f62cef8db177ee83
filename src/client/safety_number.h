// Numbers that two people compare over a way that the broker does not own, to know that each has
// the other's real key. Format: protocol/claudemesh.md, "Bodies".
#pragma once

#include <string>
#include <string_view>

#include "crypto/sign.h"

namespace signet::client {

// The safety number of two members of a mesh: 12 groups of 5 digits with a space between. The same
// on both sides; another one for every other pair of keys, and in every other mesh.
std::string safety_number(std::string_view mesh_id, const crypto::PublicKey& one,
                          const crypto::PublicKey& other);

// One key for people: 6 groups of 5 digits. The same in every mesh.
std::string fingerprint(const crypto::PublicKey& key);

}  // namespace signet::client
