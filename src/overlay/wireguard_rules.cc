#include "overlay/wireguard_rules.h"

#include <algorithm>
#include <string>

#include "crypto/compare.h"
#include "overlay/ipv4.h"

namespace signet::overlay {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr int kFewestBits = 8;  // wg-quick routes the whole of the subnet into the tunnel

// None, or one that WireGuard does not take for none.
bool is_sound_secret(const SecretBytes& secret) {
  return secret.empty() || (secret.size() == kKeyBytes && !is_zero(secret));
}

}  // namespace

bool is_zero(const SecretBytes& secret) {
  return crypto::equal_secrets(secret.text(), std::string(secret.size(), '\0'));
}

std::string_view WireGuardRules::fault_of_interface(const WireGuardConfig& config) {
  if (!is_sound_secret(config.private_key)) return "no private key";
  if (config.listen_port == 0) return "no port to listen on";
  if (config.address == 0) return "";
  if (config.bits < kFewestBits || config.bits > 32) return "no subnet";
  own_ = config.address;
  bits_ = config.bits;
  addresses_.insert(own_);
  return "";
}

bool WireGuardRules::is_outside(std::uint32_t address) const {
  if (own_ == 0) return false;
  return ((address ^ own_) & ~(addresses_of(bits_) - 1)) != 0;
}

std::string_view WireGuardRules::fault_of_peer(const WireGuardPeer& peer) {
  if (peer.key == WireGuardKey{}) return "a peer without a key";
  if (!keys_.insert(peer.key).second) return "two peers with one key";
  if (peer.allowed_ip == 0) return "a peer without an address";
  if (is_outside(peer.allowed_ip)) return "a peer outside of the subnet";
  if (!addresses_.insert(peer.allowed_ip).second) return "an address that is another's";
  if (!is_sound_secret(peer.preshared)) return "no pre-shared key";
  if (peer.endpoint && !peer.endpoint->is_sound()) return "no endpoint";
  return "";
}

}  // namespace signet::overlay
