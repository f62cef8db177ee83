// The schemas that ship, held against every field that a sender could bend.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "config/job_types_file.h"
#include "config/shipped_documents.h"
#include "config/shipped_schemas.h"

namespace signet::config {
namespace {

constexpr std::string_view kWorld =
    R"({"schema_version":"1.0",)"
    R"("world":{"id":"world_a1","name":"Alpha","gravity":[0,-9.81,0]},)"
    R"("scene":{"id":"scene_a1","ambientLight":[0.1,0.2,0.3],"skybox":"dusk"},)"
    R"("entities":[{"id":"hero_1","type":"player",)"
    R"("transform":{"position":[1,2,3],"rotation":[0,90,0],"scale":[1.5,1.25,0.5]},)"
    R"("material":{"shader":"pbr","texture":"skin","color":[0.4,0.5,0.6]},)"
    R"("components":{"mesh":"body","collider":"box","script":"walk"}}],)"
    R"("quests":[{"id":"quest_1","triggerEntity":"hero_1","goal":"go"}]})";

struct Mutation {
  const char* name;
  std::string what;  // stands once in the world
  std::string with;
  bool taken = false;
};

std::string mutated(const Mutation& mutation) {
  std::string text(kWorld);
  const auto at = text.find(mutation.what);
  EXPECT_NE(at, std::string::npos) << mutation.what;
  EXPECT_EQ(text.find(mutation.what, at + 1), std::string::npos) << mutation.what;
  if (at == std::string::npos) return {};
  return text.replace(at, mutation.what.size(), mutation.with);
}

std::shared_ptr<const wire::JsonSchema> world_schema() {
  const auto types = read_job_types(kWorldJobTypes, "shipped");
  EXPECT_TRUE(types.ok()) << types.error().detail;
  return types.ok() ? types->world : nullptr;
}

void hold(const Mutation* begin, const Mutation* end) {
  const auto schema = world_schema();
  ASSERT_NE(schema, nullptr);
  for (const Mutation* row = begin; row != end; ++row) {
    SCOPED_TRACE(row->name);
    const Status checked = schema->check(mutated(*row));
    EXPECT_EQ(checked.ok(), row->taken) << (checked.ok() ? "taken" : checked.error().detail);
  }
}

TEST(WorldSchema, TakesAWorld) {
  const auto schema = world_schema();
  ASSERT_NE(schema, nullptr);
  const Status checked = schema->check(kWorld);
  EXPECT_TRUE(checked.ok()) << checked.error().detail;
  for (const char* other : {"null", "[]", "{}", "\"world\"", "1", ""}) {
    EXPECT_FALSE(schema->check(other).ok()) << other;
  }
}

TEST(WorldSchema, HoldsTheWorldAndItsScene) {
  // clang-format off
  const Mutation rows[] = {
      {"no version", R"("schema_version":"1.0",)", ""},
      {"another version", R"("1.0")", R"("1.1")"},
      {"a version that is a number", R"("1.0")", "1.0"},
      {"one property more", R"("schema_version")", R"("__proto__":{},"schema_version")"},
      {"no world", R"("world":{"id":"world_a1","name":"Alpha","gravity":[0,-9.81,0]},)", ""},
      {"a world that is a list", R"({"id":"world_a1","name":"Alpha","gravity":[0,-9.81,0]})", "[]"},
      {"a world with one more", R"("name":"Alpha")", R"("name":"Alpha","owner":"x")"},
      {"no id of the world", R"("id":"world_a1",)", ""},
      {"an id that is a number", R"("world_a1")", "1"},
      {"an id without its beginning", R"("world_a1")", R"("a1")"},
      {"an id of the beginning alone", R"("world_a1")", R"("world_")"},
      {"an id in upper case", R"("world_a1")", R"("world_A1")"},
      {"an id with a path in it", R"("world_a1")", R"("world_../../etc/passwd")"},
      {"an id with a command in it", R"("world_a1")", R"("world_a;rm")"},
      {"an id with a line break", R"("world_a1")", R"("world_a1\n")"},
      {"an id with a second line", R"("world_a1")", R"("world_a1\nworld_b")"},
      {"an id with a zero", R"("world_a1")", R"("world_a1\u0000")"},
      {"an id behind something", R"("world_a1")", R"("xworld_a1")"},
      {"an id of one letter", R"("world_a1")", R"("world_0")", true},
      {"no name", R"("name":"Alpha",)", ""},
      {"an empty name", R"("Alpha")", R"("")"},
      {"a name of one letter", R"("Alpha")", R"("A")", true},
      {"a name of 64 letters", R"("Alpha")", "\"" + std::string(64, 'n') + "\"", true},
      {"a name of 65 letters", R"("Alpha")", "\"" + std::string(65, 'n') + "\""},
      {"a name that is null", R"("Alpha")", "null"},
      {"no gravity", R"(,"gravity":[0,-9.81,0])", ""},
      {"gravity of two", "[0,-9.81,0]", "[0,-9.81]"},
      {"gravity of four", "[0,-9.81,0]", "[0,-9.81,0,0]"},
      {"gravity of text", "[0,-9.81,0]", R"([0,"-9.81",0])"},
      {"gravity of null", "[0,-9.81,0]", "[0,null,0]"},
      {"gravity of truth", "[0,-9.81,0]", "[0,true,0]"},
      {"gravity as an object", "[0,-9.81,0]", R"({"0":0,"1":1,"2":2})"},
      {"gravity as large as a number is", "[0,-9.81,0]", "[1e308,-1e308,0]", true},
      {"no scene", R"("scene":{"id":"scene_a1","ambientLight":[0.1,0.2,0.3],"skybox":"dusk"},)", ""},
      {"a scene with one more", R"("skybox":"dusk")", R"("skybox":"dusk","fog":1)"},
      {"no id of the scene", R"("id":"scene_a1",)", ""},
      {"a scene called a world", R"("scene_a1")", R"("world_a1")"},
      {"a scene with an umlaut", R"("scene_a1")", R"("scene_ä")"},
      {"no light", R"("ambientLight":[0.1,0.2,0.3],)", ""},
      {"light at its ends", "[0.1,0.2,0.3]", "[0,1,1.0]", true},
      {"light below", "[0.1,0.2,0.3]", "[0.1,-0.0001,0.3]"},
      {"light above", "[0.1,0.2,0.3]", "[0.1,0.2,1.0001]"},
      {"light of two", "[0.1,0.2,0.3]", "[0.1,0.2]"},
      {"light of four", "[0.1,0.2,0.3]", "[0.1,0.2,0.3,0.4]"},
      {"light of text", "[0.1,0.2,0.3]", R"(["0.1",0.2,0.3])"},
      {"no sky", R"(,"skybox":"dusk")", ""},
      {"an empty sky", R"("dusk")", R"("")"},
      {"a sky that is a number", R"("dusk")", "3"},
  };
  // clang-format on
  hold(std::begin(rows), std::end(rows));
}

TEST(WorldSchema, HoldsEachEntity) {
  // clang-format off
  const Mutation rows[] = {
      {"no entities", R"("entities":[{)", R"("entitles":[{)"},
      {"one with one more", R"("type":"player")", R"("type":"player","hp":1)"},
      {"no id", R"("id":"hero_1",)", ""},
      {"an empty id", R"("id":"hero_1")", R"("id":"")"},
      {"an id with a dash", R"("id":"hero_1")", R"("id":"hero-1")"},
      {"an id with a slash", R"("id":"hero_1")", R"("id":"../hero")"},
      {"an id that is a number", R"("id":"hero_1")", R"("id":1)"},
      {"no type", R"("type":"player",)", ""},
      {"a type of another kind", R"("player")", R"("boss")"},
      {"a type in upper case", R"("player")", R"("PLAYER")"},
      {"a type that is a number", R"("player")", "0"},
      {"an npc", R"("player")", R"("npc")", true},
      {"an object", R"("player")", R"("object")", true},
      {"no transform", R"("transform":{"position":[1,2,3],"rotation":[0,90,0],"scale":[1.5,1.25,0.5]},)", ""},
      {"a transform with one more", R"("transform":{)", R"("transform":{"w":1,)"},
      {"no position", R"("position":[1,2,3],)", ""},
      {"a position of two", "[1,2,3]", "[1,2]"},
      {"a position of four", "[1,2,3]", "[1,2,3,4]"},
      {"a position of text", "[1,2,3]", R"([1,2,"3"])"},
      {"a position of lists", "[1,2,3]", "[[1],[2],[3]]"},
      {"no rotation", R"("rotation":[0,90,0],)", ""},
      {"a rotation of one", "[0,90,0]", "[90]"},
      {"a rotation that is a number", "[0,90,0]", "90"},
      {"no scale", R"(,"scale":[1.5,1.25,0.5])", ""},
      {"a scale of zero", "[1.5,1.25,0.5]", "[1.5,0,0.5]"},
      {"a scale of minus zero", "[1.5,1.25,0.5]", "[1.5,-0.0,0.5]"},
      {"a scale below", "[1.5,1.25,0.5]", "[1.5,1.25,-0.5]"},
      {"a scale of nearly nothing", "[1.5,1.25,0.5]", "[1.5,1.25,1e-300]", true},
      {"a scale of two", "[1.5,1.25,0.5]", "[1.5,1.25]"},
      {"a scale of truth", "[1.5,1.25,0.5]", "[true,true,true]"},
      {"no material", R"("material":{"shader":"pbr","texture":"skin","color":[0.4,0.5,0.6]},)", ""},
      {"a material with one more", R"("shader":"pbr")", R"("shader":"pbr","url":"x")"},
      {"no shader", R"("shader":"pbr",)", ""},
      {"an empty shader", R"("pbr")", R"("")", true},
      {"a shader that is an object", R"("pbr")", "{}"},
      {"no texture", R"("texture":"skin",)", ""},
      {"an empty texture", R"("skin")", R"("")"},
      {"a texture that is a list", R"("skin")", R"(["skin"])"},
      {"no color", R"(,"color":[0.4,0.5,0.6])", ""},
      {"a color below", "[0.4,0.5,0.6]", "[-0.1,0.5,0.6]"},
      {"a color above", "[0.4,0.5,0.6]", "[0.4,0.5,255]"},
      {"a color with its strength", "[0.4,0.5,0.6]", "[0.4,0.5,0.6,1]"},
      {"no components", R"(,"components":{"mesh":"body","collider":"box","script":"walk"})", ""},
      {"components with one more", R"("mesh":"body")", R"("mesh":"body","sound":"s")"},
      {"no mesh", R"("mesh":"body",)", ""},
      {"an empty mesh", R"("body")", R"("")"},
      {"a mesh that is null", R"("body")", "null"},
      {"no collider", R"("collider":"box",)", ""},
      {"another collider", R"("box")", R"("capsule")"},
      {"a sphere", R"("box")", R"("sphere")", true},
      {"nothing to collide with", R"("box")", R"("none")", true},
      {"no script", R"(,"script":"walk")", "", true},
      {"an empty script", R"("walk")", R"("")", true},
      {"a script that is a number", R"("walk")", "1"},
  };
  // clang-format on
  hold(std::begin(rows), std::end(rows));
}

TEST(WorldSchema, HoldsEachQuestAndTheLists) {
  const std::string text(kWorld);
  const auto entities = text.find(R"("entities":)") + 11;
  const auto quests = text.find(R"(,"quests":)");
  const std::string entity_list = text.substr(entities, quests - entities);
  const std::string entity = entity_list.substr(1, entity_list.size() - 2);
  // clang-format off
  const Mutation rows[] = {
      {"no quests", R"(,"quests":[{"id":"quest_1","triggerEntity":"hero_1","goal":"go"}])", ""},
      {"an empty list of quests", R"([{"id":"quest_1","triggerEntity":"hero_1","goal":"go"}])", "[]", true},
      {"a quest that is text", R"({"id":"quest_1","triggerEntity":"hero_1","goal":"go"})", R"("quest_1")"},
      {"quests as an object", R"([{"id":"quest_1","triggerEntity":"hero_1","goal":"go"}])", "{}"},
      {"a quest with one more", R"("goal":"go")", R"("goal":"go","reward":1)"},
      {"no id", R"("id":"quest_1",)", ""},
      {"an id without its beginning", R"("quest_1")", R"("1")"},
      {"an id with a blank", R"("quest_1")", R"("quest_ 1")"},
      {"no entity", R"("triggerEntity":"hero_1",)", ""},
      {"an entity that is a number", R"("triggerEntity":"hero_1")", R"("triggerEntity":1)"},
      {"no goal", R"(,"goal":"go")", ""},
      {"an empty goal", R"("go")", R"("")"},
      {"no entity at all", entity_list, "[]"},
      {"entities as an object", entity_list, entity},
      {"an entity that is null", entity_list, "[null]"},
      {"two entities", entity, entity + "," + entity, true},
      {"a second one that is broken", entity, entity + ",{}"},
  };
  // clang-format on
  hold(std::begin(rows), std::end(rows));
}

TEST(ShippedSchemas, AreTheFilesOfTheRepository) {
  const struct {
    const char* file;
    std::string_view text;
  } rows[] = {
      {"world", kWorldSchema},
      {"build_scene", kBuildSceneSchema},
      {"load_assets", kLoadAssetsSchema},
      {"spawn_entity", kSpawnEntitySchema},
  };
  for (const auto& row : rows) {
    std::ifstream file(std::string(SIGNET_SOURCE_DIR "/protocol/schemas/") + row.file + ".json");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), row.text) << row.file;
  }
}

