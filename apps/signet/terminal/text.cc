#include "signet/terminal/text.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/characters.h"

namespace signet::cli {
namespace {

constexpr std::string_view kTab = "    ";  // a tab moves the cursor, so columns would not hold
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

struct Range {
  char32_t first, last;
};
template <std::size_t kCount>
bool is_in(const std::array<Range, kCount>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(),
                     [c](const Range& range) { return c >= range.first && c <= range.last; });
}

constexpr std::array kCombining = std::to_array<Range>({
    {0x0300, 0x036F},
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x0610, 0x061A},
    {0x064B, 0x065F},
    {0x0900, 0x0902},
    {0x093C, 0x093C},
    {0x0941, 0x0948},
    {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A},
    {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},
    {0x200D, 0x200D},
    {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
    {0x1F3FB, 0x1F3FF},  // skin tones follow their picture
});
constexpr std::array kWide = std::to_array<Range>({
    {0x1100, 0x115F},
    {0x2E80, 0x303E},
    {0x3041, 0x33FF},
    {0x3400, 0x4DBF},
    {0x4E00, 0x9FFF},
    {0xA000, 0xA4CF},
    {0xAC00, 0xD7A3},
    {0xF900, 0xFAFF},
    {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},
    {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF},
    {0x20000, 0x3FFFD},
});

// A joiner and a selector show nothing themselves; between pictures they make one of several.
enum class Joiners : std::uint8_t { kKept, kEscaped };

bool is_hidden(char32_t c, Joiners joiners) {
  constexpr char32_t kJoiner = 0x200D;
  const bool joins = c == kJoiner || (c >= 0xFE00 && c <= 0xFE0F);
  return !is_printable(c) && !(joins && joiners == Joiners::kKept);
}

// `on_line_end` says what a line end becomes.
std::string printable(std::string_view text, std::string_view on_line_end, Joiners joiners) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    if (c.broken) {
      out += kReplacement;
    } else if (c.code == '\n') {
      out += on_line_end;
    } else if (c.code == '\t') {
      out += kTab;
    } else if (is_hidden(c.code, joiners)) {
      append_escaped(out, c.code);
    } else {
      out += text.substr(at, c.size);
    }
    at += c.size;
  }
  return out;
}

}  // namespace

std::string printable_line(std::string_view text) {
  return printable(text, "\\n", Joiners::kEscaped);
}

std::string printable_text(std::string_view text, std::string_view indent) {
  return printable(text, "\n" + std::string(indent), Joiners::kKept);
}

std::string printable_json(std::string_view json) { return printable(json, "\n", Joiners::kKept); }

std::size_t width_of(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    if (!is_in(kCombining, c.code)) width += is_in(kWide, c.code) ? 2 : 1;
    at += c.size;
  }
  return width;
}

}  // namespace signet::cli
