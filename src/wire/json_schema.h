// JsonSchema holds a value against a JSON Schema (draft 7), by a library that ends behind this
// header. What is checked comes from peers, so it is bounded before: strict JSON within limits, no
// text longer than the schema's engine of patterns bears, no number beyond a double, no null
// character in a text, which the library would take for its end.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::wire {

struct SchemaLimits {
  std::size_t max_text = 4'096;  // bytes of one text or name; a pattern's cost grows with it
  std::size_t max_values = 65'536;
  std::size_t max_fault = 256;  // bytes of the answer's words
  // What a check may cost, in looks at a value, for each value of what is checked. An ordinary
  // schema takes about ten; a choice of choices, or each item against every other, takes more.
  std::size_t max_looks = 100;
};

// Immutable; used by any number of threads at once.
class JsonSchema {
 public:
  // Fails kMalformed with the place and what is wrong with the schema: no JSON, an unknown type, a
  // pattern that is none, a reference out of the document (nothing is ever fetched) or in a circle,
  // a keyword that is not checked here: those that draft 7 does not have, and `multipleOf`,
  // `format`, `patternProperties`, `propertyNames`. Patterns are of ASCII and see bytes, not
  // characters; they neither look ahead nor refer to what was matched. A number is the nearest
  // double.
  static Result<JsonSchema> compile(std::string_view schema, const SchemaLimits& limits = {});

  JsonSchema(JsonSchema&&) noexcept;
  JsonSchema& operator=(JsonSchema&&) noexcept;
  ~JsonSchema();

  // Done, or kMalformed with the place, a JSON pointer, and the schema's keyword that was broken:
  // `/entities/0/transform/scale/1: exclusiveMinimum`, `/world: required id`, `(root): type`; or
  // what the value itself breaks: `/entities/0/id: long text`; or the rule of strict JSON. The
  // place has names of the value's members, printable; a value is never in it.
  Status check(std::string_view json) const;

 private:
  struct Impl;
  explicit JsonSchema(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet::wire
