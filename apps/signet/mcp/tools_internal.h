// What the two halves of the tools share (mcp_tools.cc, mcp_tools_messages.cc); nothing else needs
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "signet/mcp/arguments.h"
#include "signet/mcp/tools.h"

namespace signet::mcp {

struct Tools::Call {
  const Arguments& arguments;
  const CallControl& control;
};

struct Tools::Tool {
  std::string_view name, title, description;
  std::vector<Argument> arguments;
  std::string_view output;  // JSON Schema of the answer
  bool is_read_only;
  ToolOutcome (Tools::*run)(const Call& call);
};

// `code: sentence. What to do: …`
ToolOutcome failed(const Error& error);
ToolOutcome answered(const std::string& json);
Error no_mesh();

bool is_connected(const McpMesh& mesh);
// The member `meshes`: which are connected, and why not.
void write_meshes(wire::JsonWriter& out, const std::vector<McpMesh*>& meshes);
// The member `warnings`, where a pinned name shows up under another key.
void write_key_changes(wire::JsonWriter& out, const std::vector<McpMesh*>& meshes);

}  // namespace signet::mcp
