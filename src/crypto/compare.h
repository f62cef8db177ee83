// Comparing secrets in a time that does not depend on where they differ.
#pragma once

#include <string_view>

namespace signet::crypto {

// True when both are the same bytes. Takes time by the length only.
bool equal_secrets(std::string_view a, std::string_view b);

}  // namespace signet::crypto
