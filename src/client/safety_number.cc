#include "client/safety_number.h"

#include <algorithm>
#include <cstdint>

#include "crypto/hash.h"

namespace signet::client {
namespace {

constexpr std::size_t kGroupBytes = 5;     // 40 bits for 5 digits: no digit is likelier by 1e-7
constexpr std::size_t kDigestGroups = 6;   // 30 of a digest's 32 bytes
constexpr std::uint64_t kGroup = 100'000;  // 5 digits

// Six groups of five digits out of a digest, with a space between.
std::string groups_of(const crypto::Digest32& digest) {
  std::string text;
  for (std::size_t group = 0; group < kDigestGroups; ++group) {
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < kGroupBytes; ++i) {
      number = number << 8 | digest[group * kGroupBytes + i];
    }
    const std::string digits = std::to_string(number % kGroup);
    text.append(text.empty() ? "" : " ").append(5 - digits.size(), '0').append(digits);
  }
  return text;
}

}  // namespace

std::string safety_number(std::string_view mesh_id, const crypto::PublicKey& one,
                          const crypto::PublicKey& other) {
  const crypto::PublicKey& low = std::min(one, other);
  const crypto::PublicKey& high = std::max(one, other);
  const auto half = [&](std::string_view which) {
    return groups_of(crypto::digest32("signet/safety-number/v1",
                                      {which, mesh_id, text_of(low.bytes), text_of(high.bytes)}));
  };
  return half("1") + " " + half("2");
}

std::string fingerprint(const crypto::PublicKey& key) {
  return groups_of(crypto::digest32("signet/fingerprint/v1", {text_of(key.bytes)}));
}

}  // namespace signet::client
