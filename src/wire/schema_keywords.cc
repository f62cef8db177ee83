#include "wire/schema_keywords.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

namespace signet::wire {
namespace {

enum class Holds : std::uint8_t {
  kAnything,  // an annotation, or a value to compare with
  kText,
  kFlag,
  kNumber,
  kCount,
  kType,
  kValues,
  kNames,
  kPattern,
  kReference,
  kSchema,
  kSchemas,    // a list
  kSchemaMap,  // an object of named ones
  kItems,      // one, or a list
  kDependencies,
};

// Whether the schemas in a keyword look at the very value that the keyword's own schema looks at.
enum class Looks : std::uint8_t { kAtAnother, kAtTheSame };

struct Keyword {
  std::string_view name;
  Holds holds;
  Looks looks = Looks::kAtAnother;
};

// Not here, and so refused, though draft 7 has them: multipleOf (the library cuts off fractions),
// patternProperties and format (it matches without a bound on its stack), propertyNames (it takes
// one schema for another behind a reference).
constexpr auto kKeywords = std::to_array<Keyword>({
    {"$schema", Holds::kText},
    {"$id", Holds::kText},
    {"$comment", Holds::kText},
    {"title", Holds::kText},
    {"description", Holds::kText},
    {"default", Holds::kAnything},
    {"examples", Holds::kAnything},
    {"definitions", Holds::kSchemaMap},
    {"$ref", Holds::kReference},
    {"type", Holds::kType},
    {"enum", Holds::kValues},
    {"const", Holds::kAnything},
    {"minimum", Holds::kNumber},
    {"exclusiveMinimum", Holds::kNumber},
    {"maximum", Holds::kNumber},
    {"exclusiveMaximum", Holds::kNumber},
    {"minLength", Holds::kCount},
    {"maxLength", Holds::kCount},
    {"pattern", Holds::kPattern},
    {"items", Holds::kItems},
    {"additionalItems", Holds::kSchema},
    {"contains", Holds::kSchema},
    {"minItems", Holds::kCount},
    {"maxItems", Holds::kCount},
    {"uniqueItems", Holds::kFlag},
    {"properties", Holds::kSchemaMap},
    {"additionalProperties", Holds::kSchema},
    {"required", Holds::kNames},
    {"dependencies", Holds::kDependencies, Looks::kAtTheSame},
    {"minProperties", Holds::kCount},
    {"maxProperties", Holds::kCount},
    {"allOf", Holds::kSchemas, Looks::kAtTheSame},
    {"anyOf", Holds::kSchemas, Looks::kAtTheSame},
    {"oneOf", Holds::kSchemas, Looks::kAtTheSame},
    {"not", Holds::kSchema, Looks::kAtTheSame},
    {"if", Holds::kSchema, Looks::kAtTheSame},
    {"then", Holds::kSchema, Looks::kAtTheSame},
    {"else", Holds::kSchema, Looks::kAtTheSame},
});

// What may stand beside a reference: it counts alone, and a check beside it would be passed over.
constexpr std::array<std::string_view, 7> kBesideReference = {
    "$ref", "$schema", "$id", "$comment", "title", "description", "definitions"};

constexpr std::array<std::string_view, 7> kTypes = {"null",   "boolean", "object", "array",
                                                    "number", "integer", "string"};

template <class Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Keyword* keyword_of(std::string_view name) {
  const auto* const found = std::find_if(kKeywords.begin(), kKeywords.end(),
                                         [&](const Keyword& known) { return known.name == name; });
  return found == kKeywords.end() ? nullptr : found;
}

// The library reads a name up to its first null character, and mixes up the places of names that a
// pointer has to escape.
bool is_plain_name(std::string_view name) {
  return name.find_first_of(std::string_view("\0/~%", 4)) == std::string_view::npos;
}

bool is_count(JsonValue value) {
  constexpr double kLargest = 9'007'199'254'740'992.0;  // 2^53
  const auto number = value.number();
  return number && *number >= 0 && *number <= kLargest && *number == std::floor(*number);
}

bool is_type(JsonValue value) {
  const auto name = value.string();
  return name && contains(kTypes, *name);
}

template <class Is>
bool is_list_of(JsonValue list, Is is) {
  if (!list.is(JsonKind::kArray)) return false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!is(list[i])) return false;
  }
  return true;
}

