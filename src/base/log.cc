#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include <atomic>

#include "base/time.h"

namespace signet {
namespace {

constexpr std::size_t kMaxTextBytes = 256;

// What a pipe takes in one piece (PIPE_BUF): a longer line could be torn by another writer.
constexpr std::size_t kMaxLineBytes = 4096;
constexpr std::string_view kCutMark = ",\"cut\":true";
constexpr std::string_view kLineEnd = "}\n";

std::atomic<LogLevel> least_level{LogLevel::kInfo};
std::atomic<int> descriptor{2};

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarn:
      return "warn";
    case LogLevel::kError:
      break;
  }
  return "error";
}

// One character of the input. `size` is what it took: 1 for a byte that begins no character.
struct Character {
  char32_t code = 0xFFFD;
  std::size_t size = 1;
  bool broken = true;
};

// REQUIRES: text is not empty. Refuses overlong forms, surrogates and what lies past U+10FFFF.
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

// Everything that a terminal or a viewer obeys or hides instead of showing.
bool is_printable(char32_t c) {
  if (c < 0x7F) return c >= 0x20;
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kHidden[] = {
      {0x007F, 0x009F},    // DEL and the C1 controls
      {0x00AD, 0x00AD},    // soft hyphen
      {0x061C, 0x061C},    // Arabic letter mark
      {0x180E, 0x180E},    // Mongolian vowel separator
      {0x200B, 0x200F},    // zero width, left-to-right and right-to-left marks
      {0x2028, 0x202E},    // line and paragraph separators, bidirectional overrides
      {0x2060, 0x206F},    // invisible operators, bidirectional isolates
      {0xFEFF, 0xFEFF},    // byte order mark
      {0xFFF9, 0xFFFB},    // interlinear annotation
      {0xFFFE, 0xFFFF},    // no characters
      {0xE0000, 0xE0FFF},  // tags and variation selectors
  };
  for (const Range& range : kHidden) {
    if (c >= range.first && c <= range.last) return false;
  }
  return true;
}

void append_unit(std::string& line, char32_t unit) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  line += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) line += kHexDigits[(unit >> shift) & 15U];
}

void append_escaped(std::string& line, char32_t c) {
  if (c < 0x10000) return append_unit(line, c);
  append_unit(line, 0xD800 + ((c - 0x10000) >> 10));
  append_unit(line, 0xDC00 + ((c - 0x10000) & 0x3FF));
}

// A JSON string. What is cut ends with an ellipsis.
void append_text(std::string& line, std::string_view text) {
  line += '"';
  std::size_t taken = 0;
  while (taken < text.size()) {
    const Character c = first_character(text.substr(taken));
    if (taken + c.size > kMaxTextBytes) {
      line += "…";
      break;
    }
    if (c.code == '"' || c.code == '\\') {
      line += '\\';
      line += static_cast<char>(c.code);
    } else if (c.broken || !is_printable(c.code)) {
      append_escaped(line, c.code);
    } else {
      line += text.substr(taken, c.size);
    }
    taken += c.size;
  }
  line += '"';
}

void append_field(std::string& line, const LogField& field) {
  line += ',';
  append_text(line, field.name);
  line += ':';
  if (field.is_number) {
    line += std::to_string(field.number);
  } else {
    append_text(line, field.value);
  }
}

}  // namespace

void set_log_level(LogLevel level) { least_level.store(level, std::memory_order_relaxed); }

bool log_enabled(LogLevel level) { return level >= least_level.load(std::memory_order_relaxed); }

void set_log_descriptor(int to) { descriptor.store(to, std::memory_order_relaxed); }

std::string log_line(std::string_view timestamp, LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
  std::string line = "{\"ts\":";
  append_text(line, timestamp);
  line += ",\"level\":\"";
  line += name_of(level);
  line += "\",\"event\":";
  append_text(line, event);
  for (const LogField& field : fields) {
    const std::size_t whole = line.size();
    append_field(line, field);
    if (line.size() + kCutMark.size() + kLineEnd.size() > kMaxLineBytes) {
      line.resize(whole);
      line += kCutMark;
      break;
    }
  }
  line += kLineEnd;
  return line;
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  const std::string line = log_line(iso8601(system_clock().wall()), level, event, fields);
  // A line that can't be written is lost: there is nowhere left to say so, and no thread may wait
  // for a full disk here.
  ssize_t written;
  do {
    written = write(descriptor.load(std::memory_order_relaxed), line.data(), line.size());
  } while (written < 0 && errno == EINTR);
}

}  // namespace signet
