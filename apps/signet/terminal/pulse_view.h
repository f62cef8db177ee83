// A pulse, as people and programs see it.
#pragma once

#include <string>

#include "signet/client.h"
#include "signet/terminal/output.h"

namespace signet::cli {

// {"topic","number","topicNumber","from","at","missed","gap","pulse"}
Fields pulse_fields(const Pulse& pulse);

// One line: when, on which topic, from whom, and what.
std::string pulse_line(const Pulse& pulse, const Output& out);

// What was missed before it, as a sentence; empty: nothing.
std::string loss_before(const Pulse& pulse);

// Valid JSON without what stands between its tokens.
std::string one_line_json(std::string_view json);

// The fields' names as columns of a list.
std::vector<Column> pulse_columns();
std::vector<Value> pulse_row(const Pulse& pulse);

}  // namespace signet::cli
