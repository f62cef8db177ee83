#include "wire/json_schema.h"

// The library gives back the size of what it has just asked to be an array; g++ can't see that.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

#include <algorithm>
#include <array>
#include <regex>
#include <unordered_map>
#include <utility>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_visitor.hpp>
#include <vector>

#include "base/characters.h"
#include "wire/json.h"
#include "wire/schema_adapter.h"
#include "wire/schema_keywords.h"

namespace signet::wire {
namespace {

using Visitor = valijson::ValidationVisitor<SchemaAdapter>;

// Of a schema, whose nesting is about twice that of what it describes, and of which more values
// than this nobody writes.
constexpr JsonLimits kSchemaJson{.max_depth = 64, .max_values = 16'384};

// A text of this many values costs as much as a longer one to begin with.
constexpr std::size_t kFewValues = 64;

constexpr std::string_view kRoot = "(root)";

// The library's own table of compiled patterns, filled before it looks, with patterns that match in
// time and stack bounded by the text's length; those it would compile itself do not. Its keys are
// the schema's, not a peer's.
template <template <class...> class Table>
using Patterns = Table<std::string, std::regex>;

// A pattern may begin anywhere. Said so within it, a text is gone through once; the library's
// search would go through the rest of it again from every character.
std::regex compiled(const std::string& pattern) {
  return std::regex("^[\\s\\S]*(?:" + pattern + ")",
                    std::regex::ECMAScript | std::regex_constants::__polynomial);
}

// The library's words for a fault begin so; where they name a member, it stands in quotes at the
// end.
struct Wording {
  std::string_view begins;
  std::string_view keyword;
};
constexpr auto kWordings = std::to_array<Wording>({
    {"Value type not permitted", "type"},
    {"Failed to match against any enum", "enum"},
    {"Failed to match expected value set by 'const'", "const"},
    {"Failed to match regex", "pattern"},
    {"Expected number greater than or equal", "minimum"},
    {"Expected number greater than", "exclusiveMinimum"},
    {"Expected number less than or equal", "maximum"},
    {"Expected number less than", "exclusiveMaximum"},
    {"String should be no fewer", "minLength"},
    {"String should be no more", "maxLength"},
    {"Array should contain no fewer", "minItems"},
    {"Array should contain no more", "maxItems"},
    {"Array contains more items", "additionalItems"},
    {"Cannot validate item", "additionalItems"},
    {"Object should have no fewer", "minProperties"},
    {"Object should have no more", "maxProperties"},
    {"Object contains a property", "additionalProperties"},
    {"Failed to validate against additional properties", "additionalProperties"},
    {"Missing required property", "required"},
    {"Missing dependency", "dependencies"},
    {"Failed to validate against dependent", "dependencies"},
    {"Elements at indexes", "uniqueItems"},
    {"Failed to any values against subschema", "contains"},
    {"Target should not validate", "not"},
    {"Failed to validate against any schemas allowed by anyOf", "anyOf"},
    {"Failed to validate against any child schemas allowed by oneOf", "oneOf"},
    {"Failed to validate against exactly one", "oneOf"},
    {"Failed to validate against a conditional", "if"},
    {"Failed to validate against schema associated", "properties"},
    {"Failed to validate item", "items"},
    {"Failed to validate against child schema", "allOf"},
});

std::string_view keyword_of(std::string_view words) {
  for (const Wording& wording : kWordings) {
    if (words.starts_with(wording.begins)) return wording.keyword;
  }
  return "schema";
}

// The member that the library names at the end of its words: `… property 'id'.`
std::string_view quoted_at_end(std::string_view words, std::string_view before) {
  const std::size_t begin = words.find(before);
  if (begin == std::string_view::npos || !words.ends_with("'.")) return {};
  words.remove_prefix(begin + before.size());
  return words.substr(0, words.size() - 2);
}

// Appends a member's name or an index to a pointer, as RFC 6901 escapes it, and printable.
void append_token(std::string& pointer, std::string_view token) {
  pointer.push_back('/');
  while (!token.empty()) {
    const Character next = first_character(token);
    if (next.code == '~') {
      pointer.append("~0");
    } else if (next.code == '/') {
      pointer.append("~1");
    } else if (next.broken || !is_printable(next.code)) {
      append_escaped(pointer, next.code);
    } else {
      pointer.append(token.substr(0, next.size));
    }
    token.remove_prefix(next.size);
  }
}

// At most `most` bytes: the rule stays, the place loses its end.
std::string fault_text(std::string_view pointer, std::string_view rule, std::size_t most) {
  constexpr std::string_view kCut = "...";
  std::string place(pointer.empty() ? kRoot : pointer);
  const std::size_t others = 2 + rule.size();
  if (place.size() + others > most) {
    std::size_t kept = most - std::min(most, others + kCut.size());
    while (kept > 0 && (static_cast<unsigned char>(place[kept]) & 0xC0U) == 0x80U) --kept;
    place.resize(kept);
    place.append(kCut);
  }
  return place.append(": ").append(rule).substr(0, most);
}

Error broken(std::string_view pointer, std::string_view rule, const SchemaLimits& limits) {
  return {ErrorCode::kMalformed, fault_text(pointer, rule, limits.max_fault)};
}

// The library's first fault in words of the schema.
Error fault_of(const valijson::ValidationResults& faults, const SchemaLimits& limits) {
  if (faults.numErrors() == 0) return broken("", "schema", limits);
  const auto& first = *faults.begin();
  const std::string_view keyword = keyword_of(first.description);
  std::string pointer;
  for (std::size_t i = 1; i < first.context.size(); ++i) {  // `<root>`, `[entities]`, `[0]`
    const std::string_view step = first.context[i];
    append_token(pointer, step.substr(1, step.size() - 2));
  }
  std::string rule(keyword);
  if (keyword == "required") {
    rule.append(" ").append(quoted_at_end(first.description, "property '"));
  } else if (first.description.starts_with("Object contains a property")) {
    append_token(pointer, quoted_at_end(first.description, "constraints: '"));
  }
  return broken(pointer, rule, limits);
}

// What the library must not be shown. Nothing: empty.
std::string_view unbearable(std::string_view text, const SchemaLimits& limits) {
  if (text.size() > limits.max_text) return "long text";
  return text.find('\0') == std::string_view::npos ? std::string_view() : "null character";
}

// Finds the first value that the library must not be shown, counts the values, and answers the rule
// that it breaks; `pointer` then says where it stands. Empty: there is none.
std::string_view find_unbearable(JsonValue value, const SchemaLimits& limits, std::string& pointer,
                                 std::size_t& values) {
  ++values;
  if (const auto text = value.string()) return unbearable(*text, limits);
  if (value.is(JsonKind::kNumber)) return value.number() ? "" : "number beyond a double";
  const std::size_t before = pointer.size();
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool is_member = value.is(JsonKind::kObject);
    if (is_member) {
      const std::string_view rule = unbearable(value.key(i), limits);
      if (!rule.empty()) return rule == "long text" ? "long name" : rule;
    }
    append_token(pointer, is_member ? std::string(value.key(i)) : std::to_string(i));
    const std::string_view rule = find_unbearable(value[i], limits, pointer, values);
    if (!rule.empty()) return rule;
    pointer.resize(before);
  }
  return "";
}

}  // namespace

struct JsonSchema::Impl {
  SchemaLimits limits;
  JsonDocument document;  // the schema's values to compare with stand in it
  valijson::Schema schema;
  Patterns<std::unordered_map> patterns;  // all that the schema has, so that a check adds none

