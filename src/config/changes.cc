#include "config/changes.h"

#include <algorithm>
#include <utility>

namespace signet::config {
namespace {

bool same(const Config::Entry& a, const Config::Entry& b) {
  if (a.secret && b.secret) return a.secret->reveal() == b.secret->reveal();
  return a.value == b.value;
}

std::string named(const std::string& file) { return file.empty() ? "none" : file; }

// The part of a mesh that a change is seen in; its place in the file is no part.
std::string print_mesh(const MeshSetting& mesh) {
  return "owner " + (mesh.owner.empty() ? "none" : mesh.owner) + ", id " +
         (mesh.id.empty() ? "kept or made" : mesh.id) + ", max_connections " +
         std::to_string(mesh.max_connections) + ", legacy_join " +
         (mesh.legacy_join ? "true" : "false") + ", policy " + named(mesh.policy) + ", routes " +
         named(mesh.routes) + ", simpatico_open " + (mesh.simpatico_open ? "true" : "false") +
         ", max_skew " + std::to_string(mesh.max_skew.count()) + "ms, shared_secret_file " +
         named(mesh.shared_secret_file) + ", token_keys " + named(mesh.token_keys) +
         ", token_issuer " + named(mesh.token_issuer) + ", token_audience " +
         named(mesh.token_audience) + ", hub_action_secret_file " +
         named(mesh.hub_action_secret_file) + ", hub_engine_secret_file " +
         named(mesh.hub_engine_secret_file) + ", hub_shared_actions " +
         (mesh.hub_shared_actions ? "true" : "false") + ", jobs_types " + named(mesh.jobs_types);
}

std::string find_mesh(const Config& config, const std::string& slug) {
  const auto& meshes = config.meshes();
  const auto found = std::find_if(meshes.begin(), meshes.end(),
                                  [&](const MeshSetting& mesh) { return mesh.slug == slug; });
  return found == meshes.end() ? "none" : print_mesh(*found);
}

void compare_meshes(const Config& before, const Config& after, Changes& changes) {
  for (const MeshSetting& mesh : before.meshes()) {
    const std::string from = print_mesh(mesh), to = find_mesh(after, mesh.slug);
    if (from != to) changes.restart.push_back({"mesh." + mesh.slug, from, to});
  }
  for (const MeshSetting& mesh : after.meshes()) {
    if (find_mesh(before, mesh.slug) != "none") continue;
    changes.restart.push_back({"mesh." + mesh.slug, "none", print_mesh(mesh)});
  }
}

}  // namespace

Changes changed(const Config& before, const Config& after) {
  Changes changes;
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    const Config::Entry &from = before.entries()[i], &to = after.entries()[i];
    if (same(from, to)) continue;
    const Setting& setting = kSettings[i];
    auto& kind = setting.reload == Reload::kLive ? changes.live : changes.restart;
    kind.push_back(
        {name_of(setting), print_value(setting, from.value), print_value(setting, to.value)});
  }
  compare_meshes(before, after, changes);
  return changes;
}

Config merge_live(const Config& before, const Config& after) {
  std::vector<Config::Entry> entries = before.entries();
  for (std::size_t i = 0; i < kSettings.size(); ++i) {
    if (kSettings[i].reload == Reload::kLive) entries[i] = after.entries()[i];
  }
  return Config(std::move(entries), before.meshes(), after.warnings());
}

}  // namespace signet::config
