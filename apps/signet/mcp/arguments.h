// The arguments of the tools, one table for two readers: the JSON Schema that an agent is shown and
// the check of what it sends. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"
#include "wire/json.h"

namespace signet::mcp {

enum class ArgumentKind : std::uint8_t { kText, kChoice, kSeconds };

struct Argument {
  std::string_view name;
  ArgumentKind kind;
  bool is_required;
  std::string_view meaning;                    // for the agent
  std::size_t max_bytes = 0;                   // of kText
  std::vector<std::string_view> choices = {};  // of kChoice
  int max_seconds = 0;                         // of kSeconds, from 0 on
};

// Arguments are the checked values; they borrow the document of the call.
class Arguments {
 public:
  // Fails kMalformed (bad_arguments) naming the argument and what it takes. `given` is an object.
  static Result<Arguments> read(const std::vector<Argument>& table, wire::JsonValue given);

  bool has(std::string_view name) const { return static_cast<bool>(given_[name]); }
  std::string_view text(std::string_view name) const { return given_[name].string().value_or(""); }
  double seconds(std::string_view name, double otherwise) const {
    return given_[name].number().value_or(otherwise);
  }

 private:
  explicit Arguments(wire::JsonValue given) : given_(given) {}
  wire::JsonValue given_;
};

// `{"type":"object",…,"additionalProperties":false}`
std::string input_schema(const std::vector<Argument>& table);

}  // namespace signet::mcp
