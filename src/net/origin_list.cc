#include "net/origin_list.h"

#include <algorithm>
#include <optional>

#include "net/address.h"

namespace signet::net {
namespace {

constexpr std::string_view kLoopback = "loopback";
constexpr std::size_t kMaxHostBytes = 253;  // RFC 1035, section 2.3.4, as text
constexpr std::size_t kMaxLabelBytes = 63;

struct Origin {
  std::string_view scheme;
  std::string_view host;
  std::string_view port;  // empty: the scheme's own
};

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_scheme(std::string_view text) {
  return !text.empty() && is_lower(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_lower(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

bool is_default_port(std::string_view scheme, std::string_view port) {
  if (scheme == "http" || scheme == "ws") return port == "80";
  return (scheme == "https" || scheme == "wss") && port == "443";
}

// Through the reader of addresses: what it prints again is the one way to write it.
std::optional<PeerAddress> literal_host(std::string_view host) {
  const std::string with_port = std::string(host) + ":0";
  const auto address = parse_address(with_port);
  if (host == "localhost" || !address.ok() || address->text() != with_port) return std::nullopt;
  return *address;
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kMaxLabelBytes &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; });
}

bool is_name(std::string_view host) {
  if (host.size() > kMaxHostBytes) return false;
  std::string_view last;
  for (std::string_view rest = host;;) {
    const auto dot = rest.find('.');
    last = rest.substr(0, dot);
    if (!is_label(last)) return false;
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  // Browsers read a name that ends in a number as an IPv4 address, and write it as one.
  return !std::all_of(last.begin(), last.end(), is_digit);
}

bool is_port(std::string_view text) {
  constexpr std::size_t kMaxDigits = 5;
  constexpr int kLast = 65'535;
  if (text.empty() || text.size() > kMaxDigits || text.front() == '0') return false;
  return std::all_of(text.begin(), text.end(), is_digit) && std::stoi(std::string(text)) <= kLast;
}

// Where the port's colon is: behind the bracket of an IPv6 address.
std::size_t colon_of(std::string_view authority) {
  return authority.find(':', authority.starts_with('[') ? authority.find(']') : 0);
}

// The rule that `text` breaks; empty: it is a whole origin, in `into`.
std::string_view broken_rule(std::string_view text, Origin& into) {
  constexpr std::string_view kMark = "://";
  const auto mark = text.find(kMark);
  if (mark == std::string_view::npos) return "it is SCHEME://HOST or SCHEME://HOST:PORT";
  into.scheme = text.substr(0, mark);
  if (!is_scheme(into.scheme)) return "its scheme is lower case";
  const std::string_view authority = text.substr(mark + kMark.size());
  if (authority.find_first_of("/?#") != std::string_view::npos) return "nothing follows the port";
  if (authority.find('@') != std::string_view::npos) return "it names no user";
  if (authority.find('*') != std::string_view::npos) return "it has no wildcard";
  const auto colon = colon_of(authority);
  into.host = authority.substr(0, colon);
  into.port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
  if (!is_name(into.host) && !literal_host(into.host)) {
    return "its host is a name in lower case ASCII without a last dot, or an address as browsers "
           "write it";
  }
  if (colon == std::string_view::npos) return {};
  if (!is_port(into.port)) return "its port is a number from 1 to 65535";
  if (is_default_port(into.scheme, into.port)) return "browsers leave a scheme's own port out";
  return {};
}

bool is_loopback_page(std::string_view text) {
  Origin origin;
  if (!broken_rule(text, origin).empty()) return false;
  if (origin.scheme != "http" && origin.scheme != "https") return false;
  if (origin.host == "localhost") return true;
  const auto address = literal_host(origin.host);
  return address && address->is_loopback();
}

}  // namespace

Result<OriginList> OriginList::of(const std::vector<std::string>& entries) {
  OriginList list;
  for (const std::string& entry : entries) {
    if (entry == kLoopback) {
      list.loopback_ = true;
      continue;
    }
    Origin origin;
    const std::string_view rule =
        entry == "null" ? "every sandboxed page says so" : broken_rule(entry, origin);
    if (!rule.empty()) {
      return Error{ErrorCode::kMalformed, "'" + entry + "' is no origin: " + std::string(rule)};
    }
    list.listed_.insert(entry);
  }
  return list;
}

OriginList OriginList::any() {
  OriginList list;
  list.any_ = true;
  return list;
}

bool OriginList::allows(std::string_view origin) const {
  if (any_ || listed_.find(origin) != listed_.end()) return true;
  return loopback_ && is_loopback_page(origin);
}

}  // namespace signet::net
