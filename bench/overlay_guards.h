// What the checks of a submission cost, each by itself.
#pragma once

#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

// Writes nanoseconds of a core. Fails kBug when a good submission is refused.
Status write_overlay_guards(wire::JsonWriter& row);

}  // namespace signet::bench
