// One HTTP request and its answer, for joining and for operators.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "client/url.h"
#include "signet/result.h"

namespace signet::client {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

inline constexpr std::size_t kMaxAnswerBytes = 1 << 20;  // more than any answer of a broker

// Sends one request (an empty `body`: none) and reads the whole answer, up to its length or to the
// end of the connection. `timeout` is for all of it, however slowly the server trickles.
// Fails kUnavailable when the server can't be reached, breaks off, or answers no HTTP/1.1, and
// kOverloaded when it takes too long.
Result<HttpAnswer> http_request(const Url& url, std::string_view method, std::string_view body,
                                std::chrono::milliseconds timeout);

// The answer at the start of `bytes`; nullopt while more must come. `ended`: nothing will.
// Fails kUnavailable for what is no answer, or over kMaxAnswerBytes. Pure.
Result<std::optional<HttpAnswer>> read_answer(std::string_view bytes, bool ended);

}  // namespace signet::client
