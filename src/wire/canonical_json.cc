#include "wire/canonical_json.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/characters.h"
#include "wire/number_text.h"

namespace signet::wire {
namespace {

// To Python, a number without point and exponent is an integer, of any size.
bool is_integer(std::string_view number) {
  return number.find_first_of(".eE") == std::string_view::npos;
}

bool append_spaced_number(std::string& out, JsonValue value) {
  if (is_integer(value.raw())) {
    out.append(value.raw() == "-0" ? "0" : value.raw());
    return true;
  }
  const auto number = value.number();
  if (number) append_python_float(out, *number);
  return number.has_value();
}

// ensure_ascii: what is not printable ASCII is escaped, DEL too.
void append_ascii_string(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    const Character next = first_character(text);
    if (next.code >= 0x7F) {
      append_escaped(out, next.code);
    } else if (next.code >= 0x20 && next.code != '"' && next.code != '\\') {
      out.push_back(static_cast<char>(next.code));
    } else {
      std::string quoted;  // the same escapes as anywhere
      append_json_string(quoted, text.substr(0, 1));
      out.append(quoted, 1, quoted.size() - 2);
    }
    text.remove_prefix(next.size);
  }
  out.push_back('"');
}

using Order = bool (*)(std::string_view a, std::string_view b);

// UTF-8 sorts as its code points do.
bool by_code_point(std::string_view a, std::string_view b) { return a < b; }

// In UTF-16, what lies past U+FFFF begins with a surrogate and so comes before U+E000 to U+FFFF,
// which begin with EE or EF in UTF-8. Elsewhere the two agree.
bool by_utf16_unit(std::string_view a, std::string_view b) {
  const auto rank = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == 0xEE || byte == 0xEF ? byte + 0x10 : int{byte};
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

// The places of an object's members, sorted by name.
std::vector<std::size_t> sorted_members(JsonValue object, Order order) {
  std::vector<std::size_t> places(object.size());
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::sort(places.begin(), places.end(),
            [&](std::size_t a, std::size_t b) { return order(object.key(a), object.key(b)); });
  return places;
}

bool append_spaced(std::string& out, JsonValue value);

bool append_spaced_array(std::string& out, JsonValue array) {
  out.push_back('[');
  for (std::size_t i = 0; i < array.size(); ++i) {
    if (i > 0) out.append(", ");
    if (!append_spaced(out, array[i])) return false;
  }
  out.push_back(']');
  return true;
}

bool append_spaced_object(std::string& out, JsonValue object) {
  out.push_back('{');
  bool first = true;
  for (const std::size_t place : sorted_members(object, by_code_point)) {
    if (!first) out.append(", ");
    first = false;
    append_ascii_string(out, object.key(place));
    out.append(": ");
    if (!append_spaced(out, object[place])) return false;
  }
  out.push_back('}');
  return true;
}

// False when a number is beyond a double. The parser bounds the depth.
bool append_spaced(std::string& out, JsonValue value) {
  switch (value.kind().value_or(JsonKind::kNull)) {
    case JsonKind::kObject:
      return append_spaced_object(out, value);
    case JsonKind::kArray:
      return append_spaced_array(out, value);
    case JsonKind::kString:
      append_ascii_string(out, *value.string());
      return true;
    case JsonKind::kNumber:
      return append_spaced_number(out, value);
    case JsonKind::kBool:
    case JsonKind::kNull:
      break;
  }
  out.append(value.raw());
  return true;
}

// False for what this form does not have.
bool append_compact_scalar(std::string& out, JsonValue value) {
  if (value.is(JsonKind::kObject) || value.is(JsonKind::kArray)) return false;
  if (const auto text = value.string()) {
    append_json_string(out, *text);
  } else if (value.is(JsonKind::kNumber)) {
    const auto number = value.number();
    if (!number) return false;
    append_ecmascript_number(out, *number);
  } else {
    out.append(value.raw());
  }
  return true;
}

enum class Nulls : std::uint8_t { kStay, kGo };

// RFC 8785 of one value. Every append answers false when a number is beyond a double; the parser
// bounds the depth.
class CanonicalPrinter {
 public:
  CanonicalPrinter(std::string& out, Nulls nulls) : out_(out), nulls_(nulls) {}

  bool append(JsonValue value) {
    if (value.is(JsonKind::kObject)) return append_object(value, {});
    if (value.is(JsonKind::kArray)) return append_array(value);
    return append_compact_scalar(out_, value);
  }

  bool append_object(JsonValue object, std::initializer_list<std::string_view> left_out) {
    out_.push_back('{');
    bool is_first = true;
    for (const std::size_t place : sorted_members(object, by_utf16_unit)) {
      const std::string_view name = object.key(place);
      if (nulls_ == Nulls::kGo && object[place].is(JsonKind::kNull)) continue;
      if (std::find(left_out.begin(), left_out.end(), name) != left_out.end()) continue;
      if (!is_first) out_.push_back(',');
      is_first = false;
      append_json_string(out_, name);
      out_.push_back(':');
      if (!append(object[place])) return false;
    }
    out_.push_back('}');
    return true;
  }

 private:
  bool append_array(JsonValue array) {
    out_.push_back('[');
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out_.push_back(',');
      if (!append(array[i])) return false;
    }
    out_.push_back(']');
    return true;
  }

  std::string& out_;
  const Nulls nulls_;
};

}  // namespace

Result<std::string> spaced(JsonValue value) {
  std::string text;
  text.reserve(value.raw().size() + value.raw().size() / 4);  // spaces; escapes take more
  if (!append_spaced(text, value)) return Error{ErrorCode::kMalformed, "number"};
  return text;
}

std::optional<std::string> compact(JsonValue value) {
  if (!value.is(JsonKind::kObject)) return std::nullopt;
  std::string text;
  text.reserve(value.raw().size());
  text.push_back('{');
  for (const std::size_t place : sorted_members(value, by_utf16_unit)) {
    if (text.size() > 1) text.push_back(',');
    append_json_string(text, value.key(place));
    text.push_back(':');
    if (!append_compact_scalar(text, value[place])) return std::nullopt;
  }
  text.push_back('}');
  return text;
}

Result<std::string> canonical(JsonValue value) {
  std::string text;
  text.reserve(value.raw().size());
  if (!CanonicalPrinter(text, Nulls::kStay).append(value)) {
    return Error{ErrorCode::kMalformed, "number"};
  }
  return text;
}

Result<std::string> canonical_claim(JsonValue object,
                                    std::initializer_list<std::string_view> left_out) {
  if (!object.is(JsonKind::kObject)) return Error{ErrorCode::kMalformed, "object"};
  std::string text;
  text.reserve(object.raw().size());
  if (!CanonicalPrinter(text, Nulls::kGo).append_object(object, left_out)) {
    return Error{ErrorCode::kMalformed, "number"};
  }
  return text;
}

}  // namespace signet::wire
