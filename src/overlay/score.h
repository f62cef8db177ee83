// Score is what a benchmark comes to: 0 to 1, kept in millionths, so that every machine compares
// and averages alike and no value is a NaN.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>

namespace signet::overlay {

struct Score {
  std::int32_t millionths = 0;  // 0..kOne
  static constexpr std::int32_t kOne = 1'000'000;

  // Rounded to the nearest millionth. nullopt for what is not finite or outside of 0..1.
  static std::optional<Score> from(double value);
  // Two decimals, as a person reads it ("0.92"); more of them, up to six, where two would say that
  // it equals `other` and it does not.
  std::string text(std::optional<Score> other = std::nullopt) const;

  auto operator<=>(const Score&) const = default;
};

}  // namespace signet::overlay
