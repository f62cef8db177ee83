#include "client/url.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace signet::client {
namespace {

Error malformed(std::string_view rule) { return {ErrorCode::kMalformed, std::string(rule)}; }

// Whatever could end a request line or a header, or stands in no URL unescaped.
bool is_url_char(char c) {
  return c > ' ' && c < 0x7f && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
}

bool is_host_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_';
}

bool is_ipv6_char(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' ||
         c == '.';
}

// "host" or "[IPv6]"; nullopt when it is neither.
std::optional<std::string_view> host_of(std::string_view text) {
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  const std::string_view host = bracketed ? text.substr(1, text.size() - 2) : text;
  const bool good = !host.empty() &&
                    std::all_of(host.begin(), host.end(), bracketed ? is_ipv6_char : is_host_char);
  return good ? std::optional(host) : std::nullopt;
}

std::optional<std::uint16_t> port_of(std::string_view digits) {
  std::uint16_t port = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, port);
  const bool good = read.ec == std::errc() && read.ptr == end && port != 0;
  return good ? std::optional(port) : std::nullopt;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return malformed("no scheme");
  const std::string_view scheme = text.substr(0, mark);
  const bool secure = scheme == "https" || scheme == "wss";
  if (!secure && scheme != "http" && scheme != "ws") return malformed("unknown scheme");
  if (!std::all_of(text.begin(), text.end(), is_url_char)) return malformed("character");
  std::string_view rest = text.substr(mark + 3);
  Url url;
  url.secure = secure;
  url.port = secure ? 443 : 80;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    url.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos) {
    const auto port = port_of(rest.substr(colon + 1));
    if (!port) return malformed("port");
    url.port = *port;
    rest = rest.substr(0, colon);
  }
  const auto host = host_of(rest);
  if (!host) return malformed("host");
  url.host = *host;
  return url;
}

bool is_plain_path(std::string_view path) {
  return path.starts_with('/') && std::all_of(path.begin(), path.end(), is_url_char);
}

std::string Url::authority() const {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace signet::client
