// What a reload (SIGHUP) would change, and what of that needs a restart.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace signet::config {

struct Change {
  std::string name;  // "net.ping_interval", "mesh.demo"
  std::string from;  // printed; stars for secrets
  std::string to;
};

struct Changes {
  std::vector<Change> live;     // the caller applies these now
  std::vector<Change> restart;  // these keep their old value until a restart
};

Changes changed(const Config& before, const Config& after);

// The configuration in force after a reload: `after` where a setting is live, `before` elsewhere,
// so that the next reload is compared with the truth.
Config merge_live(const Config& before, const Config& after);

}  // namespace signet::config
