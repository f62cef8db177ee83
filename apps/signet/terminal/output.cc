#include "signet/terminal/output.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::size_t kShownKeyDigits = 16;
constexpr std::string_view kGap = "  ";

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& each : texts) out += (out.empty() ? "" : ", ") + printable_line(each);
  return out;
}

std::string cell_text(const Value& value, Show show) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    const bool cut = show == Show::kKey && text->size() > kShownKeyDigits;
    return printable_line(cut ? text->substr(0, kShownKeyDigits) : *text);
  }
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "yes" : "no";
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return joined(*texts);
  if (const auto* json = std::get_if<Json>(&value)) return printable_line(json->text);
  return "-";
}

void pad(std::string& out, std::size_t columns) { out.append(columns, ' '); }

// Lines without the blanks that padding leaves at their end.
void end_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

using Cells = std::vector<std::string>;

std::string aligned(const std::vector<Cells>& lines) {
  std::vector<std::size_t> widths;
  for (const Cells& line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string out;
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) {
      out += line[i];
      pad(out, widths[i] - width_of(line[i]) + kGap.size());
    }
    end_line(out);
  }
  return out;
}

void write_members(wire::JsonWriter& json, const Fields& fields) {
  for (const Field& field : fields) {
    json.key(field.key);
    write_value(json, field.value);
  }
}

void write_row(wire::JsonWriter& json, const Table& table, const std::vector<Value>& row) {
  json.object();
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    json.key(table.columns[i].key);
    write_value(json, row[i]);
  }
  json.end();
}

std::string object_json(const Fields& fields) {
  wire::JsonWriter json;
  json.object().key("ok").value(true);
  write_members(json, fields);
  return json.end().take();
}

}  // namespace

void write_value(wire::JsonWriter& json, const Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    json.value(*text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    json.value(*number);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    json.value(*flag);
  } else if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) {
    json.array();
    for (const std::string& each : *texts) json.value(each);
    json.end();
  } else if (const auto* other = std::get_if<Json>(&value)) {
    json.raw(other->text);
  } else {
    json.null();
  }
}

std::string table_text(const Table& table) {
  std::vector<Cells> lines(1);
  for (const Column& column : table.columns) {
    if (column.show != Show::kNever) lines.front().push_back(column.title);
  }
  for (const auto& row : table.rows) {
    Cells& line = lines.emplace_back();
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      const Show show = table.columns[i].show;
      if (show != Show::kNever) line.push_back(cell_text(row[i], show));
    }
  }
  return aligned(lines);
}

std::string fields_text(const Fields& fields) {
  std::vector<Cells> lines;
  for (const Field& field : fields) {
    const std::string text = cell_text(field.value, Show::kAll);
    if (!field.title.empty() && !text.empty()) lines.push_back({field.title, text});
  }
  return aligned(lines);
}

void Output::list(const Table& table, std::string_view empty, const Fields& more) {
  if (format_ == Format::kJsonl) {
    for (const auto& row : table.rows) {
      wire::JsonWriter json;
      write_row(json, table, row);
      print_json(json.text());
    }
    return;
  }
  if (format_ == Format::kJson) {
    wire::JsonWriter json;
    json.object().key("ok").value(table.ok);
    write_members(json, more);
    json.key(table.name).array();
    for (const auto& row : table.rows) write_row(json, table, row);
    return print_json(json.end().end().text());
  }
  if (table.rows.empty()) return print(std::string(empty) + "\n");
  const std::string text = table_text(table);
  const std::size_t head = text.find('\n');
  print(paint("\033[1m", text.substr(0, head)) + text.substr(head));
}

void Output::record(const Fields& fields) {
  if (is_for_people()) return print(fields_text(fields));
  print_json(object_json(fields));
}

void Output::done(std::string_view sentence, const Fields& fields) {
  if (is_for_people()) return print(printable_text(sentence, "") + "\n");
  print_json(object_json(fields));
}

void Output::item(std::string_view text, const Fields& fields) {
  if (is_for_people()) return print(std::string(text) + "\n");
  wire::JsonWriter json;
  json.object();
  write_members(json, fields);
  print_json(json.end().text());
}

void Output::text(std::string_view text) { print(text); }

void Output::note(std::string_view sentence) const {
  std::fputs(("signet: " + printable_line(sentence) + "\n").c_str(), stderr);
}

void Output::fail(const Told& told) {
  std::string said = paint("\033[31m", "signet:") + " " + printable_line(told.message) + "\n";
  if (!told.advice.empty()) said += "  " + printable_line(told.advice) + "\n";
  std::fputs(said.c_str(), stderr);
  if (is_for_people()) return;
  wire::JsonWriter json;
  json.object().key("ok").value(false).key("error").value(told.code);
  json.key("message").value(told.message).key("advice").value(told.advice);
  print_json(json.key("exit").value(told.exit).end().text());
}

std::string Output::paint(std::string_view ansi, std::string_view text) const {
  if (!colour_) return std::string(text);
  return std::string(ansi) + std::string(text) + "\033[0m";
}

void Output::print_json(std::string_view json) { print(printable_json(json) + "\n"); }

void Output::print(std::string_view bytes) {
  const bool whole = std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size();
  if (!whole || std::fflush(stdout) != 0) delivered_ = false;
}

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0 && !is_dumb &&
         (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace signet::cli
