// Reading the tree of commands: for completions and for the reference page.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

namespace signet::cli {

// The commands below `app` that people are shown, in the order they were added.
std::vector<const CLI::App*> visible_commands(const CLI::App& app);

// Every visible command below `app` with its path (`mesh create`), parents first.
void walk(const CLI::App& app,
          const std::function<void(const std::string& path, const CLI::App& command)>& visit);

// The words that an option or argument may have, with blanks between; empty where it is free.
std::string choices_of(const CLI::Option& option);

bool is_flag(const CLI::Option& option);

}  // namespace signet::cli
