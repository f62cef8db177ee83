#include "overlay/ipv4.h"

#include <charconv>
#include <system_error>

namespace signet::overlay {

std::optional<std::uint32_t> decimal_from(std::string_view text, std::uint32_t most) {
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, number);
  const bool zero_in_front = text.size() > 1 && text.front() == '0';
  if (failed != std::errc() || stop != end || zero_in_front || number > most) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> ipv4_from(std::string_view text) {
  std::uint32_t address = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t end = part < 3 ? text.find('.') : text.size();
    if (end == std::string_view::npos) return std::nullopt;
    const auto byte = decimal_from(text.substr(0, end), 255);
    if (!byte) return std::nullopt;
    address = address << 8 | *byte;
    text.remove_prefix(part < 3 ? end + 1 : end);
  }
  return address;
}

std::string ipv4_text(std::uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address >> shift & 255U);
    if (shift > 0) text += '.';
  }
  return text;
}

}  // namespace signet::overlay
