#include "wire/number_text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

namespace signet::wire {
namespace {

// A positive, finite double as the shortest digits that read back, nearest to it among those, and
// where the point stands: 0.d1d2d3… × 10^point. Both languages print from these.
struct Shortest {
  std::string digits;
  int point = 0;
};

Shortest shortest_of(double number) {
  std::array<char, 32> text;
  const auto written =
      std::to_chars(text.data(), text.data() + text.size(), number, std::chars_format::scientific);
  const std::string_view all(text.data(), static_cast<std::size_t>(written.ptr - text.data()));
  const std::size_t e = all.find('e');
  Shortest shortest;
  for (const char c : all.substr(0, e)) {
    if (c != '.') shortest.digits.push_back(c);
  }
  std::string_view exponent = all.substr(e + 1);
  if (exponent.starts_with('+')) exponent.remove_prefix(1);
  std::from_chars(exponent.data(), exponent.data() + exponent.size(), shortest.point);
  ++shortest.point;
  return shortest;
}

// `1`, `1.5`, `0.0015`, `1500`: digits around a point, with the zeros that this takes.
void append_positional(std::string& out, const Shortest& number) {
  const auto count = static_cast<int>(number.digits.size());
  if (number.point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-number.point), '0').append(number.digits);
  } else if (number.point >= count) {
    out.append(number.digits).append(static_cast<std::size_t>(number.point - count), '0');
  } else {
    const auto whole = static_cast<std::size_t>(number.point);
    out.append(number.digits, 0, whole).append(".").append(number.digits, whole);
  }
}

// `1e+16`, `1.5e-07`: the exponent has a sign, and at least so many digits.
void append_scientific(std::string& out, const Shortest& number, std::size_t least_digits) {
  out.append(number.digits, 0, 1);
  if (number.digits.size() > 1) out.append(".").append(number.digits, 1);
  const int exponent = number.point - 1;
  out.append(exponent < 0 ? "e-" : "e+");
  const std::string text = std::to_string(std::abs(exponent));
  if (text.size() < least_digits) out.append(least_digits - text.size(), '0');
  out.append(text);
}

}  // namespace

void append_python_float(std::string& out, double number) {
  if (std::signbit(number)) out.push_back('-');
  if (number == 0) {
    out.append("0.0");
    return;
  }
  const Shortest shortest = shortest_of(std::abs(number));
  if (shortest.point < -3 || shortest.point > 16) return append_scientific(out, shortest, 2);
  append_positional(out, shortest);
  if (shortest.point >= static_cast<int>(shortest.digits.size())) out.append(".0");
}

void append_ecmascript_number(std::string& out, double number) {
  if (number == 0) {
    out.push_back('0');
    return;
  }
  if (number < 0) out.push_back('-');
  const Shortest shortest = shortest_of(std::abs(number));
  if (shortest.point < -5 || shortest.point > 21) return append_scientific(out, shortest, 1);
  append_positional(out, shortest);
}

}  // namespace signet::wire
