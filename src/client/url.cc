#include "client/url.h"

#include <charconv>

namespace signet::client {

Result<Url> parse_url(std::string_view text) {
  const auto mark = text.find("://");
  if (mark == std::string_view::npos) return Error{ErrorCode::kMalformed, "no scheme"};
  const std::string_view scheme = text.substr(0, mark);
  if (scheme == "https" || scheme == "wss") {
    return Error{ErrorCode::kUnavailable, "TLS is not built into this client yet"};
  }
  if (scheme != "http" && scheme != "ws") return Error{ErrorCode::kMalformed, "unknown scheme"};
  std::string_view rest = text.substr(mark + 3);
  Url url;
  url.port = 80;
  if (const auto slash = rest.find('/'); slash != std::string_view::npos) {
    url.path = rest.substr(slash);
    rest = rest.substr(0, slash);
  }
  const auto colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find(']', colon) == std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), url.port);
    if (read.ec != std::errc() || read.ptr != digits.data() + digits.size()) {
      return Error{ErrorCode::kMalformed, "port"};
    }
    rest = rest.substr(0, colon);
  }
  if (rest.starts_with('[') && rest.ends_with(']')) rest = rest.substr(1, rest.size() - 2);
  if (rest.empty()) return Error{ErrorCode::kMalformed, "no host"};
  url.host = rest;
  return url;
}

}  // namespace signet::client
