// The places of sealed records: what a record is bound to, so that moved ones do not open.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace signet::client {

// Each part is preceded by its length, so that no two rows read alike.
inline std::string row_of(std::initializer_list<std::string_view> parts) {
  std::string row;
  for (const std::string_view part : parts) {
    row += std::to_string(part.size()) + ":";
    row += part;
  }
  return row;
}

}  // namespace signet::client
