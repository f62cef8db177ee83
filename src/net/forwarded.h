// For whom a proxy speaks: trusted proxies, and the client that X-Forwarded-For names.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/address.h"

namespace signet::net {

// TrustedProxies is immutable; pure.
class TrustedProxies {
 public:
  TrustedProxies() = default;  // none

  // Of addresses and networks: "10.0.0.7", "10.0.0.0/8", "fd00::/8", "::1". An IPv4 address mapped
  // into IPv6 is that IPv4 address, and networks of one family hold none of the other. Fails
  // kMalformed with a sentence about the first entry that is none: also where bits are set beyond
  // the prefix, and for a network of so many that it is everybody, whom nobody can trust: wider
  // than a /8 of IPv4 or a /16 of IPv6, but for unique local addresses (fc00::/7).
  static Result<TrustedProxies> of(const std::vector<std::string>& entries);

  bool trusts(const PeerAddress& peer) const;  // never one of the Unix socket

 private:
  struct Network {
    std::array<unsigned char, 16> ip;
    std::size_t bits;  // of the sixteen bytes
    bool is_ipv4;
  };
  static Result<Network> read(const std::string& entry);

  std::vector<Network> networks_;
};

// Who asked, where `peer` sent `lines`, the values of its X-Forwarded-For headers in their order.
// Each proxy appends whom it serves, so the list is believed from its right end and only as far as
// trusted proxies wrote it: the client is the rightmost address that is no trusted proxy, with port
// 0, and everything to its left is hearsay. Where all are proxies it is the leftmost; at what is no
// address, and after 16 hops, the last one that was; and `peer` where that leaves none or is itself
// not trusted.
PeerAddress client_of(const PeerAddress& peer, std::span<const std::string_view> lines,
                      const TrustedProxies& proxies);

}  // namespace signet::net
