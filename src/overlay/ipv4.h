// IPv4 addresses as numbers, the first byte the highest, and as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace signet::overlay {

// Digits alone, without a sign and a zero in front; nullopt for anything else and above `most`.
std::optional<std::uint32_t> decimal_from(std::string_view text, std::uint32_t most);

// Four decimals with dots between them: no name, no hex, no fewer parts.
std::optional<std::uint32_t> ipv4_from(std::string_view text);
std::string ipv4_text(std::uint32_t address);

// How many addresses a network of so many bits has. REQUIRES: 1 to 32 bits.
constexpr std::uint32_t addresses_of(int bits) { return std::uint32_t{1} << (32 - bits); }

}  // namespace signet::overlay
