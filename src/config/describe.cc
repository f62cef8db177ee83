#include "config/describe.h"

#include <algorithm>
#include <utility>

namespace signet::config {
namespace {

std::string code(std::string_view text) {
  if (text.empty()) return "";
  return "`" + std::string(text) + "`";
}

std::string_view first_sentence(std::string_view doc) {
  const std::size_t colon = doc.find(": "), dot = doc.find(". "), semicolon = doc.find("; ");
  const std::size_t end = std::min({colon, dot, semicolon});
  return doc.substr(0, end == std::string_view::npos && doc.ends_with('.') ? doc.size() - 1 : end);
}

// A '|' ends a cell of a table.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string row(const Setting& setting, bool has_environment) {
  std::string defaults = code(setting.default_text);
  if (!setting.dev_text.empty()) defaults += " (dev " + code(setting.dev_text) + ")";
  std::string line = "| " + code(setting.key) + " | " + defaults + " | " + allowed(setting);
  if (setting.type == Type::kInteger) line.append(" (").append(setting.unit).append(")");
  line += std::string(" | ") + (setting.reload == Reload::kLive ? "live" : "restart") + " | " +
          cell(setting.doc);
  if (has_environment) line += " " + code(environment_name(setting));
  return line + " |\n";
}

constexpr std::string_view kTableHead =
    "\n| key | default | allowed | reload | meaning and variable |\n| --- | --- | --- | --- | --- "
    "|\n";

constexpr std::string_view kPreface =
    "# Configuration\n\n"
    "Made from the table in `src/config/settings.h`; edit that file.\n\n"
    "Defaults < the TOML file of `--config` < environment variables < flags (`--set "
    "section.key=value`). An unknown key or a bad value in any of them stops the start with the "
    "place, what was given and what is allowed; an unknown `SIGNET_` variable is a warning. "
    "Secrets come from the environment or from a file that only its owner may read. Lists are "
    "separated by commas outside of the file. SIGHUP reads everything again: what is `live` "
    "applies at once, the rest is named and waits for a restart, and a broken file changes "
    "nothing.\n";

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string toml_list(const std::vector<std::string>& entries) {
  std::string out = "[";
  for (const std::string& entry : entries) {
    out.append(out.size() == 1 ? "" : ", ").append(toml_string(entry));
  }
  return out + "]";
}

std::string toml_value(const Setting& setting, const Value& value) {
  switch (setting.type) {
    case Type::kBool:
    case Type::kInteger:
      return print_value(setting, value);
    case Type::kList:
    case Type::kAddresses:
      return toml_list(value.list);
    default:
      return toml_string(print_value(setting, value));
  }
}

std::string show_entry(const Setting& setting, const Config::Entry& entry) {
  const std::string key(setting.key);
  if (setting.secret()) {
    const bool none = entry.secret->empty();
    return "# " + key + (none ? " is not set" : " = ******** ") +
           (none ? "" : "(" + entry.origin.text() + ")") + "\n";
  }
  return key + " = " + toml_value(setting, entry.value) + "  # " + entry.origin.text() + "\n";
}

std::string show_mesh(const MeshSetting& mesh) {
  std::string out = "\n[[mesh]]  # " + mesh.origin.text() + "\nslug = " + toml_string(mesh.slug);
  if (!mesh.owner.empty()) out += "\nowner = " + toml_string(mesh.owner);
  if (!mesh.id.empty()) out += "\nid = " + toml_string(mesh.id);
  return out + "\nmax_connections = " + std::to_string(mesh.max_connections) +
         "\nlegacy_join = " + (mesh.legacy_join ? "true" : "false") + "\n";
}

}  // namespace

std::string describe_markdown() {
  std::string out(kPreface);
  std::string_view section;
  for (const Setting& setting : kSettings) {
    if (setting.section != section) {
      section = setting.section;
      out.append("\n## [").append(section).append("]\n").append(kTableHead);
    }
    out += row(setting, true);
  }
  out += "\n## [[mesh]]\n\nOne table per mesh.\n";
  out += kTableHead;
  for (const Setting& setting : kMeshSettings) out += row(setting, false);
  return out;
}

std::string describe_env() {
  std::string out;
  for (const Setting& setting : kSettings) {
    if (setting.default_text.empty()) {
      out += environment_name(setting) + "  (none)";
    } else {
      out += environment_name(setting) + "=" + std::string(setting.default_text);
    }
    out.append("  # ").append(first_sentence(setting.doc)).append("\n");
  }
  return out;
}

std::string show(const Config& config) {
  std::string out;
  std::string_view section;
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    if (kSettings[i].section != section) {
      section = kSettings[i].section;
      out.append(out.empty() ? "[" : "\n[").append(section).append("]\n");
    }
    out += show_entry(kSettings[i], config.entries()[i]);
  }
  for (const MeshSetting& mesh : config.meshes()) out += show_mesh(mesh);
  return out;
}

}  // namespace signet::config
