// Fields as one text that says where each ends: what is signed or authenticated must have one
// meaning. The same encoding that the digests of hash.h run over.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace signet::crypto {

// `domain` and every field, each after its length as 8 bytes little-endian. The domain names the
// purpose, so that no text of one kind is ever a text of another.
std::string joined_fields(std::string_view domain, std::initializer_list<std::string_view> fields);

void append_field(std::string& out, std::string_view field);

}  // namespace signet::crypto
