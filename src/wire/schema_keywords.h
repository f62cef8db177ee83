// What a JSON Schema may say here, held against draft 7 before a library sees it. A schema guards a
// door, so what it says must be what is checked: an unknown keyword, which the draft would pass
// over, is refused, as is each that the library checks wrongly or not at all. Inside `wire` only.
// Source: https://json-schema.org/draft-07/draft-handrews-json-schema-validation-01
#pragma once

#include <string>
#include <vector>

#include "signet/result.h"
#include "wire/json.h"

namespace signet::wire {

// Patterns longer than this nobody reads.
inline constexpr std::size_t kMaxPattern = 256;

// Fails kMalformed with the place and what is wrong there: `/properties/a/type: no type of JSON`.
// References must name a schema of this document and must not lead in a circle that looks at one
// value for ever. `patterns` receives every pattern; whether they can be compiled is not looked at.
Status check_schema(JsonValue root, std::vector<std::string>& patterns);

}  // namespace signet::wire
