#include "signet/terminal/message_view.h"

#include <algorithm>
#include <array>

#include "signet/terminal/text.h"
#include "signet/terminal/words.h"

namespace signet::cli {
namespace {

constexpr std::string_view kIndent = "    ";
constexpr std::size_t kShownKeyDigits = 16;
constexpr std::string_view kBold = "\033[1m";
constexpr std::string_view kDim = "\033[2m";
constexpr std::string_view kYellow = "\033[33m";

Value or_nothing(const std::string& text) { return text.empty() ? Value() : Value(text); }

// A name with blanks could be a whole header, so it says where it begins and ends.
std::string name_in_header(std::string_view name) {
  constexpr std::array<std::string_view, 6> kBlanks{" ",        "\"",           "\xc2\xa0",
                                                    "\xe2\x80", "\xe2\x81\x9f", "\xe3\x80\x80"};
  std::string shown = printable_line(name);
  const auto is_in = [&](std::string_view blank) { return shown.find(blank) != std::string::npos; };
  if (std::none_of(kBlanks.begin(), kBlanks.end(), is_in)) return shown;
  std::string quoted = "\"";
  for (const char c : shown) quoted.append(c == '"' ? 1 : 0, '\\') += c;
  return quoted + "\"";
}

std::string sender_of(const Message& message, const Output& out) {
  const std::string key = message.sender_key.substr(0, kShownKeyDigits);
  if (message.sender_name.empty()) return out.paint(kBold, key);
  return out.paint(kBold, name_in_header(message.sender_name)) + " " + out.paint(kDim, key);
}

std::string kind_of(const Message& message) {
  if (message.kind == MessageKind::kDirect || message.target.empty()) {
    return std::string(word_of(message.kind));
  }
  return std::string(word_of(message.kind)) + " " + printable_line(message.target);
}

std::string body_of(const Message& message, const Output& out) {
  if (message.text) return printable_text(*message.text, kIndent);
  return out.paint(kYellow, "(no text: " + printable_line(message.why) + ")");
}

}  // namespace

Fields message_fields(const Message& message, std::string_view mesh) {
  return {{"id", message.id},
          {"mesh", std::string(mesh)},
          {"from", message.sender_key},
          {"fromName", or_nothing(message.sender_name)},
          {"kind", std::string(word_of(message.kind))},
          {"target", or_nothing(message.target)},
          {"priority", std::string(word_of(message.priority))},
          {"at", message.created_at},
          {"sealed", message.sealed},
          {"text", message.text ? Value(*message.text) : Value()},
          {"why", or_nothing(message.why)}};
}

std::string message_text(const Message& message, const Output& out) {
  const std::string seal =
      message.sealed ? "sealed"
                     : out.paint(kYellow, message.text ? "NOT SEALED: its sender is not proven"
                                                       : "NOT OPENED");
  std::string text = sender_of(message, out) + "  " +
                     out.paint(kDim, printable_line(message.created_at)) + "  " + kind_of(message) +
                     ", " + seal;
  text.append("\n").append(kIndent).append(body_of(message, out));
  return text;
}

std::vector<Column> message_columns() {
  std::vector<Column> columns;
  for (const Field& field : message_fields({}, ""))
    columns.push_back({field.key, "", Show::kNever});
  return columns;
}

std::vector<Value> message_row(const Message& message, std::string_view mesh) {
  std::vector<Value> row;
  for (Field& field : message_fields(message, mesh)) row.push_back(std::move(field.value));
  return row;
}

}  // namespace signet::cli
