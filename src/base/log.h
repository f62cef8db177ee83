// Log: one JSON object a line, on standard error unless told otherwise. Every field is escaped, so
// that no peer can write a line, a colour or a right-to-left override into it.
//   log(LogLevel::kWarn, "hello.rejected", {{"reason", "replayed"}, {"peer", address}});
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace signet {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError };

// LogField is a name and a text or a whole number. It borrows for the call.
struct LogField {
  LogField(std::string_view field, std::string_view text) : name(field), value(text) {}
  LogField(std::string_view field, const char* text) : name(field), value(text) {}
  LogField(std::string_view field, const std::string& text) : name(field), value(text) {}
  template <std::integral Number>
  LogField(std::string_view field, Number n)
      : name(field), number(static_cast<std::int64_t>(n)), is_number(true) {}

  std::string_view name;
  std::string_view value{};
  std::int64_t number = 0;
  bool is_number = false;
};

// Writes `{"ts":"…","level":"warn","event":"hello.rejected",…}` and a newline with one write call.
// `event` is a stable dotted name. A text is cut at 256 bytes; bytes that are no printable UTF-8
// (controls, DEL, C1, bidirectional overrides, line separators, what is invisible) become \u
// escapes, and every broken byte \ufffd. Fields that would make the line longer than a pipe takes
// in one piece (4 KiB) are left out, and `"cut":true` says so. A line that can't be written is
// lost. Never give it a secret, a token or a message body. Any thread.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

void set_log_level(LogLevel level);  // any thread; below it nothing is written
bool log_enabled(LogLevel level);
void set_log_descriptor(int descriptor);  // default 2

// One line, newline included, as log() would write it; for tests.
std::string log_line(std::string_view timestamp, LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields);

}  // namespace signet
