#include "signet/terminal/text.h"

#include <algorithm>
#include <array>

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

// What a terminal or a viewer obeys or hides instead of showing.
constexpr std::array kHidden = std::to_array<Range>({
    {0x0000, 0x001F},    // C0 controls
    {0x007F, 0x009F},    // DEL and the C1 controls
    {0x00AD, 0x00AD},    // soft hyphen
    {0x061C, 0x061C},    // Arabic letter mark
    {0x180E, 0x180E},    // Mongolian vowel separator
    {0x200B, 0x200C},    // zero width
    {0x200E, 0x200F},    // left-to-right and right-to-left marks
    {0x2028, 0x202E},    // line and paragraph separators, bidirectional overrides
    {0x2060, 0x206F},    // invisible operators, bidirectional isolates
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFF9, 0xFFFB},    // interlinear annotation
    {0xFFFE, 0xFFFF},    // no characters
    {0xE0000, 0xE00FF},  // tags
});
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

struct Character {
  char32_t code = 0xFFFD;
  std::size_t size = 1;
  bool broken = true;
};

// The first character. REQUIRES: text is not empty.
Character first_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1, false};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < size) return {};
  char32_t code = lead & (0x7FU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3FU);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (overlong || surrogate || code > 0x10FFFF) return {};
  return {code, size, false};
}

void append_unit(std::string& out, char32_t unit) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kDigits[(unit >> shift) & 15U];
}

void append_escaped(std::string& out, char32_t c) {
  if (c < 0x10000) return append_unit(out, c);
  append_unit(out, 0xD800 + ((c - 0x10000) >> 10));
  append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
}

// `on_line_end` says what a line end becomes.
std::string printable(std::string_view text, std::string_view on_line_end) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = first_character(text.substr(at));
    if (c.broken) {
      out += kReplacement;
    } else if (c.code == '\n') {
      out += on_line_end;
    } else if (c.code == '\t') {
      out += kTab;
    } else if (is_in(kHidden, c.code)) {
      append_escaped(out, c.code);
    } else {
      out += text.substr(at, c.size);
    }
    at += c.size;
  }
  return out;
}

}  // namespace

std::string printable_line(std::string_view text) { return printable(text, "\\n"); }

std::string printable_text(std::string_view text, std::string_view indent) {
  return printable(text, "\n" + std::string(indent));
}

std::string printable_json(std::string_view json) { return printable(json, "\n"); }

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
