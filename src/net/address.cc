#include "net/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace signet::net {
namespace {

constexpr std::array<unsigned char, 12> kMappedPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Error bad(const char* rule) { return {ErrorCode::kMalformed, rule}; }

std::optional<std::array<unsigned char, 16>> parse_ipv4(const std::string& host) {
  std::array<unsigned char, 16> ip{};
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin());
  if (inet_pton(AF_INET, host.c_str(), ip.data() + kMappedPrefix.size()) != 1) return std::nullopt;
  return ip;
}

std::optional<std::array<unsigned char, 16>> parse_ipv6(const std::string& host) {
  std::array<unsigned char, 16> ip{};
  if (inet_pton(AF_INET6, host.c_str(), ip.data()) != 1) return std::nullopt;
  return ip;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

}  // namespace

bool PeerAddress::is_ipv4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), ip.begin());
}

bool PeerAddress::is_loopback() const {
  if (is_ipv4()) return ip[12] == 127;
  return std::all_of(ip.begin(), ip.end() - 1, [](unsigned char b) { return b == 0; }) &&
         ip[15] == 1;
}

std::array<unsigned char, 16> PeerAddress::limit_key() const {
  if (is_ipv4()) return ip;
  std::array<unsigned char, 16> network{};
  std::copy_n(ip.begin(), 8, network.begin());
  return network;
}

std::string PeerAddress::text() const {
  if (local_user) return "unix:" + std::to_string(*local_user);
  char host[INET6_ADDRSTRLEN] = "";
  if (is_ipv4()) {
    inet_ntop(AF_INET, ip.data() + kMappedPrefix.size(), host, sizeof host);
    return std::string(host) + ":" + std::to_string(port);
  }
  inet_ntop(AF_INET6, ip.data(), host, sizeof host);
  return "[" + std::string(host) + "]:" + std::to_string(port);
}

Result<PeerAddress> parse_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return bad("an address is HOST:PORT");
  const auto port = parse_port(std::string_view(text).substr(colon + 1));
  if (!port) return bad("a port is a number from 0 to 65535");

  std::string host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (host == "localhost") host = "127.0.0.1";
  const auto ip = bracketed ? parse_ipv6(host.substr(1, host.size() - 2)) : parse_ipv4(host);
  if (!ip) return bad("a host is an IPv4 address, an IPv6 address in brackets, or localhost");
  return PeerAddress{*ip, *port, std::nullopt};
}

}  // namespace signet::net
