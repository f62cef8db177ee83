#include "signetd/hub_rules.h"

#include <chrono>
#include <utility>

#include "config/job_types_file.h"
#include "config/shipped_documents.h"
#include "crypto/wipe.h"
#include "membership/source_secret.h"

namespace signet {
namespace {

using DoorPointer = std::shared_ptr<const broker::HubDoor>;

// What one mesh has, from wherever, and what messages call it.
struct Given {
  std::string mesh;
  crypto::SecretText action, engine;
  std::string action_name = "hub.action_secret", engine_name = "hub.engine_secret";
  bool shared_actions = false;
  std::string types_file;
  bool has_tokens = false;
};

Error malformed(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

// Who tries things out may use a short one, and one that documents publish.
Status check_secret(const crypto::SecretText& secret, const std::string& name, bool dev) {
  if (secret.empty()) return Done{};
  const std::size_t least = dev ? 1 : membership::kLeastSecretBytes;
  if (!membership::is_secret(secret.reveal(), least)) {
    return malformed(name + ": a secret has " + std::to_string(least) + " to " +
                     std::to_string(membership::kMostSecretBytes) +
                     " bytes without control characters");
  }
  if (!dev && membership::is_sample_secret(secret.reveal())) {
    return malformed(name + ": everybody can look this one up or guess it");
  }
  return Done{};
}

// What does for two things lets who has it for one do the other.
Status check_apart(const config::Config& config, const Given& given) {
  if (given.action.matches(given.engine.reveal())) {
    return malformed(given.engine_name + " is " + given.action_name +
                     ": users could speak as engines; make another");
  }
  const std::string_view tokens = config.secret("tokens.secret").reveal();
  if (given.action.matches(tokens) || given.engine.matches(tokens)) {
    return malformed(given.mesh + ": tokens.secret is a secret of Hub, too; make another");
  }
  return Done{};
}

Status check(const config::Config& config, const Given& given, bool dev) {
  SIGNET_TRY([[maybe_unused]] const Done action,
             check_secret(given.action, given.action_name, dev));
  SIGNET_TRY([[maybe_unused]] const Done engine,
             check_secret(given.engine, given.engine_name, dev));
  if (!dev) {
    SIGNET_TRY([[maybe_unused]] const Done apart, check_apart(config, given));
  }
  if (given.has_tokens || config.flag("hub.simulated")) return Done{};
  return malformed("mesh " + given.mesh +
                   ": users and engines of Hub prove themselves by tokens, of which it believes "
                   "none: set tokens.keys");
}

Result<config::JobTypes> job_types(const std::string& file) {
  if (file.empty()) return config::read_job_types(config::kWorldJobTypes, "default");
  return config::read_job_types_file(file);
}

jobs::JobOptions job_options(const config::Config& config, std::vector<jobs::JobType> types) {
  jobs::JobOptions options;
  options.types = std::move(types);
  options.jobs_per_engine = config.size("jobs.per_engine");
  options.unfinished_per_user = config.size("jobs.unfinished_per_user");
  options.unfinished_per_mesh = config.size("jobs.unfinished_per_mesh");
  options.most_leases = static_cast<std::uint64_t>(config.integer("jobs.most_leases"));
  options.keep_finished = config.duration<std::chrono::hours>("jobs.keep_finished");
  options.finished_per_mesh = config.size("jobs.finished_per_mesh");
  options.bytes_per_mesh = config.size("jobs.bytes_per_mesh");
  return options;
}

crypto::Digest32 digest_of(const std::vector<std::string>& texts) {
  std::string all;  // each by its own digest, so that no two lists run together
  for (const std::string& text : texts) {
    all += to_hex(crypto::digest32("signet job types", {text}));
  }
  return crypto::digest32("signet job types", {all});
}

// Null where the mesh has no secret of Hub.
Result<DoorPointer> door_of(const config::Config& config, const Given& given, bool dev) {
  if (given.action.empty() && given.engine.empty()) return DoorPointer();
  SIGNET_TRY([[maybe_unused]] const Done good, check(config, given, dev));
  SIGNET_TRY(auto types, job_types(given.types_file));
  auto door = std::make_shared<broker::HubDoor>();
  door->action_secret = given.action;
  door->engine_secret = given.engine;
  door->shared_actions = given.shared_actions;
  door->engine_issuers = config.list("hub.engine_issuers");
  door->engines_without_issuer = dev;
  door->simulated = config.flag("hub.simulated");
  door->jobs =
      std::make_shared<const jobs::JobOptions>(job_options(config, std::move(types.types)));
  door->world = std::move(types.world);
  door->payloads = std::move(types.payloads);
  if (!given.types_file.empty()) door->source = given.types_file;
  door->types_digest = digest_of(types.texts);
  return DoorPointer(std::move(door));
}

// Sets `secret` from a file of the mesh's own, which messages then name.
Status take_own(const std::string& file, crypto::SecretText& secret, std::string& name) {
  if (file.empty()) return Done{};
  std::string text;
  const crypto::WipedAtEnd wiped(text);
  SIGNET_TRY([[maybe_unused]] const Done read, config::read_secret(file, text));
  if (text.empty()) return malformed(file + ": is empty");
  secret = crypto::SecretText(text);
  name = file;
  return Done{};
}

Given usual(const config::Config& config) {
  Given given;
  given.action = crypto::SecretText(config.secret("hub.action_secret").reveal());
  given.engine = crypto::SecretText(config.secret("hub.engine_secret").reveal());
  given.shared_actions = config.flag("hub.shared_actions");
  given.types_file = config.text("jobs.types_file");
  return given;
}

Result<Given> given_of(const config::Config& config, const config::MeshSetting& mesh,
                       bool is_bound) {
  Given given = usual(config);
  if (!is_bound) given.action = given.engine = crypto::SecretText();
  given.mesh = mesh.slug;
  given.shared_actions = mesh.hub_shared_actions;
  if (!mesh.jobs_types.empty()) given.types_file = mesh.jobs_types;
  SIGNET_TRY([[maybe_unused]] const Done action,
             take_own(mesh.hub_action_secret_file, given.action, given.action_name));
  SIGNET_TRY([[maybe_unused]] const Done engine,
             take_own(mesh.hub_engine_secret_file, given.engine, given.engine_name));
  return given;
}

}  // namespace

Status take_hub(const config::Config& config, bool dev, broker::Rules& rules) {
  if (!dev && config.flag("hub.simulated")) {
    return Error{ErrorCode::kForbidden,
                 "hub.simulated lets in who proves nothing, and is for dev mode only"};
  }
  const auto bound = rules.mesh_for("hub", {}, {});
  for (const config::MeshSetting& mesh : config.meshes()) {
    SIGNET_TRY(Given given, given_of(config, mesh, bound == mesh.slug));
    broker::MeshRules& its = rules.meshes[mesh.slug];
    given.has_tokens = its.tokens != nullptr;
    SIGNET_TRY(its.hub, door_of(config, given, dev));
  }
  if (!bound || rules.meshes.contains(*bound)) return Done{};
  Given given = usual(config);
  given.mesh = *bound;
  given.has_tokens = rules.otherwise.tokens != nullptr;
  SIGNET_TRY(rules.otherwise.hub, door_of(config, given, dev));
  return Done{};
}

}  // namespace signet
