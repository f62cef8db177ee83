// What of this daemon can be reached from where: the settings of its doors, read and judged before
// anything listens.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "net/address.h"

namespace signet {

// Exposure is what the judgement depends on; pure.
struct Exposure {
  std::vector<net::PeerAddress> listen;       // server.listen
  std::optional<net::PeerAddress> operators;  // admin.listen; none: no door of its own
  bool encrypted = false;                     // server.listen speaks TLS
  bool allow_plain = false;
  bool allow_open = false;
  std::vector<std::string> open;  // ways in without a proof of who it is, as an operator calls them
};

// Fails kMalformed, naming the setting, where an address, an origin or a trusted proxy is none.
Result<Exposure> exposure_of(const config::Config& config, bool dev);

// Fails kForbidden, with what to do about it, where something would be reached from beyond this
// machine that nobody said may be: peers in the clear, peers without a proof, operators at all.
Status check_exposure(const Exposure& exposure);

// Both.
Status check_doors(const config::Config& config, bool dev);

}  // namespace signet
