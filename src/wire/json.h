// Strict JSON (RFC 8259, I-JSON): what one reader could take for something else is refused:
// duplicate keys, lone surrogates, invalid UTF-8, a BOM, trailing bytes, too much depth.
// Values remember the text they came from, so that a signature or a forwarded body covers the very
// bytes that were sent.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::wire {

struct JsonLimits {
  std::size_t max_depth = 32;
  std::size_t max_values = 65'536;  // bounds the work on `[[],[],[],…`
};

class JsonValue;

// JsonDocument is one parsed text and owns everything its values show. Movable; a reused document
// keeps its memory.
class JsonDocument {
 public:
  JsonDocument();
  JsonDocument(JsonDocument&&) noexcept;
  JsonDocument& operator=(JsonDocument&&) noexcept;
  ~JsonDocument();

  // Copies `text`. Fails kMalformed with the rule that was broken ("duplicate key", "depth", …);
  // the document is then empty. Values of an earlier parse are gone.
  Status parse(std::string_view text, const JsonLimits& limits = {});

  // REQUIRES: parse() succeeded.
  JsonValue root() const;

 private:
  friend class JsonValue;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class JsonKind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

// JsonValue points into its document and is copied freely; it must not outlive the document's next
// parse. A default-constructed or not-found value has no kind and answers nullopt to everything.
class JsonValue {
 public:
  JsonValue() = default;
  explicit operator bool() const { return document_ != nullptr; }

  std::optional<JsonKind> kind() const;
  bool is(JsonKind expected) const { return kind() == expected; }

  std::optional<bool> boolean() const;
  std::optional<std::string_view> string() const;  // unescaped
  std::optional<std::int64_t> integer() const;     // only where the text is an integer that fits
  std::optional<double> number() const;            // nearest double; nullopt where it overflows

  // The value's own text, as sent: `"caf\u00e9"` with its quotes, `1.0`, `{"a": 1}`.
  std::string_view raw() const;

  std::size_t size() const;                           // items of an array, members of an object
  JsonValue operator[](std::size_t index) const;      // array item or member value, in sent order
  std::string_view key(std::size_t index) const;      // member name, unescaped
  JsonValue operator[](std::string_view name) const;  // member; an empty value where there is none

 private:
  friend class JsonDocument;
  JsonValue(const JsonDocument::Impl* document, std::uint32_t node)
      : document_(document), node_(node) {}
  const JsonDocument::Impl* document_ = nullptr;
  std::uint32_t node_ = 0;
};

// Appends `text` as a JSON string with its quotes: control characters, quotes and backslashes
// escaped, other UTF-8 as it is. REQUIRES: valid UTF-8 (invalid bytes become U+FFFD).
void append_json_string(std::string& out, std::string_view text);

// JsonWriter builds one JSON text: commas and quotes are its business. Not checked: the caller
// opens and closes in pairs.
//   JsonWriter w; w.object().key("type").value("ack").key("n").value(3).end(); use(w.text());
class JsonWriter {
 public:
  JsonWriter& object();
  JsonWriter& array();
  JsonWriter& end();  // closes the innermost object or array
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(std::int64_t{number}); }
  JsonWriter& value(double number);  // shortest form that reads back; null where not finite
  JsonWriter& value(bool flag);
  JsonWriter& null();
  JsonWriter& raw(std::string_view json);  // already JSON

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  void separate();
  std::string text_;
  std::vector<char> open_;  // closing brackets, innermost last
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace signet::wire
