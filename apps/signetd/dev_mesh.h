// DevMesh is what `signetd dev` adds to a broker: a mesh of its own, its owner's key in the data
// directory (where a real owner would keep it at home), an invite for the actual address, and an
// operator token. For trying things out, never for more.
#pragma once

#include <string>

#include "signetd/daemon.h"

namespace signet {

struct DevMesh {
  membership::Mesh mesh;
  std::string http;    // http://host:port
  std::string ws;      // ws://host:port/ws
  std::string invite;  // ic://join/…
  std::string operator_token;
};

// The file of a secret that a dev broker has where none is configured, such as the token that its
// operator API accepts; made on first use below `data`.
Result<std::string> dev_secret_file(const std::string& data, const std::string& name);

// Makes the mesh `slug`, or finds it again in the same data, and signs an invite for where the
// broker listens now. REQUIRES: the daemon listens.
Result<DevMesh> make_dev_mesh(Daemon& daemon, const config::Config& config,
                              const std::string& slug);

}  // namespace signet
