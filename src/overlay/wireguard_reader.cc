#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

#include "base/encoding.h"
#include "crypto/secret_base64.h"
#include "overlay/ipv4.h"
#include "overlay/wireguard_config.h"
#include "overlay/wireguard_rules.h"

namespace signet::overlay {
namespace {

constexpr std::size_t kMaxLineBytes = 256;  // four times what a line of ours needs
constexpr std::uint32_t kMaxNumber = 65'535;
constexpr std::size_t kKeyBytes = 32;

enum class Section : std::uint8_t { kNone, kInterface, kPeer };

// What each read_ answers: what is wrong, empty when nothing is.
using Fault = std::string_view;

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(" \t");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

bool is_plain(std::string_view line) {
  return std::all_of(line.begin(), line.end(),
                     [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

Fault read_secret(std::string_view value, SecretBytes& out) {
  auto secret = crypto::from_secret_base64(value);
  if (!secret || secret->size() != kKeyBytes) return "no key of 32 bytes in base64";
  out = *std::move(secret);
  return "";
}

Fault read_number(std::string_view value, std::uint16_t& out) {
  const auto number = decimal_from(value, kMaxNumber);
  if (!number || *number == 0) return "no number of 1 to 65535";
  out = static_cast<std::uint16_t>(*number);
  return "";
}

Fault read_address(std::string_view value, WireGuardConfig& config) {
  const std::size_t slash = std::min(value.find('/'), value.size());
  const auto address = ipv4_from(value.substr(0, slash));
  const auto bits = decimal_from(value.substr(std::min(slash + 1, value.size())), 32);
  if (!address || *address == 0 || !bits) return "no IPv4 address with its bits";
  config.address = *address;
  config.bits = static_cast<int>(*bits);
  return "";
}

Fault read_public_key(std::string_view value, WireGuardPeer& peer) {
  const auto key = from_base64(value);
  if (!key || key->size() != peer.key.size()) return "no key of 32 bytes in base64";
  std::copy(key->begin(), key->end(), peer.key.begin());
  return "";
}

Fault read_allowed_ip(std::string_view value, WireGuardPeer& peer) {
  constexpr std::string_view kWhole = "/32";
  if (!value.ends_with(kWhole)) return "no single /32";
  const auto address = ipv4_from(value.substr(0, value.size() - kWhole.size()));
  if (!address) return "no single /32";
  peer.allowed_ip = *address;
  return "";
}

Fault read_endpoint(std::string_view value, WireGuardPeer& peer) {
  const auto endpoint = Endpoint::of(value);
  if (!endpoint.ok()) return "no address and port in numbers";
  peer.endpoint = *endpoint;
  return "";
}

// Of zeros: none, as WireGuard takes it.
Fault read_preshared(std::string_view value, WireGuardPeer& peer) {
  const Fault fault = read_secret(value, peer.preshared);
  if (fault.empty() && is_zero(peer.preshared)) peer.preshared = {};
  return fault;
}

Fault read_keepalive(std::string_view value, WireGuardPeer& peer) {
  return value == "off" ? "" : read_number(value, peer.keepalive_s);
}

struct InterfaceKey {
  std::string_view name;
  bool required;
  Fault (*read)(std::string_view value, WireGuardConfig& config);
};
constexpr InterfaceKey kInterfaceKeys[] = {
    {"Address", false, read_address},
    {"ListenPort", true,
     [](std::string_view value, WireGuardConfig& config) {
       return read_number(value, config.listen_port);
     }},
    {"PrivateKey", false,
     [](std::string_view value, WireGuardConfig& config) {
       return read_secret(value, config.private_key);
     }},
};

struct PeerKey {
  std::string_view name;
  bool required;
  Fault (*read)(std::string_view value, WireGuardPeer& peer);
};
constexpr PeerKey kPeerKeys[] = {
    {"PublicKey", true, read_public_key},           {"PresharedKey", false, read_preshared},
    {"AllowedIPs", true, read_allowed_ip},          {"Endpoint", false, read_endpoint},
    {"PersistentKeepalive", false, read_keepalive},
};

// One configuration, line by line.
class Reader {
 public:
  explicit Reader(std::size_t max_peers) : max_peers_(max_peers) { config_.bits = 32; }

  Status read_line(std::string_view line) {
    at_ = ++line_;
    const Fault fault = fault_of_line(line);
    if (!fault.empty()) return error(fault);
    return Done{};
  }
  Result<WireGuardConfig> finished() && {
    if (section_ == Section::kNone) return error("no [Interface]");
    const Fault fault = end_section();
    if (!fault.empty()) return error(fault);
    return std::move(config_);
  }

 private:
  Error error(Fault fault) const {
    return {ErrorCode::kMalformed, "line " + std::to_string(at_) + ": " + std::string(fault)};
  }

  Fault fault_of_line(std::string_view line) {
    if (line.size() > kMaxLineBytes) return "too long";
    if (!is_plain(line)) return "a character that is no printable ASCII";
    line = trimmed(line.substr(0, line.find('#')));
    if (line.empty()) return "";
    if (line.front() == '[') return begin_section(line);
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return "neither a section nor a key with a value";
    const std::string_view name = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    switch (section_) {
      case Section::kNone:
        return "a key before [Interface]";
      case Section::kInterface:
        return read_key(kInterfaceKeys, name, value, config_);
      case Section::kPeer:
        return read_key(kPeerKeys, name, value, config_.peers.back());
    }
    return "no section";
  }

  Fault begin_section(std::string_view line) {
    const bool is_interface = line == "[Interface]";
    if (!is_interface && line != "[Peer]") return "no section of WireGuard";
    if (is_interface != (section_ == Section::kNone)) return "[Interface] once, and first";
    if (const Fault fault = end_section(); !fault.empty()) return fault;
    section_ = is_interface ? Section::kInterface : Section::kPeer;
    head_ = line_;
    seen_ = 0;
    if (is_interface) return "";
    if (config_.peers.size() == max_peers_) return "too many peers";
    config_.peers.emplace_back();
    return "";
  }

  // What the section as a whole is to hold; a fault of it is at its head.
  Fault end_section() {
    const Fault fault = fault_of_section();
    if (!fault.empty()) at_ = head_;
    return fault;
  }

  Fault fault_of_section() {
    switch (section_) {
      case Section::kNone:
        return "";
      case Section::kInterface:
        if (misses_one_of(kInterfaceKeys)) return "no ListenPort";
        return rules_.fault_of_interface(config_);
      case Section::kPeer:
        if (misses_one_of(kPeerKeys)) return "no PublicKey or no AllowedIPs";
        return rules_.fault_of_peer(config_.peers.back());
    }
    return "no section";
  }

  template <class Keys, class Into>
  Fault read_key(const Keys& keys, std::string_view name, std::string_view value, Into& into) {
    const auto key = std::find_if(std::begin(keys), std::end(keys),
                                  [&](const auto& each) { return each.name == name; });
    if (key == std::end(keys)) return "no key of this section";
    const unsigned bit = 1U << (key - std::begin(keys));
    if ((seen_ & bit) != 0) return "a key twice";
    seen_ |= bit;
    return key->read(value, into);
  }

  template <class Keys>
  bool misses_one_of(const Keys& keys) const {
    unsigned bit = 1;
    for (const auto& key : keys) {
      if (key.required && (seen_ & bit) == 0) return true;
      bit <<= 1;
    }
    return false;
  }

  const std::size_t max_peers_;
  WireGuardConfig config_;
  WireGuardRules rules_;
  Section section_ = Section::kNone;
  std::size_t line_ = 0;  // the newest one
  std::size_t at_ = 0;    // that of the fault
  std::size_t head_ = 0;  // line of the section's head
  unsigned seen_ = 0;     // which keys of the section, by their place in its table
};

}  // namespace

Result<WireGuardConfig> read_wireguard(std::string_view text, std::size_t max_peers) {
  Reader reader(max_peers);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const Status read = reader.read_line(text.substr(0, end));
    if (!read.ok()) return read.error();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return std::move(reader).finished();
}

}  // namespace signet::overlay
