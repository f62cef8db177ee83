// PeerAddress is where a connection comes from: an IPv4 or IPv6 address and a port.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "signet/result.h"

namespace signet::net {

struct PeerAddress {
  std::array<unsigned char, 16> ip{};  // IPv6, or IPv4 mapped (::ffff:a.b.c.d)
  std::uint16_t port = 0;

  bool is_ipv4() const;
  bool is_loopback() const;  // 127.0.0.0/8 or ::1

  // What limits per address count by: an IPv4 address, or an IPv6 /64, since one subscriber
  // usually holds a whole one. Sixteen bytes, the rest zero.
  std::array<unsigned char, 16> limit_key() const;

  std::string text() const;  // "127.0.0.1:80", "[::1]:80"
};

// Parses "HOST:PORT" or "[IPv6]:PORT" with a literal address (or "localhost"); port 0 is any.
Result<PeerAddress> parse_address(const std::string& text);

}  // namespace signet::net
