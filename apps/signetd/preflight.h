// What keeps the daemon from starting beside the settings themselves, and what the settings ask for
// in vain: `config check` says it before, and the daemon says it in its log.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "broker/rules.h"
#include "config/config.h"
#include "signet/result.h"

namespace signet {

// Reads what the daemon reads when it starts: the certificate and its key, the authorities of
// clients, the overlay's key and rules, the operators' keys, the log's own key. Makes no file.
// Fails with the setting's name.
Status check_files(const config::Config& config, bool dev);

// A sentence for each setting that has no effect: a binding to a mesh that is not there, an overlay
// without its key. `has_mesh` knows the slugs.
std::vector<std::string> idle_settings(const config::Config& config, const broker::Rules& rules,
                                       const std::function<bool(std::string_view)>& has_mesh);

}  // namespace signet
