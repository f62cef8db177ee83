#include "jobs/world_jobs.h"

#include <gtest/gtest.h>

#include <string>

#include "wire/json.h"

namespace signet::jobs {
namespace {

std::string entity(const std::string& id, const std::string& mesh, const std::string& texture) {
  return R"({"components":{"collider":"box","mesh":")" + mesh +
         R"("},"material":{"shader":"pbr","texture":")" + texture +
         R"(","color":[1,0.5,0]},"transform":{"position":[0,1,2],"rotation":[0,0,0],)"
         R"("scale":[1,1,1]},"type":"npc","id":")" +
         id + "\"}";
}

std::string world(const std::string& entities) {
  return R"({"schema_version":"1.0","world":{"id":"world_a","name":"A","gravity":[0,-9.8,0]},)"
         R"("scene":{"skybox":"dusk","id":"scene_a","ambientLight":[0.1, 0.20, 1e-1]},"entities":[)" +
         entities + R"(],"quests":[]})";
}

std::string fault(const std::string& json) {
  const auto jobs = jobs_of_world(json);
  return jobs.ok() ? "none" : jobs.error().detail;
}

TEST(JobsOfWorld, BuildsTheSceneLoadsWhatIsSeenAndSpawnsEachEntity) {
  const auto jobs = jobs_of_world(world(entity("b", "m2", "t1") + "," + entity("a", "m1", "m2")));
  ASSERT_TRUE(jobs.ok()) << jobs.error().detail;
  ASSERT_EQ(jobs->size(), 4U);
  EXPECT_EQ((*jobs)[0].type, "BUILD_SCENE");
  EXPECT_EQ((*jobs)[0].payload,
            R"({"sceneId":"scene_a","ambientLight":[0.1, 0.20, 1e-1],"skybox":"dusk"})");
  EXPECT_EQ((*jobs)[1].type, "LOAD_ASSETS");
  EXPECT_EQ((*jobs)[1].payload, R"({"assets":["m1","m2","t1"]})") << "each once, sorted";
  EXPECT_EQ((*jobs)[2].type, "SPAWN_ENTITY");
  EXPECT_EQ((*jobs)[2].payload,
            R"({"id":"b","type":"npc","transform":{"position":[0,1,2],"rotation":[0,0,0],)"
            R"("scale":[1,1,1]},"material":{"shader":"pbr","texture":"t1","color":[1,0.5,0]},)"
            R"("components":{"collider":"box","mesh":"m2"}})");
  EXPECT_EQ((*jobs)[3].type, "SPAWN_ENTITY");
  EXPECT_TRUE((*jobs)[3].payload.starts_with(R"({"id":"a",)")) << "in their order";
}

// [..."ab", "\u{1f600}", "\uffff"].sort() of ECMAScript.
TEST(JobsOfWorld, SortsAsEcmascriptDoes) {
  const struct {
    const char* name;
    const char* mesh;
    const char* texture;
    const char* assets;
  } rows[] = {
      {"letters", "b", "a", R"(["a","b"])"},
      {"upper case first", "a", "B", R"(["B","a"])"},
      {"the shorter first", "ab", "a", R"(["a","ab"])"},
      {"a pair of surrogates before U+FFFF", "\uffff", "\U0001f600", "[\"\U0001f600\",\"\uffff\"]"},
      {"U+D7FF before both", "\U0001f600", "\ud7ff", "[\"\ud7ff\",\"\U0001f600\"]"},
      {"written with an escape", R"(\u0062)", "a", R"(["a","b"])"},
      {"the same in two spellings", R"(\u0061)", "a", R"(["a"])"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto jobs = jobs_of_world(world(entity("a", row.mesh, row.texture)));
    ASSERT_TRUE(jobs.ok()) << jobs.error().detail;
    EXPECT_EQ((*jobs)[1].payload, "{\"assets\":" + std::string(row.assets) + "}");
  }
}

TEST(JobsOfWorld, WritesPayloadsThatAreStrictJson) {
  const auto jobs = jobs_of_world(world(entity("a", R"(q\"uo\\te)", "\\n")));
  ASSERT_TRUE(jobs.ok()) << jobs.error().detail;
  for (const WorldJob& job : *jobs) {
    wire::JsonDocument document;
    EXPECT_TRUE(document.parse(job.payload).ok()) << job.payload;
  }
}

// What another schema than the shipped one may let through.
TEST(JobsOfWorld, NamesThePartThatIsNotThere) {
  const struct {
    const char* name;
    std::string json;
    const char* fault;
  } rows[] = {
      {"no JSON", "{", "syntax"},
      {"no object", "[]", "/entities: missing"},
      {"no entities", R"({"scene":{}})", "/entities: missing"},
      {"entities that are none", R"({"scene":{},"entities":{}})", "/entities: missing"},
      {"no scene", R"({"entities":[]})", "/scene/id: missing"},
      {"half a scene", R"({"scene":{"id":1,"skybox":1},"entities":[]})",
       "/scene/ambientLight: missing"},
      {"an entity of nothing", world("{}"), "/entities/0: mesh or texture: missing"},
      {"a mesh that is a number",
       world(entity("a", "m", "t") + R"(,{"components":{"mesh":1},"material":{"texture":"t"}})"),
       "/entities/1: mesh or texture: missing"},
      {"an entity without its place",
       world(R"({"id":"a","type":"npc","components":{"mesh":"m"},"material":{"texture":"t"}})"),
       "/entities/0/transform: missing"},
  };
  for (const auto& row : rows) EXPECT_EQ(fault(row.json), row.fault) << row.name;
}

}  // namespace
}  // namespace signet::jobs
