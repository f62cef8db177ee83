#include "signetd/overlay_doors.h"

#include <algorithm>
#include <iterator>

namespace signet {
namespace {

Error bad_doors(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

Status read_listed(const config::Config& config, controller::RegistrationDoors& doors) {
  for (const std::string& entry : config.list("overlay.listed")) {
    SIGNET_TRY(const auto node, pair_of("overlay.listed", entry));
    const auto key = crypto::public_key_from_hex(node.second);
    if (!overlay::is_node_name(node.first) || !key || !crypto::is_enrollable(*key) ||
        crypto::is_published_sample(*key)) {
      return bad_doors("overlay.listed: \"" + entry +
                       "\" is no node with a key of 64 hex digits that is good for signatures");
    }
    if (!doors.listed.emplace(node.first, *key).second) {
      return bad_doors("overlay.listed: " + node.first + " is there twice");
    }
  }
  return Done{};
}

}  // namespace

Result<std::pair<std::string, std::string>> pair_of(std::string_view setting,
                                                    const std::string& entry) {
  const auto equals = entry.rfind('=');
  if (equals == std::string::npos || equals == 0) {
    return bad_doors(std::string(setting) + ": \"" + entry + "\" is not of the form name=value");
  }
  return std::pair(entry.substr(0, equals), entry.substr(equals + 1));
}

Result<controller::RegistrationDoors> overlay_doors(const config::Config& config) {
  controller::RegistrationDoors doors{false, false, false, {}};
  bool listed = false;
  const std::pair<std::string_view, bool&> words[] = {{"member", doors.members},
                                                      {"invite", doors.invites},
                                                      {"listed", listed},
                                                      {"certificate", doors.certificates}};
  for (const std::string& word : config.list("overlay.register")) {
    const auto* found = std::find_if(std::begin(words), std::end(words),
                                     [&](const auto& each) { return each.first == word; });
    if (found == std::end(words)) {
      return bad_doors("overlay.register: \"" + word +
                       "\" is none of member, invite, listed, certificate");
    }
    found->second = true;
  }
  SIGNET_TRY([[maybe_unused]] const Done read, read_listed(config, doors));
  if (listed == doors.listed.empty()) {
    return bad_doors("overlay.register has \"listed\" exactly where overlay.listed names nodes");
  }
  if (doors.certificates && config.text("tls.client_ca").empty()) {
    return bad_doors("overlay.register has \"certificate\", and tls.client_ca names no authority");
  }
  return doors;
}

}  // namespace signet
