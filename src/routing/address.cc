#include "routing/address.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/overloaded.h"

namespace signet::routing {
namespace {

constexpr std::string_view kTagPrefix = "tag:";

}  // namespace

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    constexpr std::string_view kPunctuation = "._-:/";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kPunctuation.find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxNameBytes && std::ranges::all_of(text, allowed);
}

Result<Address> parse_address(std::string_view text) {
  if (text == "*") return Address(ToEveryone{});
  if (text.starts_with('#')) {
    text.remove_prefix(1);
    if (!is_name(text)) return Error{ErrorCode::kMalformed, "channel name"};
    return Address(ToChannel{std::string(text)});
  }
  if (text.starts_with(kTagPrefix)) {
    text.remove_prefix(kTagPrefix.size());
    if (!is_name(text)) return Error{ErrorCode::kMalformed, "tag name"};
    return Address(ToTag{std::string(text)});
  }
  ToMember member{};
  if (!from_hex(text, member.key)) return Error{ErrorCode::kMalformed, "address"};
  return Address(member);
}

std::string text_of(const Address& address) {
  return std::visit(Overloaded{[](const ToMember& to) { return to_hex(to.key); },
                               [](const ToEveryone&) { return std::string("*"); },
                               [](const ToChannel& to) { return "#" + to.name; },
                               [](const ToTag& to) { return std::string(kTagPrefix) + to.name; }},
                    address);
}

}  // namespace signet::routing
