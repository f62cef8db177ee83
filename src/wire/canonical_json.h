// The texts that peers sign for one JSON value. What they sign is not what they send: it is written
// again in one way, so that way is repeated here, byte for byte. Two are those of PulseMesh
// clients, each the way of its own language (protocol/pulsemesh.md, vectors/pulsemesh.json); one is
// that of RFC 8785, which nodes of the overlay sign (protocol/overlay.md, vectors/overlay.json).
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "wire/json.h"

namespace signet::wire {

// spaced writes as Python's json.dumps(value, sort_keys=True): members sorted by code point at
// every level, `, ` and `: ` between them, everything but printable ASCII escaped, floats as repr
// (`1.0`, `1e+16`, `1e-07`), integers with all their digits. One value has one such text.
// Fails kMalformed ("number") when a number is beyond a double: Python reads it as an infinity,
// whose text is no JSON. REQUIRES: a value of a parsed document.
Result<std::string> spaced(JsonValue value);

// compact writes as JSON.stringify(value, Object.keys(value).sort()): members sorted by UTF-16 code
// unit, no spaces, text as it is where no escape is needed, numbers as ECMAScript prints the
// nearest double. That call leaves out what is nested, so only a flat object has this text: nullopt
// for every other value, and where a number is beyond a double (it would be written as `null`).
std::optional<std::string> compact(JsonValue value);

// canonical writes as RFC 8785 (JCS) has it: members sorted by UTF-16 code unit at every level, no
// spaces, text and numbers as ECMAScript prints them. One value has one such text, which is its own
// canonical text. Fails kMalformed ("number") when a number is beyond a double. REQUIRES: a value
// of a parsed document.
Result<std::string> canonical(JsonValue value);

// canonical_claim is the canonical text of what an object claims: without the members `left_out` of
// the object itself (the signatures, which can't sign themselves), and without any member that is
// null, however deep, since null and absent say the same. An item of an array that is null stays.
// Fails as canonical does, and kMalformed ("object") for a value that is none.
Result<std::string> canonical_claim(JsonValue object,
                                    std::initializer_list<std::string_view> left_out);

}  // namespace signet::wire
