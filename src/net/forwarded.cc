#include "net/forwarded.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace signet::net {
namespace {

constexpr std::size_t kMaxHops = 16;  // more proxies in a row than anybody runs
constexpr std::size_t kAddressBits = 128;
constexpr std::size_t kMappedBits = 96;  // in front of an IPv4 address
// The widest networks that somebody runs: a /8 of IPv4 (10.0.0.0/8), and of IPv6 what a registry
// gives to one of the largest. Whoever names more of the internet names its attackers.
constexpr std::size_t kWidestIpv4 = kMappedBits + 8;
constexpr std::size_t kWidestIpv6 = 16;

Error bad(const std::string& entry, std::string_view rule) {
  return {ErrorCode::kMalformed, "'" + entry + "' is no address or network: " + std::string(rule)};
}

// An address without brackets or a port.
std::optional<PeerAddress> literal(std::string_view text) {
  const bool ipv6 = text.find(':') != std::string_view::npos;
  const auto read =
      parse_address(ipv6 ? "[" + std::string(text) + "]:0" : std::string(text) + ":0");
  if (!read.ok() || text == "localhost") return std::nullopt;
  return *read;
}

template <class Number>
std::optional<Number> number(std::string_view text) {
  Number value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_port(std::string_view text) { return number<std::uint16_t>(text).has_value(); }

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

// One entry of the header: an address, which some proxies write with a port, IPv6 then in brackets.
std::optional<PeerAddress> hop(std::string_view text) {
  constexpr std::size_t kLongest = sizeof "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535";
  if (text.size() > kLongest) return std::nullopt;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text.substr(1, end - 1);
    const std::string_view after = text.substr(end + 1);
    if (!after.empty() && !(after.front() == ':' && is_port(after.substr(1)))) return std::nullopt;
    return inside.find(':') == std::string_view::npos ? std::nullopt : literal(inside);
  }
  const auto colon = text.find(':');
  const bool has_port = colon != std::string_view::npos && text.find(':', colon + 1) == text.npos;
  if (!has_port) return literal(text);
  return is_port(text.substr(colon + 1)) ? literal(text.substr(0, colon)) : std::nullopt;
}

bool same_bits(const std::array<unsigned char, 16>& a, const std::array<unsigned char, 16>& b,
               std::size_t bits) {
  const std::size_t whole = bits / 8;
  if (!std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(whole), b.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const unsigned mask = 0xffU << (8 - bits % 8);
  return ((a[whole] ^ b[whole]) & mask & 0xffU) == 0;
}

bool ends_at(const std::array<unsigned char, 16>& ip, std::size_t bits) {
  for (std::size_t bit = bits; bit < kAddressBits; ++bit) {
    if ((ip[bit / 8] >> (7 - bit % 8)) & 1U) return false;
  }
  return true;
}

// Unique local addresses (RFC 4193, fc00::/7) are never on the internet, so all of them may be
// somebody's own network, as all of 10.0.0.0/8 may.
bool is_too_wide(const PeerAddress& first, std::size_t bits) {
  if (first.is_ipv4()) return bits < kWidestIpv4;
  const bool is_unique_local = (first.ip[0] & 0xfeU) == 0xfcU && bits >= 7;
  return bits < kWidestIpv6 && !is_unique_local;
}

}  // namespace

Result<TrustedProxies::Network> TrustedProxies::read(const std::string& entry) {
  const auto slash = entry.find('/');
  const std::string host = entry.substr(0, slash);
  const auto address = literal(host);
  if (!address) return bad(entry, "it is an IPv4 or IPv6 address, or one with /PREFIX");
  const bool written_as_ipv4 = host.find(':') == std::string::npos;
  const std::size_t before = written_as_ipv4 ? kMappedBits : 0;
  std::size_t bits = kAddressBits;
  if (slash != std::string::npos) {
    const auto prefix = number<std::size_t>(std::string_view(entry).substr(slash + 1));
    if (!prefix || *prefix > kAddressBits - before) return bad(entry, "its prefix is too long");
    bits = before + *prefix;
  }
  if (!ends_at(address->ip, bits)) return bad(entry, "it has bits beyond its prefix");
  if (is_too_wide(*address, bits)) {
    return bad(entry, "that is everybody, and anybody could name any client");
  }
  return Network{address->ip, bits, address->is_ipv4()};
}

Result<TrustedProxies> TrustedProxies::of(const std::vector<std::string>& entries) {
  TrustedProxies proxies;
  for (const std::string& entry : entries) {
    SIGNET_TRY(const Network network, read(entry));
    proxies.networks_.push_back(network);
  }
  return proxies;
}

bool TrustedProxies::trusts(const PeerAddress& peer) const {
  if (peer.is_local()) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&](const Network& network) {
    return network.is_ipv4 == peer.is_ipv4() && same_bits(network.ip, peer.ip, network.bits);
  });
}

PeerAddress client_of(const PeerAddress& peer, std::span<const std::string_view> lines,
                      const TrustedProxies& proxies) {
  PeerAddress client = peer;
  std::size_t hops = 0;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    for (std::string_view rest = *line;;) {
      if (hops++ == kMaxHops || !proxies.trusts(client)) return client;
      const auto comma = rest.rfind(',');
      const auto entry = hop(trimmed(rest.substr(comma == std::string_view::npos ? 0 : comma + 1)));
      if (!entry) return client;
      client = *entry;
      if (comma == std::string_view::npos) break;
      rest = rest.substr(0, comma);
    }
  }
  return client;
}

}  // namespace signet::net
