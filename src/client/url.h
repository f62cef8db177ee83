// Url is what a client needs of `http://host:port/path`, `ws://host:port/path`, and the same with
// `https` and `wss`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::client {

struct Url {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
  std::string path = "/";  // with its query
  bool secure = false;     // https or wss: TLS or nothing

  std::string authority() const;  // `host:port` as Host wants it, brackets of IPv6 included
};

// The port is 80, or 443 where it is secure, unless it is given. Fails kMalformed for any other
// scheme, for a user, a fragment and whatever must be escaped: a URL comes in an invite, and
// nothing of it may become a second line of a request.
Result<Url> parse_url(std::string_view text);

// May `path` stand in a request line as it is? It begins with a slash and holds nothing that must
// be escaped.
bool is_plain_path(std::string_view path);

}  // namespace signet::client
