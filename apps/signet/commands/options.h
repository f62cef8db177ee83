// Options that several commands share.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cmath>
#include <string>

namespace signet::cli {

// "nan" is a double that no range refuses, for it is neither less nor more than anything.
inline std::string refuse_what_is_no_number(std::string& text) {
  double number = 0;
  const bool good = CLI::detail::lexical_cast(text, number) && std::isfinite(number);
  return good ? "" : "Value " + text + " is no number of seconds";
}

// What a member may be called, in bytes: a broker refuses more.
inline std::string refuse_long_name(std::string& text) {
  constexpr std::size_t kLongest = 128;
  return text.size() <= kLongest ? "" : "a name has at most 128 bytes";
}

// A time in seconds, fractions allowed, of at most a day.
inline CLI::Option& add_seconds(CLI::App& command, const std::string& name, double& seconds,
                                const std::string& what) {
  constexpr double kDay = 86'400;
  return *command.add_option(name, seconds, what)
              ->type_name("SECONDS")
              ->check(CLI::Range(0.0, kDay))
              ->check(CLI::Validator(refuse_what_is_no_number, ""))
              ->capture_default_str();
}

inline std::chrono::milliseconds milliseconds_of(double seconds) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(seconds));
}

}  // namespace signet::cli
