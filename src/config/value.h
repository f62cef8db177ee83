// Value is what a setting is set to; parse_value is the one reading of its text, whichever source
// it came from, and print_value its inverse.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/setting.h"
#include "signet/result.h"

namespace signet::config {

struct Value {
  std::int64_t number = 0;  // kBool 0 or 1, kInteger, kBytes in bytes, kDuration in microseconds
  std::string text;         // kText, kChoice; kSecret never
  std::vector<std::string> list;  // kList, kAddresses
  bool operator==(const Value&) const = default;
};

// Fails kMalformed with what is allowed ("a duration such as …, from 1s to 10m"), which is the
// second half of a message whose first half names the place and what was given.
Result<Value> parse_value(const Setting& setting, std::string_view text);
Result<Value> parse_list(const Setting& setting, const std::vector<std::string>& entries);

// The text that parse_value reads back, with the largest unit that is exact: "1h", not "60m".
std::string print_value(const Setting& setting, const Value& value);

// What is allowed, in words, for messages and the reference.
std::string allowed(const Setting& setting);

std::string print_duration(std::int64_t microseconds);
std::string print_bytes(std::int64_t bytes);

}  // namespace signet::config
