// A node's WireGuard configuration, written from typed values alone: no text that a node chose
// reaches it, so no line of it can be another's (threat K8). The reader takes what the writer
// writes, and nothing with a command in it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret_memory.h"
#include "overlay/node.h"
#include "signet/result.h"

namespace signet::overlay {

// An address with a port: numbers, never a name. IPv6 in brackets.
struct Endpoint {
  std::array<unsigned char, 16> address{};  // IPv4 mapped as ::ffff:a.b.c.d
  std::uint16_t port = 0;

  // Fails kMalformed for names, zones, port 0, addresses that no single host has (unspecified,
  // multicast, broadcast, reserved), and anything around it.
  static Result<Endpoint> of(std::string_view text);
  bool is_sound() const;  // one that of() would read
  std::string text() const;
  bool operator==(const Endpoint&) const = default;
};

struct WireGuardPeer {
  WireGuardKey key{};
  std::uint32_t allowed_ip = 0;  // IPv4, a /32
  std::optional<Endpoint> endpoint;
  SecretBytes preshared;          // 32 bytes; empty: none
  std::uint16_t keepalive_s = 0;  // 0: none
};

// Movable, not copyable.
struct WireGuardConfig {
  SecretBytes private_key;    // 32 bytes; empty: the node puts in its own
  std::uint32_t address = 0;  // of the node; 0: not known, so only kSync can be written
  int bits = 24;              // of the subnet, for wg-quick's Address
  std::uint16_t listen_port = 51'820;
  std::vector<WireGuardPeer> peers;
};

enum class WireGuardForm : std::uint8_t {
  kQuick,  // wg-quick: with Address
  // wg syncconf and wg setconf: without. `wg syncconf` leaves alone what a peer's section does not
  // name, so a pre-shared key and a keepalive that are none are said; an endpoint is not, for that
  // which WireGuard found by itself is the better one. An interface whose text has no PrivateKey
  // loses it.
  kSync,
};

// Fails kMalformed when two peers share a key or an address, or one has the node's own address or,
// where that is known, one outside of its subnet: traffic of one would go to another (threat K9).
// And for values that no node has: keys of another size or of zeros, which WireGuard takes for
// none, an endpoint that is not sound, port 0, a subnet of less than 8 bits or more than 32. The
// text holds secrets: it is in no core dump and wiped at its end.
Result<SecretBytes> write(const WireGuardConfig& config, WireGuardForm form);

// Reads either form; `address` is 0 and `bits` 32 where there is no Address. Keys of a section in
// any order; blank lines, indents and comments as WireGuard's own tools take them. Fails
// kMalformed, with the line and never with its text, for anything else: PostUp and its kind,
// AllowedIPs that are no single /32, a key twice, more than `max_peers`, characters that are no
// printable ASCII, and what write() would not write. What is read is still to be written anew
// before a tool sees it, never handed on as it came.
Result<WireGuardConfig> read_wireguard(std::string_view text, std::size_t max_peers = 65'536);

}  // namespace signet::overlay
