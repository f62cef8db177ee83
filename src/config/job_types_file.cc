#include "config/job_types_file.h"

#include <algorithm>
#include <utility>

#include "config/document_reader.h"
#include "config/setting.h"
#include "config/shipped_schemas.h"
#include "config/value.h"

namespace signet::config {
namespace {

using trust::Place;
using trust::Placed;
using SchemaPointer = std::shared_ptr<const wire::JsonSchema>;

// A job that takes longer than a day is no request of somebody who waits; a shorter time than a
// tenth of a second no engine keeps.
constexpr Setting kTime{
    "", "", Type::kDuration, "", "", "ms", 100 * kMillisecond, 1 * kDay, Reload::kLive, ""};
constexpr std::int64_t kMostRetries = 100;
constexpr std::size_t kLongestName = 64;

bool is_type_name(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
  return plain && !text.empty() && text.size() <= kLongestName;
}

// The schema that ships for the payloads of a type; empty where none does.
std::string_view shipped_schema_of(std::string_view type) {
  if (type == "BUILD_SCENE") return kBuildSceneSchema;
  if (type == "LOAD_ASSETS") return kLoadAssetsSchema;
  if (type == "SPAWN_ENTITY") return kSpawnEntitySchema;
  return {};
}

class JobTypesReader {
 public:
  explicit JobTypesReader(std::string_view name) : in_(name) {}

  Result<JobTypes> read(std::string_view text) {
    SIGNET_TRY(const toml::table root, in_.parse(text, kMaxJobTypesBytes));
    Placed world_file("");
    in_.read(root,
             {{"world_schema", in_.text(world_file)},
              {"type",
               [&](const auto& key, const auto& node) {
                 in_.each_table(key, node, [&](const auto& table) { read_type(table); });
               }}},
             "a document of job types");
    types_.world = schema_of(world_file, root.contains("world_schema"), kWorldSchema);
    if (!root.contains("type"))
      in_.fault({1, 1}, "there is no [[type]]: no job could be asked for");
    if (types_.types.size() > kMaxJobTypes) {
      in_.fault({1, 1}, "there are more than " + std::to_string(kMaxJobTypes) + " types");
    }
    if (in_.faults() > 0) return in_.error();
    types_.texts.emplace_back(text);
    return std::move(types_);
  }

 private:
  DocumentReader::Handler time(std::chrono::milliseconds& out) {
    return [this, &out](const toml::key& key, const toml::node& node) {
      const auto* const text = node.as_string();
      const auto value = text == nullptr ? Result<Value>(Error{ErrorCode::kMalformed, ""})
                                         : parse_value(kTime, text->get());
      if (!value.ok()) {
        return in_.fault(place_of(node),
                         "'" + std::string(key.str()) + "' takes " + allowed(kTime));
      }
      out = std::chrono::milliseconds(value->number / kMillisecond);
    };
  }

  DocumentReader::Handler retries(std::uint32_t& out) {
    return [this, &out](const toml::key& key, const toml::node& node) {
      const auto* const number = node.as_integer();
      if (number == nullptr || number->get() < 0 || number->get() > kMostRetries) {
        return in_.fault(place_of(node),
                         "'" + std::string(key.str()) + "' takes a whole number from 0 to 100");
      }
      out = static_cast<std::uint32_t>(number->get());
    };
  }

  void read_type(const toml::table& table) {
    jobs::JobType type;
    Placed name("");
    Placed schema_file("");
    in_.read(table,
             {{"name", in_.text(name)},
              {"timeout", time(type.timeout)},
              {"dispatch_timeout", time(type.dispatch_timeout)},
              {"retries", retries(type.retries)},
              {"one_by_one", in_.boolean([&](bool is) { type.one_by_one = is; })},
              {"payload_schema", in_.text(schema_file)}},
             "a type");
    if (!table.contains("name")) return in_.fault(place_of(table), "a type needs a name");
    if (!is_type_name(name.text)) {
      return in_.fault(name.at, "the name of a type has 1 to 64 letters, digits, '_', '-' and '.'");
    }
    if (has(name.text)) return in_.fault(name.at, "there is another type '" + name.text + "'");
    const bool is_named = table.contains("payload_schema");
    auto schema = schema_of(schema_file, is_named, shipped_schema_of(name.text));
    if (schema) types_.payloads.emplace(name.text, std::move(schema));
    type.name = std::move(name.text);
    types_.types.push_back(std::move(type));
  }

  bool has(const std::string& name) const {
    return std::any_of(types_.types.begin(), types_.types.end(),
                       [&](const jobs::JobType& type) { return type.name == name; });
  }

  // Null where there is none, or a fault.
  SchemaPointer schema_of(const Placed& file, bool is_named, std::string_view shipped) {
    if (!is_named && shipped.empty()) return nullptr;
    std::string text(shipped);
    if (is_named) {
      auto read = read_document(file.text, kMaxSchemaBytes);
      if (!read.ok()) return refuse(file.at, read.error().detail);
      text = *std::move(read);
    }
    auto compiled = wire::JsonSchema::compile(text);
    if (!compiled.ok()) return refuse(file.at, file.text + ": " + compiled.error().detail);
    types_.texts.push_back(std::move(text));
    return std::make_shared<const wire::JsonSchema>(*std::move(compiled));
  }

  SchemaPointer refuse(Place at, std::string sentence) {
    in_.fault(at, std::move(sentence));
    return nullptr;
  }

  DocumentReader in_;
  JobTypes types_;
};

}  // namespace

Result<JobTypes> read_job_types(std::string_view text, std::string_view name) {
  return JobTypesReader(name).read(text);
}

Result<JobTypes> read_job_types_file(const std::string& path) {
  SIGNET_TRY(const std::string text, read_document(path, kMaxJobTypesBytes));
  return read_job_types(text, path);
}

}  // namespace signet::config
