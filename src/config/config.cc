#include "config/config.h"

#include <cstdlib>
#include <utility>

namespace signet::config {

std::string Origin::text() const { return where.empty() ? "default" : where; }

Config::Config(std::vector<Entry> entries, std::vector<MeshSetting> meshes,
               std::vector<std::string> warnings)
    : entries_(std::move(entries)), meshes_(std::move(meshes)), warnings_(std::move(warnings)) {
  if (entries_.size() != kSettings.size()) std::abort();
}

}  // namespace signet::config
