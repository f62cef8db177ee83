// `signet mcp install`: what to put into the configuration of an agent's program so that it starts
// `signet mcp`. Pure; nothing is written anywhere.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signet/result.h"

namespace signet::mcp {

struct InstallEntry {
  std::string text;   // for the file: JSON, or TOML where the program wants it
  std::string where;  // a sentence: which file, and how else
};

std::vector<std::string_view> install_clients();  // claude, …

// `environment`: variables that the program must pass on, because it starts others with few.
// Fails kMalformed (usage) for a client that is not known.
Result<InstallEntry> install_entry(
    std::string_view client, const std::string& program,
    const std::vector<std::pair<std::string, std::string>>& environment);

}  // namespace signet::mcp
