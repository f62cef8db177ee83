// Worlds and types of jobs: whatever the bytes are, a world is taken or refused with a place, and
// one that is taken gives two jobs and one for each entity, each of a payload that its schema
// takes. A document of types is read, or has faults with places.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "config/job_types_file.h"
#include "config/shipped_documents.h"
#include "jobs/world_jobs.h"
#include "wire/json.h"

namespace {

using namespace signet;

void check(bool holds) {
  if (!holds) std::abort();
}

const config::JobTypes& shipped() {
  static const config::JobTypes types = *config::read_job_types(config::kWorldJobTypes, "shipped");
  return types;
}

// Another schema may let anything through: the jobs are a list or a place, for any text.
void check_world(std::string_view text) {
  const Status fits = shipped().world->check(text);
  const auto jobs = jobs::jobs_of_world(text);
  check(jobs.ok() || !jobs.error().detail.empty());
  if (!fits.ok()) return check(fits.error().code == ErrorCode::kMalformed);
  check(jobs.ok());
  wire::JsonDocument world;
  check(world.parse(text).ok());
  check(jobs->size() == world.root()["entities"].size() + 2);
  for (const jobs::WorldJob& job : *jobs) {
    check(shipped().payloads.at(job.type)->check(job.payload).ok());
  }
}

// Those that name files would read what the input names.
void check_types(std::string_view text) {
  if (text.find("schema") != std::string_view::npos) return;
  const auto types = config::read_job_types(text, "t");
  if (types.ok()) return check(!types->types.empty() && types->world != nullptr);
  check(types.error().code == ErrorCode::kMalformed);
  check(types.error().detail.starts_with("t:"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (text.starts_with('{')) {
    check_world(text);
  } else {
    check_types(text);
  }
  return 0;
}
