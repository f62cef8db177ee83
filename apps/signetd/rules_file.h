// The rules of all meshes, out of the configuration and the documents that it names.
#pragma once

#include <memory>
#include <string>

#include "broker/rules.h"
#include "config/config.h"
#include "signet/result.h"

namespace signet {

// Reads every policy, routing table and list of job types again. `only_mesh` is bound where the
// configuration binds nothing; empty: there is none, or more than one. `dev` ships other documents.
// Fails with every fault of the first document that has some: then what held before is to be kept.
Result<std::shared_ptr<const broker::Rules>> load_rules(const config::Config& config, bool dev,
                                                        const std::string& only_mesh, WallTime now);

// What holds already, with the keys of tokens read again.
Result<std::shared_ptr<const broker::Rules>> reload_tokens(const config::Config& config, bool dev,
                                                           const broker::Rules& held,
                                                           const std::string& only_mesh);

// DIALECT[@HOST][/PATH]=MESH of server.bindings.
Result<broker::Binding> parse_binding(const std::string& text);

}  // namespace signet
