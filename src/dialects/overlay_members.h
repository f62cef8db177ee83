// How members of the overlay's bodies are read, whichever body they are of. Inside `dialects` only.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/encoding.h"
#include "dialects/overlay.h"
#include "wire/json.h"

namespace signet::dialects {

// A body of the format is three levels deep; the rest is what a suite adds to it.
inline constexpr wire::JsonLimits kOverlayLimits{8, 1'024};

inline bool is_given(wire::JsonValue value) { return value && !value.is(wire::JsonKind::kNull); }

inline bool is_printable(std::string_view text, std::size_t most_bytes) {
  return !text.empty() && text.size() <= most_bytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

inline std::optional<WallTime> time_of(wire::JsonValue value) {
  const auto text = value.string();
  return text ? read_overlay_time(*text) : std::nullopt;
}

inline std::optional<overlay::WireGuardKey> key_of(wire::JsonValue value) {
  overlay::WireGuardKey key{};
  const auto text = value.string();
  const auto bytes = text ? from_base64(*text) : std::nullopt;
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::transform(bytes->begin(), bytes->end(), key.begin(),
                 [](char c) { return static_cast<unsigned char>(c); });
  return key;
}

// Serials go up to 2^64, which no signed integer of JSON holds.
inline std::optional<std::uint64_t> serial_in(wire::JsonValue value) {
  if (!value.is(wire::JsonKind::kNumber)) return std::nullopt;
  const std::string_view text = value.raw();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::optional<crypto::Signature> signature_of(std::string_view hex) {
  crypto::Signature signature{};
  return from_hex(hex, signature) ? std::optional(signature) : std::nullopt;
}

}  // namespace signet::dialects
