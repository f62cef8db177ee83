// Options that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>

namespace signet::cli {

// A time in seconds, fractions allowed, of at most a day.
inline CLI::Option& add_seconds(CLI::App& command, const std::string& name, double& seconds,
                                const std::string& what) {
  constexpr double kDay = 86'400;
  return *command.add_option(name, seconds, what)
              ->type_name("SECONDS")
              ->check(CLI::Range(0.0, kDay))
              ->capture_default_str();
}

inline std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(seconds));
}

}  // namespace signet::cli
