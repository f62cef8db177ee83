#include "wire/stringified.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/number_text.h"

namespace signet::wire {
namespace {

constexpr std::string_view kDigits = "0123456789";

// An integer of so many digits is a double exactly and printed with all of them.
constexpr std::size_t kExactDigits = 15;

constexpr std::uint64_t kLastArrayIndex = 4'294'967'294;  // 2^32 - 2

// Whether ECMAScript prints a number as the very text it was sent as. Only the common case is told;
// false for others, some of which are.
bool is_plain_integer(std::string_view number) {
  if (number == "0") return true;
  const std::string_view digits = number.substr(number.starts_with('-') ? 1 : 0);
  return !digits.empty() && digits.front() != '0' && digits.size() <= kExactDigits &&
         digits.find_first_not_of(kDigits) == std::string_view::npos;
}

// The index that a member's name is to ECMAScript, which keeps such members before all others.
std::optional<std::uint64_t> array_index(std::string_view name) {
  if (name.empty() || name.size() > 10) return std::nullopt;
  if (name.front() == '0' && name.size() > 1) return std::nullopt;
  if (name.find_first_not_of(kDigits) != std::string_view::npos) return std::nullopt;
  std::uint64_t index = 0;
  std::from_chars(name.data(), name.data() + name.size(), index);
  if (index > kLastArrayIndex) return std::nullopt;
  return index;
}

// Whether a value's text is what would be printed of it, seen without reading the value: no space,
// no escape, plain integers only, no name that begins as an index does. `json` is strict JSON.
bool is_printed_already(std::string_view json) {
  for (std::size_t at = 0; at < json.size();) {
    const char c = json[at];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return false;
    if (c == '"') {
      const std::size_t end = json.find_first_of("\"\\", at + 1);
      if (end == std::string_view::npos || json[end] == '\\') return false;
      const bool is_name = end + 1 < json.size() && (json[end + 1] == ':' || json[end + 1] <= ' ');
      if (is_name && kDigits.find(json[at + 1]) != std::string_view::npos) return false;
      at = end + 1;
    } else if (c == '-' || kDigits.find(c) != std::string_view::npos) {
      const std::size_t end = std::min(json.find_first_of(",]} \t\r\n", at), json.size());
      if (!is_plain_integer(json.substr(at, end - at))) return false;
      at = end;
    } else {
      ++at;
    }
  }
  return true;
}

void append_stringified(std::string& out, JsonValue value);

void append_number(std::string& out, JsonValue value) {
  if (is_plain_integer(value.raw())) {
    out.append(value.raw());
  } else if (const auto number = value.number()) {
    append_ecmascript_number(out, *number);
  } else {
    out.append("null");  // it parsed as an infinity
  }
}

void append_text(std::string& out, JsonValue value) {
  const std::string_view sent = value.raw();
  if (sent.find('\\') == std::string_view::npos) {
    out.append(sent);
  } else {
    append_json_string(out, *value.string());
  }
}

void append_array(std::string& out, JsonValue array) {
  out.push_back('[');
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_stringified(out, array[i]);
  }
  out.push_back(']');
}

// The places of an object's members in ECMAScript's order.
std::vector<std::size_t> ordered_members(JsonValue object) {
  std::vector<std::pair<std::uint64_t, std::size_t>> indexed;
  std::vector<std::size_t> named;
  for (std::size_t i = 0; i < object.size(); ++i) {
    const auto index = array_index(object.key(i));
    if (index) {
      indexed.emplace_back(*index, i);
    } else {
      named.push_back(i);
    }
  }
  std::sort(indexed.begin(), indexed.end());
  std::vector<std::size_t> places;
  places.reserve(object.size());
  for (const auto& [index, place] : indexed) places.push_back(place);
  places.insert(places.end(), named.begin(), named.end());
  return places;
}

void append_object(std::string& out, JsonValue object) {
  out.push_back('{');
  bool is_first = true;
  for (const std::size_t place : ordered_members(object)) {
    if (!is_first) out.push_back(',');
    is_first = false;
    append_json_string(out, object.key(place));
    out.push_back(':');
    append_stringified(out, object[place]);
  }
  out.push_back('}');
}

// The parser bounds the depth.
void append_stringified(std::string& out, JsonValue value) {
  switch (value.kind().value_or(JsonKind::kNull)) {
    case JsonKind::kObject:
      return append_object(out, value);
    case JsonKind::kArray:
      return append_array(out, value);
    case JsonKind::kString:
      return append_text(out, value);
    case JsonKind::kNumber:
      return append_number(out, value);
    case JsonKind::kBool:
    case JsonKind::kNull:
      break;
  }
  out.append(value.raw());
}

}  // namespace

std::string stringified(JsonValue value) {
  if (is_printed_already(value.raw())) return std::string(value.raw());
  std::string out;
  out.reserve(value.raw().size());
  append_stringified(out, value);
  return out;
}

}  // namespace signet::wire
