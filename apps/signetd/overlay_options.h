// The overlay's options and key, out of the configuration.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "admin/overlay_desk.h"
#include "config/config.h"
#include "controller/epochs.h"
#include "signet/result.h"

namespace signet {

// Fails kMalformed, with what to do about it, for a score or a subnet that is none and for rules
// that contradict each other.
Result<controller::OverlayOptions> overlay_options(const config::Config& config);

// What seals it on disk: 32 bytes, which the caller wipes; nullopt: there is none, so no overlay.
// Fails kMalformed for a key that is no 64 hex digits.
Result<std::optional<std::array<unsigned char, 32>>> overlay_key(const config::Config& config);

// Where status.json is kept; empty: nowhere.
std::string status_file_path(const config::Config& config);

admin::OverlayDeskOptions overlay_desk_options(const config::Config& config, bool dev);

}  // namespace signet
