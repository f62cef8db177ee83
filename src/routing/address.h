// Address is where a message goes: a member by key, everyone, a channel, or a tag. Text form:
//   64 hex digits | * | #channel | tag:name
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <variant>

#include "signet/result.h"

namespace signet::routing {

// Letters, digits, '.', '_', '-', ':' and '/', one to 64 of them: a name that no log, URL or
// pattern can misread.
inline constexpr std::size_t kMaxNameBytes = 64;
bool is_name(std::string_view text);

struct ToMember {
  std::array<unsigned char, 32> key;
  bool operator==(const ToMember&) const = default;
};
struct ToEveryone {
  bool operator==(const ToEveryone&) const = default;
};
struct ToChannel {
  std::string name;  // without '#'
  bool operator==(const ToChannel&) const = default;
};
struct ToTag {
  std::string name;  // without "tag:"
  bool operator==(const ToTag&) const = default;
};
using Address = std::variant<ToMember, ToEveryone, ToChannel, ToTag>;

// Fails kMalformed, naming the rule. Hex digits may be of either case.
Result<Address> parse_address(std::string_view text);

// The one text of an address: hex in lower case.
std::string text_of(const Address& address);

}  // namespace signet::routing
