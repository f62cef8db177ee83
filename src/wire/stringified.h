// JSON.stringify(JSON.parse(text)) of ECMAScript, byte for byte: what clients of Hub sign is what
// that prints of a payload, whatever they sent.
// Source: ECMA-262, JSON.stringify, OrdinaryOwnPropertyKeys, Number::toString.
#pragma once

#include <string>

#include "wire/json.h"

namespace signet::wire {

// No spaces; members in the order in which ECMAScript keeps them: array indices first, rising, then
// the others as they came; numbers as it prints the nearest double (`1.0` as `1`, `-0` as `0`, what
// is beyond a double as `null`); text as it is but for what must be escaped. Where the value's own
// text is already that, it is copied (the fast path, which the test compares with the slow one).
// Strict JSON has no duplicate names and no lone surrogates, so their rules do not arise.
// REQUIRES: a value of a parsed document.
std::string stringified(JsonValue value);

}  // namespace signet::wire
