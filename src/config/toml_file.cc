#include "config/toml_file.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "config/toml_fence.h"

namespace signet::config {
namespace {

bool read_strings(const toml::array& array, std::vector<std::string>& out) {
  for (const toml::node& node : array) {
    const auto* const text = node.as_string();
    if (text == nullptr) return false;
    out.push_back(text->get());
  }
  return true;
}

FileEntry entry_of(std::string section, const toml::key& key, const toml::node& node) {
  FileEntry entry;
  entry.section = std::move(section);
  entry.key = key.str();
  entry.line = key.source().begin.line;
  entry.column = key.source().begin.column;
  if (const auto* const text = node.as_string()) {
    entry.kind = FileEntry::Kind::kString;
    entry.text = text->get();
  } else if (const auto* const number = node.as_integer()) {
    entry.kind = FileEntry::Kind::kInteger;
    entry.text = std::to_string(number->get());
  } else if (const auto* const boolean = node.as_boolean()) {
    entry.kind = FileEntry::Kind::kBoolean;
    entry.text = boolean->get() ? "true" : "false";
  } else if (const auto* const array = node.as_array();
             array != nullptr && read_strings(*array, entry.list)) {
    entry.kind = FileEntry::Kind::kStrings;
  }
  return entry;
}

// A [[mesh]] is a list of tables, also when it is written in one line.
bool append_meshes(TomlFile& file, const toml::node& node) {
  const auto* const array = node.as_array();
  if (array == nullptr || !array->is_array_of_tables()) return false;
  for (const toml::node& element : *array) {
    for (const auto& [key, value] : *element.as_table()) {
      file.entries.push_back(entry_of("mesh", key, value));
      file.entries.back().mesh = file.mesh_lines.size();
    }
    file.mesh_lines.push_back(element.source().begin.line);
  }
  return true;
}

TomlFile flatten(const toml::table& root) {
  TomlFile file;
  for (const auto& [key, node] : root) {
    if (key.str() == "mesh" && append_meshes(file, node)) continue;
    const auto* const table = node.as_table();
    if (table == nullptr) {
      file.entries.push_back(entry_of("", key, node));
      continue;
    }
    for (const auto& [inner, value] : *table) {
      file.entries.push_back(entry_of(std::string(key.str()), inner, value));
    }
  }
  std::stable_sort(file.entries.begin(), file.entries.end(), [](const auto& a, const auto& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return file;
}

}  // namespace

Result<TomlFile> parse_toml(std::string_view text, const std::string& path) {
  SIGNET_TRY(const toml::table table, parse_table(text, path));
  return flatten(table);
}

Result<TomlFile> read_toml(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return Error{ErrorCode::kNotFound, path + ": cannot be opened"};
  std::string text(kMaxFileBytes + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return Error{ErrorCode::kNotFound, path + ": cannot be read"};
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kMaxFileBytes) return Error{ErrorCode::kMalformed, path + ": is over 1 MiB"};
  return parse_toml(text, path);
}

}  // namespace signet::config
