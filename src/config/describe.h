// The reference of all settings, and what a configuration came to. Everything here is made from
// the table in settings.h.
#pragma once

#include <string>

#include "config/config.h"

namespace signet::config {

// The reference page: every setting with its default, bounds, reason and reload behaviour.
std::string describe_markdown();

// One line per environment variable: name, default, first sentence of its meaning.
std::string describe_env();

// The configuration as a TOML file that load() reads back, each line with its origin as a comment.
// Secrets are stars in a comment.
std::string show(const Config& config);

}  // namespace signet::config
