// What holds for a WireGuard configuration, written or read: the same rules for both, so that what
// one takes the other takes. No part of the module's face: wireguard_config.h is.
#pragma once

#include <set>
#include <string_view>

#include "overlay/wireguard_config.h"

namespace signet::overlay {

// In a time that does not tell which byte is set.
bool is_zero(const SecretBytes& secret);

// Looks at a configuration part by part. Each call answers what is wrong, in words that hold
// nothing of the configuration; empty when nothing is.
class WireGuardRules {
 public:
  std::string_view fault_of_interface(const WireGuardConfig& config);  // once, and first
  std::string_view fault_of_peer(const WireGuardPeer& peer);

 private:
  bool is_outside(std::uint32_t address) const;

  std::uint32_t own_ = 0;
  int bits_ = 32;
  std::set<WireGuardKey> keys_;
  std::set<std::uint32_t> addresses_;
};

}  // namespace signet::overlay
