// What each guard of a message's path costs by itself, in nanoseconds of a core.
#pragma once

#include <string>

#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

// Writes "<guard>_ns" for each guard, over the messages that the traffic of the same run sends.
// `policy_file` is the policy of many rules, `folder` where nonces are remembered. Fails as reading
// and compiling the one does, or opening a store in the other.
Status write_guard_costs(const std::string& policy_file, const std::string& folder,
                         wire::JsonWriter& row);

}  // namespace signet::bench
