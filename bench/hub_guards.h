// What Hub's checks of one signed action cost, each by itself.
#pragma once

#include <string>

#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

// Writes "hub_<guard>_ns" for each, over the actions that hub_protocol.h sends. Nonces are spent in
// a store below `folder`, which is removed again. Fails as opening it does, and kBug when a good
// action is refused.
Status write_hub_guards(const std::string& folder, wire::JsonWriter& row);

}  // namespace signet::bench
