// A joined mesh as the tools see it: the library's client, or the reason why there is none.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "signet/client.h"
#include "signet/mcp/mesh.h"
#include "signet/result.h"

namespace signet::mcp {

// `open` makes the client with these handlers; it does not wait for the broker. `slug` is what the
// mesh is called here. A client that can't be opened becomes a mesh that answers everything with
// the reason, so that the other meshes are served.
using OpenClient = std::function<Result<std::unique_ptr<Client>>(Handlers handlers)>;
std::unique_ptr<McpMesh> open_mesh(const std::string& slug, const OpenClient& open);

// The mesh that answers everything with `reason`.
std::unique_ptr<McpMesh> closed_mesh(const std::string& slug, Error reason);

}  // namespace signet::mcp
