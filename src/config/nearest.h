// The nearest name, for "did you mean": typing errors are the usual cause of an unknown key.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace signet::config {

// The name of the smallest edit distance, the first of equals; empty when none is within a third
// of its length.
std::string nearest(std::string_view given, const std::vector<std::string>& names);

}  // namespace signet::config
