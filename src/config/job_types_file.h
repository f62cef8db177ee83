// The TOML text of a mesh's types of jobs, read: docs/hub.md is its reference. What a type means is
// jobs/job.h; here is what the text may say.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/job.h"
#include "signet/result.h"
#include "wire/json_schema.h"

namespace signet::config {

inline constexpr std::size_t kMaxJobTypesBytes = std::size_t{64} * 1024;
inline constexpr std::size_t kMaxJobTypes = 256;  // fills the text with short names
inline constexpr std::size_t kMaxSchemaBytes = std::size_t{256} * 1024;

struct JobTypes {
  std::vector<jobs::JobType> types;  // one at least, each name once
  // What their payloads are held against, by name; a type that is not here takes any payload.
  std::map<std::string, std::shared_ptr<const wire::JsonSchema>, std::less<>> payloads;
  std::shared_ptr<const wire::JsonSchema> world;  // of generate_world's config; never null
  std::vector<std::string> texts;  // the document and each schema, to tell whether they changed
};

// `name` is what messages call the text. Reads the schemas that it names, too; where it names none,
// those hold that ship for a world and its three types. Fails kMalformed with every fault, a line
// each: "name:line:column: sentence".
Result<JobTypes> read_job_types(std::string_view text, std::string_view name);

// Fails kNotFound where the file cannot be read, else as read_job_types().
Result<JobTypes> read_job_types_file(const std::string& path);

}  // namespace signet::config
