#include "crypto/fields.h"

#include <cstdint>

namespace signet::crypto {

void append_field(std::string& out, std::string_view field) {
  for (unsigned shift = 0; shift < 64; shift += 8) {
    out.push_back(static_cast<char>(std::uint64_t{field.size()} >> shift));
  }
  out.append(field);
}

std::string joined_fields(std::string_view domain, std::initializer_list<std::string_view> fields) {
  std::string out;
  append_field(out, domain);
  for (const std::string_view field : fields) append_field(out, field);
  return out;
}

}  // namespace signet::crypto
