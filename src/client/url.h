// Url is what a client needs of `http://host:port/path` and `ws://host:port/path`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace signet::client {

struct Url {
  std::string host;
  std::uint16_t port = 0;
  std::string path = "/";
};

// Fails kMalformed for anything but http and ws, kUnavailable for https and wss, which this
// version's client does not speak.
Result<Url> parse_url(std::string_view text);

}  // namespace signet::client
