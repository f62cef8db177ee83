// A TOML file as a flat list of what it sets, in the order of its lines. Keeps toml++ to
// itself, whose header takes seconds to compile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::config {

inline constexpr std::size_t kMaxFileBytes = 1024 * 1024;  // thousands of meshes fit

struct FileEntry {
  enum class Kind : std::uint8_t { kBoolean, kInteger, kString, kStrings, kOther };
  std::string section;  // "" at the top of the file, "mesh" in a [[mesh]]
  std::string key;
  std::size_t mesh = 0;  // which [[mesh]], from 0
  Kind kind = Kind::kOther;
  std::string text;               // as written, without the quotes
  std::vector<std::string> list;  // kStrings
  std::uint32_t line = 0;
  std::uint32_t column = 0;
};

struct TomlFile {
  std::vector<FileEntry> entries;
  std::vector<std::uint32_t> mesh_lines;  // where each [[mesh]] begins
};

// `text` is the content, `path` what messages call it. Fails kMalformed with "path:line:column: …".
Result<TomlFile> parse_toml(std::string_view text, const std::string& path);

// Fails kNotFound where there is no such file, kMalformed for one that is too large or no TOML.
Result<TomlFile> read_toml(const std::string& path);

}  // namespace signet::config
