// Rules is what operators decided in documents: the policy and the routes of each mesh, and which
// mesh a connection belongs to whose format names none. Immutable once shown; every shard and the
// control thread have their own pointer to it.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "broker/hub_options.h"
#include "routing/routing_table.h"
#include "trust/key_set.h"
#include "trust/policy.h"
#include "trust/token.h"

namespace signet::broker {

// Which tokens a mesh believes.
struct TokenDoor {
  trust::KeySet keys;
  trust::TokenRules rules;                 // without an audience, where the mesh's slug is one
  std::string source;                      // the file of the keys
  std::optional<crypto::Digest32> digest;  // of that file; none where it holds secrets

  trust::TokenRules rules_for(std::string_view slug) const;
};

struct MeshRules {
  std::shared_ptr<const trust::Policy> policy;          // never null
  std::shared_ptr<const routing::RoutingTable> routes;  // never null
  crypto::Digest32 routes_digest{};                     // of the table's text; zeros: there is none
  bool relay_open = false;                              // any key may register, not members' only
  std::chrono::milliseconds max_skew{60'000};  // of PulseMesh handshakes; 0: any time, any number
  std::shared_ptr<const TokenDoor> tokens;     // null: none
  std::shared_ptr<const HubDoor> hub;          // null: Hub is off there
  std::string source = "default";              // of the policy: a file, or this word
  WallTime loaded;
};

// One row of the table of bindings. What is empty holds for all.
struct Binding {
  std::string dialect;
  std::string host;  // without its port, in lower case
  std::string path;  // how the path begins
  std::string mesh;  // slug
};

struct Rules {
  std::map<std::string, MeshRules, std::less<>> meshes;  // by slug
  MeshRules otherwise;                                   // of meshes that are not named
  std::vector<Binding> bindings;                         // the first that fits

  const MeshRules& of(std::string_view slug) const;
  // The slug; nullopt where nothing is bound. `host` as the request has it.
  std::optional<std::string_view> mesh_for(std::string_view dialect, std::string_view host,
                                           std::string_view path) const;
  // Does mesh_for() answer this mesh to anybody who speaks that dialect?
  bool binds(std::string_view dialect, std::string_view slug) const;
};

// Where nobody decided anything: the shipped policy that lets members do what members do, no
// routes, no bindings.
std::shared_ptr<const Rules> default_rules();

}  // namespace signet::broker
