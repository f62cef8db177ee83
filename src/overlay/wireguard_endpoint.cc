#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "overlay/ipv4.h"
#include "overlay/wireguard_config.h"

namespace signet::overlay {
namespace {

constexpr std::size_t kMappedBytes = 12;
constexpr std::array<unsigned char, kMappedBytes> kMapped = {0, 0, 0, 0, 0,   0,
                                                             0, 0, 0, 0, 255, 255};
constexpr std::uint16_t kMaxPort = 65'535;

bool is_ipv4(const Endpoint& endpoint) {
  return std::equal(kMapped.begin(), kMapped.end(), endpoint.address.begin());
}

std::uint32_t ipv4_of(const Endpoint& endpoint) {
  std::uint32_t address = 0;
  for (std::size_t i = kMappedBytes; i < endpoint.address.size(); ++i) {
    address = address << 8 | endpoint.address[i];
  }
  return address;
}

void set_ipv4(Endpoint& endpoint, std::uint32_t address) {
  std::copy(kMapped.begin(), kMapped.end(), endpoint.address.begin());
  for (std::size_t i = endpoint.address.size(); i-- > kMappedBytes; address >>= 8) {
    endpoint.address[i] = static_cast<unsigned char>(address);
  }
}

// inet_pton stops at a NUL and takes no zone.
bool set_ipv6(Endpoint& endpoint, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return false;
  return inet_pton(AF_INET6, std::string(text).c_str(), endpoint.address.data()) == 1;
}

bool is_one_host(const Endpoint& endpoint) {
  if (is_ipv4(endpoint)) {
    const std::uint32_t first = ipv4_of(endpoint) >> 24;
    return first != 0 && first < 224;  // 0/8: unspecified; from 224/4 on: multicast, reserved
  }
  const bool unspecified = endpoint.address == std::array<unsigned char, 16>{};
  return !unspecified && endpoint.address[0] != 0xff;  // ff00::/8: multicast
}

}  // namespace

Result<Endpoint> Endpoint::of(std::string_view text) {
  const Error malformed{ErrorCode::kMalformed, "an endpoint is an address and a port, in numbers"};
  const bool bracketed = text.starts_with('[');
  const std::size_t colon = bracketed ? text.find("]:") : text.find(':');
  if (colon == std::string_view::npos) return malformed;
  const std::string_view host = bracketed ? text.substr(1, colon - 1) : text.substr(0, colon);
  const auto port = decimal_from(text.substr(colon + (bracketed ? 2 : 1)), kMaxPort);
  Endpoint endpoint;
  if (bracketed) {
    if (!set_ipv6(endpoint, host)) return malformed;
  } else {
    const auto address = ipv4_from(host);
    if (!address) return malformed;
    set_ipv4(endpoint, *address);
  }
  if (!port) return malformed;
  endpoint.port = static_cast<std::uint16_t>(*port);
  if (!endpoint.is_sound()) return malformed;
  return endpoint;
}

bool Endpoint::is_sound() const { return port != 0 && is_one_host(*this); }

std::string Endpoint::text() const {
  const std::string behind = ":" + std::to_string(port);
  if (is_ipv4(*this)) return ipv4_text(ipv4_of(*this)) + behind;
  std::array<char, INET6_ADDRSTRLEN> host{};
  inet_ntop(AF_INET6, address.data(), host.data(), host.size());
  return "[" + std::string(host.data()) + "]" + behind;
}

}  // namespace signet::overlay