TEST(ShippedSchemas, HoldThePayloadsOfTheThreeTypes) {
  const auto types = read_job_types(kWorldJobTypes, "shipped");
  ASSERT_TRUE(types.ok()) << types.error().detail;
  const struct {
    const char* name;
    const char* type;
    const char* payload;
    bool taken;
  } rows[] = {
      {"a scene", "BUILD_SCENE", R"({"sceneId":"scene_a","ambientLight":[0,0,1],"skybox":"x"})",
       true},
      {"a scene by another key", "BUILD_SCENE",
       R"({"id":"scene_a","ambientLight":[0,0,1],"skybox":"x"})", false},
      {"a scene too bright", "BUILD_SCENE",
       R"({"sceneId":"scene_a","ambientLight":[0,0,2],"skybox":"x"})", false},
      {"assets", "LOAD_ASSETS", R"({"assets":["a","b"]})", true},
      {"no assets", "LOAD_ASSETS", R"({"assets":[]})", false},
      {"an asset without a name", "LOAD_ASSETS", R"({"assets":[""]})", false},
      {"an entity", "SPAWN_ENTITY",
       R"({"id":"a","type":"npc","transform":{"position":[0,0,0],"rotation":[0,0,0],)"
       R"("scale":[1,1,1]},"material":{"shader":"","texture":"t","color":[0,0,0]},)"
       R"("components":{"mesh":"m","collider":"none"}})",
       true},
      {"an entity of no size", "SPAWN_ENTITY",
       R"({"id":"a","type":"npc","transform":{"position":[0,0,0],"rotation":[0,0,0],)"
       R"("scale":[1,0,1]},"material":{"shader":"","texture":"t","color":[0,0,0]},)"
       R"("components":{"mesh":"m","collider":"none"}})",
       false},
  };
  for (const auto& row : rows) {
    const Status checked = types->payloads.at(row.type)->check(row.payload);
    EXPECT_EQ(checked.ok(), row.taken) << row.name;
  }
}

}  // namespace
}  // namespace signet::config
