// How two languages print a double. Inside `wire` only: what signs or forwards a JSON value goes
// through canonical_json.h or stringified.h.
#pragma once

#include <string>

namespace signet::wire {

// Python's repr of a float: positional from 1e-4 to below 1e16, and always seen to be a float.
// REQUIRES: a finite number.
void append_python_float(std::string& out, double number);

// Number::toString of ECMA-262: positional from 1e-6 to below 1e21; zero has no sign.
// REQUIRES: a finite number.
void append_ecmascript_number(std::string& out, double number);

}  // namespace signet::wire
