// One HTTP request and its answer, for joining and for operators.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "client/url.h"

namespace signet::client {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

// POSTs (or GETs, with an empty `method` body) and reads the whole answer, at most 1 MiB of it.
// Fails kUnavailable when the server can't be reached or breaks off.
Result<HttpAnswer> http_request(const Url& url, std::string_view method, std::string_view body,
                                std::chrono::milliseconds timeout);

}  // namespace signet::client
