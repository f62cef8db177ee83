// A received message, as people and programs see it.
#pragma once

#include <string>

#include "signet/client.h"
#include "signet/terminal/output.h"

namespace signet::cli {

// {"id","mesh","from","fromName","kind","target","priority","at","sealed","text","why"}: `text` is
// null where there is none, and `why` says why.
Fields message_fields(const Message& message, std::string_view mesh);

// Several lines: who, when, what it was (loud where it was not sealed), then the text, indented.
std::string message_text(const Message& message, const Output& out);

// The fields' names as columns of a list.
std::vector<Column> message_columns();
std::vector<Value> message_row(const Message& message, std::string_view mesh);

}  // namespace signet::cli
