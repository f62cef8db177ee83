#include "signet/bench/text.h"

#include <charconv>

namespace signet::cli {
namespace {

constexpr std::string_view kMark = "bench ";
constexpr int kNumberDigits = 8;
constexpr int kTimeDigits = 16;

void append_hex(std::string& out, std::uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[value >> shift & 15];
  }
  out += ' ';
}

// Takes `digits` hex digits and a blank from the front.
template <class Number>
bool take_hex(std::string_view& text, Number& value, std::size_t digits) {
  if (text.size() <= digits || text[digits] != ' ') return false;
  const auto read = std::from_chars(text.data(), text.data() + digits, value, 16);
  const bool is_whole = read.ec == std::errc() && read.ptr == text.data() + digits;
  text.remove_prefix(digits + 1);
  return is_whole;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

}  // namespace

std::string write_bench_text(std::string_view run, const BenchStamp& stamp, std::size_t bytes) {
  std::string text(kMark);
  text.append(run) += ' ';
  append_hex(text, stamp.sender, kNumberDigits);
  append_hex(text, stamp.number, kNumberDigits);
  append_hex(text, stamp.due_ns, kTimeDigits);
  text += stamp.is_again ? "r " : "n ";
  text.resize(bytes, '.');
  return text;
}

std::optional<BenchStamp> read_bench_text(std::string_view run, std::string_view text,
                                          std::size_t bytes) {
  BenchStamp stamp;
  if (text.size() != bytes || !take(text, kMark) || !take(text, run) || !take(text, " ") ||
      !take_hex(text, stamp.sender, kNumberDigits) ||
      !take_hex(text, stamp.number, kNumberDigits) || !take_hex(text, stamp.due_ns, kTimeDigits)) {
    return std::nullopt;
  }
  stamp.is_again = text.starts_with('r');
  if (!take(text, "n ") && !take(text, "r ")) return std::nullopt;
  if (text.find_first_not_of('.') != std::string_view::npos) return std::nullopt;
  return stamp;
}

}  // namespace signet::cli
