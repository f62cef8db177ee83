// What `signetd` can be asked to do. Each answers the exit code: 0 ok, 1 failed.
#pragma once

#include <string>

#include "config/config.h"

namespace signet {

struct DevOptions {
  config::Sources sources;
  std::string slug = "demo";
  bool ready_json = false;  // one JSON line on standard output once it listens
  bool show = false;        // the main job, shown once in the terminal
};

int run_dev(DevOptions options);
int run_daemon(const config::Sources& sources);
// `what` is check, show, doc or env.
int run_config(const config::Sources& sources, const std::string& what);

}  // namespace signet