bool are_names(JsonValue value) {
  return is_list_of(value, [](JsonValue item) {
    const auto name = item.string();
    return name && is_plain_name(*name);
  });
}

// A pattern sees bytes: what is not ASCII would be several characters to it.
bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

// A schema by where it stands in the text.
using Place = const char*;
Place place_of(JsonValue schema) { return schema.raw().data(); }

class Walk {
 public:
  Walk(JsonValue root, std::vector<std::string>& patterns) : root_(root), patterns_(patterns) {}

  Status whole() {
    SIGNET_TRY([[maybe_unused]] const Done walked, schema(root_, nullptr));
    for (const Reference& reference : references_) {
      const JsonValue target = target_of(reference.to);
      if (!target || !same_.contains(place_of(target))) {
        return Error{ErrorCode::kMalformed, reference.at + "/$ref: leads to no schema"};
      }
      same_[reference.from].push_back(place_of(target));
    }
    if (has_circle()) return Error{ErrorCode::kMalformed, "$ref: leads in a circle"};
    return Done{};
  }

 private:
  struct Reference {
    Place from;
    std::string_view to;  // behind the `#`
    std::string at;
  };

  Error fault(std::string_view rule) const {
    return {ErrorCode::kMalformed,
            std::string(path_.empty() ? "(root)" : path_).append(": ").append(rule)};
  }
  Status when(bool holds, std::string_view rule) const {
    return holds ? Status(Done{}) : Status(fault(rule));
  }

  template <class Visit>
  Status in(std::string_view token, Visit visit) {
    const std::size_t before = path_.size();
    path_.append("/").append(token);
    Status status = visit();
    path_.resize(before);
    return status;
  }

  // `from`: the schema that looks at the same value, if one does.
  Status schema(JsonValue value, Place from) {
    if (from != nullptr) same_[from].push_back(place_of(value));
    same_[place_of(value)];
    if (value.is(JsonKind::kBool)) return Done{};
    if (!value.is(JsonKind::kObject)) return fault("no schema");
    for (std::size_t i = 0; i < value.size(); ++i) {
      const std::string_view name = value.key(i);
      if (value["$ref"] && !contains(kBesideReference, name)) return fault("more than a reference");
      const Status held = in(name, [&] { return member(value, name, value[i]); });
      if (!held.ok()) return held.error();
    }
    return Done{};
  }

  Status member(JsonValue schema_of, std::string_view name, JsonValue value) {
    const Keyword* const keyword = keyword_of(name);
    if (keyword == nullptr) return fault("a keyword that is not checked");
    const Place from = keyword->looks == Looks::kAtTheSame ? place_of(schema_of) : nullptr;
    switch (keyword->holds) {
      case Holds::kAnything:
        return Done{};
      case Holds::kText:
        return when(value.is(JsonKind::kString), "no text");
      case Holds::kFlag:
        return when(value.is(JsonKind::kBool), "neither true nor false");
      case Holds::kNumber:
        return when(value.number().has_value(), "no number");
      case Holds::kCount:
        return when(is_count(value), "no count");
      case Holds::kType:
        return when(is_type(value) || (value.size() > 0 && is_list_of(value, is_type)),
                    "no type of JSON");
      case Holds::kValues:
        return when(value.is(JsonKind::kArray) && value.size() > 0, "no list of values");
      case Holds::kNames:
        return when(are_names(value), "no list of names");
      case Holds::kPattern:
        return pattern(value);
      case Holds::kReference:
        return reference(schema_of, value);
      case Holds::kSchema:
        return schema(value, from);
      case Holds::kSchemas:
        return value.size() > 0 ? schemas(value, from) : Status(fault("no list of schemas"));
      case Holds::kSchemaMap:
        return named_schemas(value, from, false);
      case Holds::kItems:
        return value.is(JsonKind::kArray) ? schemas(value, from) : schema(value, from);
      case Holds::kDependencies:
        return named_schemas(value, from, true);
    }
    return fault("a keyword that is not checked");
  }

