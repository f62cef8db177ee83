#include <algorithm>
#include <cstdlib>
#include <iostream>

#include "config/describe.h"
#include "signetd/commands.h"
#include "signetd/exposure.h"
#include "signetd/preflight.h"
#include "signetd/rules_file.h"

namespace signet {

int run_config(const config::Sources& sources, const std::string& what) {
  if (what == "doc") {
    std::cout << config::describe_markdown();
    return EXIT_SUCCESS;
  }
  if (what == "env") {
    std::cout << config::describe_env();
    return EXIT_SUCCESS;
  }
  const auto config = config::load(sources);
  if (!config.ok()) {
    std::cerr << config.error().detail << "\n";
    return EXIT_FAILURE;
  }
  const bool dev = sources.profile == config::Profile::kDev;
  const Status doors = check_doors(*config, dev);
  if (!doors.ok()) {
    std::cerr << doors.error().detail << "\n";
    return EXIT_FAILURE;
  }
  const auto& meshes = config->meshes();  // the only one is bound, as when it runs
  const auto rules =
      load_rules(*config, dev, meshes.size() == 1 ? meshes.front().slug : std::string(), {});
  if (!rules.ok()) {
    std::cerr << rules.error().detail << "\n";
    return EXIT_FAILURE;
  }
  const Status files = check_files(*config, dev);
  if (!files.ok()) {
    std::cerr << files.error().detail << "\n";
    return EXIT_FAILURE;
  }
  std::vector<std::string> warnings = config->warnings();
  // Those that were made at run time are in the store, which is the daemon's: it is not asked.
  const auto is_declared = [&](std::string_view slug) {
    return std::any_of(meshes.begin(), meshes.end(),
                       [&](const config::MeshSetting& mesh) { return mesh.slug == slug; });
  };
  for (std::string& idle : idle_settings(*config, **rules, is_declared)) {
    warnings.push_back(std::move(idle));
  }
  for (const std::string& warning : warnings) std::cerr << "warning: " << warning << "\n";
  if (what == "show") {
    std::cout << config::show(*config);
  } else {
    std::cout << "configuration ok\n";
  }
  return EXIT_SUCCESS;
}

}  // namespace signet
