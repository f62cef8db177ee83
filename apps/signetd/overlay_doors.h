// What the configuration says of how nodes of the overlay come in, as the options of its module.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "config/config.h"
#include "controller/epochs.h"
#include "signet/result.h"

namespace signet {

// "name=value" of a list, split at the last '='. Fails kMalformed, with the setting's name, for
// what is none and for an empty name.
Result<std::pair<std::string, std::string>> pair_of(std::string_view setting,
                                                    const std::string& entry);

// Fails kMalformed, with a sentence for the operator, for a word that is no door, an entry that is
// no node with a key, and a door that could let nobody in.
Result<controller::RegistrationDoors> overlay_doors(const config::Config& config);

}  // namespace signet
