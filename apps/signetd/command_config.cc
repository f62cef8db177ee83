#include <cstdlib>
#include <iostream>

#include "config/describe.h"
#include "signetd/commands.h"
#include "signetd/exposure.h"
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
  for (const std::string& warning : config->warnings()) std::cerr << "warning: " << warning << "\n";
  if (what == "show") {
    std::cout << config::show(*config);
  } else {
    std::cout << "configuration ok\n";
  }
  return EXIT_SUCCESS;
}

}  // namespace signet
