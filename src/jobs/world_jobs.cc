#include "jobs/world_jobs.h"

#include <algorithm>
#include <array>
#include <set>

#include "wire/json.h"

namespace signet::jobs {
namespace {

using wire::JsonValue;
using wire::JsonWriter;

// ECMAScript sorts by UTF-16 units: what lies past U+FFFF comes before U+E000 to U+FFFF, whose
// UTF-8 begins with EE or EF. Elsewhere UTF-8 sorts alike.
struct ByUtf16Unit {
  bool operator()(const std::string& a, const std::string& b) const {
    const auto rank = [](char c) {
      const auto byte = static_cast<unsigned char>(c);
      return byte == 0xEE || byte == 0xEF ? byte + 0x10 : int{byte};
    };
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                        [&](char x, char y) { return rank(x) < rank(y); });
  }
};

Error missing(const std::string& place) { return {ErrorCode::kMalformed, place + ": missing"}; }

struct Part {
  std::string_view from;
  std::string_view to;
};

// An object of these members of `value`, as they were written.
template <std::size_t N>
Result<std::string> taken_over(JsonValue value, const std::string& place,
                               const std::array<Part, N>& parts) {
  JsonWriter json;
  json.object();
  for (const Part& part : parts) {
    const JsonValue member = value[part.from];
    if (!member) return missing(place + "/" + std::string(part.from));
    json.key(part.to).raw(member.raw());
  }
  return json.end().take();
}

Result<std::string> assets_of(JsonValue entities) {
  std::set<std::string, ByUtf16Unit> assets;
  for (std::size_t i = 0; i < entities.size(); ++i) {
    const auto mesh = entities[i]["components"]["mesh"].string();
    const auto texture = entities[i]["material"]["texture"].string();
    if (!mesh || !texture) {
      return missing("/entities/" + std::to_string(i) + ": mesh or texture");
    }
    assets.emplace(*mesh);
    assets.emplace(*texture);
  }
  JsonWriter json;
  json.object().key("assets").array();
  for (const std::string& asset : assets) json.value(asset);
  return json.end().end().take();
}

}  // namespace

Result<std::vector<WorldJob>> jobs_of_world(std::string_view text) {
  constexpr std::array<Part, 3> kScene{
      {{"id", "sceneId"}, {"ambientLight", "ambientLight"}, {"skybox", "skybox"}}};
  constexpr std::array<Part, 5> kEntity{{{"id", "id"},
                                         {"type", "type"},
                                         {"transform", "transform"},
                                         {"material", "material"},
                                         {"components", "components"}}};
  wire::JsonDocument world;
  if (const Status parsed = world.parse(text); !parsed.ok()) return parsed.error();
  const JsonValue entities = world.root()["entities"];
  if (!entities.is(wire::JsonKind::kArray)) return missing("/entities");
  std::vector<WorldJob> jobs;
  SIGNET_TRY(std::string scene, taken_over(world.root()["scene"], "/scene", kScene));
  jobs.push_back({"BUILD_SCENE", std::move(scene)});
  SIGNET_TRY(std::string assets, assets_of(entities));
  jobs.push_back({"LOAD_ASSETS", std::move(assets)});
  for (std::size_t i = 0; i < entities.size(); ++i) {
    const std::string place = "/entities/" + std::to_string(i);
    SIGNET_TRY(std::string entity, taken_over(entities[i], place, kEntity));
    jobs.push_back({"SPAWN_ENTITY", std::move(entity)});
  }
  return jobs;
}

}  // namespace signet::jobs
