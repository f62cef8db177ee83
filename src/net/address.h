// PeerAddress is where a connection comes from: an IPv4 or IPv6 address and a port, or a process of
// this machine on the Unix socket.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "signet/result.h"

namespace signet::net {

struct PeerAddress {
  std::array<unsigned char, 16> ip{};  // IPv6, or IPv4 mapped (::ffff:a.b.c.d)
  std::uint16_t port = 0;

  // The user of a process that came by the Unix socket. Only the listener sets it, for what it
  // accepted there and from what the kernel says: nothing that can be parsed or sent makes a peer
  // local.
  std::optional<std::uint32_t> local_user;
  bool is_local() const { return local_user.has_value(); }

  bool is_ipv4() const;
  bool is_loopback() const;  // 127.0.0.0/8 or ::1

  // What limits per address count by: an IPv4 address, or an IPv6 /64, since one subscriber
  // usually holds a whole one. Sixteen bytes, the rest zero. Those of the Unix socket have none:
  // they are not counted by address.
  std::array<unsigned char, 16> limit_key() const;

  std::string text() const;  // "127.0.0.1:80", "[::1]:80", "unix:1000" (the user)
};

// Parses "HOST:PORT" or "[IPv6]:PORT" with a literal address (or "localhost"); port 0 is any.
Result<PeerAddress> parse_address(const std::string& text);

}  // namespace signet::net
