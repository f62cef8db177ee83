// The main job, shown once: two throw-away peers join by an invite, one sends, the other receives;
// one goes away, is sent to, comes back and gets it.
#pragma once

#include <ostream>
#include <string>

#include "signet/result.h"

namespace signet {

// Prints each step to `out` as it happens. `colour` for a terminal. Fails with the step that did
// not work.
Status show_main_job(const std::string& invite_link, std::ostream& out, bool colour);

}  // namespace signet
