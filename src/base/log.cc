#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include <atomic>

#include "base/characters.h"
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