  bool holds(JsonValue value, std::size_t looks, valijson::ValidationResults* faults) {
    SchemaWork work(looks, faults);
    Visitor visitor(SchemaAdapter(SchemaValue{value, &work}), {std::string(kRoot)}, true, faults,
                    patterns);
    return visitor.validateSchema(schema);
  }
};

JsonSchema::JsonSchema(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
JsonSchema::JsonSchema(JsonSchema&&) noexcept = default;
JsonSchema& JsonSchema::operator=(JsonSchema&&) noexcept = default;
JsonSchema::~JsonSchema() = default;

Result<JsonSchema> JsonSchema::compile(std::string_view schema, const SchemaLimits& limits) {
  auto impl = std::make_unique<Impl>();
  impl->limits = limits;
  SIGNET_TRY([[maybe_unused]] const Done parsed, impl->document.parse(schema, kSchemaJson));
  const JsonValue root = impl->document.root();
  std::vector<std::string> patterns;
  SIGNET_TRY([[maybe_unused]] const Done checked, check_schema(root, patterns));
  try {
    for (const std::string& pattern : patterns) {
      static_cast<void>(std::regex(pattern));  // in itself, not only within what is put around it
      impl->patterns.emplace(pattern, compiled(pattern));
    }
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(SchemaAdapter(SchemaValue{root, nullptr}), impl->schema);
  } catch (const std::regex_error& error) {
    return Error{ErrorCode::kMalformed, std::string("pattern: ") + error.what()};
  } catch (const std::exception& error) {
    return Error{ErrorCode::kMalformed, error.what()};
  }
  return JsonSchema(std::move(impl));
}

Status JsonSchema::check(std::string_view json) const {
  const SchemaLimits& limits = impl_->limits;
  JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed,
             document.parse(json, {.max_values = limits.max_values}));
  const JsonValue root = document.root();
  std::string pointer;
  std::size_t values = 0;
  const std::string_view rule = find_unbearable(root, limits, pointer, values);
  if (!rule.empty()) return broken(pointer, rule, limits);

  const std::size_t looks = std::max(values, kFewValues) * limits.max_looks;
  try {
    if (impl_->holds(root, looks, nullptr)) return Done{};
  } catch (const std::exception&) {
    return broken("", "takes too long to check", limits);
  }
  // Again, this time for the words: the library collects every fault where it collects any, so it
  // is left at the first.
  valijson::ValidationResults faults;
  try {
    static_cast<void>(impl_->holds(root, looks, &faults));
  } catch (const std::exception&) {
    return fault_of(faults, limits);
  }
  return fault_of(faults, limits);
}

}  // namespace signet::wire
