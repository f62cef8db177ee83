// Reads the Wycheproof files (test data of C2SP, Apache-2.0) as far as tests need them: the string
// members of a JSON text in order. Those files hold hex and plain words, so no escape is decoded.
#pragma once

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace signet::crypto {

// The whole file, or nullopt when the folder is not there.
inline std::optional<std::string> wycheproof_file(const std::string& name) {
  std::ifstream file(std::string(SIGNET_SOURCE_DIR) + "/../shared/wycheproof/" + name);
  if (!file) return std::nullopt;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::vector<std::pair<std::string, std::string>> string_members(const std::string& json) {
  std::vector<std::pair<std::string, std::string>> members;
  std::istringstream lines(json);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t name = line.find('"');
    const std::size_t name_end = line.find("\": \"", name + 1);
    const std::size_t value_end = line.rfind('"');
    if (name == line.npos || name_end == line.npos || value_end < name_end + 4) continue;
    members.emplace_back(line.substr(name + 1, name_end - name - 1),
                         line.substr(name_end + 4, value_end - name_end - 4));
  }
  return members;
}

}  // namespace signet::crypto
