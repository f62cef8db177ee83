// WireGuard configurations out of any bytes, sound and not, and what the rules come to when they
// are looked at the slow way. For the unit tests and the fuzz target.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "overlay/wireguard_config.h"

namespace signet::overlay {

// What a fuzzer or a generator drew, byte by byte; zeros behind its end.
class DrawnBytes {
 public:
  explicit DrawnBytes(std::string_view bytes) : bytes_(bytes) {}
  bool empty() const { return bytes_.empty(); }
  unsigned char byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  std::uint32_t number(int bytes) {
    std::uint32_t number = 0;
    for (int i = 0; i < bytes; ++i) number = number << 8 | byte();
    return number;
  }
  template <class Bytes>
  void fill(Bytes& out) {
    std::generate_n(out.data(), out.size(), [this] { return byte(); });
  }

 private:
  std::string_view bytes_;
};

// None, sound, of zeros or too short: the faulty ones are rare.
inline SecretBytes drawn_secret(DrawnBytes& drawn) {
  const unsigned kind = drawn.byte();
  if (kind == 0) return SecretBytes(std::size_t{32});
  if (kind == 1) return SecretBytes(std::string_view("no key of WireGuard"));
  if (kind < 64) return {};
  SecretBytes secret(std::size_t{kind == 65 ? 31U : 32U});
  drawn.fill(secret);
  return secret;
}

inline std::uint32_t drawn_address(DrawnBytes& drawn) {
  const std::uint32_t near = drawn.byte();
  return near == 255 ? drawn.number(4) : 0x0a0a0000U | near << 8 | drawn.byte();
}

inline Endpoint drawn_endpoint(DrawnBytes& drawn, bool is_ipv4) {
  Endpoint endpoint;
  drawn.fill(endpoint.address);
  if (is_ipv4) {
    std::fill_n(endpoint.address.begin(), 10, static_cast<unsigned char>(0));
    std::fill_n(endpoint.address.begin() + 10, 2, static_cast<unsigned char>(255));
  }
  endpoint.port = static_cast<std::uint16_t>(drawn.number(2));
  return endpoint;
}

inline WireGuardPeer drawn_peer(DrawnBytes& drawn) {
  WireGuardPeer peer;
  const unsigned char kind = drawn.byte();
  if (kind < 8) {
    peer.key.fill(kind);  // another has it, too, or it is none
  } else {
    drawn.fill(peer.key);
  }
  peer.allowed_ip = drawn_address(drawn);
  if (kind % 4 != 0) peer.endpoint = drawn_endpoint(drawn, kind % 4 != 1);
  peer.preshared = drawn_secret(drawn);
  if (kind % 3 == 0) peer.keepalive_s = static_cast<std::uint16_t>(drawn.number(2));
  return peer;
}

inline WireGuardConfig drawn_config(DrawnBytes& drawn) {
  constexpr std::size_t kMaxPeers = 40;
  WireGuardConfig config;
  config.private_key = drawn_secret(drawn);
  config.address = drawn_address(drawn);
  const int bits = drawn.byte();
  config.bits = bits < 40 ? bits : 16;
  config.listen_port = static_cast<std::uint16_t>(drawn.number(2));
  for (std::size_t peers = drawn.byte() % kMaxPeers; peers > 0 && !drawn.empty(); --peers) {
    config.peers.push_back(drawn_peer(drawn));
  }
  return config;
}

inline bool is_sound_slowly(const SecretBytes& secret) {
  const auto bytes = secret.bytes();
  const bool zeros = std::all_of(bytes.begin(), bytes.end(), [](auto byte) { return byte == 0; });
  return bytes.empty() || (bytes.size() == 32 && !zeros);
}

inline bool is_sound_slowly(const WireGuardConfig& config, const WireGuardPeer& peer) {
  const bool own = config.address != 0;
  bool sound = peer.allowed_ip != 0 && is_sound_slowly(peer.preshared);
  sound = sound && std::any_of(peer.key.begin(), peer.key.end(), [](auto byte) { return byte; });
  sound = sound && !(own && peer.allowed_ip == config.address);
  if (own && config.bits >= 0 && config.bits < 32) {
    sound = sound && peer.allowed_ip >> (32 - config.bits) == config.address >> (32 - config.bits);
  } else if (own) {
    sound = false;  // nobody else is in a subnet of one
  }
  if (peer.endpoint) {
    const auto read = Endpoint::of(peer.endpoint->text());
    sound = sound && read.ok() && *read == *peer.endpoint;
  }
  for (const WireGuardPeer& other : config.peers) {
    if (&other == &peer) continue;
    sound = sound && other.key != peer.key && other.allowed_ip != peer.allowed_ip;
  }
  return sound;
}

// What write() is to take, peer by peer against each other one.
inline bool is_sound_slowly(const WireGuardConfig& config, WireGuardForm form) {
  if (!is_sound_slowly(config.private_key) || config.listen_port == 0) return false;
  if (config.address == 0 && form == WireGuardForm::kQuick) return false;
  if (config.address != 0 && (config.bits < 8 || config.bits > 32)) return false;
  return std::all_of(config.peers.begin(), config.peers.end(),
                     [&](const WireGuardPeer& peer) { return is_sound_slowly(config, peer); });
}

inline bool is_same(const WireGuardPeer& a, const WireGuardPeer& b) {
  return a.key == b.key && a.allowed_ip == b.allowed_ip && a.endpoint == b.endpoint &&
         a.preshared.text() == b.preshared.text() && a.keepalive_s == b.keepalive_s;
}

// `read` is what a text of the form tells of `written`: kSync has no Address.
inline bool is_same(const WireGuardConfig& read, const WireGuardConfig& written,
                    WireGuardForm form) {
  const bool quick = form == WireGuardForm::kQuick;
  return read.private_key.text() == written.private_key.text() &&
         read.address == (quick ? written.address : 0) &&
         read.bits == (quick ? written.bits : 32) && read.listen_port == written.listen_port &&
         std::equal(read.peers.begin(), read.peers.end(), written.peers.begin(),
                    written.peers.end(),
                    [](const auto& a, const auto& b) { return is_same(a, b); });
}

}  // namespace signet::overlay
