#include "config/changes.h"

#include <algorithm>
#include <utility>

namespace signet::config {
namespace {

bool same(const Config::Entry& a, const Config::Entry& b) {
  if (a.secret && b.secret) return a.secret->reveal() == b.secret->reveal();
  return a.value == b.value;
}

// The part of a mesh that a change is seen in; its place in the file is no part.
std::string print_mesh(const MeshSetting& mesh) {
  return "owner " + (mesh.owner.empty() ? "none" : mesh.owner) + ", id " +
         (mesh.id.empty() ? "kept or made" : mesh.id) + ", max_connections " +
         std::to_string(mesh.max_connections) + ", legacy_join " +
         (mesh.legacy_join ? "true" : "false");
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
