#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/encoding.h"
#include "crypto/secret_base64.h"
#include "overlay/ipv4.h"
#include "overlay/wireguard_config.h"
#include "overlay/wireguard_rules.h"

namespace signet::overlay {
namespace {

// The longest that a section comes to: 118 and 244 bytes.
constexpr std::size_t kMaxInterfaceText = 128;
constexpr std::size_t kMaxPeerText = 256;

constexpr std::size_t kKeyBytes = 32;  // of zeros: none

// Lines in memory that no core holds, the most of which is set aside at once: nothing that held a
// secret is moved and left behind.
class SecretLines {
 public:
  explicit SecretLines(std::size_t most) : text_(most) {}

  void add(std::string_view text) {
    if (text.size() > text_.size() - size_) std::abort();
    std::copy(text.begin(), text.end(), text_.data() + size_);
    size_ += text.size();
  }
  void add(std::string_view name, std::string_view value) {
    add(name);
    add(" = ");
    add(value);
    add("\n");
  }
  void add(std::string_view name, const SecretBytes& key) {
    if (!key.empty()) add(name, crypto::to_secret_base64(key.bytes()).text());
  }
  SecretBytes finished() const { return SecretBytes(text_.text().substr(0, size_)); }

 private:
  SecretBytes text_;
  std::size_t size_ = 0;
};

void add_interface(SecretLines& lines, const WireGuardConfig& config, WireGuardForm form) {
  lines.add("[Interface]\n");
  if (form == WireGuardForm::kQuick) {
    lines.add("Address", ipv4_text(config.address) + "/" + std::to_string(config.bits));
  }
  lines.add("ListenPort", std::to_string(config.listen_port));
  lines.add("PrivateKey", config.private_key);
}

void add_peer(SecretLines& lines, const WireGuardPeer& peer, WireGuardForm form) {
  const bool says_none = form == WireGuardForm::kSync;
  lines.add("\n[Peer]\n");
  lines.add("PublicKey", to_base64(peer.key));
  if (peer.preshared.empty() && says_none) lines.add("PresharedKey", SecretBytes(kKeyBytes));
  lines.add("PresharedKey", peer.preshared);
  lines.add("AllowedIPs", ipv4_text(peer.allowed_ip) + "/32");
  if (peer.endpoint) lines.add("Endpoint", peer.endpoint->text());
  if (peer.keepalive_s != 0) {
    lines.add("PersistentKeepalive", std::to_string(peer.keepalive_s));
  } else if (says_none) {
    lines.add("PersistentKeepalive", "off");
  }
}

Error malformed(std::string_view fault) { return {ErrorCode::kMalformed, std::string(fault)}; }

}  // namespace

Result<SecretBytes> write(const WireGuardConfig& config, WireGuardForm form) {
  WireGuardRules rules;
  if (const auto fault = rules.fault_of_interface(config); !fault.empty()) return malformed(fault);
  if (form == WireGuardForm::kQuick && config.address == 0) return malformed("no address");
  SecretLines lines(kMaxInterfaceText + config.peers.size() * kMaxPeerText);
  add_interface(lines, config, form);
  for (const WireGuardPeer& peer : config.peers) {
    if (const auto fault = rules.fault_of_peer(peer); !fault.empty()) return malformed(fault);
    add_peer(lines, peer, form);
  }
  return lines.finished();
}

}  // namespace signet::overlay
