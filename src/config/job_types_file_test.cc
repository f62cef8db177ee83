#include "config/job_types_file.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/shipped_documents.h"

namespace signet::config {
namespace {

using namespace std::chrono_literals;

class JobTypesFile : public testing::Test {
 protected:
  JobTypesFile() {
    std::string pattern = testing::TempDir() + "signet_job_types_XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }
  ~JobTypesFile() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ + "/" + name) << text;
    return folder_ + "/" + name;
  }

  // The faults, with the folder's name taken out.
  std::string faults(const std::string& text) {
    const auto types = read_job_types(text, "types.toml");
    if (types.ok()) return "read";
    std::string detail = types.error().detail;
    for (std::size_t at = 0; (at = detail.find(folder_ + "/", at)) != std::string::npos;) {
      detail.erase(at, folder_.size() + 1);
    }
    return detail;
  }

  std::string folder_;
};

TEST_F(JobTypesFile, ReadsWhatATypeMaySay) {
  const std::string schema = write("map.json", R"({"type":"object","required":["area"]})");
  const std::string world = write("world.json", R"({"type":"string"})");
  const auto types = read_job_types("world_schema = \"" + world +
                                        "\"\n[[type]]\nname = \"RENDER_MAP\"\ntimeout = \"2m\"\n"
                                        "dispatch_timeout = \"500ms\"\nretries = 0\n"
                                        "one_by_one = true\npayload_schema = \"" +
                                        schema +
                                        "\"\n[[type]]\nname = \"any.thing-1\"\n"
                                        "[[type]]\nname = \"LOAD_ASSETS\"\n",
                                    "types.toml");
  ASSERT_TRUE(types.ok()) << types.error().detail;
  ASSERT_EQ(types->types.size(), 3U);
  const jobs::JobType& map = types->types[0];
  EXPECT_EQ(map.name, "RENDER_MAP");
  EXPECT_EQ(map.timeout, 2min);
  EXPECT_EQ(map.dispatch_timeout, 500ms);
  EXPECT_EQ(map.retries, 0U);
  EXPECT_TRUE(map.one_by_one);
  EXPECT_TRUE(types->payloads.at("RENDER_MAP")->check(R"({"area":1})").ok());
  EXPECT_FALSE(types->payloads.at("RENDER_MAP")->check("{}").ok());
  EXPECT_TRUE(types->world->check(R"("a world")").ok());
  EXPECT_FALSE(types->world->check("{}").ok());

  const jobs::JobType& any = types->types[1];
  EXPECT_EQ(any.timeout, 15s) << "the format's";
  EXPECT_EQ(any.dispatch_timeout, 15s);
  EXPECT_EQ(any.retries, 2U);
  EXPECT_FALSE(any.one_by_one);
  EXPECT_FALSE(types->payloads.contains("any.thing-1"));
  EXPECT_FALSE(types->payloads.at("LOAD_ASSETS")->check("{}").ok()) << "its own ships";
}

TEST_F(JobTypesFile, ShipsTheThreeTypesOfAWorld) {
  const auto types = read_job_types(kWorldJobTypes, "shipped");
  ASSERT_TRUE(types.ok()) << types.error().detail;
  const std::vector<std::string> names{"BUILD_SCENE", "LOAD_ASSETS", "SPAWN_ENTITY"};
  ASSERT_EQ(types->types.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(types->types[i].name, names[i]);
    EXPECT_EQ(types->types[i].timeout, 15s);
    EXPECT_EQ(types->types[i].retries, 2U);
    EXPECT_TRUE(types->payloads.contains(names[i]));
  }
  EXPECT_NE(types->world, nullptr);
}

TEST_F(JobTypesFile, NamesThePlaceOfEveryFault) {
  const std::string no_schema = write("none.json", R"({"type":"no such"})");
  const struct {
    const char* name;
    std::string text;
    const char* faults;
  } rows[] = {
      // clang-format off
      {"nothing", "", "types.toml:1:1: there is no [[type]]: no job could be asked for"},
      {"an unknown key", "typ = 1\n[[type]]\nname = \"A\"", "types.toml:1:1: a document of job types has no key 'typ'; did you mean 'type'?"},
      {"an unknown key of a type", "[[type]]\nname = \"A\"\ntimout = \"1s\"", "types.toml:3:1: a type has no key 'timout'; did you mean 'timeout'?"},
      {"a type without a name", "[[type]]\nretries = 1", "types.toml:1:1: a type needs a name"},
      {"a name with a slash", "[[type]]\nname = \"a/b\"", "types.toml:2:8: the name of a type has 1 to 64 letters, digits, '_', '-' and '.'"},
      {"an empty name", "[[type]]\nname = \"\"", "types.toml:2:8: the name of a type has 1 to 64 letters, digits, '_', '-' and '.'"},
      {"a name twice", "[[type]]\nname = \"A\"\n[[type]]\nname = \"A\"", "types.toml:4:8: there is another type 'A'"},
      {"a time without a unit", "[[type]]\nname = \"A\"\ntimeout = \"15\"", "types.toml:3:11: 'timeout' takes a duration such as \"250ms\", \"30s\" or \"7d\", from 100ms to 1d in steps of 1ms"},
      {"a time that is a number", "[[type]]\nname = \"A\"\ntimeout = 15", "types.toml:3:11: 'timeout' takes a duration such as \"250ms\", \"30s\" or \"7d\", from 100ms to 1d in steps of 1ms"},
      {"no time at all", "[[type]]\nname = \"A\"\ndispatch_timeout = \"0s\"", "types.toml:3:20: 'dispatch_timeout' takes a duration such as \"250ms\", \"30s\" or \"7d\", from 100ms to 1d in steps of 1ms"},
      {"fewer retries than none", "[[type]]\nname = \"A\"\nretries = -1", "types.toml:3:11: 'retries' takes a whole number from 0 to 100"},
      {"half a retry", "[[type]]\nname = \"A\"\nretries = 1.5", "types.toml:3:11: 'retries' takes a whole number from 0 to 100"},
      {"a hundred and one", "[[type]]\nname = \"A\"\nretries = 101", "types.toml:3:11: 'retries' takes a whole number from 0 to 100"},
      {"a truth in words", "[[type]]\nname = \"A\"\none_by_one = \"yes\"", "types.toml:3:1: 'one_by_one' takes true or false"},
      {"no such schema", "[[type]]\nname = \"A\"\npayload_schema = \"" + folder_ + "/absent.json\"", "types.toml:3:18: absent.json: cannot be opened"},
      {"one table", "[type]\nname = \"A\"", "types.toml:1:2: 'type' is a list: write [[type]] above each"},
      {"two faults", "[[type]]\nname = \"A\"\nretries = -1\n[[type]]\nname = \"\"", "types.toml:3:11: 'retries' takes a whole number from 0 to 100\ntypes.toml:5:8: the name of a type has 1 to 64 letters, digits, '_', '-' and '.'"},
      // clang-format on
  };
  for (const auto& row : rows) EXPECT_EQ(faults(row.text), row.faults) << row.name;
  EXPECT_TRUE(faults("world_schema = \"" + no_schema + "\"\n[[type]]\nname = \"A\"")
                  .starts_with("types.toml:1:16: none.json: "));
}

TEST_F(JobTypesFile, BoundsTheDocument) {
  std::string many;
  for (std::size_t i = 0; i <= kMaxJobTypes; ++i) {
    many += "[[type]]\nname = \"A" + std::to_string(i) + "\"\n";
  }
  EXPECT_EQ(faults(many), "types.toml:1:1: there are more than 256 types");
  EXPECT_NE(faults(std::string(kMaxJobTypesBytes + 1, '#')).find("65536 bytes"), std::string::npos);
  const std::string large = write("large.json", std::string(kMaxSchemaBytes + 1, ' '));
  EXPECT_EQ(faults("[[type]]\nname = \"A\"\npayload_schema = \"" + large + "\""),
            "types.toml:3:18: large.json: is over 256 KiB");
  EXPECT_EQ(read_job_types_file(folder_ + "/absent.toml").error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace signet::config
