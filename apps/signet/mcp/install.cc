#include "signet/mcp/install.h"

#include "signet/terminal/failure.h"
#include "wire/json.h"

namespace signet::mcp {

using wire::JsonWriter;
using Environment = std::vector<std::pair<std::string, std::string>>;

namespace {

struct Shape {
  std::string_view client;
  std::string_view list;  // the member of the file that lists servers; empty: TOML
  std::string_view type;  // of the entry; empty: the program wants none
  std::string_view where;
};
constexpr Shape kShapes[] = {
    {"claude", "mcpServers", "stdio",
     "Merge this into .mcp.json of the project, or into ~/.claude.json for all projects."},
    {"codex", "", "", "Append this to ~/.codex/config.toml."},
    {"cursor", "mcpServers", "", "Merge this into .cursor/mcp.json, or ~/.cursor/mcp.json."},
    {"gemini", "mcpServers", "", "Merge this into ~/.gemini/settings.json."},
    {"vscode", "servers", "stdio", "Merge this into .vscode/mcp.json of the workspace."},
    {"windsurf", "mcpServers", "", "Merge this into ~/.codeium/windsurf/mcp_config.json."},
};

// JSON with two spaces a level and one member a line; lists stay on theirs. REQUIRES: JSON without
// white space and without empty objects.
std::string indented(std::string_view json) {
  std::string out;
  std::string margin = "\n";
  bool is_text = false;
  bool is_list = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') is_text = !is_text;
    if (c == '\\' && is_text) {  // an escape is two characters, whichever they are
      out.append(json.substr(i++, 2));
      continue;
    }
    if (is_text || c == '"') {
      out += c;
      continue;
    }
    if (c == '[' || c == ']') is_list = c == '[';
    if (c == '}') margin.resize(margin.size() - 2);
    if (c == '}') out += margin;
    out += c;
    if (c == '{') margin += "  ";
    if (c == '{' || (c == ',' && !is_list)) out += margin;
    if (c == ':') out += ' ';
  }
  return out;
}

std::string json_entry(const Shape& shape, const std::string& program, const Environment& env) {
  JsonWriter out;
  out.object().key(shape.list).object().key("signet").object();
  if (!shape.type.empty()) out.key("type").value(shape.type);
  out.key("command").value(program).key("args").array().value("mcp").end();
  if (!env.empty()) {
    out.key("env").object();
    for (const auto& [name, value] : env) out.key(name).value(value);
    out.end();
  }
  return indented(out.end().end().end().text());
}

// A basic string of TOML has the escapes of JSON, \/ left out, which is never written.
std::string quoted(std::string_view text) {
  std::string out;
  wire::append_json_string(out, text);
  return out;
}

std::string toml_entry(const std::string& program, const Environment& env) {
  std::string out = "[mcp_servers.signet]\ncommand = " + quoted(program) + "\nargs = [\"mcp\"]";
  if (env.empty()) return out;
  out += "\n\n[mcp_servers.signet.env]";
  for (const auto& [name, value] : env) out += "\n" + name + " = " + quoted(value);
  return out;
}

}  // namespace

std::vector<std::string_view> install_clients() {
  std::vector<std::string_view> names;
  for (const Shape& shape : kShapes) names.push_back(shape.client);
  return names;
}

Result<InstallEntry> install_entry(std::string_view client, const std::string& program,
                                   const Environment& environment) {
  for (const Shape& shape : kShapes) {
    if (shape.client != client) continue;
    const std::string text = shape.list.empty() ? toml_entry(program, environment)
                                                : json_entry(shape, program, environment);
    return InstallEntry{text, std::string(shape.where)};
  }
  std::string known;
  for (const auto name : install_clients()) known.append(known.empty() ? "" : ", ").append(name);
  return cli::usage_error("no entry is known for " + std::string(client),
                          "Known are: " + known + ".");
}

}  // namespace signet::mcp
