#include "broker/rules.h"

#include <algorithm>

#include "config/policy_file.h"
#include "config/shipped_documents.h"

namespace signet::broker {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Without its port: `[::1]:80` is `[::1]`.
std::string_view name_of_host(std::string_view host) {
  const auto bracket = host.rfind(']');
  const auto colon = host.rfind(':');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || bracket < colon);
  return has_port ? host.substr(0, colon) : host;
}

bool same_host(std::string_view bound, std::string_view host) {
  const std::string_view name = name_of_host(host);
  return std::equal(bound.begin(), bound.end(), name.begin(), name.end(),
                    [](char a, char b) { return lower(a) == lower(b); });
}

}  // namespace

std::shared_ptr<const Rules> default_rules() {
  static const auto rules = [] {
    auto made = std::make_shared<Rules>();
    auto document = config::read_policy(config::kAllowMembersPolicy, "default");
    made->otherwise.policy = *trust::Policy::compile(*std::move(document));
    made->otherwise.routes = std::make_shared<const routing::RoutingTable>();
    return std::shared_ptr<const Rules>(std::move(made));
  }();
  return rules;
}

trust::TokenRules TokenDoor::rules_for(std::string_view slug) const {
  trust::TokenRules of_mesh = rules;
  if (of_mesh.audience.empty()) of_mesh.audience = slug;
  return of_mesh;
}

const MeshRules& Rules::of(std::string_view slug) const {
  const auto found = meshes.find(slug);
  return found == meshes.end() ? otherwise : found->second;
}

std::optional<std::string_view> Rules::mesh_for(std::string_view dialect, std::string_view host,
                                                std::string_view path) const {
  for (const Binding& binding : bindings) {
    const bool fits = dialect.starts_with(binding.dialect) &&
                      (binding.host.empty() || same_host(binding.host, host)) &&
                      path.starts_with(binding.path);
    if (fits) return binding.mesh;
  }
  return std::nullopt;
}

// A row that another one before it hides binds nobody.
bool Rules::binds(std::string_view dialect, std::string_view slug) const {
  return std::any_of(bindings.begin(), bindings.end(), [&](const Binding& binding) {
    return binding.mesh == slug && dialect.starts_with(binding.dialect) &&
           mesh_for(dialect, binding.host, binding.path) == slug;
  });
}

}  // namespace signet::broker
