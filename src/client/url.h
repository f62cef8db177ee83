// Url is what a client needs of `http://host:port/path` and `ws://host:port/path`.
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

  std::string authority() const;  // `host:port` as Host wants it, brackets of IPv6 included
};

// Fails kMalformed for anything but http and ws, for a user, a fragment and whatever must be
// escaped: a URL comes in an invite, and nothing of it may become a second line of a request.
// Fails kUnavailable for https and wss, which this version's client does not speak.
Result<Url> parse_url(std::string_view text);

}  // namespace signet::client
