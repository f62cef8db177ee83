#include "overlay/score.h"

#include <algorithm>
#include <cmath>

namespace signet::overlay {
namespace {

constexpr int kFewestDigits = 2;
constexpr int kMostDigits = 6;

std::int64_t millionths_per(int digits) {
  std::int64_t unit = Score::kOne;
  for (int i = 0; i < digits; ++i) unit /= 10;
  return unit;
}

// In units of the last digit. Rounding keeps the order, so two that differ here differ rightly.
std::int64_t rounded(Score score, int digits) {
  const std::int64_t unit = millionths_per(digits);
  return (std::max<std::int64_t>(score.millionths, 0) + unit / 2) / unit;
}

}  // namespace

std::optional<Score> Score::from(double value) {
  if (!(value >= 0.0 && value <= 1.0)) return std::nullopt;  // a NaN compares with nothing
  return Score{static_cast<std::int32_t>(std::lround(value * kOne))};
}

std::string Score::text(std::optional<Score> other) const {
  int digits = kFewestDigits;
  if (other && *other != *this) {
    while (digits < kMostDigits && rounded(*this, digits) == rounded(*other, digits)) ++digits;
  }
  const std::string all = std::to_string(rounded(*this, digits));
  const auto places = static_cast<std::size_t>(digits);
  const std::string padded =
      std::string(places + 1 > all.size() ? places + 1 - all.size() : 0, '0') + all;
  return padded.substr(0, padded.size() - places) + "." + padded.substr(padded.size() - places);
}

}  // namespace signet::overlay