  Status schemas(JsonValue list, Place from) {
    if (!list.is(JsonKind::kArray)) return fault("no list of schemas");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const Status held = in(std::to_string(i), [&] { return schema(list[i], from); });
      if (!held.ok()) return held.error();
    }
    return Done{};
  }

  Status named_schemas(JsonValue map, Place from, bool may_be_names) {
    if (!map.is(JsonKind::kObject)) return fault("no object of schemas");
    for (std::size_t i = 0; i < map.size(); ++i) {
      const Status held = in(map.key(i), [&]() -> Status {
        if (!is_plain_name(map.key(i))) return fault("a name with a character of pointers");
        if (may_be_names && are_names(map[i])) return Done{};
        return schema(map[i], from);
      });
      if (!held.ok()) return held.error();
    }
    return Done{};
  }

  Status pattern(JsonValue value) {
    const auto text = value.string();
    if (!text) return fault("no text");
    if (text->size() > kMaxPattern || !is_ascii(*text)) return fault("no short pattern of ASCII");
    // It would go through the rest of a text from every character.
    const bool looks_ahead = text->find("(?=") != text->npos || text->find("(?!") != text->npos;
    if (looks_ahead) return fault("a pattern that looks ahead");
    patterns_.emplace_back(*text);
    return Done{};
  }

  Status reference(JsonValue schema_of, JsonValue value) {
    const auto text = value.string();
    if (!text) return fault("no text");
    const bool is_here = text->starts_with('#') && text->find_first_of("~%") == text->npos &&
                         (text->size() == 1 || (*text)[1] == '/');
    if (!is_here) return fault("leads out of the document");
    const std::string at = path_.substr(0, path_.size() - std::string_view("/$ref").size());
    references_.push_back({place_of(schema_of), text->substr(1), at});
    return Done{};
  }

  JsonValue target_of(std::string_view pointer) const {
    JsonValue value = root_;
    while (!pointer.empty() && value) {
      pointer.remove_prefix(1);
      const std::string_view token = pointer.substr(0, pointer.find('/'));
      pointer.remove_prefix(token.size());
      std::size_t index = 0;
      if (!value.is(JsonKind::kArray)) {
        value = token.empty() ? JsonValue() : value[token];
      } else {
        const auto read = std::from_chars(token.data(), token.data() + token.size(), index);
        const bool whole = read.ec == std::errc{} && read.ptr == token.data() + token.size();
        value = whole ? value[index] : JsonValue();
      }
    }
    return value;
  }

  // Takes away what nothing looks at from outside, until nothing is left or a circle is.
  bool has_circle() const {
    std::map<Place, std::size_t> looked_at;
    for (const auto& [from, targets] : same_) {
      for (const Place to : targets) ++looked_at[to];
    }
    std::vector<Place> free;
    for (const auto& [place, targets] : same_) {
      if (looked_at[place] == 0) free.push_back(place);
    }
    std::size_t taken = 0;
    for (; !free.empty(); ++taken) {
      const Place place = free.back();
      free.pop_back();
      for (const Place to : same_.at(place)) {
        if (--looked_at[to] == 0) free.push_back(to);
      }
    }
    return taken != same_.size();
  }

  const JsonValue root_;
  std::vector<std::string>& patterns_;
  std::vector<Reference> references_;
  std::map<Place, std::vector<Place>> same_;  // every schema, and those that look at its value
  std::string path_;
};

}  // namespace

Status check_schema(JsonValue root, std::vector<std::string>& patterns) {
  return Walk(root, patterns).whole();
}

}  // namespace signet::wire
