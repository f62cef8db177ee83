#include "overlay/address_plan.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "overlay/ipv4.h"

namespace signet::overlay {
namespace {

constexpr std::uint32_t kFirstPlace = 2;
constexpr int kFewestBits = 8, kMostBits = 29;

struct Range {
  std::uint32_t network;
  int bits;
};
constexpr Range kPrivate[] = {
    {0x0a000000, 8},   // 10.0.0.0/8, RFC 1918
    {0xac100000, 12},  // 172.16.0.0/12, RFC 1918
    {0xc0a80000, 16},  // 192.168.0.0/16, RFC 1918
    {0x64400000, 10},  // 100.64.0.0/10, RFC 6598
};

bool is_private(const Subnet& subnet) {
  return std::any_of(std::begin(kPrivate), std::end(kPrivate), [&](const Range& range) {
    const std::uint32_t mask = ~(addresses_of(range.bits) - 1);
    return subnet.bits >= range.bits && (subnet.network & mask) == range.network;
  });
}

Error malformed(const char* why) { return {ErrorCode::kMalformed, why}; }

}  // namespace

Result<Subnet> Subnet::of(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto network = ipv4_from(text.substr(0, slash));
  const auto bits = decimal_from(text.substr(std::min(slash + 1, text.size())), 32);
  if (!network || !bits) return malformed("a subnet is an IPv4 address, / and a number of bits");
  const Subnet subnet{*network, static_cast<int>(*bits)};
  if (subnet.bits < kFewestBits || subnet.bits > kMostBits) {
    return malformed("a subnet has 8 to 29 bits");
  }
  if ((*network & (addresses_of(subnet.bits) - 1)) != 0) {
    return malformed("a subnet's address has no bits set behind those of the network");
  }
  if (!is_private(subnet)) {
    return malformed(
        "a subnet is within 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10");
  }
  return subnet;
}

std::string Subnet::text() const { return ipv4_text(network) + "/" + std::to_string(bits); }

std::uint32_t Subnet::places() const { return addresses_of(bits) - kFirstPlace - 1; }

bool Subnet::holds(std::uint32_t place) const {
  return place >= kFirstPlace && place < addresses_of(bits) - 1;
}

std::string Subnet::address(std::uint32_t place) const {
  if (!holds(place)) std::abort();
  return ipv4_text(network + place);
}

bool AddressPlan::restore(const std::string& name, std::uint32_t place) {
  if (!subnet_.holds(place)) return false;
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return known->second == place;
  if (!take_free(place)) return false;
  by_name_.emplace(name, place);
  return true;
}

std::optional<std::uint32_t> AddressPlan::place_for(const std::string& name) {
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return known->second;
  const auto place = free_place();
  if (place) by_name_.emplace(name, *place);
  return place;
}

void AddressPlan::forget(const std::string& name) {
  const auto known = by_name_.find(name);
  if (known == by_name_.end()) return;
  freed_.emplace(frees_++, known->second);
  by_name_.erase(known);
}

std::optional<std::uint32_t> AddressPlan::free_place() {
  if (subnet_.holds(next_)) return next_++;
  if (!gaps_.empty()) {
    const std::uint32_t place = gaps_.begin()->first;
    take_from_gap(place);
    return place;
  }
  if (freed_.empty()) return std::nullopt;
  const std::uint32_t place = freed_.begin()->second;
  freed_.erase(freed_.begin());
  return place;
}

bool AddressPlan::take_free(std::uint32_t place) {
  if (place >= next_) {
    if (place > next_) gaps_.emplace(next_, place);
    next_ = place + 1;
    return true;
  }
  if (take_from_gap(place)) return true;
  const auto freed = std::find_if(freed_.begin(), freed_.end(),
                                  [&](const auto& entry) { return entry.second == place; });
  if (freed == freed_.end()) return false;
  freed_.erase(freed);
  return true;
}

bool AddressPlan::take_from_gap(std::uint32_t place) {
  auto gap = gaps_.upper_bound(place);
  if (gap == gaps_.begin()) return false;
  const auto [from, to] = *--gap;
  if (place >= to) return false;
  gaps_.erase(gap);
  if (from < place) gaps_.emplace(from, place);
  if (place + 1 < to) gaps_.emplace(place + 1, to);
  return true;
}

}  // namespace signet::overlay
