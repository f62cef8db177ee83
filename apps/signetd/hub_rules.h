// The doors of Hub, out of the configuration and the documents that it names.
#pragma once

#include "broker/rules.h"
#include "config/config.h"
#include "signet/result.h"

namespace signet {

// Gives each mesh that has a secret of Hub its door. Meshes have those of [hub] where Hub is bound
// to them, and those that are named nowhere (dev mode's) have them alone.
// Fails, with what to do about it: kMalformed for a secret that is none, that everybody can look up
// or that does for two things, for users who could not prove themselves, for a fault in a document;
// kForbidden for what is dev mode's alone. `rules` has its bindings and its keys of tokens.
Status take_hub(const config::Config& config, bool dev, broker::Rules& rules);

}  // namespace signet
